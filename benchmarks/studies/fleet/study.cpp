// SPDX-License-Identifier: BSL-1.0
#include "studies/fleet/study.hpp"

#include "studies/shared/traffic.hpp"

#include <cstddef>
#include <utility>

namespace studies::fleet {

figures run_study(const std::vector<trace>& traces, const std::vector<entrant>& entrants, seed_range seeds,
                  const std::function<void(const trace&)>& progress) {
  std::vector<figures::run> runs;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    for (auto seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
      const auto what_happens = traces[i].of(seed);
      const auto calls = draw_traffic(what_happens, calls_per_second, seed);
      for (std::size_t j = 0; j < entrants.size(); ++j) {
        runs.push_back({.trace = i,
                        .entrant = j,
                        .seed = seed,
                        .counted = entrants[j].run(traces[i], what_happens, calls, seed)});
      }
    }
    progress(traces[i]);
  }
  return {traces, entrants, std::move(runs)};
}

}  // namespace studies::fleet
