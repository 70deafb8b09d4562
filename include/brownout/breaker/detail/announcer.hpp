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

/// What the report of a failure says apart from the failure.
struct failure_report {
  duration retry_after{};  // how long the dependency asked to be left alone
  std::string_view why{};
};
inline constexpr failure_report nothing_said{};

/// Why a circuit changes its state, for those who listen.
struct grounds {
  transition_cause cause;
  epoch_statistics counted{};  // by the detector, when it tripped
  std::string_view text{};     // of a failure, or given to `trip`
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

/// A breaker's feed of transitions. It is made when somebody first listens, since most breakers have no
/// listener and a feed is 12 KiB.
template <class Atomics>
class announcer {
 public:
  /// The feed, or null when nobody has listened yet. To be asked after a transition.
  [[nodiscard]] transition_feed* feed() const noexcept {
    // (1) acquire: synchronizes-with (2), so a feed is whole for whoever sees it.
    return announced_by_.load(std::memory_order_acquire);
  }

  /// The feed. `read_epoch` must read the control word by writing it, acquire and release: then it has its
  /// place among all transitions. The epochs of those before it need not be waited for, and whoever causes
  /// one after it sees the feed.
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
  // Written once, by whoever makes the feed (2), read by whoever causes a transition (1).
  typename Atomics::template atomic<transition_feed*> announced_by_{nullptr};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
