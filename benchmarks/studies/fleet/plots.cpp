// SPDX-License-Identifier: BSL-1.0
#include "studies/fleet/plots.hpp"

#include "studies/shared/chart.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace studies::fleet {

namespace {

bool is_drawn(const entrant& one) {
  return one.kind == entrant_kind::peer || one.kind == entrant_kind::ours;
}

std::vector<line_of_dots> wrong_by_trace(const figures& found) {
  std::vector<line_of_dots> lines;
  for (std::size_t trace = 0; trace < found.traces().size(); ++trace) {
    line_of_dots line{found.traces()[trace].name, {}};
    for (std::size_t i = 0; i < found.entrants().size(); ++i) {
      const auto& one = found.entrants()[i];
      const auto figure = found.of(i, trace, wrong);
      if (is_drawn(one) && figure) {
        line.dots.push_back({one.name, one.kind == entrant_kind::ours, figure->mean});
      }
    }
    if (!line.dots.empty()) lines.push_back(line);
  }
  return lines;
}

/// The best first.
std::vector<bar> useful_by_policy(const figures& found) {
  std::vector<bar> bars;
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    const auto& one = found.entrants()[i];
    const auto figure = found.of(i, useful);
    if (is_drawn(one) && figure) {
      bars.push_back({one.name, one.kind == entrant_kind::ours, {figure->mean}});
    }
  }
  std::sort(bars.begin(), bars.end(),
            [](const bar& one, const bar& other) { return one.parts[0] > other.parts[0]; });
  return bars;
}

}  // namespace

void write_plots(const figures& found, const std::string& directory) {
  if (const auto lines = wrong_by_trace(found); !lines.empty()) {
    write_drawing(directory, "fleet.svg",
                  draw_dots({"Wrong decisions of a fleet in 1000 calls",
                             "wrong decisions in 1000 calls; s1, s10, s50: 1, 10, 50 clients"},
                            1, 1000, lines));
  }
  if (const auto bars = useful_by_policy(found); !bars.empty()) {
    write_drawing(directory, "fleet-useful.svg",
                  draw_bars({"What an overloaded dependency gets done",
                             "under overload: answers in time, in % of what the dependency can do"},
                            {{colours::ours, "answers in time", 0}}, bars));
  }
}

}  // namespace studies::fleet
