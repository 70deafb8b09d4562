// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/deadline_queue.hpp"
#include "brownout/core/clock.hpp"

#include <boost/asio/wait_traits.hpp>

#include <atomic>
#include <cstdint>

namespace asio_test {

/// A clock that the test sets, for Asio's timers too: these ask the type for the time, so all its objects
/// tell the same.
struct static_clock {
  [[nodiscard]] brownout::time_point now() const noexcept {
    return brownout::time_point{brownout::duration{nanoseconds.load(std::memory_order_relaxed)}};
  }

  static void advance(brownout::duration by) noexcept {
    nanoseconds.fetch_add(by.count(), std::memory_order_relaxed);
  }

  static inline std::atomic<std::int64_t> nanoseconds{1'000'000'000};
};
static_assert(brownout::clock_source<static_clock>);

}  // namespace asio_test

/// Timers of this clock look at it whenever the context is polled, and never sleep.
template <>
struct boost::asio::wait_traits<brownout::detail::timer_clock<asio_test::static_clock>> {
  using clock = brownout::detail::timer_clock<asio_test::static_clock>;

  static clock::duration to_wait_duration(const clock::duration&) { return {}; }
  static clock::duration to_wait_duration(const clock::time_point&) { return {}; }
};
