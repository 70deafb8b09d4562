// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/registry/registry.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace registry_test {

using namespace brownout;
using namespace std::chrono_literals;

using tested_registry = registry<consecutive_failures, manual_clock>;
using handle = tested_registry::handle;
using options = registry_options<consecutive_failures>;

inline void fail(const handle& one) {
  one.try_acquire()->complete(outcome::failure);
}

/// Fails calls until the circuit opens; says how many it took.
inline int trip(const handle& one) {
  int failures = 0;
  for (; one.observed_state() == circuit_state::closed; ++failures) fail(one);
  return failures;
}

/// A registry of breakers that open for 10 s at the second failure, on a clock of its own.
struct bench {
  explicit bench(std::size_t capacity, duration idle_for = {})
      : breakers{{.capacity = capacity,
                  .idle_for = idle_for,
                  .detector = {2},
                  .breaker = {.open_for = 10s, .successes = 1, .ramp = no_ramp}},
                 clock} {}

  /// Uses the breaker of a key, which is built if there is none.
  void use(std::string_view key) { static_cast<void>(breakers.at(key)); }

  /// Opens the circuit of a key.
  void open(std::string_view key) { trip(breakers.at(key)); }

  /// What an operator does to the circuit of a key.
  void hold(std::string_view key, void (tested_registry::breaker_type::*action)() noexcept) {
    const auto one = breakers.at(key);
    (*one.*action)();
  }

  /// Looks whether a key is registered. Not a use.
  [[nodiscard]] bool registers(std::string_view key) const {
    bool seen = false;
    breakers.visit([&](const handle& one) { seen = seen || one.name() == key; });
    return seen;
  }

  /// The keys that are registered, in order.
  [[nodiscard]] std::string keys() const {
    std::set<std::string> sorted;
    breakers.visit([&](const handle& one) { sorted.emplace(one.name()); });
    std::string text;
    for (const auto& one : sorted) text += text.empty() ? one : " " + one;
    return text;
  }

  manual_clock clock;
  tested_registry breakers;
};

constexpr int thread_count = 4;

/// Runs `work(number)` on several threads at once.
template <class Work>
void on_threads(Work work) {
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < thread_count; ++number) {
    threads.emplace_back([&, number] {
      ready.fetch_add(1);
      while (ready.load() < thread_count) std::this_thread::yield();  // start together
      work(number);
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace registry_test
