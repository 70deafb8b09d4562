// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/plots.hpp"

#include "studies/shared/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace studies::levels {

namespace {

bool is_drawn(const entrant& one) {
  return one.kind != entrant_kind::bound && one.kind != entrant_kind::planted;
}

drawing draw_policies(const figures& found, trace_group group) {
  std::vector<bar> bars;
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    const auto& one = found.entrants()[i];
    if (!is_drawn(one)) continue;
    bars.push_back({one.name,
                    one.kind == entrant_kind::ours,
                    {found.of(i, too_good, group)->mean, found.of(i, too_bad, group)->mean,
                     seconds_a_flap * found.of(i, flaps, group)->mean}});
  }
  const auto price = [](const bar& one) { return std::accumulate(one.parts.begin(), one.parts.end(), 0.0); };
  std::sort(bars.begin(), bars.end(),
            [&](const bar& one, const bar& other) { return price(one) < price(other); });
  return draw_bars({"Seconds in the wrong level by policy",
                    fmt::format("seconds in the wrong level in ten minutes, and ten more a flap; {} traces",
                                name_of(group))},
                   {{colours::too_good, "too good", 90},
                    {colours::too_bad, "too bad", 90},
                    {colours::restless, "flaps", 0}},
                   bars);
}

drawing draw_traces(const figures& found) {
  std::vector<line_of_dots> lines;
  for (std::size_t trace = 0; trace < found.traces().size(); ++trace) {
    auto& line = lines.emplace_back(line_of_dots{found.traces()[trace].name, {}});
    for (std::size_t i = 0; i < found.entrants().size(); ++i) {
      const auto& one = found.entrants()[i];
      if (one.kind != entrant_kind::peer && one.kind != entrant_kind::ours) continue;
      line.dots.push_back({one.name, one.kind == entrant_kind::ours, found.of(i, trace, cost)->mean});
    }
  }
  return draw_dots({"Seconds in the wrong level by trace",
                    "seconds in the wrong level, and ten a flap; at the left edge: 1 or fewer"},
                   1, 1000, lines);
}

}  // namespace

void write_plots(const figures& found, const std::string& directory) {
  const auto takes_part = [&](trace_group group) {
    return std::any_of(found.traces().begin(), found.traces().end(),
                       [&](const trace& one) { return one.group == group; });
  };
  if (takes_part(trace_group::listed)) {
    write_drawing(directory, "levels.svg", draw_policies(found, trace_group::listed));
  }
  if (takes_part(trace_group::held_out)) {
    write_drawing(directory, "levels-held-out.svg", draw_policies(found, trace_group::held_out));
  }
  write_drawing(directory, "levels-traces.svg", draw_traces(found));
}

}  // namespace studies::levels
