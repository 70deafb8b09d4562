// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/transition_feed.hpp"
#include "brownout/breaker/transition_event.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <memory>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// Keeps a listener subscribed for as long as it lives. Move-only; may outlive the breaker.
///
/// Used by one thread at a time, the listener's included: one that unsubscribes itself must not run before
/// its subscription is in its place.
class [[nodiscard]] subscription {
 public:
  /// Of nothing.
  subscription() noexcept = default;

  /// For breakers; their users call a member function of theirs.
  subscription(const std::shared_ptr<detail::transition_feed>& feed, transition_listener listener,
               announcements wanted)
      : feed_{feed}, id_{feed->subscribe(std::move(listener), wanted)} {}

  subscription(subscription&&) noexcept = default;
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

  ~subscription() { unsubscribe(); }

  /// When it returns, the listener neither runs nor will, and is destroyed. Waits for one that runs, so
  /// whatever that waits for must not wait for the caller. Within the listener itself it returns at once;
  /// then the listener lives until it returns.
  void unsubscribe() noexcept {
    const auto feed = std::exchange(feed_, {}).lock();
    if (feed) feed->unsubscribe(id_);
  }

 private:
  std::weak_ptr<detail::transition_feed> feed_;
  std::uint64_t id_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI
