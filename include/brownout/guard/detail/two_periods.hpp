// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A moment as a sliding window counts it.
struct period_moment {
  std::uint32_t number;  ///< of the period, modulo 2^32
  std::uint64_t left;    ///< until the end of the period, in ns: 1 to a period
};

/// The calls of a period and of the period before, in one word.
///
/// Periods are numbered modulo 2^22. After a silence of half as many periods (58 hours of 100 ms) or more,
/// old counts may look like present ones, and refuse calls for two periods at most. They never admit more.
struct period_counts {
  static constexpr int count_bits = 21;
  static constexpr int number_bits = 22;
  static constexpr std::uint32_t numbers = std::uint32_t{1} << number_bits;

  std::uint32_t number = 0;    ///< of the period
  std::uint32_t previous = 0;  ///< calls of the period before
  std::uint32_t current = 0;   ///< calls of the period

  [[nodiscard]] static constexpr period_counts of(std::uint64_t word) noexcept {
    constexpr std::uint64_t mask = (std::uint64_t{1} << count_bits) - 1;
    return {static_cast<std::uint32_t>(word >> (2 * count_bits)),
            static_cast<std::uint32_t>(word >> count_bits & mask), static_cast<std::uint32_t>(word & mask)};
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept {
    return (std::uint64_t{number} << count_bits | previous) << count_bits | current;
  }

  /// How many periods these counts are old. More than half of the numbers: they are of a period after `now`.
  [[nodiscard]] constexpr std::uint32_t age(period_moment now) const noexcept {
    return (now.number - number) & (numbers - 1);
  }
  [[nodiscard]] constexpr bool is_after(period_moment now) const noexcept { return age(now) >= numbers / 2; }

  /// The counts at a later moment. Those of a later period stay as they are.
  [[nodiscard]] constexpr period_counts at(period_moment now) const noexcept {
    if (age(now) == 0 || is_after(now)) return *this;
    return {now.number, age(now) == 1 ? current : 0, 0};
  }
};

/// The length of the periods, and how much the calls of the period before weigh.
///
/// Products are of at most 2^20 calls and 24 h, in units of 16 ns: they fit into 63 bits.
class counting_period {
 public:
  explicit constexpr counting_period(duration length) noexcept
      : length_{static_cast<std::uint64_t>(length.count())} {}

  [[nodiscard]] constexpr duration length() const noexcept {
    return duration{static_cast<std::int64_t>(length_)};
  }

  /// A time before `origin` counts as `origin`.
  [[nodiscard]] constexpr period_moment moment_since(time_point origin, time_point now) const noexcept {
    // Without a sign, the difference of any two times fits.
    const auto passed = now <= origin ? 0
                                      : static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                                            static_cast<std::uint64_t>(origin.time_since_epoch().count());
    return {static_cast<std::uint32_t>(passed / length_), length_ - passed % length_};
  }

  /// Whether `more` calls may be added.
  [[nodiscard]] constexpr bool has_room(const period_counts& counts, period_moment now, std::uint32_t more,
                                        std::uint32_t limit) const noexcept {
    if (std::uint64_t{counts.current} + more > limit) return false;
    return counts.previous * units_up(now.left) <= (limit - counts.current - more) * units(length_);
  }

  /// How long until `more` calls may be added, if no others are. Precondition: they may not now.
  [[nodiscard]] constexpr duration wait(const period_counts& counts, period_moment now, std::uint32_t more,
                                        std::uint32_t limit) const noexcept {
    if (more > limit) return rejection::unknown;
    if (std::uint64_t{counts.current} + more < limit) {
      return in_nanoseconds(now.left - left_for(limit - counts.current - more, counts.previous));
    }
    // In the next period the calls of this one are those of the period before.
    const period_counts next{0, counts.current, 0};
    if (has_room(next, {0, length_}, more, limit)) return in_nanoseconds(now.left);
    return in_nanoseconds(now.left + length_ - left_for(limit - more, counts.current));
  }

  /// How many calls count now, rounded up.
  [[nodiscard]] constexpr std::uint32_t weighted(const period_counts& counts,
                                                 period_moment now) const noexcept {
    const auto weight = counts.previous * units_up(now.left);
    return counts.current + static_cast<std::uint32_t>((weight + units(length_) - 1) / units(length_));
  }

 private:
  static constexpr std::uint64_t unit = 16;  // in ns
  static constexpr std::uint64_t units(std::uint64_t nanoseconds) noexcept { return nanoseconds / unit; }
  static constexpr std::uint64_t units_up(std::uint64_t nanoseconds) noexcept {
    return (nanoseconds + unit - 1) / unit;
  }
  static constexpr duration in_nanoseconds(std::uint64_t value) noexcept {
    return duration{static_cast<std::int64_t>(value)};
  }

  /// The most time that may be left of a period so that `previous` calls weigh no more than `room` calls, in
  /// ns. Precondition: `previous` > 0.
  [[nodiscard]] constexpr std::uint64_t left_for(std::uint32_t room, std::uint32_t previous) const noexcept {
    return room * units(length_) / previous * unit;
  }

  std::uint64_t length_;  // in ns
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
