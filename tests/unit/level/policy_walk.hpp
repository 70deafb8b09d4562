// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "unit/level/controller_bench.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace level_test {

/// Random policies and random scores over time: the same for the same seed.
class walk {
 public:
  explicit walk(std::uint32_t seed) : random_{seed} {}

  /// A whole number, 0 to below `end`.
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }
  bool one_in(std::uint32_t cases) { return below(cases) == 0; }
  double between(double least, double most) {
    return std::uniform_real_distribution<double>{least, most}(random_);
  }
  /// In steps of a quarter point, so that scores meet thresholds exactly.
  double quarter(double least, double most) {
    const auto steps = static_cast<std::uint32_t>((most - least) * 4);
    return least + 0.25 * below(steps + 1);
  }

  /// 1 to 16 rungs, some with an `enter` of their own.
  brownout::level_ladder<level> any_ladder() {
    const std::size_t size = 1 + below(16);
    std::vector<double> from;
    while (from.size() + 1 < size) {
      const double candidate = quarter(0.25, 100);
      if (std::find(from.begin(), from.end(), candidate) == from.end()) from.push_back(candidate);
    }
    std::sort(from.begin(), from.end(), std::greater<>{});
    from.push_back(0);
    std::vector<brownout::rung<level>> rungs;
    for (std::size_t i = 0; i < size; ++i) {
      brownout::rung<level> added{static_cast<level>(i), from[i], std::nullopt};
      if (one_in(4)) added.enter = quarter(from[i], 100);
      rungs.push_back(added);
    }
    return brownout::level_ladder<level>{std::span<const brownout::rung<level>>{rungs}};
  }

  policy any_policy() {
    constexpr std::array dwells{duration{0s}, duration{1ns}, duration{1s}, duration{10s}, duration{7777ms}};
    policy made{.ladder = any_ladder()};
    made.hysteresis = one_in(4) ? 0 : quarter(0, 12);
    made.dwell = dwells[below(dwells.size())];
    made.confirm_for = one_in(2) ? duration{0s} : dwells[below(dwells.size())] / 3;
    made.dwell_growth = one_in(4) ? 1 : between(1, 4);
    made.dwell_limit = one_in(4) ? 1 : between(1, 20);
    made.relapse_within = between(1, 10);
    if (one_in(3))
      made.panic_floor = static_cast<level>(below(static_cast<std::uint32_t>(made.ladder.size())));
    if (one_in(4)) made.panic_floor = std::nullopt;
    return made;
  }

  /// The next score: often the last one again, often one at a threshold or what must be held, sometimes
  /// unknown.
  std::optional<double> next_score(const policy& followed, std::optional<double> last) {
    const auto kind = below(12);
    if (kind < 5) return last;
    if (kind == 5) return std::nullopt;
    const auto rung = static_cast<level>(below(static_cast<std::uint32_t>(followed.ladder.size())));
    if (kind == 6) return followed.ladder.from(rung);
    if (kind == 7) return std::max(followed.ladder.from(rung) - 0.25, 0.0);
    if (kind < 10) return followed.needed_for(rung);
    return quarter(0, 100);
  }

  /// From nothing to a few dwells.
  duration next_wait(duration dwell) {
    switch (below(6)) {
      case 0:
        return duration{0};
      case 1:
        return duration{1};
      case 2:
        return dwell;
      default:
        return duration{static_cast<duration::rep>(between(0, 1.2) * static_cast<double>(dwell.count()))};
    }
  }

 private:
  std::mt19937 random_;
};

}  // namespace level_test
