// SPDX-License-Identifier: BSL-1.0
#include "studies/client/study.hpp"

#include "studies/shared/traffic.hpp"

#include <cstddef>
#include <utility>

namespace studies {

figures run_study(const std::vector<trace>& traces, const std::vector<entrant>& entrants, seed_range seeds,
                  const std::function<void(const trace&)>& progress) {
  std::vector<run_figures> runs;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    for (auto seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
      for (const auto rate : traces[i].calls_per_second) {
        const auto calls = draw_traffic(traces[i].of(seed), rate, seed);
        for (std::size_t j = 0; j < entrants.size(); ++j) {
          runs.push_back({.trace = i, .entrant = j, .seed = seed, .counted = entrants[j].run(calls, seed)});
        }
      }
    }
    progress(traces[i]);
  }
  return {traces, entrants, std::move(runs)};
}

}  // namespace studies
