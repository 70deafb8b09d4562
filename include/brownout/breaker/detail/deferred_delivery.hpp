// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/transition_feed.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// While it exists, transitions that this thread causes are kept by their feeds and not delivered. Its
/// destructor delivers them, in the order of the feeds' first transitions.
///
/// For code that changes circuits while it holds a lock: it is made before the lock is taken, so it is
/// destroyed after the lock is released, and no listener runs under the lock. Another thread that causes a
/// transition of the same circuit meanwhile delivers what waits, in order.
///
/// The circuits must outlive it. Allocates nothing.
class deferred_delivery final : public feed_deferral {
 public:
  deferred_delivery() noexcept : outer_{std::exchange(current(), this)} {}
  deferred_delivery(const deferred_delivery&) = delete;
  deferred_delivery& operator=(const deferred_delivery&) = delete;
  ~deferred_delivery() override {
    current() = outer_;
    for (std::size_t i = 0; i < count_; ++i) {
      if (outer_ == nullptr || !outer_->defer(*feeds_[i])) feeds_[i]->deliver_what_waits();
    }
  }

 private:
  bool defer(transition_feed& feed) noexcept override {
    const auto end = feeds_.begin() + static_cast<std::ptrdiff_t>(count_);
    if (std::find(feeds_.begin(), end, &feed) != end) return true;
    if (count_ == feeds_.size()) return false;
    feeds_[count_++] = &feed;
    return true;
  }

  feed_deferral* outer_;
  std::array<transition_feed*, 64> feeds_{};  // twice as many as a supervisor has dependencies
  std::size_t count_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
