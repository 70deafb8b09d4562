// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/era_value.hpp"
#include "brownout/core/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace brownout::detail {

/// When the current era began, in whole microseconds since the breaker was built: 52 bits last 142 years.
template <class Atomics>
class moment {
 public:
  /// The moment of the era named `key`, fixed to `now` if it has none. See `era_value::fix`.
  template <class IsCurrent>
  [[nodiscard]] std::optional<duration> fix(std::uint32_t key, duration now, IsCurrent is_current) noexcept {
    const auto value = value_.fix(
        key, [&](std::uint64_t /*previous*/) { return of(now); }, is_current);
    return value ? time_of(*value) : std::nullopt;
  }

  /// The moment, if it is fixed. See `era_value::peek`.
  [[nodiscard]] std::optional<duration> peek(std::uint32_t key) const noexcept {
    const auto value = value_.peek(key);
    return value != 0 ? time_of(value) : std::nullopt;
  }

 private:
  // One more than the microseconds, since 0 is no value. Rounded up, so that no deadline is ever early; late
  // by less than 1 us.
  static std::uint64_t of(duration now) noexcept {
    const auto ticks = std::chrono::ceil<std::chrono::microseconds>(now).count();
    return ticks < 0 ? 1 : static_cast<std::uint64_t>(ticks) + 1;
  }
  static std::optional<duration> time_of(std::uint64_t value) noexcept {
    return std::chrono::microseconds{static_cast<std::int64_t>(value - 1)};
  }

  era_value<Atomics> value_{of(duration{})};  // the first era begins with the breaker
};

}  // namespace brownout::detail
