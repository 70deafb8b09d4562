// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/transition_feed.hpp"
#include "brownout/breaker/transition_event.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace brownout::detail {

/// A breaker's feed of transitions, made when somebody first listens: most breakers have no listener, and a
/// feed is 8 KiB.
template <class Atomics>
class announcer {
 public:
  /// To be called after each transition.
  void announce(const transition_event& event) noexcept {
    // (1) acquire: synchronizes-with (2), so a feed is whole for whoever sees it.
    auto* const feed = announced_by_.load(std::memory_order_acquire);
    if (feed != nullptr) feed->publish(event);
  }

  /// The feed. `read_epoch` must read the control word by writing it, acquire and release: then it has its
  /// place among all transitions. The epochs of those before it need not be waited for, and whoever causes
  /// one after it sees the feed.
  template <class ReadEpoch>
  [[nodiscard]] std::shared_ptr<transition_feed> feed(ReadEpoch read_epoch) {
    const std::lock_guard lock{making_};
    if (!feed_) {
      feed_ = std::make_shared<transition_feed>(std::uint64_t{0});
      announced_by_.store(feed_.get(), std::memory_order_release);  // (2)
      feed_->skip_to(read_epoch());
    }
    return feed_;
  }

  /// Of the feed, if there is one.
  [[nodiscard]] std::uint64_t failures() const noexcept {
    const auto* const feed = announced_by_.load(std::memory_order_acquire);  // (1)
    return feed == nullptr ? 0 : feed->failures();
  }
  [[nodiscard]] std::uint64_t missed() const noexcept {
    const auto* const feed = announced_by_.load(std::memory_order_acquire);  // (1)
    return feed == nullptr ? 0 : feed->missed();
  }

 private:
  std::mutex making_;
  std::shared_ptr<transition_feed> feed_{};  // guarded by the mutex
  // Written once, by whoever makes the feed (2), read by whoever causes a transition (1).
  typename Atomics::template atomic<transition_feed*> announced_by_{nullptr};
};

}  // namespace brownout::detail
