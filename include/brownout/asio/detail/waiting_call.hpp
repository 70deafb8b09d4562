// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/cancellation_link.hpp"
#include "brownout/asio/detail/complete_later.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/state_memory.hpp"
#include "brownout/asio/detail/waiting_line.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// An `async_acquire` that waits, in memory of the handler's allocator. The handler and its cancellation slot
/// are touched on its executor only: other threads post to it.
template <class Handler, class Line, class Permit>
class waiting_call : public waiter {
 public:
  using allocator_type = net::associated_allocator_t<Handler, net::recycling_allocator<void>>;
  using executor_type = net::associated_executor_t<Handler>;

  static void start(Handler&& handler, const std::shared_ptr<Line>& line) {
    const auto allocator = net::get_associated_allocator(handler, net::recycling_allocator<void>{});
    owner call{detail::make_with<waiting_call>(allocator, std::move(handler), line)};
    switch (line->take_or_wait(*call)) {
      case Line::answer::waits:
        call.release();
        return;
      case Line::answer::taken:
        return call.release()->complete_later_with({}, Permit{line});
      case Line::answer::full:
        return call.release()->complete_later_with(make_error_code(rejection_reason::bulkhead_full), {});
      case Line::answer::ended:
        return call.release()->complete_later_with(net::error::operation_aborted, {});
    }
  }

  waiting_call(Handler&& handler, const std::shared_ptr<Line>& line)
      : waiter{&told, &make_note},
        memory_{net::get_associated_allocator(handler, net::recycling_allocator<void>{})},
        work_{net::get_associated_executor(handler)},
        handler_{std::move(handler)},
        line_{line} {
    caller_signal_.connect(net::get_associated_cancellation_slot(*handler_), this);
  }

 private:
  struct end_share {
    void operator()(waiting_call* call) const noexcept { call->release(); }
  };
  using owner = std::unique_ptr<waiting_call, end_share>;

  /// Ends the wait on the executor of the handler.
  struct message {
    using executor_type = waiting_call::executor_type;
    using allocator_type = waiting_call::allocator_type;

    owner call;
    error_code error;
    Permit place;

    [[nodiscard]] executor_type get_executor() const noexcept { return call->work_.get_executor(); }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return call->memory_; }
    void operator()() {
      auto* const waited = call.release();
      waited->complete(error, std::move(place));
    }
  };
  struct note : deadline_note {
    executor_type executor;
    std::shared_ptr<Line> line;

    explicit note(waiting_call& call)
        : deadline_note{call, &send}, executor{call.work_.get_executor()}, line{call.line_} {}
    static void send(std::shared_ptr<deadline_note>&& sent) noexcept {
      const auto executor = static_cast<note&>(*sent).executor;
      net::post(executor, [kept = std::move(sent)] {
        if (auto* const one = static_cast<note&>(*kept).line->expire(*kept))
          self(*one).complete(make_error_code(rejection_reason::queue_timeout), {});
      });
    }
  };
  friend cancellation_link<waiting_call>;
  void cancel(net::cancellation_type_t) {
    if (line_->leave(*this)) told(*this, wait_end::cancelled);
  }

  static waiting_call& self(waiter& one) noexcept { return static_cast<waiting_call&>(one); }
  static void told(waiter& one, wait_end how) {
    switch (how) {
      case wait_end::place:
        return self(one).complete_later_with({}, Permit{self(one).line_});
      case wait_end::cancelled:
        return self(one).complete_later_with(net::error::operation_aborted, {});
      case wait_end::lost:
        return self(one).release();
    }
  }
  static std::shared_ptr<deadline_note> make_note(deadline_entry& entry) noexcept {
    return std::allocate_shared<note>(net::recycling_allocator<note>{}, static_cast<waiting_call&>(entry));
  }

  void complete_later_with(const error_code& error, Permit&& place) {
    const auto executor = work_.get_executor();
    net::post(executor, message{owner{this}, error, std::move(place)});
  }
  void complete(const error_code& error, Permit&& place) {
    caller_signal_.cut();
    Handler handler{std::move(*handler_)};
    handler_.reset();
    work_.reset();
    release();
    std::move(handler)(error, std::move(place));
  }
  void release() noexcept {
    // A handler that was never called may own the memory, so it ends after that.
    [[maybe_unused]] const auto lost = std::move(handler_);
    detail::destroy_with(allocator_type{memory_}, this);
  }

  allocator_type memory_;
  net::executor_work_guard<executor_type> work_;
  std::optional<Handler> handler_;
  std::shared_ptr<Line> line_;
  cancellation_link<waiting_call> caller_signal_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
