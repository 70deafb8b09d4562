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

/// Brings back the features that a better level allows a part at a time, so that the load of all of them does
/// not meet a system that has just recovered.
///
/// Deterministic: time is an argument. Not thread-safe; the supervisor calls it under its lock.
class feature_return {
 public:
  /// They are all back after `over`, 0 (at once) to 1 h. Throws `std::invalid_argument` naming field, value
  /// and range.
  explicit feature_return(duration over) : over_{over} {
    require_within("feature_return.over", over, duration::zero(), std::chrono::hours{1});
  }

  /// The level in force went from one to another by itself. A better one brings features back; those of an
  /// earlier step that are still returning are let in at once. With a worse one those that it forbids have
  /// gone, and the others go on returning.
  void note(std::size_t from, std::size_t to, time_point now) noexcept {
    if (over_ == duration::zero()) return;
    if (to < from) {
      from_ = from;
      began_ = now;
    } else if (from_ && to >= *from_) {
      from_.reset();
    }
  }
  /// What is allowed is there, from now on: an operator's word, or the first assessment.
  void finish() noexcept { from_.reset(); }

  /// `word`, or the same with what has returned so far.
  [[nodiscard]] degradation_word at(time_point now, degradation_word word) noexcept {
    if (from_ && now - began_ >= over_) from_.reset();
    if (!from_ || *from_ <= word.level()) return word;
    return word.returning(*from_, share(now));
  }

  /// When the next part returns; nothing when all are there.
  [[nodiscard]] std::optional<time_point> next_change(time_point now) const noexcept {
    if (!from_) return std::nullopt;
    return began_ + (over_ * (share(now) + 1) + duration{degradation_word::whole_share - 1}) /
                        degradation_word::whole_share;
  }

 private:
  [[nodiscard]] std::uint32_t share(time_point now) const noexcept {
    const auto passed = std::clamp(now - began_, duration::zero(), over_ - duration{1});
    return static_cast<std::uint32_t>(passed * degradation_word::whole_share / over_);
  }

  duration over_;
  std::optional<std::size_t> from_;  // the worst level that features are returning from
  time_point began_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
