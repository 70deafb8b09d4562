// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/call_end.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/last_good.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

// Steps of policies; see guard_step.hpp for what a step is.

/// A time-out. The call itself has the timer.
//
// Its rejections have no name: the policy is in the call's copy of the pipeline, which ends before the
// rejection does.
class timeout_step {
 public:
  explicit timeout_step(const timeout& policy) noexcept : policy_{&policy} {}

  [[nodiscard]] std::optional<rejection> enter(call_context& context) noexcept {
    deadline_ = call_context::no_deadline;
    if (context.now >= context.deadline) {
      return rejection{.reason = rejection_reason::deadline_passed};
    }
    // No overflow: a deadline that exists is later than now, and the longest limit is a day.
    context.deadline = (std::min)(context.deadline, context.now + duration{policy_->limit});
    deadline_ = context.deadline;
    return std::nullopt;
  }

  template <class Call, class End>
  void leave(const Call& call, End& end) {
    if (!end.values || end.verdict == outcome::cancelled || !detail::has_passed(call.clock(), deadline_))
      return;
    if (!end.has_error()) {
      end.late = true;
      if (call.report() != nullptr) call.report()->late = true;
      if (policy_->late == late_value::keep) return;
    }
    end.refuse({.reason = rejection_reason::timed_out, .began = true});
  }

  [[nodiscard]] bool is_over(time_point now) const noexcept { return now >= deadline_; }
  void run_out() noexcept {}
  void drop() noexcept {}

 private:
  const timeout* policy_;
  time_point deadline_ = call_context::no_deadline;
};

/// A retry. The call itself has the timer for its waits.
class retry_step {
 public:
  explicit retry_step(const retry& policy) noexcept : policy_{&policy} {}

  [[nodiscard]] std::optional<rejection> enter(const call_context& context) noexcept {
    context_ = context;
    attempts_before_ = context.attempt - 1;
    made_ = 1;
    was_begun_ = false;
    return std::nullopt;
  }

  /// The wait before another attempt, or nothing: then the end is that of the call.
  template <class Call, class End>
  [[nodiscard]] std::optional<duration> wait_after(const Call& call, End& end) {
    was_begun_ = was_begun_ || was_begun(end);
    if (end.verdict == outcome::success) [[likely]] {
      if (!end.late) policy_->budget->deposit();
      return std::nullopt;
    }
    if (context_.report != nullptr && end.refused) context_.report->refused = end.refused;
    auto wait = end.verdict == outcome::cancelled || call.is_cancelled()
                    ? std::nullopt
                    : wait_before_next(*policy_, context_, call.clock(), end, made_, token_);
    if (!wait) give_up(end);
    return wait;
  }

  /// After the wait: whether the attempt is still to be made.
  template <class Clock>
  [[nodiscard]] bool may_go_on(const Clock& clock, duration waited) noexcept {
    if (context_.report != nullptr) context_.report->waited += waited;
    context_.now = clock.now();
    if (context_.now >= context_.deadline) return false;
    token_.spend();
    context_.attempt = attempts_before_ + ++made_;
    return true;
  }
  /// The end of the call is that of the last attempt.
  template <class End>
  void give_up(End& end) noexcept {
    token_.give_back();
    if (was_begun_ && !end.values && end.refused) end.refused->began = true;
  }

  [[nodiscard]] const call_context& context() const noexcept { return context_; }
  [[nodiscard]] bool has_begun() const noexcept { return was_begun_; }
  void run_out() noexcept {}
  void drop() noexcept { token_.give_back(); }

 private:
  const retry* policy_;
  call_context context_{};
  std::uint32_t attempts_before_ = 0;
  std::uint32_t made_ = 0;
  bool was_begun_ = false;
  budget_token token_;
};

/// A fallback, as far as an asynchronous call uses it.
template <class Source>
class async_fallback {
 public:
  explicit async_fallback(const fallback<Source>& given) noexcept : given_{&given} {}

  [[nodiscard]] std::optional<rejection> enter(const call_context& context) {
    context_ = context;
    if constexpr (keeps) generation_ = given_->generation();
    return std::nullopt;
  }

  template <class Call, class End>
  void leave(const Call& call, End& end) {
    using signature = typename End::signature;
    using payload =
        payload_of<typename End::values_type, signature::has_error_code || signature::has_exception>;
    using value = typename payload::type;
    static_assert(answers<Source, value>,
                  "brownout: the fallback must give what the completion has beside its error: a value that "
                  "converts to it, a function that returns it, or a std::tuple of several values. last_good "
                  "needs values that can be copied");
    if (end.verdict == outcome::success) {
      if constexpr (keeps) {
        if (end.values) given_->keep(payload::copied_from(*end.values), context_.now, generation_);
      }
      return;
    }
    auto other = answer_instead<value>(call, end);
    if (!other) return;
    if (other->has_value()) {
      end.values.emplace(payload::success(*std::move(other)));
      end.judge_values(call.classifier(), false);
    } else {
      end.refuse(other->rejection());
    }
  }

  void run_out() noexcept {}
  void drop() noexcept {}

 private:
  static constexpr bool keeps = std::is_same_v<Source, last_good>;

  // There is no place for an exception of the fallback in most completions. So the first error stays.
  template <class Value, class Call>
  [[nodiscard]] std::optional<result<Value>> answer_instead(const Call& call, const attempt_end& ended) {
#if defined(__cpp_exceptions)
    try {
#endif
      return given_->template instead<Value>(context_, call.clock(), ended);
#if defined(__cpp_exceptions)
    } catch (...) {
      // The end of the thread (pthread_exit, cancellation), and no exception. It cannot be stopped.
      if (std::current_exception() == nullptr) throw;
      return std::nullopt;
    }
#endif
  }

  const fallback<Source>* given_;
  call_context context_{};
  std::uint64_t generation_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
