// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/transition_feed.hpp"
#include "brownout/breaker/transition_event.hpp"
#include "brownout/core/bounded_text.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Further facts from the report of a failure.
struct failure_report {
  duration retry_after{};  // how long the dependency asked to be left alone
  std::string_view why{};
};
inline constexpr failure_report nothing_said{};

/// Why a circuit changes its state, for its listeners.
struct grounds {
  transition_cause cause;
  epoch_statistics counted{};  // by the detector, when it tripped
  std::string_view text{};     // of the failure, or the text given to `trip`
};

[[nodiscard]] inline transition_event event_of(control_word from, control_word to, time_point at,
                                               const grounds& why) noexcept {
  return {.epoch = to.epoch(),
          .from = from.state(),
          .to = to.state(),
          .cause = why.cause,
          .at = at,
          .consecutive_failures = why.counted.consecutive_failures,
          .failure_balance = why.counted.failure_balance,
          .calls = why.counted.calls,
          .failures = why.counted.failures,
          .slow_calls = why.counted.slow_calls,
          .text = bounded_text{why.text}};
}

/// A breaker's feed of transitions. It is built when the first listener subscribes, because most breakers
/// have no listener and a feed takes 12 KiB.
template <class Atomics>
class announcer {
 public:
  /// The feed, or null if no listener has subscribed yet. Call it after a transition.
  [[nodiscard]] transition_feed* feed() const noexcept {
    // (1) acquire: synchronizes-with (2), so a thread that sees a feed sees all of it.
    return announced_by_.load(std::memory_order_acquire);
  }

  /// The feed. `read_epoch` must read the control word by a write (acquire and release). Then the read has a
  /// place in the order of all transitions: the feed does not wait for the transitions before the read, and
  /// each thread that causes a transition after the read sees the feed.
  template <class ReadEpoch>
  [[nodiscard]] std::shared_ptr<transition_feed> make_feed(ReadEpoch read_epoch) {
    const std::lock_guard lock{making_};
    if (!feed_) {
      feed_ = std::make_shared<transition_feed>(std::uint64_t{0});
      announced_by_.store(feed_.get(), std::memory_order_release);  // (2)
      feed_->skip_to(read_epoch());
    }
    return feed_;
  }

 private:
  std::mutex making_{};
  std::shared_ptr<transition_feed> feed_{};  // guarded by the mutex
  // Written once, by the thread that builds the feed (2). Read by threads that cause a transition (1).
  typename Atomics::template atomic<transition_feed*> announced_by_{nullptr};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
