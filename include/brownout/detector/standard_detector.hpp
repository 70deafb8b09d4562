// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// The default detector of a breaker. Trips at 10 failures in a row, at 5 in a row that take a second (0.94
/// to 1.01 s), or when failures are 20 ahead of successes. In an `any_of` there is no room for a time, so 5
/// in a row do not trip it there.
///
/// - Ten in a row find a dependency that is gone, within ten calls.
/// - Five in a row are enough where calls are so rare that a second has passed meanwhile.
/// - The balance finds a dependency that fails more than half of its calls.
///
/// None of these needs a window. The clock is read for a failure, never for a success. Of the rules compared
/// in docs/adr/0006 this one was wrong least often.
struct standard_detector {
  static constexpr std::uint32_t streak = 10;         ///< failures in a row
  static constexpr std::uint32_t lasting_streak = 5;  ///< failures in a row, if they take a second
  static constexpr std::uint32_t balance = 20;        ///< failures ahead of successes

  // What the concept `detector` asks for. Its comment says what each of these means.
  static constexpr bool reads_clock = true;
  static constexpr bool times_calls = false;
  static constexpr bool has_window = false;
  static constexpr bool counts_overdue = false;
  template <class Atomics>
  using history = no_history;

  [[nodiscard]] constexpr bool is_bad(const call_sample& call) const noexcept { return call.failed; }
  [[nodiscard]] constexpr std::uint32_t first_marks(std::uint32_t /*most_marks*/) const noexcept { return 0; }
  [[nodiscard]] constexpr no_evidence record(no_history& /*none*/,
                                             const call_sample& /*call*/) const noexcept {
    return {};
  }
  [[nodiscard]] constexpr no_evidence read(const no_history& /*none*/,
                                           const call_sample& /*call*/) const noexcept {
    return {};
  }
  constexpr void refresh(no_evidence& /*none*/, const no_history& /*none*/,
                         const call_sample& /*call*/) const noexcept {}
  [[nodiscard]] constexpr judgement judge(no_evidence /*none*/, std::uint32_t marks, const call_sample& call,
                                          std::uint32_t most_marks) const noexcept {
    if (call.in_flight) return {marks};
    auto seen = counted::of(marks);
    if (!call.failed) return {counted{.balance = (std::max)(seen.balance, 1U) - 1}.marks()};
    const auto now = tick_of(call.ended) & mask_of(most_marks);
    if (seen.streak == 0) seen.began = now;
    const auto passed = (now - seen.began) & mask_of(most_marks);
    seen.streak = (std::min)(seen.streak + 1, most_streak);
    seen.balance = (std::min)(seen.balance + 1, most_balance);
    // If more than half a turn of the clock seems to have passed, this call ended before the streak began.
    const bool lasts = passed >= a_second && passed <= mask_of(most_marks) / 2;
    const bool in_a_row = seen.streak >= streak || (lasts && seen.streak >= lasting_streak);
    return {seen.marks(), in_a_row || seen.balance >= balance,
            in_a_row ? transition_cause::consecutive_failures : transition_cause::failure_balance};
  }
  [[nodiscard]] constexpr epoch_statistics statistics(no_evidence /*none*/, std::uint32_t marks,
                                                      std::uint32_t /*most_marks*/) const noexcept {
    const auto seen = counted::of(marks);
    return {.consecutive_failures = seen.streak, .failure_balance = seen.balance};
  }

  /// Throws `std::invalid_argument` if there is no room for its marks, for example in the middle of an
  /// `any_of` of three.
  constexpr void validate(std::uint32_t most_marks) const {
    if (most_marks < (1U << counts_bits) - 1) {
      detail::invalid_option("standard_detector", "too few marks", "up to two detectors in an any_of");
    }
  }
  constexpr void validate_replacing(const standard_detector& /*in_use*/) const noexcept {}

 private:
  // Marks: when the streak began, in ticks | 8..4 balance | 3..0 streak. The clock of ticks wraps. A streak
  // that lasts longer than a turn may look younger than it is. Then it trips later, at ten failures at the
  // latest.
  static constexpr int streak_bits = 4;
  static constexpr int balance_bits = 5;
  static constexpr int counts_bits = streak_bits + balance_bits;
  static constexpr std::uint32_t most_streak = (1U << streak_bits) - 1;
  static constexpr std::uint32_t most_balance = (1U << balance_bits) - 1;
  static constexpr int tick_shift = 26;          // 67 ms
  static constexpr std::uint32_t a_second = 15;  // in ticks

  struct counted {
    std::uint32_t streak = 0;
    std::uint32_t balance = 0;
    std::uint32_t began = 0;

    static constexpr counted of(std::uint32_t marks) noexcept {
      return {marks & most_streak, marks >> streak_bits & most_balance, marks >> counts_bits};
    }
    [[nodiscard]] constexpr std::uint32_t marks() const noexcept {
      return began << counts_bits | balance << streak_bits | streak;
    }
  };

  /// The mask of the bits that the counts leave for the time. One bit less is used, so that the marks are
  /// never all set. In an `any_of` there are too few bits for a second, and ten failures in a row are needed.
  static constexpr std::uint32_t mask_of(std::uint32_t most_marks) noexcept {
    const auto bits = static_cast<int>(std::bit_width(most_marks)) - counts_bits - 1;
    return bits > 0 ? (1U << bits) - 1 : 0;
  }
  static constexpr std::uint32_t tick_of(duration at) noexcept {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(at.count()) >> tick_shift);
  }
};
static_assert(detector<standard_detector>);

}  // namespace brownout::inline BROWNOUT_ABI
