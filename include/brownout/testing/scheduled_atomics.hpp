// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/testing/schedule.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \
    "-Weffc++"  // it wants references, which operators of std::atomic do not return
#endif

namespace brownout::inline BROWNOUT_ABI {

/// The atomics of a component that is explored: before each access another thread of the schedule may run.
/// Outside of a schedule they are plain variables of one thread.
///
///     brownout::circuit_breaker<brownout::consecutive_failures, brownout::manual_clock,
///                               brownout::scheduled_atomics> database{...};
///
/// All accesses are sequentially consistent, whatever order they ask for: an order that is too weak is not
/// found. The thread sanitizer, and a processor that reorders, are for that.
struct scheduled_atomics {
  /// Has the operations of `std::atomic<T>` with the same default orders, so that code which compiles with
  /// one compiles with the other. It has no `wait` and no `notify_one`.
  template <class T>
  class atomic {
    static constexpr bool is_counted =
        (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) || std::is_pointer_v<T>;

   public:
    /// The type of the value.
    using value_type = T;
    /// What is added to it: of a pointer, a number of objects.
    using difference_type = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;
    static constexpr bool is_always_lock_free = true;  ///< as of a small `std::atomic`

    atomic() noexcept = default;
    /// A variable with this value. That is no access.
    atomic(T value) noexcept : value_{value} {}  // NOLINT(google-explicit-constructor): as std::atomic
    atomic(const atomic&) = delete;
    atomic& operator=(const atomic&) = delete;

    /// @name As in std::atomic
    /// @{

    /// As the member of `std::atomic` with this name. It is an access of the schedule.
    [[nodiscard]] T load(std::memory_order = std::memory_order_seq_cst) const {
      schedule::before_access();
      schedule::after_access(this, access_kind::load, value_, value_);
      return value_;
    }
    void store(T value, std::memory_order = std::memory_order_seq_cst) {
      static_cast<void>(replace(access_kind::store, [&](T) { return value; }));
    }
    T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
      return replace(access_kind::exchange, [&](T) { return value; });
    }
    T fetch_add(difference_type more, std::memory_order = std::memory_order_seq_cst) requires is_counted {
      return replace(access_kind::exchange, [&](T now) { return static_cast<T>(now + more); });
    }
    T fetch_sub(difference_type less, std::memory_order = std::memory_order_seq_cst) requires is_counted {
      return replace(access_kind::exchange, [&](T now) { return static_cast<T>(now - less); });
    }
    T fetch_or(T bits, std::memory_order = std::memory_order_seq_cst) requires std::integral<T> {
      return replace(access_kind::exchange, [&](T now) { return static_cast<T>(now | bits); });
    }
    T fetch_and(T bits, std::memory_order = std::memory_order_seq_cst) requires std::integral<T> {
      return replace(access_kind::exchange, [&](T now) { return static_cast<T>(now & bits); });
    }
    T fetch_xor(T bits, std::memory_order = std::memory_order_seq_cst) requires std::integral<T> {
      return replace(access_kind::exchange, [&](T now) { return static_cast<T>(now ^ bits); });
    }
    bool compare_exchange_weak(T& seen, T next, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) {
      schedule::before_access();
      if (is(seen) && schedule::fails_spuriously()) {
        schedule::after_access(this, access_kind::compare_failed, value_, value_);
        return false;
      }
      return compare_exchange(seen, next);
    }
    bool compare_exchange_strong(T& seen, T next, std::memory_order = std::memory_order_seq_cst,
                                 std::memory_order = std::memory_order_seq_cst) {
      schedule::before_access();
      return compare_exchange(seen, next);
    }
    [[nodiscard]] bool is_lock_free() const noexcept { return true; }
    // NOLINTBEGIN(google-explicit-constructor,misc-unconventional-assign-operator): as std::atomic
    operator T() const { return load(); }
    T operator=(T value) { return store(value), value; }
    // NOLINTEND(google-explicit-constructor,misc-unconventional-assign-operator)
    T operator++() requires is_counted { return *this += 1; }
    T operator--() requires is_counted { return *this -= 1; }
    T operator++(int) requires is_counted { return fetch_add(1); }
    T operator--(int) requires is_counted { return fetch_sub(1); }
    T operator+=(difference_type more) requires is_counted { return static_cast<T>(fetch_add(more) + more); }
    T operator-=(difference_type less) requires is_counted { return static_cast<T>(fetch_sub(less) - less); }
    T operator|=(T bits) requires std::integral<T> { return static_cast<T>(fetch_or(bits) | bits); }
    T operator&=(T bits) requires std::integral<T> { return static_cast<T>(fetch_and(bits) & bits); }
    T operator^=(T bits) requires std::integral<T> { return static_cast<T>(fetch_xor(bits) ^ bits); }
    /// @}

    /// The value, without an access: for checks between two steps.
    [[nodiscard]] const T& peek() const noexcept { return value_; }

   private:
    [[nodiscard]] bool is(const T& other) const noexcept {
      return std::memcmp(std::addressof(value_), std::addressof(other), sizeof(T)) == 0;
    }
    bool compare_exchange(T& seen, T next) {
      if (!is(seen)) {
        seen = value_;
        schedule::after_access(this, access_kind::compare_failed, value_, value_);
        return false;
      }
      const T before = std::exchange(value_, next);
      schedule::after_access(this, access_kind::compare_done, before, value_);
      return true;
    }
    template <class Function>
    T replace(access_kind kind, Function next_of) {
      schedule::before_access();
      const T before = std::exchange(value_, next_of(value_));
      schedule::after_access(this, kind, before, value_);
      return before;
    }

    T value_{};
  };

  /// What components spread their threads over stripes by: the threads of a schedule are numbered, although
  /// they share one thread of the system.
  [[nodiscard]] static std::uint32_t thread_number() noexcept {
    const auto* const now = schedule::current();
    const bool is_thread = now != nullptr && now->thread() != schedule::no_thread;
    return is_thread ? static_cast<std::uint32_t>(now->thread()) : 0;
  }
};

}  // namespace brownout::inline BROWNOUT_ABI

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
