// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/option_without_default.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/detail/attempt.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/guard/detail/jitter.hpp"
#include "brownout/guard/detail/wait.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// Whether a call that was refused may be admitted later.
[[nodiscard]] constexpr bool may_be_repeated(const rejection& why) noexcept {
  return why.reason != rejection_reason::cancelled && why.reason != rejection_reason::deadline_passed;
}
}  // namespace detail

/// A stage of a pipeline that calls again after a failure.
///
///     brownout::retry_budget budget;  // one for each dependency, shared by its callers
///     brownout::pipeline guarded{brownout::retry{.budget = &budget, .idempotent = true}, database};
///
/// What is tried again:
///
/// - A failure, by the classifier of the call. It takes a token from the budget. An empty budget ends the
///   call at once: retries must not keep an overload alive.
/// - A refusal of a guard further in, such as an open circuit, if it says when to come back and that is
/// within
///   `cap`. It takes no token, since the dependency was not called.
///
/// A success, an ignored or a cancelled call is never tried again. Neither is a value that came late: the
/// caller has its answer.
///
/// The end of a call that did not succeed is that of its last attempt: its own value, exception or rejection.
///
/// Between attempts the calling thread sleeps. A clock with a member `wait_for(duration)` waits by that: a
/// `manual_clock` moves on by itself, and a clock for fibers can suspend the fiber.
///
/// A policy: copyable, and used by any number of threads.
struct retry {
  /// What explanations and metrics call guards of this type.
  static constexpr auto kind = guard_kind::retry;
  static constexpr std::uint32_t most_tries = 100;                         ///< the most `tries`
  static constexpr duration shortest_wait = std::chrono::milliseconds{1};  ///< the shortest `base`
  static constexpr duration longest_wait = std::chrono::minutes{5};        ///< the longest `cap`

  /// How often the function is called at most, the first attempt included.
  /// Range: 1 to 100. Default: 3, as in resilience4j, failsafe-go and the AWS SDKs.
  std::uint32_t tries = 3;

  /// Limits the retries of all calls to one dependency together. It must outlive the pipeline.
  /// It has no default: without a budget, three tries make three times the load of an overload.
  option_without_default<retry_budget*> budget;

  /// Whether the function may be called again although an earlier call may have had its effect. If not, only
  /// calls that were never begun are tried again.
  /// It has no default: a wrong `true` orders twice.
  option_without_default<bool> idempotent;

  /// The wait before the second attempt, before jitter. It doubles for each further one.
  /// Range: 1 ms to 5 min. Default: 250 ms. It outlasts interruptions of 300 ms, for which 100 ms is too
  /// short.
  duration base = std::chrono::milliseconds{250};

  /// The longest wait, after jitter. Range: `base` to 5 min. Default: 2 s.
  duration cap = std::chrono::seconds{2};

  /// The longest wait that the dependency may ask for (see `retry_after_from`). If it asks for more, the call
  /// ends at once. Other calls do not learn of it; a breaker with `open_on_retry_after` keeps them away.
  /// Range: 0 to 5 min. Default: 5 s, since a thread waits.
  duration most_retry_after = std::chrono::seconds{5};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_within<std::uint32_t>("retry.tries", tries, 1, most_tries);
    if (budget == nullptr) detail::invalid_option("retry.budget", "null", "the address of a retry_budget");
    detail::require_within("retry.base", base, shortest_wait, longest_wait);
    detail::require_within("retry.cap", cap, base, longest_wait);
    detail::require_within("retry.most_retry_after", most_retry_after, duration{}, longest_wait);
  }

  /// The wait after the `failed`-th attempt, from 1: half of `base * 2^(failed - 1)`, cut to `cap`, and a
  /// random part of the other half. `asked`: the wait that the dependency asked for, which jitter only
  /// lengthens. `chance`: in [0, 1).
  [[nodiscard]] constexpr duration wait_after(std::uint32_t failed, duration asked,
                                              double chance) const noexcept {
    // 5 min is less than 2^19 ms, so no more doublings are needed.
    const auto doublings = (std::min)(failed - 1, std::uint32_t{20});
    const auto whole =
        base.count() > (cap.count() >> doublings) ? cap : base * (std::int64_t{1} << doublings);
    const auto half = whole / 2;
    return (std::max)(asked, half) + detail::part_of(whole - half, chance);
  }

  // A variable whose address another function gets would be written to memory in each call. So what comes
  // after the first attempt gets copies, which are made only there. It also gives its answer to a variable of
  // its own: Clang would keep an answer in memory that another function writes.
  /// As `guard_stage` says.
  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) const {
    next.set_late(false);
#if defined(__cpp_exceptions)
    detail::exception_place thrown;
    bool is_first = true;
    try {
#endif
      auto answer = next(context);
      const auto verdict = next.judge(answer);
      if (verdict == outcome::success) [[likely]] {
        if (!next.is_late()) budget->deposit();
        return answer;
      }
#if defined(__cpp_exceptions)
      is_first = false;
#endif
      auto last =
          after_answer<R>(detail::copy_of(context), detail::copy_of(next), std::move(answer), verdict);
      return result<R>{std::move(last)};
#if defined(__cpp_exceptions)
    } catch (...) {
      if (!is_first) throw;
      thrown.hold_current();
    }
    // Outside of the handler: for a later attempt there must be no current exception.
    auto last = after_exception<R>(detail::copy_of(context), detail::copy_of(next), thrown.take());
    return result<R>{std::move(last)};
#endif
  }

 private:
  template <class R, class Next>
  BROWNOUT_NOINLINE result<R> after_answer(const call_context& context, const Next& next, result<R> answer,
                                           outcome verdict) const {
    auto ended = detail::end_of(next, answer, verdict);
    return again<R>(context, next, std::move(ended), std::move(answer));
  }
#if defined(__cpp_exceptions)
  template <class R, class Next>
  BROWNOUT_NOINLINE result<R> after_exception(const call_context& context, const Next& next,
                                              std::exception_ptr thrown) const {
    return again<R>(context, next, detail::end_of(next, std::move(thrown)), std::nullopt);
  }
#endif
  template <class R, class Next>
  result<R> again(call_context context, const Next& next, detail::attempt_end ended,
                  std::optional<result<R>> answer) const;
  template <class R, class Next>
  void attempt(const call_context& context, const Next& next, detail::attempt_end& ended,
               std::optional<result<R>>& answer) const;
};

namespace detail {

/// A token of a budget. It goes back if the retry that it was taken for is not begun.
class budget_token {
 public:
  budget_token() = default;
  budget_token(const budget_token&) = delete;
  budget_token& operator=(const budget_token&) = delete;
  ~budget_token() { give_back(); }

  /// Whether the budget had one.
  [[nodiscard]] bool take_from(retry_budget& budget) noexcept {
    if (!budget.try_withdraw()) return false;
    budget_ = &budget;
    return true;
  }
  void spend() noexcept { budget_ = nullptr; }
  void give_back() noexcept {
    if (budget_ != nullptr) std::exchange(budget_, nullptr)->give_back();
  }

 private:
  retry_budget* budget_ = nullptr;
};

/// Whether another attempt is to be made after the `failed`-th, and after which wait. If the dependency is to
/// be called again, takes a token. Without an attempt, the report gets the wait that the dependency asked
/// for.
template <class Clock>
[[nodiscard]] std::optional<duration> wait_before_next(const retry& policy, const call_context& context,
                                                       const Clock& clock, const attempt_end& ended,
                                                       std::uint32_t failed, budget_token& token) {
  const auto no_attempt = [&](std::uint32_t refused_by_budget = 0) -> std::optional<duration> {
    if (auto* const report = context.report; report != nullptr) {
      report->retry_after = (std::max)(report->retry_after, ended.asked);
      report->retries_refused += refused_by_budget;
    }
    return std::nullopt;
  };
  if (failed >= policy.tries || ended.verdict == outcome::cancelled) return no_attempt();
  const bool was_refused = ended.refused && ended.refused->reason != rejection_reason::timed_out;
  if (!policy.idempotent && (!was_refused || ended.refused->began)) return no_attempt();
  duration wait{};
  if (was_refused) {
    if (!may_be_repeated(*ended.refused) || ended.refused->retry_after > policy.cap) return no_attempt();
    const auto left = ended.refused->retry_after;
    wait = left + part_of(left, thread_jitter().next());
  } else {
    if (ended.verdict != outcome::failure || ended.asked > policy.most_retry_after) return no_attempt();
    wait = policy.wait_after(failed, ended.asked, thread_jitter().next());
  }
  if (context.deadline != call_context::no_deadline && clock.now() + wait >= context.deadline) {
    return no_attempt();
  }
  // The budget is asked last, so that no token is taken for a retry that does not come.
  if (!was_refused && !token.take_from(*policy.budget)) return no_attempt(1);
  return wait;
}

}  // namespace detail

/// A further attempt. Its answer goes to `answer`, and an exception to `ended`.
template <class R, class Next>
void retry::attempt(const call_context& context, const Next& next, detail::attempt_end& ended,
                    std::optional<result<R>>& answer) const {
  answer.reset();
  next.set_late(false);
#if defined(__cpp_exceptions)
  std::exception_ptr thrown;
  try {
#endif
    answer.emplace(next(context));
#if defined(__cpp_exceptions)
  } catch (...) {
    thrown = std::current_exception();
    if (thrown == nullptr) throw;
  }
  if (thrown != nullptr) {
    ended = detail::end_of(next, std::move(thrown));
    return;
  }
#endif
  ended = detail::end_of(next, *answer, next.judge(*answer));
}

/// What comes after the first attempt, which was no success.
template <class R, class Next>
result<R> retry::again(call_context context, const Next& next, detail::attempt_end ended,
                       std::optional<result<R>> answer) const {
  const auto attempts_before = context.attempt - 1;
  bool was_begun = detail::was_begun(ended);
  for (std::uint32_t made = 1; ended.verdict != outcome::success; ++made) {
    if (context.report != nullptr && ended.refused) context.report->refused = ended.refused;
    detail::budget_token token;
    const auto wait = detail::wait_before_next(*this, context, next.clock(), ended, made, token);
    if (!wait) break;
    detail::wait_on(next.clock(), *wait);
    if (context.report != nullptr) context.report->waited += *wait;
    if (context.now != call_context::unknown || context.deadline != call_context::no_deadline) {
      context.now = next.clock().now();
      if (context.now >= context.deadline) break;  // the wait was longer than it should have been
    }
    token.spend();
    context.attempt = attempts_before + made + 1;
    attempt<R>(context, next, ended, answer);
    was_begun = was_begun || detail::was_begun(ended);
  }
  if (ended.verdict == outcome::success && !next.is_late()) budget->deposit();
#if defined(__cpp_exceptions)
  if (ended.thrown != nullptr) std::rethrow_exception(std::move(ended.thrown));
#endif
  if (was_begun && !answer->has_value()) return detail::begun(answer->rejection());
  return *std::move(answer);
}

}  // namespace brownout::inline BROWNOUT_ABI
