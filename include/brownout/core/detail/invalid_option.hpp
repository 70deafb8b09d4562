// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Refuses an option: names the field, its value and what is allowed.
[[noreturn]] inline void invalid_option(std::string_view field, std::string_view value,
                                        std::string_view allowed) {
  std::string text{field};
  text.append(" = ").append(value).append(": allowed is ").append(allowed);
  raise(std::invalid_argument{text});
}

/// Nanoseconds as people write them; the unit is the largest that divides the value.
[[nodiscard]] inline std::string to_text(duration value) {
  constexpr struct {
    std::int64_t nanoseconds;
    const char* name;
  } units[] = {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}};
  for (const auto& unit : units) {
    if (value.count() != 0 && value.count() % unit.nanoseconds == 0) {
      return std::to_string(value.count() / unit.nanoseconds) + unit.name;
    }
  }
  return std::to_string(value.count()) + "ns";
}

/// Passes a number within [least, most], refuses any other.
template <class Number>
constexpr void require_within(std::string_view field, Number value, Number least, Number most) {
  if (value >= least && value <= most) return;  // written so that NaN is refused too
  invalid_option(field, std::to_string(value), std::to_string(least) + " to " + std::to_string(most));
}

/// Passes a duration within [least, most], refuses any other.
inline void require_within(std::string_view field, duration value, duration least, duration most) {
  if (value >= least && value <= most) return;
  invalid_option(field, to_text(value), to_text(least) + " to " + to_text(most));
}

/// Calls `validate`, which does not know whose options it looks at. The text of the `std::invalid_argument`
/// that it throws gets `whose` in front; without exceptions it reaches the assertion handler as it is.
template <class F>
void validate_for(const std::string& whose, F&& validate) {
#if defined(__cpp_exceptions)
  try {
    std::forward<F>(validate)();
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument{whose + ": " + error.what()};
  }
#else
  static_cast<void>(whose);
  std::forward<F>(validate)();
#endif
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
