// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// The default detector of a breaker. Trips on any of these:
/// - 10 failures in a row that span 50 ms. They find a dependency that is gone.
/// - 5 failures in a row that span a second. They are enough where calls are rare.
/// - failures that are 30 ahead of successes, 50 ms or more after they began to be ahead. They find a
///   dependency that fails more than half of its calls.
///
/// Failures span the time from the end of the first one to the end of the latest one. The detector counts
/// time in ticks of 8.4 ms: 50 ms are 50 to 59 ms, and a second is 1.00 to 1.01 s.
///
/// Without the 50 ms a moment would open the circuit: when a connection breaks, all calls on it fail at once,
/// however healthy the dependency is. So failures within 50 ms trip nothing and count at most 15 for the
/// balance. If 1000 calls a second fail, the first failure after 50 ms trips.
///
/// In an `any_of` there is no room for a time. Then 5 in a row do not trip, and the other two rules do not
/// wait for 50 ms.
///
/// Snapshots and events show at most 15 failures in a row and a balance of at most 31, even if there were
/// more within the 50 ms.
///
/// None of these rules needs a window. The clock is read for a failure, never for a success. Of the rules
/// compared in docs/adr/0006 these were wrong least often.
struct standard_detector {
  static constexpr std::uint32_t streak = 10;         ///< failures in a row, if they span 50 ms
  static constexpr std::uint32_t lasting_streak = 5;  ///< failures in a row, if they span a second
  static constexpr std::uint32_t balance = 30;        ///< failures ahead of successes, if they span 50 ms
  /// The balance that failures within 50 ms reach at most: half of what trips.
  static constexpr std::uint32_t burst_balance = 15;

  /// @name What the concept detector asks for
  /// @{

  /// `detector` says what this means.
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
    if (!call.failed) return {seen.after_success().marks()};
    const bool has_time = most_marks >= most_marks_with_time;
    const auto now = tick_of(call.ended);
    if (seen.balance == 0) seen.began = now;
    const bool has_spanned = seen.spans;
    seen.spans = seen.spans || !has_time || ticks_between(seen.began, now) >= fifty_ms;
    // From now on it is the time of the streak. A streak that is shorter than the balance began after a
    // success, at an unknown time: it counts from now on.
    const bool is_younger = !has_spanned && seen.streak < seen.balance;
    if (seen.spans && (seen.streak == 0 || is_younger)) seen.began = now;
    const auto passed = has_time ? ticks_between(seen.began, now) : fifty_ms;
    seen.lasts = seen.lasts || passed >= a_second;
    if (!has_time || seen.lasts) seen.began = 0;
    seen.streak = (std::min)(seen.streak + 1, most_streak);
    seen.balance = (std::min)(seen.balance + 1, seen.spans ? most_balance : burst_balance);
    const bool in_a_row = (seen.streak >= lasting_streak && seen.lasts) ||
                          (seen.streak >= streak && (seen.lasts || passed >= fifty_ms));
    return {seen.marks(), in_a_row || (seen.balance >= balance && seen.spans),
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
    if (most_marks < spans_bit * 2 - 1) {
      detail::invalid_option("standard_detector", "too few marks", "up to two detectors in an any_of");
    }
  }
  constexpr void validate_replacing(const standard_detector& /*in_use*/) const noexcept {}
  /// @}

 private:
  // Marks: 22..11 a time, in ticks | 10 the streak spans a second | 9 the balance spans 50 ms | 8..4 balance
  // | 3..0 streak. The time is when the balance left 0. As soon as the balance spans 50 ms, the time is when
  // the streak began. A streak that spans a second needs no time any more: it is 0 then, so the marks are
  // never all set.
  //
  // If at least 15 failures follow a success within the first 50 ms, both counts are full, and the streak
  // counts from when the balance left 0.
  //
  // Both bits stay set, however long the gap to the next failure is. So it does not matter that the time
  // wraps after 34 s, except that a streak may look younger than it is for a failure or two.
  static constexpr int streak_bits = 4;
  static constexpr int balance_bits = 5;
  static constexpr int counts_bits = streak_bits + balance_bits;
  static constexpr int tick_bits = 12;
  static constexpr std::uint32_t spans_bit = 1U << counts_bits;
  static constexpr std::uint32_t lasts_bit = 2U << counts_bits;
  static constexpr int tick_place = counts_bits + 2;
  static constexpr std::uint32_t most_streak = (1U << streak_bits) - 1;
  static constexpr std::uint32_t most_balance = (1U << balance_bits) - 1;
  /// Without so many marks there is no room for the time, as in an `any_of`.
  static constexpr std::uint32_t most_marks_with_time = (1U << (tick_place + tick_bits)) - 2;

  static constexpr int tick_shift = 23;  // 8.4 ms
  static constexpr std::uint32_t turn = 1U << tick_bits;
  static constexpr std::uint32_t fifty_ms = 7;    // in ticks
  static constexpr std::uint32_t a_second = 120;  // in ticks

  struct counted {
    std::uint32_t streak = 0;
    std::uint32_t balance = 0;
    bool spans = false;  // the balance spans 50 ms
    bool lasts = false;  // the streak spans a second
    std::uint32_t began = 0;

    static constexpr counted of(std::uint32_t marks) noexcept {
      return {marks & most_streak, marks >> streak_bits & most_balance, (marks & spans_bit) != 0,
              (marks & lasts_bit) != 0, marks >> tick_place};
    }
    [[nodiscard]] constexpr std::uint32_t marks() const noexcept {
      return began << tick_place | (lasts ? lasts_bit : 0) | (spans ? spans_bit : 0) |
             balance << streak_bits | streak;
    }
    [[nodiscard]] constexpr counted after_success() const noexcept {
      if (balance <= 1) return {};
      return {.balance = balance - 1, .spans = spans, .began = spans ? 0 : began};
    }
  };

  static constexpr std::uint32_t tick_of(duration at) noexcept {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(at.count()) >> tick_shift) & (turn - 1);
  }
  /// If nearly a whole turn seems to have passed, the call at `later` ended before the one at `earlier`, and
  /// was only counted after it.
  static constexpr std::uint32_t ticks_between(std::uint32_t earlier, std::uint32_t later) noexcept {
    const auto passed = (later - earlier) & (turn - 1);
    return passed < turn - turn / 8 ? passed : 0;
  }
};
static_assert(detector<standard_detector>);

}  // namespace brownout::inline BROWNOUT_ABI
