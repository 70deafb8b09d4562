// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/atomics.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/detail/degradation_word.hpp"
#include "brownout/feature/detail/feature_return.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstddef>
#include <optional>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What requests see of the last step: one word, replaced as a whole.
///
/// Reading is thread-safe and wait-free. Everything else is called by the supervisor under its lock.
template <class Atomics = std_atomics>
class published_view {
 public:
  /// Features return over this time when the level gets better by itself. Throws as `feature_return`.
  explicit published_view(duration return_over) : returning_{return_over} {}

  /// The word that a request decides by.
  [[nodiscard]] degradation_word read() const noexcept {
    return published_.load(std::memory_order_acquire);  // (1) synchronizes-with (2)
  }

  /// Publishes a level and the dependencies that refuse calls, if either is new at `now`. `gradual`: health
  /// changed the level last, so features return one after another. What an operator sets holds at once.
  void publish(std::size_t level, dependency_set refusing, bool gradual, time_point now) noexcept {
    if (level != last_.level()) {
      if (gradual) {
        returning_.note(last_.level(), level, now);
      } else {
        returning_.finish();
      }
    }
    const auto next = returning_.at(now, degradation_word{level, refusing});
    if (next == last_.in_epoch(0)) return;
    last_ = next.in_epoch(last_.epoch() + 1);
    // (2) release: publishes the whole view, which is the word.
    published_.store(last_, std::memory_order_release);
  }

  /// Features return over this time from the next change of the level on. Throws as `feature_return`.
  void reconfigure(duration return_over) { returning_.reconfigure(return_over); }

  /// When the next features return; nothing when all of them are back.
  [[nodiscard]] std::optional<time_point> next_change(time_point now) const noexcept {
    return returning_.next_change(now);
  }
  /// How long until all of them are back.
  [[nodiscard]] duration rest_of_return(time_point now) const noexcept { return returning_.rest(now); }

 private:
  static_assert(std::has_unique_object_representations_v<degradation_word>);
  static_assert(std::atomic<degradation_word>::is_always_lock_free);

  // Written by the step (2), read by every request (1). Publishes level, refusing circuits and epoch
  // together.
  typename Atomics::template atomic<degradation_word> published_{};
  degradation_word last_{};
  feature_return returning_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
