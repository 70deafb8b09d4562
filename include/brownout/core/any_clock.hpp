// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <memory>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A clock that is chosen at run time. With it a class that has a breaker can be tested with a
/// `manual_clock`, and need not be a template.
///
///     class prices {
///      public:
///       explicit prices(brownout::any_clock clock = {}) : server_{{.name = "prices"}, clock} {}
///
///      private:
///       brownout::circuit_breaker<brownout::standard_detector, brownout::any_clock> server_;
///     };
///
/// **Cost.** One indirect call for each reading. A closed circuit reads the clock only if its detector needs
/// the time, so a call on it costs no more than with `monotonic_clock`.
///
/// Readings are as thread-safe, and have the same progress guarantee, as those of the clock in it. They
/// allocate nothing. Copies tell the same time, and may outlive each other. A clock that was moved from still
/// tells the time.
class any_clock {
 public:
  /// Holds a `monotonic_clock`. Allocates nothing.
  any_clock() noexcept = default;

  /// Holds a copy of `clock`, which may be any `clock_source`. Implicit, so that such a clock can be passed
  /// where an `any_clock` is wanted. Allocates the copy once; copies of this object share it. Throws
  /// `std::bad_alloc`, and what copying `clock` throws.
  template <class Clock>
  requires(!std::same_as<Clock, any_clock> && clock_source<Clock>) any_clock(Clock clock)
      : clock_{std::make_shared<const Clock>(std::move(clock))},
        now_{[](const void* held) noexcept { return static_cast<const Clock*>(held)->now(); }},
        coarse_now_{
            [](const void* held) noexcept { return detail::coarse_now(*static_cast<const Clock*>(held)); }} {
    if constexpr (detail::has_wait_for<Clock>) {
      wait_for_ = [](const void* held, duration how_long) {
        static_cast<const Clock*>(held)->wait_for(how_long);
      };
    }
  }

  // No moves: a moved-from clock would have nothing to read.
  /// A copy reads the same clock.
  any_clock(const any_clock&) noexcept = default;
  any_clock& operator=(const any_clock&) noexcept = default;  ///< reads the clock of the other from now on
  ~any_clock() = default;

  /// The precise time of the clock in it.
  [[nodiscard]] time_point now() const noexcept { return now_(clock_.get()); }
  /// The coarse time of the clock in it, or its precise time if it has no `coarse_now()`.
  [[nodiscard]] time_point coarse_now() const noexcept { return coarse_now_(clock_.get()); }

  /// Waits by the `wait_for` of the clock in it. False: that clock has none, and no time has passed.
  [[nodiscard]] bool try_wait_for(duration how_long) const {
    if (wait_for_ == nullptr) return false;
    wait_for_(clock_.get(), how_long);
    return true;
  }

 private:
  using reading = time_point (*)(const void* held) noexcept;

  std::shared_ptr<const void> clock_{};  // null: the functions need no object
  reading now_ = [](const void*) noexcept { return monotonic_clock{}.now(); };
  reading coarse_now_ = [](const void*) noexcept { return monotonic_clock{}.coarse_now(); };
  void (*wait_for_)(const void* held, duration how_long) = nullptr;
};

}  // namespace brownout::inline BROWNOUT_ABI
