// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "unit/breaker/specification.hpp"

#include "brownout/detector/detector.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

/// The detectors of the library in their plainest form: every call is kept, and counted again each time.
namespace fuzz {

using breaker_test::ended_call;
using brownout::duration;

/// A share as whole hundredths, so that it is exact.
[[nodiscard]] inline bool reaches(std::size_t bad, std::size_t calls, std::uint32_t percent) {
  return bad * 100 >= percent * calls;
}

/// All calls of an epoch that were measured, and a rule about them.
class plain_detector {
 public:
  /// Whether a circuit opens at the last of these calls, and what a snapshot shows of them at a time.
  using rule = std::function<bool(const std::deque<ended_call>&)>;
  using figures = std::function<brownout::epoch_statistics(const std::deque<ended_call>&, duration now)>;

  plain_detector(rule opens, figures shows, std::function<bool(const ended_call&)> slow)
      : opens_{std::move(opens)}, shows_{std::move(shows)}, slow_{std::move(slow)} {}

  bool trips(const ended_call& call) {
    calls_.push_back(call);
    return opens_(calls_);
  }
  [[nodiscard]] bool is_slow(const ended_call& call) const { return slow_ && slow_(call); }
  void clear() { calls_.clear(); }
  [[nodiscard]] brownout::epoch_statistics shown(duration now) const { return shows_(calls_, now); }

 private:
  std::deque<ended_call> calls_;
  rule opens_;
  figures shows_;
  std::function<bool(const ended_call&)> slow_;
};

/// Failures since the last success.
[[nodiscard]] inline std::uint32_t streak_of(const std::deque<ended_call>& calls) {
  const auto last = std::find_if(calls.rbegin(), calls.rend(), [](const auto& one) { return !one.failed; });
  return static_cast<std::uint32_t>(last - calls.rbegin());
}

[[nodiscard]] inline plain_detector plain_consecutive(std::uint32_t threshold) {
  return {[=](const auto& calls) { return streak_of(calls) >= threshold; },
          [](const auto& calls, duration) {
            return brownout::epoch_statistics{.consecutive_failures = streak_of(calls)};
          },
          {}};
}

[[nodiscard]] inline plain_detector plain_balance(std::uint32_t threshold) {
  const auto balance_of = [](const std::deque<ended_call>& calls) {
    std::uint32_t balance = 0;
    for (const auto& one : calls) balance = one.failed ? balance + 1 : balance - (balance > 0 ? 1 : 0);
    return balance;
  };
  return {[=](const auto& calls) { return calls.back().failed && balance_of(calls) >= threshold; },
          [=](const auto& calls, duration) {
            return brownout::epoch_statistics{.failure_balance = balance_of(calls)};
          },
          {}};
}

[[nodiscard]] inline plain_detector plain_failures_within(std::uint32_t threshold, duration period) {
  const auto within = [=](const std::deque<ended_call>& calls, duration now) {
    return static_cast<std::uint32_t>(std::count_if(
        calls.begin(), calls.end(), [&](const auto& one) { return one.failed && now - one.ended < period; }));
  };
  const auto room = 2 * std::bit_ceil(std::max(threshold, 8U));  // so many times are kept
  return {[=](const auto& calls) {
            return calls.back().failed && within(calls, calls.back().ended) >= threshold;
          },
          [=](const auto& calls, duration now) {
            return brownout::epoch_statistics{.failures = std::min(within(calls, now), room)};
          },
          {}};
}

/// Bad calls as a share of a window. `counts`: whether a call counts as bad. `size`: of a count window, or 0.
/// `length`: of a time window.
struct plain_share {
  std::uint32_t percent;
  std::uint32_t minimum;
  std::uint32_t size;
  duration length;

  /// The calls of the window, and the bad ones among them.
  [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> window(
      const std::deque<ended_call>& calls, duration now,
      const std::function<bool(const ended_call&)>& bad) const {
    std::uint32_t all = 0;
    std::uint32_t found = 0;
    const auto tenth = size == 0 ? length / 10 : duration{1};
    for (auto one = calls.rbegin(); one != calls.rend(); ++one) {
      if (size != 0 ? all == size : now / tenth - one->ended / tenth >= 10) break;
      ++all;
      if (bad(*one)) ++found;
    }
    return {all, found};
  }

  [[nodiscard]] plain_detector as_detector(std::function<bool(const ended_call&)> bad, bool are_slow) const {
    return {[=, self = *this](const auto& calls) {
              if (!bad(calls.back())) return false;
              const auto [all, found] = self.window(calls, calls.back().ended, bad);
              return all >= self.minimum && reaches(found, all, self.percent);
            },
            [=, self = *this](const auto& calls, duration now) {
              const auto [all, found] = self.window(calls, now, bad);
              return are_slow ? brownout::epoch_statistics{.calls = all, .slow_calls = found}
                              : brownout::epoch_statistics{.calls = all, .failures = found};
            },
            are_slow ? bad : std::function<bool(const ended_call&)>{}};
  }
};

/// Opens if one of two does. Each counts every call.
[[nodiscard]] inline plain_detector plain_any_of(plain_detector first, plain_detector second) {
  struct both {
    plain_detector one;
    plain_detector other;
  };
  const both of{std::move(first), std::move(second)};
  return {[=](const std::deque<ended_call>& calls) {
            auto [one, other] = of;  // as if each had counted alone
            bool trips = false;
            for (const auto& call : calls) {
              const bool first_trips = one.trips(call);
              trips = other.trips(call) || first_trips;
            }
            return trips;
          },
          [=](const std::deque<ended_call>& calls, duration now) {
            auto [one, other] = of;
            for (const auto& call : calls) {
              one.trips(call);
              other.trips(call);
            }
            const auto left = one.shown(now);
            const auto right = other.shown(now);
            return brownout::epoch_statistics{
                std::max(left.consecutive_failures, right.consecutive_failures),
                std::max(left.failure_balance, right.failure_balance), std::max(left.calls, right.calls),
                std::max(left.failures, right.failures), std::max(left.slow_calls, right.slow_calls)};
          },
          [=](const ended_call& call) { return of.one.is_slow(call) || of.other.is_slow(call); }};
}

}  // namespace fuzz
