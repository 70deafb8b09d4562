// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/net.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/version.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

// The parts of an asynchronous call that are under way, as handlers of Boost.Asio: they own the call
// together. `Call` has `executor()`, `memory()` (an allocator), `stop_slot()`, and:
//
// - `release()`: a part has ended; the last one destroys the call;
// - `lose()`: the part that would have gone on with it was destroyed, so the call never ends.

/// A share in a call.
template <class Call>
class call_share {
 public:
  explicit call_share(Call* call) noexcept : call_{call} {}
  call_share(call_share&& other) noexcept : call_{std::exchange(other.call_, nullptr)} {}
  call_share& operator=(call_share&&) = delete;
  BROWNOUT_ALWAYS_INLINE ~call_share() {
    if (call_ != nullptr) [[unlikely]] {
      release();
    }
  }

  void release() noexcept {
    if (call_ != nullptr) std::exchange(call_, nullptr)->release();
  }
  /// Null if it was released or moved away.
  [[nodiscard]] Call* get() const noexcept { return call_; }
  [[nodiscard]] Call* operator->() const noexcept { return call_; }

 private:
  Call* call_;
};

/// The part that will go on with a call: its operation, or the wait before it.
template <class Call>
class call_part {
 public:
  explicit call_part(Call* call) noexcept : share_{call} {}
  call_part(call_part&&) noexcept = default;
  call_part& operator=(call_part&&) = delete;
  // Handlers are moved a dozen times in a call, and what is left behind is empty.
  BROWNOUT_ALWAYS_INLINE ~call_part() {
    if (share_.get() != nullptr) [[unlikely]] {
      give_up();
    }
  }

  void release() noexcept { share_.release(); }
  [[nodiscard]] Call* get() const noexcept { return share_.get(); }
  [[nodiscard]] Call* operator->() const noexcept { return share_.get(); }

 private:
  BROWNOUT_NOINLINE void give_up() noexcept {
    share_->lose();
    share_.release();
  }

  call_share<Call> share_;
};

/// What Boost.Asio asks a handler of a part for. `Part`: a `call_part` or a `call_share`.
template <class Call, class Part>
struct handler_of_part {
  using executor_type = typename Call::executor_type;
  using allocator_type = typename Call::allocator_type;

  Part call;

  [[nodiscard]] executor_type get_executor() const noexcept { return call->executor(); }
  [[nodiscard]] allocator_type get_allocator() const noexcept { return call->memory(); }
};
/// The same with a cancellation slot.
template <class Call, class Part>
struct cancellable_handler_of_part : handler_of_part<Call, Part> {
  using cancellation_slot_type = net::cancellation_slot;

  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
    return this->call->stop_slot();
  }
};

/// Starts a call on its executor.
template <class Call>
struct call_starter : handler_of_part<Call, call_part<Call>> {
  void operator()() {
    auto* const started = this->call.get();
    started->begin(std::move(this->call));
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
