// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/net.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The timer of a call. It is made when it is first set.
//
// Its waits own the timer, and not the call. A wait that was cancelled ends after the handler was called, and
// then the call must be gone: its memory is that of the handler, which may end with it.
template <class Call, class Timer>
class call_alarm {
 public:
  call_alarm() = default;
  call_alarm(const call_alarm&) = delete;
  call_alarm& operator=(const call_alarm&) = delete;
  ~call_alarm() { leave(); }

  /// Calls `ring(call)` at this moment, if the call has not left and the alarm was not set again.
  template <class Ring>
  void set(Call* call, time_point when, Ring ring) {
    auto& timer = timer_until(call, when);
    timer.async_wait([kept = shared_, ring = std::move(ring)](const error_code& error) {
      if (!error && kept->call != nullptr) ring(*kept->call);
    });
  }
  /// For a wait that owns the call.
  [[nodiscard]] Timer& timer_until(Call* call, time_point when) {
    if (shared_ == nullptr) {
      shared_ = std::allocate_shared<shared>(net::recycling_allocator<shared>{}, call);
    }
    shared_->timer.expires_at(when);
    return shared_->timer;
  }
  /// Ends all waits.
  void cancel() {
    if (shared_ != nullptr) shared_->timer.cancel();
  }

 private:
  struct shared {
    explicit shared(Call* of) : timer{of->executor()}, call{of} {}

    Timer timer;
    Call* call;  // null: it has left
  };

  void leave() noexcept {
    if (shared_ == nullptr) return;
    shared_->call = nullptr;
    shared_->timer.cancel();
  }

  std::shared_ptr<shared> shared_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
