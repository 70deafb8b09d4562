// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <utility>

namespace breaker_test {

/// Atomics that count how often they are read and written.
struct counted_atomics {
  static inline int loads = 0;
  static inline int writes = 0;

  template <class T>
  class atomic {
   public:
    atomic() = default;
    explicit atomic(T value) : value_{value} {}
    T load(std::memory_order) const { return ++loads, value_; }
    void store(T value, std::memory_order) { ++writes, value_ = value; }
    T fetch_add(T more, std::memory_order) { return ++writes, std::exchange(value_, value_ + more); }
    T fetch_sub(T less, std::memory_order) { return ++writes, std::exchange(value_, value_ - less); }
    bool compare_exchange_weak(T& seen, T next, std::memory_order, std::memory_order) {
      ++writes;
      if (value_ == seen) return value_ = next, true;
      return seen = value_, false;
    }
    bool compare_exchange_strong(T& seen, T next, std::memory_order, std::memory_order) {
      return compare_exchange_weak(seen, next, std::memory_order_relaxed, std::memory_order_relaxed);
    }

   private:
    T value_{};
  };

  template <class Action>
  static std::pair<int, int> of(Action action) {
    loads = writes = 0;
    action();
    return {loads, writes};
  }
};

using loads_and_writes = std::pair<int, int>;

}  // namespace breaker_test
