// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/transition_feed.hpp"
#include "brownout/breaker/transition_event.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <memory>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// Keeps a listener subscribed to a breaker until it is destroyed. Move-only. It may outlive the breaker.
///
/// One subscription is used by one thread at a time, and that includes its listener: a listener that
/// unsubscribes itself must not run before the subscription is stored where the listener finds it.
class [[nodiscard]] subscription {
 public:
  /// Creates a subscription that is not connected to a breaker.
  subscription() noexcept = default;

  /// For breakers. Their users call a member function such as `circuit_breaker::subscribe`.
  subscription(const std::shared_ptr<detail::transition_feed>& feed, transition_listener listener,
               announcements wanted)
      : feed_{feed}, id_{feed->subscribe(std::move(listener), wanted)} {}

  /// The other subscription becomes one that is not connected.
  subscription(subscription&&) noexcept = default;
  /// Ends the subscription that this one held. Then as above.
  subscription& operator=(subscription&& other) noexcept {
    if (this != &other) {
      unsubscribe();
      feed_ = std::move(other.feed_);
      id_ = other.id_;
    }
    return *this;
  }
  subscription(const subscription&) = delete;
  subscription& operator=(const subscription&) = delete;

  /// As `unsubscribe()`: it waits for the listener if another thread runs it.
  ~subscription() { unsubscribe(); }

  /// Ends the subscription. When it returns, the listener does not run, will not run again, and is destroyed.
  ///
  /// Waits for the listener if another thread runs it. So the listener must not wait for the caller. If the
  /// listener calls it itself, it returns at once, and the listener is destroyed when the listener has
  /// returned.
  void unsubscribe() noexcept {
    const auto feed = std::exchange(feed_, {}).lock();
    if (feed) feed->unsubscribe(id_);
  }

 private:
  std::weak_ptr<detail::transition_feed> feed_{};
  std::uint64_t id_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI
