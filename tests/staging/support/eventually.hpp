// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <thread>

namespace staging_tests {

/// Asks `holds` again and again until it says yes or `limit` is over; returns its last answer. Real servers
/// take the time they take, so tests of them poll with a deadline.
template <class Condition>
[[nodiscard]] bool eventually(std::chrono::milliseconds limit, Condition holds) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline) return holds();
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return true;
}

}  // namespace staging_tests
