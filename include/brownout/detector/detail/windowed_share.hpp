// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/detail/share.hpp"
#include "brownout/detector/detail/window_counts.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <string>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The part that `failure_rate` and `slow_call_rate` have in common: bad calls as a share of a window.
///
/// **Marks.** 0: the window is full and has no bad call in it, so a good one changes nothing. Otherwise a
/// number that each bad call changes, after it has entered the window. A thread that finds the window clean
/// puts back 0 only if the number is the one that it read before it looked: so no bad call has come
/// meanwhile, and none is forgotten, unless exactly as many came as there are numbers (62 at the fewest,
/// where several detectors share the marks) while that thread slept. Then failures stay in the window that
/// successes should have pushed out, until the next bad call.
///
/// Windows whose calls go out of date by time never stay clean, so there the marks stay what they are.
template <class Window>
struct windowed_share {
  template <class Atomics>
  struct history : Window::template history<Atomics> {
    explicit history(const auto& policy) : Window::template history<Atomics>{policy.window} {}
  };

  static constexpr std::uint32_t dirty = 1;
  /// What a time window can tell apart even if one thread makes all calls.
  static constexpr std::uint32_t most_in_time = 300'000;

  /// `policy`: threshold, minimum_calls and window.
  [[nodiscard]] static constexpr judgement judge(const auto& policy, window_counts seen, bool bad,
                                                 std::uint32_t marks, std::uint32_t most_marks) noexcept {
    if (!bad) return {policy.window.is_settled(seen) ? 0 : marks};
    const bool trips = seen.calls >= policy.minimum_calls && reaches(seen.bad, seen.calls, policy.threshold);
    if constexpr (Window::reads_clock) {
      return {marks, trips};
    } else {
      return {marks >= most_marks ? dirty : marks + 1, trips};
    }
  }

  /// The window stays as it was built.
  static void validate_replacing(const std::string& name, const Window& window, const Window& in_use) {
    if constexpr (requires { window.size; }) {
      require_within(name + ".window.size", window.size, in_use.size, in_use.size);
    } else {
      require_within(name + ".window.length", window.length, in_use.length, in_use.length);
    }
  }

  static void validate(const std::string& name, double threshold, std::uint32_t minimum_calls,
                       const Window& window) {
    require_share(name + ".threshold", threshold);
    window.validate();
    if constexpr (requires { window.size; }) {
      require_within<std::uint32_t>(name + ".minimum_calls", minimum_calls, 1, window.size);
    } else {
      require_within<std::uint32_t>(name + ".minimum_calls", minimum_calls, 1, most_in_time);
    }
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
