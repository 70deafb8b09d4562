// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/study.hpp"

#include "studies/levels/demand.hpp"

#include <cstddef>
#include <utility>

namespace studies::levels {

figures run_study(const std::vector<trace>& traces, const std::vector<entrant>& entrants, seed_range seeds,
                  const std::function<void(const trace&)>& progress) {
  std::vector<figures::run> runs;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    for (auto seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
      const auto what_happens = traces[i].of(seed);
      const auto wanted = draw_demand(what_happens, traces[i].requests_per_second, seed);
      for (std::size_t j = 0; j < entrants.size(); ++j) {
        runs.push_back(
            {.trace = i, .entrant = j, .seed = seed, .counted = entrants[j].run(what_happens, wanted, seed)});
      }
    }
    progress(traces[i]);
  }
  return {traces, entrants, std::move(runs)};
}

}  // namespace studies::levels
