// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/call_end.hpp"
#include "brownout/asio/detail/completion_verdict.hpp"
#include "brownout/asio/detail/held_guard.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/guard/detail/stages.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

// What each stage of a pipeline does in an asynchronous call, and what it keeps until the call has ended:
//
// - `enter(context)` asks it before what is further in. A rejection ends the call here.
// - `leave(call, end)` comes after what is further in, and may change its end.
// - `run_out()` tells it that a deadline further in has passed, and that the operation still runs.
// - `drop()` gives back what it holds, because the call will never end.

/// A permit that is settled by the outcome of the call.
template <class P>
concept reporting_permit = requires(P& held) {
  held.complete(outcome::success);
};

/// A guard in which asynchronous calls can wait.
template <class G>
concept waiting_guard = requires {
  typename G::executor_type;
  typename G::permit;
};

/// Asks a guard, which gets the context of the call if it wants that.
template <class G>
[[nodiscard]] auto ask_guard(G& guard, const call_context& context) {
  if constexpr (requires { guard.try_acquire(context); }) {
    auto told = context;
    told.now = call_context::unknown;  // its clock may be another one
    return guard.try_acquire(told);
  } else {
    return guard.try_acquire();
  }
}

/// A guard with permits, such as a breaker or a bulkhead, or without, such as a rate limiter.
template <class G>
class guard_step {
 public:
  static constexpr bool can_wait = waiting_guard<G>;

 private:
  using admission = decltype(ask_guard(std::declval<G&>(), std::declval<const call_context&>()));
  static constexpr bool has_permits = !std::is_same_v<admission, result<void>>;

  static consteval auto permit_told() {
    if constexpr (has_permits) {
      return std::type_identity<std::remove_cvref_t<decltype(*std::declval<admission&&>())>>{};
    } else {
      return std::type_identity<char>{};
    }
  }
  using permit = typename decltype(permit_told())::type;
  static constexpr bool is_breaker = requires(permit & held) {
    held.complete(outcome::failure, duration{}, std::string_view{});
  };

 public:
  explicit guard_step(G& guard) noexcept : guard_{&guard} {}
  guard_step(const guard_step&) = delete;
  guard_step& operator=(const guard_step&) = delete;
  ~guard_step() { drop(); }

  [[nodiscard]] std::optional<rejection> enter(call_context& context) {
    auto admitted = ask_guard(*guard_, context);
    if (!admitted) [[unlikely]] {
      auto why = admitted.rejection();
      if constexpr (is_breaker) why.guard = name_of_guard(*guard_);
      return why;
    }
    if constexpr (has_permits) permit_.emplace(*std::move(admitted));
    return std::nullopt;
  }

  // For a guard in which calls wait.
  [[nodiscard]] G& guard() const noexcept { return *guard_; }
  void hold(permit&& admitted) noexcept { permit_.emplace(std::move(admitted)); }

  template <class Call, class End>
  void leave(const Call&, End& end) noexcept {
    if (!permit_) return;
    if constexpr (is_breaker) {
      if (!permit_->settled()) settle_breaker(end);
    } else if constexpr (reporting_permit<permit>) {
      permit_->complete(end.verdict);
    }
    permit_.reset();
  }

  // Only a breaker learns of a failure before the operation has ended. A place in a bulkhead stays taken as
  // long as the work runs.
  void run_out() noexcept {
    if constexpr (is_breaker) {
      if (permit_ && !permit_->settled())
        permit_->complete(outcome::failure, {}, to_string(rejection_reason::timed_out));
    }
  }

  void drop() noexcept {
    if (!permit_) return;
    if constexpr (is_breaker) {
      if (!permit_->settled()) permit_->complete(outcome::cancelled);
    } else if constexpr (reporting_permit<permit>) {
      permit_->complete(outcome::cancelled);
    }
    permit_.reset();
  }

 private:
  template <class End>
  void settle_breaker(const End& end) noexcept {
    if (end.verdict != outcome::failure && !end.late) [[likely]] {
      permit_->complete(end.verdict);
    } else if (end.refused) {
      permit_->complete(outcome::failure, {}, to_string(end.refused->reason));
    } else if (end.late) {
      permit_->complete(outcome::failure, {}, to_string(rejection_reason::timed_out));
    } else if constexpr (std::tuple_size_v<typename End::values_type> == 0) {
      permit_->complete(outcome::failure, end.asked);
    } else if (end.values) {
      settle_failure(*permit_, end.asked, std::get<0>(*end.values));
    }
  }

  G* guard_;
  std::optional<permit> permit_;
};

/// A time-out. The call itself has the timer.
class timeout_step {
 public:
  explicit timeout_step(const timeout& policy) noexcept : policy_{&policy} {}

  [[nodiscard]] std::optional<rejection> enter(call_context& context) noexcept {
    deadline_ = call_context::no_deadline;
    if (context.now >= context.deadline) {
      return rejection{rejection_reason::deadline_passed, rejection::unknown, false, policy_->name};
    }
    // No overflow: a deadline that exists is later than now, and the longest limit is a day.
    context.deadline = (std::min)(context.deadline, context.now + duration{policy_->limit});
    deadline_ = context.deadline;
    return std::nullopt;
  }

  template <class Call, class End>
  void leave(const Call& call, End& end) {
    if (!end.values || end.verdict == outcome::cancelled || !has_passed(call.clock(), deadline_)) return;
    if (!end.has_error()) {
      end.late = true;
      if (call.report() != nullptr) call.report()->late = true;
      if (policy_->late == late_value::keep) return;
    }
    end.refuse({rejection_reason::timed_out, rejection::unknown, true, policy_->name});
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
    auto wait = end.verdict == outcome::cancelled
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
    if constexpr (keeps) generation_ = given_->shared_->kept.generation();
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
    } catch (const std::exception&) {
      return std::nullopt;
    }
#endif
  }

  const fallback<Source>* given_;
  call_context context_{};
  std::uint64_t generation_ = 0;
};

/// What a stage does in an asynchronous call.
template <class Stage>
struct step_for {
  static_assert(
      !guard_stage<Stage> || requires(Stage & stage) { stage.try_acquire(); },
      "brownout: this stage of the pipeline has no asynchronous form. Asynchronous calls go through "
      "breakers, bulkheads, limiters, timeout, retry and fallback, in pipelines too");
  using type = guard_step<const Stage>;
  static const Stage& guarded(const Stage& stage) noexcept { return stage; }
};
template <class G>
struct step_for<guard_reference<G>> {
  using type = guard_step<G>;
  static G& guarded(const guard_reference<G>& stage) noexcept { return *stage.guard; }
};
template <class B>
struct step_for<breaker_handle<B>> {
  using type = guard_step<B>;
  static B& guarded(const breaker_handle<B>& stage) noexcept { return stage.breaker; }
};
template <>
struct step_for<timeout> {
  using type = timeout_step;
  static const timeout& guarded(const timeout& stage) noexcept { return stage; }
};
template <>
struct step_for<retry> {
  using type = retry_step;
  static const retry& guarded(const retry& stage) noexcept { return stage; }
};
template <class Source>
struct step_for<fallback<Source>> {
  using type = async_fallback<Source>;
  static const fallback<Source>& guarded(const fallback<Source>& stage) noexcept { return stage; }
};

/// The stages of a pipeline and of the pipelines in it, from the outermost on, as a tuple of references.
template <class Stage>
[[nodiscard]] constexpr auto flat_stages(const Stage& stage) noexcept {
  if constexpr (is_pipeline<Stage>) {
    return std::apply([](const auto&... inner) { return std::tuple_cat(flat_stages(inner)...); },
                      stage.stages());
  } else if constexpr (requires { stage.inner(); }) {
    return flat_stages(stage.inner());  // hold_place_while_waiting
  } else {
    return std::tuple<const Stage&>{stage};
  }
}

template <class Stages>
struct steps_of;
template <class... Stage>
struct steps_of<std::tuple<const Stage&...>> {
  using type = std::tuple<typename step_for<Stage>::type...>;
  static type make(const std::tuple<const Stage&...>& stages) {
    return std::apply([](const Stage&... one) { return type(step_for<Stage>::guarded(one)...); }, stages);
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
