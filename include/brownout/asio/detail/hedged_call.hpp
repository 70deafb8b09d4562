// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/async_call.hpp"
#include "brownout/asio/detail/call_alarm.hpp"
#include "brownout/asio/detail/call_end.hpp"
#include "brownout/asio/detail/call_parts.hpp"
#include "brownout/asio/detail/deadline_queue.hpp"
#include "brownout/asio/detail/handler_call.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/pipeline_call.hpp"
#include "brownout/asio/detail/start_operation.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/hedge.hpp"
#include "brownout/version.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

// Qt's macro would take the name of a function of Boost.Asio away.
#pragma push_macro("emit")
#undef emit

namespace brownout::inline BROWNOUT_ABI::detail {

/// A hedged call. It lives from its start until all its attempts have ended, in memory of the allocator of
/// the handler. Each attempt is a call through the pipeline. All of it happens on the executor of the
/// handler.
template <class Pipeline, class Signature, class Handler, class Operation, class Classifier>
class hedged_call
    : public handler_call<hedged_call<Pipeline, Signature, Handler, Operation, Classifier>, Handler> {
  using base = handler_call<hedged_call, Handler>;

 public:
  using typename base::executor_type;

  static void start(hedge& hedging, const Pipeline& through, Handler&& handler, Operation&& operation,
                    const call_context& given, const Classifier& classify) {
    base::start_with(std::move(handler), std::move(operation), hedging, through, given, classify);
  }

  hedged_call(Handler&& handler, Operation&& operation, hedge& hedging, const Pipeline& through,
              const call_context& given, const Classifier& classify)
      : base{std::move(handler)},
        operation_{std::move(operation)},
        classify_{classify},
        pipeline_{through},
        hedging_{&hedging},
        given_{given} {}

  void begin(call_part<hedged_call> self) {
    if (is_cancelled_) [[unlikely]] {  // before the call was started on its executor
      end_.refuse({.reason = rejection_reason::cancelled}, outcome::cancelled);
      return finish(std::move(self));
    }
    delay_ = hedging_->begin();
    start_attempt(std::move(self));
    // The call may be gone: the part that starts an attempt owns it.
  }
  void cancel(net::cancellation_type_t asked) {
    is_cancelled_ = true;
    alarm_.cancel();
    if (running_ == 0) return;
    part self{this->one_more_user()};
    ++running_;  // attempts may end within this, and the call after it
    emit_to_all(asked);
    leave(std::move(self));
  }
  /// An attempt was destroyed, so the call never ends. Its handler stays until the others have ended, since
  /// they may use buffers that it owns.
  void lose() noexcept {
    alarm_.cancel();
    is_lost_ = true;
    if (running_ > 0) --running_;
  }

 private:
  using clock_type = std::remove_cvref_t<decltype(std::declval<const Pipeline&>().clock())>;
  using share = call_share<hedged_call>;
  using part = call_part<hedged_call>;
  using form = completes_as_operation<Signature>;

  struct attempt {
    net::cancellation_signal stop{};
    time_point began{};
    bool runs = false;
  };

  struct attempt_handler : handler_of_part<hedged_call, part> {
    using cancellation_slot_type = net::cancellation_slot;

    std::size_t number;

    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
      return this->call->attempts_[number].stop.slot();
    }
    template <class... A>
    void operator()(A&&... arguments) {
      auto* const self = this->call.get();
      self->end_attempt(std::move(this->call), number, std::forward<A>(arguments)...);
    }
  };
  /// The operation of the user, which every attempt starts as an lvalue.
  struct shared_operation {
    Operation* operation;

    template <class H>
    void operator()(const call_context& context, H&& handler) const {
      detail::start_with<true>(*operation, context, std::forward<H>(handler));
    }
  };

  void start_attempt(part self) {
    const auto number = started_++;
    auto& mine = attempts_[number];
    mine.runs = true;
    mine.began = pipeline_.clock().now();
    ++running_;
    if (delay_ && started_ <= hedging_->options().extra) {
      alarm_.set(this, mine.began + *delay_, [since = started_](hedged_call& call) {
        // A failure may have started the next attempt after the delay has passed, and before this runs.
        if (call.started_ == since) call.start_extra_if_allowed();
      });
    }
    auto context = given_;
    context.attempt = given_.attempt + static_cast<std::uint32_t>(number);
    const share kept{this->one_more_user()};  // the attempt may end, and with it the call, within its start
    pipeline_call<Pipeline, form, attempt_handler, shared_operation, Classifier>::start(
        pipeline_, attempt_handler{{std::move(self)}, number}, shared_operation{std::addressof(operation_)},
        context, classify_);
  }
  void start_extra_if_allowed() {
    if (has_won_ || is_cancelled_ || !may_repeat_ || running_ == 0 || is_lost_) return;
    if (started_ > hedging_->options().extra || !hedging_->try_extra()) return;
    start_attempt(part{this->one_more_user()});
  }
  template <class... A>
  void end_attempt(part self, std::size_t number, A&&... arguments) {
    auto& mine = attempts_[number];
    mine.runs = false;
    const auto ran = pipeline_.clock().now() - mine.began;
    if (has_won_) {
      hedging_->note_loser(ran);
    } else {
      end_.values.emplace(std::forward<A>(arguments)...);
      end_.judge_values(classify_, is_cancelled_);
      if (end_.verdict == outcome::success) {
        has_won_ = true;
        hedging_->note_winner(ran, number > 0);
        alarm_.cancel();
        emit_to_all(net::cancellation_type::terminal);
      } else {
        const bool was_refused = end_.refused && end_.refused->reason != rejection_reason::timed_out;
        may_repeat_ =
            may_repeat_ && end_.verdict == outcome::failure && !was_refused && end_.asked == duration::zero();
        start_extra_if_allowed();
      }
    }
    leave(std::move(self));
  }
  void leave(part self) {
    if (--running_ == 0) {
      finish(std::move(self));
    } else {
      self.release();
    }
  }
  void emit_to_all(net::cancellation_type_t asked) {
    for (auto& one : attempts_) {
      if (one.runs) one.stop.emit(asked);
    }
  }

  void finish(part self) {
    alarm_.cancel();
    if (is_lost_) return self.release();  // the handler is destroyed with the call
    auto arguments = form::arguments_of_end(std::move(end_));
    Handler handler{this->take_handler()};
    self.release();  // the memory is free before the handler is called
    std::apply(std::move(handler), std::move(arguments));
  }

  Operation operation_;
  BROWNOUT_NO_UNIQUE_ADDRESS Classifier classify_;
  Pipeline pipeline_;
  hedge* hedging_;
  call_context given_;
  call_end<Signature> end_{};
  std::optional<duration> delay_{};
  call_alarm<hedged_call, timer_for<clock_type, executor_type>> alarm_;
  std::array<attempt, 1 + hedge_options::most_extra> attempts_{};
  std::size_t started_ = 0;
  std::size_t running_ = 0;
  bool has_won_ = false;
  bool may_repeat_ = true;     // no answer has said that the call is not to be made again
  bool is_cancelled_ = false;  // by the caller
  bool is_lost_ = false;       // an attempt has no end
};

}  // namespace brownout::inline BROWNOUT_ABI::detail

#pragma pop_macro("emit")
