// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/cancellation_link.hpp"
#include "brownout/asio/detail/completion_verdict.hpp"
#include "brownout/asio/detail/deadline_queue.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/returning_permit.hpp"
#include "brownout/asio/detail/signature.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

// Qt's macro would take the name of a function of Boost.Asio away.
#pragma push_macro("emit")
#undef emit

namespace brownout::inline BROWNOUT_ABI::detail {

/// No limit of time.
inline constexpr duration no_limit = (duration::max)();

/// What a guard says about the time of its calls.
struct call_times {
  duration deadline;  // how long a call may take
  duration patience;  // a cancelled call that took as long is a failure
  bool abandon;
};

/// An asynchronous call with a deadline. It lives from the start of the call until its operation has ended,
/// in memory of the handler's allocator.
///
/// All of it happens on the executor of the handler, apart from the start of the call.
template <class Signature, class Handler, class Owner, class Permit, class Classifier, class Queue>
class timed_call : public deadline_entry {
 public:
  using allocator_type = net::associated_allocator_t<Handler, net::recycling_allocator<void>>;
  using executor_type = net::associated_executor_t<Handler>;

  /// Starts the call. `operation` is initiated on the executor of the handler, at once if this is running
  /// there.
  template <class Operation>
  static void start(Handler&& handler, const Owner& owner, returning_permit<Permit>&& admitted,
                    const Classifier& classify, disposition* became, const std::shared_ptr<Queue>& queue,
                    const call_times& times, Operation&& operation) {
    raw_memory memory{handler};
    call_handle call{::new (memory.place) timed_call{std::move(handler), owner, std::move(admitted), classify,
                                                     became, queue, times}};
    memory.place = nullptr;
    const auto executor = call->executor_;
    net::dispatch(executor,
                  starter<std::decay_t<Operation>>{std::move(call), std::forward<Operation>(operation)});
  }

 private:
  using allocator = typename std::allocator_traits<allocator_type>::template rebind_alloc<timed_call>;
  using traits = std::allocator_traits<allocator>;

  /// Memory for a call that is being made.
  struct raw_memory {
    explicit raw_memory(const Handler& handler)
        : source{net::get_associated_allocator(handler, net::recycling_allocator<void>{})},
          place{traits::allocate(source, 1)} {}
    raw_memory(const raw_memory&) = delete;
    raw_memory& operator=(const raw_memory&) = delete;
    ~raw_memory() {
      if (place != nullptr) traits::deallocate(source, place, 1);
    }

    allocator source;
    timed_call* place;
  };

  /// Owns a call until its operation has ended.
  class call_handle {
   public:
    explicit call_handle(timed_call* call) noexcept : call_{call} {}
    call_handle(call_handle&& other) noexcept : call_{std::exchange(other.call_, nullptr)} {}
    call_handle& operator=(call_handle&&) = delete;
    ~call_handle() {
      if (call_ != nullptr) call_->lose();
    }
    [[nodiscard]] timed_call* get() const noexcept { return call_; }
    [[nodiscard]] timed_call* release() noexcept { return std::exchange(call_, nullptr); }
    [[nodiscard]] timed_call* operator->() const noexcept { return call_; }

   private:
    timed_call* call_;
  };

  /// The completion handler of the operation.
  class operation_handler {
   public:
    using executor_type = timed_call::executor_type;
    using allocator_type = timed_call::allocator_type;
    using cancellation_slot_type = net::cancellation_slot;

    explicit operation_handler(call_handle&& call) noexcept : call_{std::move(call)} {}

    [[nodiscard]] executor_type get_executor() const noexcept { return call_->executor_; }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return call_->memory_; }
    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
      return call_->stop_.slot();
    }

    template <class... A>
    void operator()(A&&... arguments) {
      auto* const self = call_.get();
      self->end(std::move(call_), std::forward<A>(arguments)...);
    }

   private:
    call_handle call_;
  };

  template <class Operation>
  struct starter {
    using executor_type = timed_call::executor_type;
    using allocator_type = timed_call::allocator_type;

    call_handle call;
    Operation operation;

    [[nodiscard]] executor_type get_executor() const noexcept { return call->executor_; }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return call->memory_; }
    void operator()() {
      if (call->is_cancelled_) [[unlikely]] {  // before this message ran
        return call.release()->end_unstarted();
      }
      call->begin();
      std::move(operation)(operation_handler{std::move(call)});
    }
  };

  struct note : deadline_note {
    executor_type executor;

    explicit note(timed_call& call) : deadline_note{call, &send}, executor{call.executor_} {}
    static void send(std::shared_ptr<deadline_note>&& sent) noexcept {
      const auto executor = static_cast<note&>(*sent).executor;
      // Also if this is its executor: what the call runs now may throw, and the others have to be told too.
      net::post(executor, [kept = std::move(sent)] {
        if (auto* const call = kept->call()) static_cast<timed_call*>(call)->run_out();
      });
    }
  };
  static std::shared_ptr<deadline_note> make_note(deadline_entry& entry) noexcept {
    return std::allocate_shared<note>(net::recycling_allocator<note>{}, static_cast<timed_call&>(entry));
  }

  timed_call(Handler&& handler, const Owner& owner, returning_permit<Permit>&& admitted,
             const Classifier& classify, disposition* became, const std::shared_ptr<Queue>& queue,
             const call_times& times)
      : deadline_entry{&make_note},
        memory_{net::get_associated_allocator(handler, net::recycling_allocator<void>{})},
        executor_{net::get_associated_executor(handler)},
        handler_{std::move(handler)},
        owner_{owner},
        permit_{std::move(admitted)},
        classify_{classify},
        became_{became},
        queue_{queue},
        times_{times},
        started_{queue->now()} {
    caller_signal_.connect(net::get_associated_cancellation_slot(*handler_), this);
  }
  ~timed_call() = default;

  friend cancellation_link<timed_call>;
  void cancel(net::cancellation_type_t asked) {
    is_cancelled_ = true;
    stop_.emit(asked);
  }

  void begin() {
    if (times_.deadline != no_limit) queue_->add(*this, started_ + times_.deadline);
  }

  /// The deadline was reached.
  void run_out() {
    is_over_ = true;
    report(permit_->complete(outcome::failure, {}, to_string(rejection_reason::timed_out)));
    if (times_.abandon) return tell_without_waiting();
    stop_.emit(net::cancellation_type::terminal);
  }
  void tell_without_waiting() {
    auto handler = take_handler();
    stop_.emit(net::cancellation_type::terminal);
    std::apply(std::move(handler),
               detail::refused_values<Signature>({.reason = rejection_reason::timed_out}));
  }

  /// The caller has cancelled the call before it was started on its executor.
  void end_unstarted() {
    finish();
    report(permit_->complete(outcome::cancelled));
    auto handler = take_handler();
    release();
    std::apply(std::move(handler),
               detail::refused_values<Signature>({.reason = rejection_reason::cancelled}));
  }

  template <class... A>
  void end(call_handle self, A&&... arguments) {
    finish();
    if (!handler_) return self.release()->release();  // abandoned
    if (!is_over_) report(settled_by(arguments...));
    auto handler = take_handler();
    if (is_over_ && detail::is_error(std::as_const(arguments)...)) {
      self.release()->release();
      std::apply(std::move(handler),
                 detail::refused_values<Signature>({.reason = rejection_reason::timed_out}));
    } else {
      // Moved out of the memory of the operation, which may be that of this call.
      std::tuple<std::decay_t<A>...> values{std::forward<A>(arguments)...};
      self.release()->release();
      std::apply(std::move(handler), std::move(values));
    }
  }

  template <class... A>
  [[nodiscard]] disposition settled_by(A&... arguments) {
    if (!is_cancelled_ || !detail::is_error(std::as_const(arguments)...))
      return detail::settle(*permit_, detail::judge(classify_, arguments...), arguments...);
    const bool was_patient = times_.patience != no_limit && queue_->now() - started_ >= times_.patience;
    return permit_->complete(was_patient ? outcome::failure : outcome::cancelled);
  }

  /// The operation is lost: its handler was destroyed and not called.
  void lose() noexcept {
    finish();
    if (!permit_->settled()) permit_->complete(outcome::cancelled);
    release();
  }

  void finish() noexcept {
    queue_->remove(*this);
    stop_.slot().clear();
  }
  void report(disposition became) noexcept {
    if (became_ != nullptr) *became_ = became;
  }
  [[nodiscard]] Handler take_handler() {
    caller_signal_.cut();
    Handler handler{std::move(*handler_)};
    handler_.reset();
    return handler;
  }

  void release() noexcept {
    // A handler that was never called may own the memory, so it ends after that.
    [[maybe_unused]] const auto lost = std::move(handler_);
    allocator memory{memory_};
    this->~timed_call();
    traits::deallocate(memory, this, 1);
  }

  allocator_type memory_;
  executor_type executor_;
  std::optional<Handler> handler_;
  BROWNOUT_NO_UNIQUE_ADDRESS Owner owner_;
  returning_permit<Permit> permit_;
  BROWNOUT_NO_UNIQUE_ADDRESS Classifier classify_;
  disposition* became_;
  std::shared_ptr<Queue> queue_;
  call_times times_;
  time_point started_;
  net::cancellation_signal stop_;
  cancellation_link<timed_call> caller_signal_;
  bool is_cancelled_ = false;  // by the caller
  bool is_over_ = false;       // the deadline came first
};

}  // namespace brownout::inline BROWNOUT_ABI::detail

#pragma pop_macro("emit")
