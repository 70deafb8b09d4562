// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detail/share.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The common part of `failure_rate` and `slow_call_rate`: bad calls as a share of a window.
///
/// **Marks.** 0 means that the window is full and has no bad call in it: a good call changes nothing. Each
/// bad call changes the number, after the call has entered the window. A thread that finds the window clean
/// sets the number to 0 only if the number is still the one that it read before it read the window. Then no
/// bad call has come meanwhile, and no bad call is forgotten. There is one exception: while that thread
/// sleeps, exactly as many bad calls come as there are numbers (at least 6, if several detectors share the
/// marks). Then failures that successes should have pushed out stay in the window until the next bad call.
///
/// The marks of a time window never change, because its calls leave the window by time.
template <class Window>
struct windowed_share {
  template <class Atomics>
  struct history : Window::template history<Atomics> {
    explicit history(const auto& policy) : Window::template history<Atomics>{policy.window} {}
  };

  static constexpr std::uint32_t dirty = 1;
  /// A time window counts up to this number correctly even if one thread makes all calls.
  static constexpr std::uint32_t most_in_time = 300'000;
  static constexpr std::uint32_t default_minimum = 20;

  static constexpr bool has_size = requires(const Window& window) { window.size; };

  /// `policy`: threshold, minimum_calls and window. `cause`: why it trips, if it does.
  [[nodiscard]] static constexpr judgement judge(const auto& policy, transition_cause cause,
                                                 window_counts seen, bool bad, std::uint32_t marks,
                                                 std::uint32_t most_marks) noexcept {
    if (!bad) return {policy.window.is_settled(seen) ? 0 : marks};
    const bool trips = seen.calls >= minimum_calls(policy) && reaches(seen.bad, seen.calls, policy.threshold);
    if constexpr (Window::reads_clock) {
      return {marks, trips, cause};
    } else {
      return {marks >= most_marks ? dirty : marks + 1, trips, cause};
    }
  }

  /// The minimum in force: the given number or the default. The default is never above the size of the
  /// window.
  [[nodiscard]] static constexpr std::uint32_t minimum_calls(const auto& policy) noexcept {
    if (policy.minimum_calls != 0) return policy.minimum_calls;
    if constexpr (has_size) return (std::min)(default_minimum, policy.window.size);
    return default_minimum;
  }

  /// The options of a window in use cannot change.
  static void validate_replacing(const std::string& name, const Window& window, const Window& in_use) {
    if constexpr (has_size) {
      require_same(name + ".window.size", window.size, in_use.size);
    } else {
      require_same(name + ".window.length", window.length, in_use.length);
    }
  }

  static void validate(const std::string& name, const auto& policy) {
    require_share(name + ".threshold", policy.threshold);
    policy.window.validate();
    const auto minimum = minimum_calls(policy);
    if constexpr (has_size) {
      if (minimum <= policy.window.size) return;
      invalid_option(name + ".minimum_calls", to_text(minimum),
                     "1 to " + to_text(policy.window.size) + ", the size of the window");
    } else {
      require_within<std::uint32_t>(name + ".minimum_calls", minimum, 1, most_in_time);
    }
  }

 private:
  static void require_same(const std::string& field, auto value, decltype(value) in_use) {
    if (value == in_use) return;
    invalid_option(field, to_text(value), to_text(in_use) + ": a window in use keeps its size");
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
