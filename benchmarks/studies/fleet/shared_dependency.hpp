// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/fleet/trace.hpp"
#include "studies/shared/capacity.hpp"
#include "studies/shared/traffic.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace studies::fleet {

/// What becomes of a call.
struct result {
  bool fails = false;
  nanoseconds took{};
};

/// Works on everything in the order in which it came. Who has waited for the time-out has gone, but is worked
/// on all the same; what would wait twice as long is refused.
class work_queue {
 public:
  [[nodiscard]] result take(const wanted_call& call) {
    if (std::isinf(call.capacity)) return {call.fails, nanoseconds{call.took}};
    const auto waits = std::max(done_ - call.at, nanoseconds{});
    if (waits > longest_wait) return {true, fast_failure};
    const auto works = std::chrono::duration<double>{1 / static_cast<double>(call.capacity)};
    done_ = std::max(done_, call.at) + std::chrono::duration_cast<nanoseconds>(works);
    const auto took = waits + nanoseconds{call.took};
    if (took >= client_timeout) return {true, client_timeout};
    return {call.fails, took};
  }

 private:
  static constexpr nanoseconds longest_wait = 2 * client_timeout;
  nanoseconds done_{};
};

/// The dependency of all clients.
class shared_dependency {
 public:
  explicit shared_dependency(overload excess) : excess_{excess} {}

  [[nodiscard]] result ask(const wanted_call& call) {
    if (excess_ == overload::queues) return queue_.take(call);
    if (!capacity_.bears(call)) return {true, client_timeout};
    return {call.fails, nanoseconds{call.took}};
  }

 private:
  overload excess_;
  limited_capacity capacity_;
  work_queue queue_;
};

}  // namespace studies::fleet
