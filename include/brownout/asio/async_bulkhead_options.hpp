// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// How an `async_bulkhead` behaves. Validated when it is built.
struct async_bulkhead_options {
  static constexpr std::uint32_t longest_line = std::uint32_t{1} << 24;  ///< the longest line

  /// What metrics, logs and rejections call this bulkhead.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// Calls that may be in flight at a time. 0 lets every call wait, and none start.
  /// Range: 0 to 2^24. Default: 25, as for a `bulkhead`.
  std::uint32_t limit = 25;

  /// Calls that may wait for a place. One more is refused: `bulkhead_full`. 0: no call waits.
  /// Range: 0 to 2^24. Default: 25, one for each place: a call then waits about as long as another call
  /// takes.
  std::uint32_t most_waiting = 25;

  /// How long a call may wait: then it is refused with `queue_timeout`.
  /// Range: 1 ms to 1 hour. Default: 500 ms. A caller rarely waits longer than a second or two, and needs the
  /// rest for the call itself.
  duration longest_wait = std::chrono::milliseconds{500};

  /// While more than half of `most_waiting` calls wait, the newest of them gets the next place. In an
  /// overload the oldest have often been given up by their callers already. Known as adaptive LIFO.
  /// Default: false, the oldest first.
  bool adaptive_lifo = false;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    constexpr duration shortest = std::chrono::milliseconds{1};
    constexpr duration longest = std::chrono::hours{1};
    detail::require_name("async_bulkhead_options.name", name);
    detail::require_within<std::uint32_t>("async_bulkhead_options.limit", limit, 0,
                                          bulkhead_options::most_calls);
    detail::require_within<std::uint32_t>("async_bulkhead_options.most_waiting", most_waiting, 0,
                                          longest_line);
    detail::require_within("async_bulkhead_options.longest_wait", longest_wait, shortest, longest);
  }
};

/// An `async_bulkhead` at one moment, for display.
struct async_bulkhead_snapshot : bulkhead_snapshot {
  std::uint32_t waiting = 0;    ///< calls that wait for a place
  std::uint64_t expired = 0;    ///< calls that waited for as long as they may, since construction
  std::uint64_t cancelled = 0;  ///< calls whose wait was cancelled, since construction
};

}  // namespace brownout::inline BROWNOUT_ABI
