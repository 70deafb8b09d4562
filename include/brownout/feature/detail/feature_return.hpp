// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/feature/detail/degradation_word.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Brings the features that a better level allows back one after another. Their whole load at once could
/// bring a system down that has just recovered.
///
/// Deterministic: time is an argument. Not thread-safe: the supervisor calls it under its lock.
class feature_return {
 public:
  /// All features are back after `over`: 0 (at once) to 1 h. Throws `std::invalid_argument` naming field,
  /// value and range.
  explicit feature_return(duration over) { reconfigure(over); }

  /// Features return over another time from the next change of the level on. With 0, those that return now
  /// are back at once. Throws as above.
  void reconfigure(duration over) {
    require_within("feature_return.over", over, duration::zero(), std::chrono::hours{1});
    over_ = over;
    if (over_ == duration::zero()) finish();
  }

  /// Health changed the level in force. A better level brings features back; features that still return from
  /// an earlier step are back at once. A worse level takes the features away that it does not allow, and the
  /// others go on returning.
  void note(std::size_t from, std::size_t to, time_point now) noexcept {
    if (over_ == duration::zero()) return;
    if (to < from) {
      from_ = from;
      began_ = now;
      lasts_ = over_;
    } else if (from_ && to >= *from_) {
      from_.reset();
    }
  }
  /// All allowed features are back from now on. For an override and the first assessment.
  void finish() noexcept { from_.reset(); }

  /// `word` with the share of features that have returned by `now`.
  [[nodiscard]] degradation_word at(time_point now, degradation_word word) noexcept {
    if (from_ && now - began_ >= lasts_) from_.reset();
    if (!from_ || *from_ <= word.level()) return word;
    return word.returning(*from_, share(now));
  }

  /// When the next features return; empty when all are back.
  [[nodiscard]] std::optional<time_point> next_change(time_point now) const noexcept {
    if (!from_) return std::nullopt;
    return began_ + (lasts_ * (share(now) + 1) + duration{degradation_word::whole_share - 1}) /
                        degradation_word::whole_share;
  }
  /// How long until all are back: 0 when they are.
  [[nodiscard]] duration rest(time_point now) const noexcept {
    return from_ ? std::clamp(began_ + lasts_ - now, duration::zero(), lasts_) : duration::zero();
  }

 private:
  [[nodiscard]] std::uint32_t share(time_point now) const noexcept {
    const auto passed = std::clamp(now - began_, duration::zero(), lasts_ - duration{1});
    return static_cast<std::uint32_t>(passed * degradation_word::whole_share / lasts_);
  }

  duration over_{};
  std::optional<std::size_t> from_{};  // the worst level that features are returning from
  time_point began_{};
  duration lasts_{};  // this return, also when `over_` is replaced meanwhile
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
