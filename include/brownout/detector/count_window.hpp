// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/detail/count_history.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// Counts the latest `size` calls, however long ago they ended.
struct count_window {
  static constexpr std::uint32_t most = 1000;  ///< the largest `calls`

  /// Calls that the window holds.
  /// Range: 1 to 1000. Default: 100, as resilience4j's `slidingWindowSize`.
  std::uint32_t size = 100;

  static constexpr bool reads_clock = false;  ///< false: it counts calls and needs no time
  /// The counts of a breaker with this window.
  template <class Atomics>
  using history = detail::count_history<Atomics>;

  /// Whether another good call would change nothing: the window is full and has no bad call in it.
  [[nodiscard]] constexpr bool is_settled(detail::window_counts seen) const noexcept {
    return seen == detail::window_counts{size, 0};
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  constexpr void validate() const {
    detail::require_within<std::uint32_t>("count_window.size", size, 1, most);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
