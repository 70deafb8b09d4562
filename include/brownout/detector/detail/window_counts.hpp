// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The counts of a window: calls, and how many of them were bad. The detector decides which calls are bad.
struct window_counts {
  std::uint32_t calls = 0;
  std::uint32_t bad = 0;

  friend constexpr bool operator==(const window_counts&, const window_counts&) = default;
};

/// Whether `number` comes after `other` on a counter that wraps: less than half a turn ahead of it.
[[nodiscard]] constexpr bool is_later(std::uint32_t number, std::uint32_t other) noexcept {
  return static_cast<std::int32_t>(number - other) > 0;
}
static_assert(is_later(1, 0) && !is_later(0, 0) && !is_later(0, 1));
static_assert(is_later(0, 0xffff'ffff) && !is_later(0xffff'ffff, 0));

}  // namespace brownout::inline BROWNOUT_ABI::detail
