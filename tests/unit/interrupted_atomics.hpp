// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace breaker_test {

/// Runs something once, before the n-th access that follows.
struct interruption {
  static inline int accesses_left = -1;
  static inline int spurious_failures = 0;
  static inline std::function<void()> action{};

  static void before_access() {
    if (accesses_left < 0 || accesses_left-- != 0) return;
    const auto now = std::exchange(action, nullptr);
    now();
  }
};

struct interrupted_atomics {
  template <class T>
  class atomic {
   public:
    atomic() = default;
    explicit atomic(T value) : value_{value} {}
    T load(std::memory_order) const {
      interruption::before_access();
      return value_;
    }
    void store(T value, std::memory_order) {
      interruption::before_access();
      value_ = value;
    }
    T fetch_add(T more, std::memory_order) {
      interruption::before_access();
      return std::exchange(value_, value_ + more);
    }
    T fetch_sub(T less, std::memory_order) {
      interruption::before_access();
      return std::exchange(value_, value_ - less);
    }
    bool compare_exchange_weak(T& seen, T next, std::memory_order, std::memory_order) {
      interruption::before_access();
      if (value_ == seen && interruption::spurious_failures-- <= 0) return value_ = next, true;
      return seen = value_, false;
    }
    bool compare_exchange_strong(T& seen, T next, std::memory_order, std::memory_order) {
      interruption::before_access();
      if (value_ == seen) return value_ = next, true;
      return seen = value_, false;
    }

   private:
    T value_{};
  };
};

}  // namespace breaker_test
