// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/call_parts.hpp"
#include "brownout/asio/detail/cancellation_link.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/state_memory.hpp"
#include "brownout/version.hpp"

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <atomic>
#include <optional>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What an asynchronous call has for its handler: the handler itself, its memory, its executor, and the
/// number of parts that own the call. `Call` derives from it, and has `begin(part)`, `cancel(type)` and
/// `lose()`; see call_parts.hpp.
template <class Call, class Handler>
class handler_call {
 public:
  using allocator_type = net::associated_allocator_t<Handler, net::recycling_allocator<void>>;
  using executor_type = net::associated_executor_t<Handler>;

  handler_call(const handler_call&) = delete;
  handler_call& operator=(const handler_call&) = delete;

  // For its parts.
  [[nodiscard]] executor_type executor() const noexcept { return executor_; }
  [[nodiscard]] allocator_type memory() const noexcept { return memory_; }
  void release() noexcept {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      // A handler that was never called may own the memory, so it ends after that.
      [[maybe_unused]] const auto lost = std::move(handler_);
      detail::destroy_with(allocator_type{memory_}, static_cast<Call*>(this));
    }
  }

 protected:
  explicit handler_call(Handler&& handler)
      : memory_{net::get_associated_allocator(handler, net::recycling_allocator<void>{})},
        executor_{net::get_associated_executor(handler)},
        handler_{std::move(handler)} {
    caller_signal_.connect(net::get_associated_cancellation_slot(*handler_), static_cast<Call*>(this));
  }
  ~handler_call() = default;

  /// Makes the call and starts it on the executor of the handler: at once if this is running there.
  template <class... A>
  static void start_with(Handler&& handler, A&&... arguments) {
    const auto allocator = net::get_associated_allocator(handler, net::recycling_allocator<void>{});
    call_part<Call> call{
        detail::make_with<Call>(allocator, std::move(handler), std::forward<A>(arguments)...)};
    const auto executor = call->executor();
    net::dispatch(executor, call_starter<Call>{{std::move(call)}});
  }

  /// For one more part. The part must be made from it at once.
  [[nodiscard]] Call* one_more_user() noexcept {
    users_.fetch_add(1, std::memory_order_relaxed);
    return static_cast<Call*>(this);
  }

  [[nodiscard]] Handler take_handler() {
    caller_signal_.cut();
    Handler handler{std::move(*handler_)};
    handler_.reset();
    return handler;
  }

 private:
  allocator_type memory_;
  executor_type executor_;
  std::optional<Handler> handler_;
  cancellation_link<Call> caller_signal_;
  std::atomic<int> users_{1};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
