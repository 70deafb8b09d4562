// SPDX-License-Identifier: BSL-1.0
#include "studies/client/plots.hpp"

#include "studies/client/goals.hpp"
#include "studies/shared/chart.hpp"

#include <cstddef>
#include <vector>

namespace studies {

namespace {

/// The best first.
drawing draw_policies(const figures& found) {
  std::vector<bar> bars;
  for (const auto which : ranking(found, trace_group::listed, {})) {
    // Weighing only one kind gives twice its part.
    const auto part = [&](weights only) { return found.wrong(which, trace_group::listed, only).mean / 2; };
    const auto& one = found.entrants()[which];
    bars.push_back({one.name,
                    one.kind == entrant_kind::ours,
                    {part({.let_through = 1, .refused = 0}), part({.let_through = 0, .refused = 1})}});
  }
  return draw_bars({"Wrong decisions in 1000 calls by policy",
                    "wrong decisions in 1000 calls, mean over the listed traces"},
                   {{colours::too_good, "failures let through while bad", 220},
                    {colours::too_bad, "calls refused while good", 0}},
                   bars);
}

drawing draw_traces(const figures& found) {
  std::vector<line_of_dots> lines;
  for (std::size_t trace = 0; trace < found.traces().size(); ++trace) {
    auto& line = lines.emplace_back(line_of_dots{found.traces()[trace].name, {}});
    for (std::size_t i = 0; i < found.entrants().size(); ++i) {
      const auto& one = found.entrants()[i];
      if (one.kind != entrant_kind::peer && one.kind != entrant_kind::ours) continue;
      line.dots.push_back({one.name, one.kind == entrant_kind::ours, found.wrong(i, trace).mean});
    }
  }
  return draw_dots({"Wrong decisions in 1000 calls by trace",
                    "wrong decisions in 1000 calls, by trace; at the left edge: 0.1 or fewer"},
                   0.1, 1000, lines);
}

}  // namespace

void write_plots(const figures& found, const std::string& directory) {
  if (found.has(trace_group::listed)) {
    write_drawing(directory, "policies.svg", draw_policies(found));
  }
  write_drawing(directory, "traces.svg", draw_traces(found));
}

}  // namespace studies
