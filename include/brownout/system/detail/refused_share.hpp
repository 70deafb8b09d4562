// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/system/call_limit.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The share of calls that a limit has refused of late: the mean over the latest 10 s, each second counting
/// alike. So a burst that fills the limit for a second costs a tenth at most, however many calls it has.
///
/// A second without calls counts as one without refusals, so the share returns to 0 by itself. If looks are
/// further apart than a second, each counts for the time since the look before it.
///
/// Deterministic: time is an argument. Not thread-safe.
class refused_share {
 public:
  /// Ten bursts of a second each are needed for the whole share, and the share is back at 0 this long after
  /// the last refusal. It is as long as the window of `time_window`.
  static constexpr duration length = std::chrono::seconds{10};
  /// Long enough for a share: at 10 calls a second it has steps of a tenth.
  static constexpr duration shortest = std::chrono::seconds{1};

  /// Looks at the limit, if a second has passed since the last look. While the circuit is open or half-open,
  /// the share is forgotten: refusals before an outage say nothing about the time after it.
  void note(const call_limit& limit, circuit_state circuit, time_point now) noexcept {
    if (!limit) return;
    if (refuses_calls(circuit) || circuit == circuit_state::half_open) {
      spans_ = {};
      mean_ = 0;
      looked_at_.reset();
      return;
    }
    if (looked_at_ && now - *looked_at_ < shortest) return;
    const auto seen = limit.totals();
    if (looked_at_) {
      const auto refused = (seen.refused - seen_.refused) % limit_totals::modulus;
      const auto calls = (seen.admitted - seen_.admitted) % limit_totals::modulus + refused;
      const auto share = calls == 0 ? 0 : static_cast<double>(refused) / static_cast<double>(calls);
      spans_[next_] = {now - *looked_at_, share};
      next_ = (next_ + 1) % spans_.size();
      mean_ = mean_of_spans();
    }
    looked_at_ = now;
    seen_ = seen;
  }

  /// In [0, 1].
  [[nodiscard]] double value() const noexcept { return mean_; }

 private:
  [[nodiscard]] double mean_of_spans() const noexcept {
    double sum = 0;
    auto rest = length;
    for (std::size_t i = 1; i <= spans_.size(); ++i) {  // the newest first
      const auto& one = spans_[(next_ + spans_.size() - i) % spans_.size()];
      const auto counted = (std::min)(one.time, rest);
      sum += one.refused * static_cast<double>(counted.count());
      rest -= counted;
    }
    return sum / static_cast<double>(length.count());
  }

  struct span {
    duration time{};
    double refused = 0;  // share
  };

  std::array<span, static_cast<std::size_t>(length / shortest)> spans_{};
  std::size_t next_ = 0;  // place of the next one, which is that of the oldest
  double mean_ = 0;       // kept, since it is asked for at each step, also if there is no limit
  std::optional<time_point> looked_at_{};
  limit_totals seen_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
