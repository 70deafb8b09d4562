// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// How much it matters that a call is made, from the highest class to the lowest. An overloaded
/// `adaptive_limit` refuses the lowest class first. The four classes are those of Google's "Site Reliability
/// Engineering" (2016), chapter 21.
enum class call_priority : std::uint8_t {
  critical_plus,   ///< what must not fail: users see it at once, and it is a small part of all calls
  critical,        ///< what users wait for; the default
  sheddable_plus,  ///< what may fail for some minutes and is tried again: batches
  sheddable,       ///< what may fail often: prefetching, statistics
};

inline constexpr std::size_t call_priority_count = 4;  ///< the number of priorities

/// The name of the priority.
[[nodiscard]] constexpr std::string_view to_string(call_priority value) noexcept {
  switch (value) {
    case call_priority::critical_plus:
      return "critical_plus";
    case call_priority::critical:
      return "critical";
    case call_priority::sheddable_plus:
      return "sheddable_plus";
    case call_priority::sheddable:
      return "sheddable";
  }
  return "invalid";
}

}  // namespace brownout::inline BROWNOUT_ABI
