// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/async_steps.hpp"
#include "brownout/asio/detail/call_alarm.hpp"
#include "brownout/asio/detail/call_end.hpp"
#include "brownout/asio/detail/call_parts.hpp"
#include "brownout/asio/detail/complete_later.hpp"
#include "brownout/asio/detail/deadline_queue.hpp"
#include "brownout/asio/detail/handler_call.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/start_operation.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/version.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

// Qt's macro would take the name of a function of Boost.Asio away.
#pragma push_macro("emit")
#undef emit

namespace brownout::inline BROWNOUT_ABI::detail {

/// An asynchronous call through a pipeline. It lives from the start of the call until its handler is called,
/// in memory of the allocator of that handler, and has what every stage keeps.
///
/// All of it happens on the executor of the handler. The parts of the call that are under way, such as the
/// operation or a timer, own it together.
template <class Pipeline, class Form, class Handler, class Operation, class Classifier>
class pipeline_call
    : public handler_call<pipeline_call<Pipeline, Form, Handler, Operation, Classifier>, Handler> {
  using base = handler_call<pipeline_call, Handler>;
  using signature = typename Form::operation_signature;
  using stages = decltype(detail::flat_stages(std::declval<const Pipeline&>()));
  using clock_type = std::remove_cvref_t<decltype(std::declval<const Pipeline&>().clock())>;
  static constexpr std::size_t count = std::tuple_size_v<stages>;

  template <class S>
  static constexpr bool is_retry = std::is_same_v<S, retry_step>;
  template <class S>
  static constexpr bool can_wait = requires {
    requires S::can_wait;
  };
  static constexpr bool has_timeout = []<class... S>(std::type_identity<std::tuple<S...>>) {
    return (std::is_same_v<S, timeout_step> || ...);
  }(std::type_identity<typename steps_of<stages>::type>{});
  static constexpr bool is_repeated = []<class... S>(std::type_identity<std::tuple<S...>>) {
    return (is_retry<S> || ...);
  }(std::type_identity<typename steps_of<stages>::type>{});

 public:
  using typename base::executor_type;

  /// Starts the call on the executor of the handler: at once if this is running there.
  static void start(const Pipeline& through, Handler&& handler, Operation&& operation,
                    const call_context& given, const Classifier& classify) {
    base::start_with(std::move(handler), std::move(operation), through, given, classify);
  }

  pipeline_call(Handler&& handler, Operation&& operation, const Pipeline& through, const call_context& given,
                const Classifier& classify)
      : base{std::move(handler)},
        operation_{std::move(operation)},
        classify_{classify},
        pipeline_{through},
        steps_(steps_of<stages>::make(detail::flat_stages(pipeline_))),
        given_{given} {}

  // For its parts.
  [[nodiscard]] net::cancellation_slot stop_slot() noexcept { return stop_.slot(); }

  // For the steps.
  [[nodiscard]] const clock_type& clock() const noexcept { return pipeline_.clock(); }
  [[nodiscard]] const Classifier& classifier() const noexcept { return classify_; }
  [[nodiscard]] call_report* report() const noexcept { return given_.report; }
  [[nodiscard]] bool is_cancelled() const noexcept { return is_cancelled_; }

  void begin(call_part<pipeline_call> self) {
    auto context = given_;
    context.now = clock().now();
    is_starting_ = true;
    enter<0>(std::move(self), context);
  }

  void cancel(net::cancellation_type_t asked) {
    is_cancelled_ = true;
    if (during_ == phase::wait) {
      alarm_.cancel();
    } else {
      stop_.emit(asked);
    }
  }

  /// The call will never end, because its operation or its wait was destroyed.
  void lose() noexcept {
    during_ = phase::none;
    alarm_.cancel();
    detail::drop_all(steps_);
  }

 private:
  static_assert(std::is_empty_v<clock_type> && std::default_initializable<clock_type>,
                "brownout: the timers of Boost.Asio ask the type of a clock for the time, so the clock of a "
                "pipeline for asynchronous calls must have no state");

  using share = call_share<pipeline_call>;
  using part = call_part<pipeline_call>;

  struct operation_handler : cancellable_handler_of_part<pipeline_call, part> {
    template <class... A>
    void operator()(A&&... arguments) {
      auto* const self = this->call.get();
      self->end_operation(std::move(this->call), std::forward<A>(arguments)...);
    }
  };
  template <std::size_t I>
  struct place_handler : cancellable_handler_of_part<pipeline_call, part> {
    call_context context;

    template <class Permit>
    void operator()(const error_code& error, Permit&& place) {
      auto* const self = this->call.get();
      self->template got_place<I>(std::move(this->call), context, error, std::forward<Permit>(place));
    }
  };
  template <std::size_t I>
  struct wait_handler : handler_of_part<pipeline_call, part> {
    duration waited;

    void operator()(const error_code&) {
      auto* const self = this->call.get();
      self->template go_on<I>(std::move(this->call), waited);
    }
  };

  template <std::size_t I>
  void enter(part self, call_context context) {
    if constexpr (I == count) {
      start_operation(std::move(self), context);
    } else {
      auto& step = std::get<I>(steps_);
      if (auto why = step.enter(context)) [[unlikely]] {
        if constexpr (can_wait<std::remove_reference_t<decltype(step)>>) {
          return get_in_line<I>(std::move(self), context);
        }
        end_.refuse(*why);
        leave<I>(std::move(self));
      } else {
        enter<I + 1>(std::move(self), context);
      }
    }
  }

  /// Waits for a place in the guard of stage `I`, but no longer than the call may take.
  template <std::size_t I>
  void get_in_line(part self, const call_context& context) {
    if (is_cancelled_) [[unlikely]] {  // before the call was started on its executor
      end_.refuse({.reason = rejection_reason::cancelled}, outcome::cancelled);
      return leave<I>(std::move(self));
    }
    auto& guard = std::get<I>(steps_).guard();
    deadline_ = context.deadline;
    during_ = phase::line;
    arm_deadline();
    guard.async_acquire(place_handler<I>{{{std::move(self)}}, context});
  }
  template <std::size_t I, class Permit>
  void got_place(part self, call_context context, const error_code& error, Permit&& place) {
    is_starting_ = false;
    during_ = phase::none;
    alarm_.cancel();
    stop_.slot().clear();
    auto& step = std::get<I>(steps_);
    context.now = clock().now();
    const auto why = rejection_reason_of(error);
    if (!is_cancelled_ && context.now >= context.deadline) {
      end_.refuse({.reason = rejection_reason::deadline_passed});
    } else if (is_cancelled_ || (error && !why)) {  // by the caller, or because the guard was destroyed
      end_.refuse({.reason = rejection_reason::cancelled}, outcome::cancelled);
    } else if (why) {
      end_.refuse({*why, rejection::unknown, false, step.guard().name()});
    } else {
      step.hold(std::forward<Permit>(place));
      return enter<I + 1>(std::move(self), context);
    }
    leave<I>(std::move(self));
  }

  /// What is further in than the stage before `I` has ended.
  template <std::size_t I>
  void leave(part self) {
    if constexpr (I == 0) {
      finish(std::move(self));
    } else {
      auto& step = std::get<I - 1>(steps_);
      if constexpr (is_retry<std::remove_reference_t<decltype(step)>>) {
        if (const auto wait = step.wait_after(*this, end_)) [[unlikely]] {
          return wait_before<I>(std::move(self), *wait);
        }
      } else {
        step.leave(*this, end_);
      }
      leave<I - 1>(std::move(self));
    }
  }

  /// Waits, and enters stage `I` again.
  template <std::size_t I>
  void wait_before(part self, duration wait) {
    is_starting_ = false;
    during_ = phase::wait;
    alarm_.timer_until(this, clock().now() + wait).async_wait(wait_handler<I>{{std::move(self)}, wait});
  }
  template <std::size_t I>
  void go_on(part self, duration waited) {
    during_ = phase::none;
    auto& step = std::get<I - 1>(steps_);
    if (is_cancelled_) {
      end_.refuse({rejection_reason::cancelled, rejection::unknown, step.has_begun()}, outcome::cancelled);
    } else if (step.may_go_on(clock(), waited)) {
      return enter<I>(std::move(self), step.context());
    }
    step.give_up(end_);
    leave<I - 1>(std::move(self));
  }

  void start_operation(part self, const call_context& context) {
    if (is_cancelled_) [[unlikely]] {  // before the call was started on its executor
      end_.refuse({.reason = rejection_reason::cancelled}, outcome::cancelled);
      return leave<count>(std::move(self));
    }
    if (context.report != nullptr) ++context.report->attempts;
    deadline_ = context.deadline;
    during_ = phase::operation;
    arm_deadline();
    given_ = context;  // a coroutine may refer to it until it has ended
    // The operation may end, and with it the call, before the function that starts it returns.
    using started = std::conditional_t<is_repeated, Operation&, Operation&&>;
    constexpr bool uses_call =
        is_repeated || std::is_invocable_v<started, const call_context&, operation_handler>;
    const share kept{uses_call ? this->one_more_user() : nullptr};
    if constexpr (is_repeated) {
      detail::start_with<true>(operation_, given_, operation_handler{{{std::move(self)}}});
    } else {
      Operation operation{std::move(operation_)};
      detail::start_with<false>(operation, given_, operation_handler{{{std::move(self)}}});
    }
  }
  void arm_deadline() {
    if (deadline_ == call_context::no_deadline) return;
    alarm_.set(this, deadline_, [](pipeline_call& call) { call.run_out(); });
  }
  template <class... A>
  void end_operation(part self, A&&... arguments) {
    is_starting_ = false;
    during_ = phase::none;
    alarm_.cancel();
    // What the operation has put into the slot refers to a timer or a socket that may not live longer.
    stop_.slot().clear();
    end_.values.emplace(std::forward<A>(arguments)...);
    end_.judge_values(classify_, is_cancelled_);
    leave<count>(std::move(self));
  }

  /// The deadline has passed. The breakers outside of the time-out learn it now. The caller is told when the
  /// operation has ended.
  void run_out() {
    const auto now = clock().now();
    if (now < deadline_) return;  // it was that of an earlier attempt
    if (during_ == phase::operation) {
      is_overdue_ = true;
      detail::settle_outside_of_overdue(steps_, now);
    }
    if (during_ == phase::operation || during_ == phase::line) stop_.emit(net::cancellation_type::terminal);
  }
  void finish(part self) {
    // The deadline was that of the caller, and not that of a time-out, which would have said so.
    if constexpr (!has_timeout) {
      if (is_overdue_ && end_.verdict != outcome::cancelled && end_.has_error())
        end_.refuse({.reason = rejection_reason::timed_out, .began = true}, end_.verdict);
    }
    if (report() != nullptr) detail::note_end(*report(), end_);
    auto arguments = Form::arguments_of_end(std::move(end_));
    Handler handler{this->take_handler()};
    const bool within_start = is_starting_;
    self.release();  // the memory is free before the handler is called
    if (within_start) [[unlikely]] {
      detail::complete_later(std::move(handler), std::move(arguments));
    } else {
      std::apply(std::move(handler), std::move(arguments));
    }
  }

  Operation operation_;
  BROWNOUT_NO_UNIQUE_ADDRESS Classifier classify_;
  Pipeline pipeline_;
  typename steps_of<stages>::type steps_;
  call_context given_;  // by the caller; then that of the attempt
  call_end<signature> end_{};
  time_point deadline_ = call_context::no_deadline;
  call_alarm<pipeline_call, timer_for<clock_type, executor_type>> alarm_;
  net::cancellation_signal stop_;
  enum class phase : unsigned char {
    none,
    line,       // waits for a place
    operation,  // the operation is under way
    wait,       // before another attempt
  };
  phase during_ = phase::none;
  bool is_overdue_ = false;    // the deadline has passed while the operation ran
  bool is_starting_ = false;   // within the function that starts the call
  bool is_cancelled_ = false;  // by the caller
};

}  // namespace brownout::inline BROWNOUT_ABI::detail

#pragma pop_macro("emit")
