// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/detail/attempt.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/guard/detail/pipeline_rules.hpp"
#include "brownout/guard/detail/stages.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// Several guards around a call, in the order of its arguments: the first is the outermost.
///
///     const brownout::pipeline guarded{
///         brownout::timeout{.limit = 2s},                              // for all attempts together
///         brownout::retry{.budget = &budget, .idempotent = true},
///         database, quota, connections,                                // breaker, rate limiter, bulkhead
///         brownout::timeout{.limit = 300ms},                           // for each attempt
///     };
///     auto rows = guarded.try_call([&](const brownout::call_context& call) {
///       return query("SELECT ...", call.deadline);
///     });
///     if (!rows) return unavailable(rows.rejection());
///
/// **What it takes.** Guards with state (breakers, dependencies, bulkheads, limiters) by reference: they must
/// outlive it. Policies (`timeout`, `retry`, `fallback`), handles to a keyed breaker, and other pipelines by
/// value. A stage of your own, if it is a `guard_stage`. A clock as the first argument replaces
/// `monotonic_clock`.
///
/// **Order.** Nothing is reordered. Recommended, from outside to inside: fallback, timeout for the whole
/// call, retry, breaker, rate limiter, bulkhead or adaptive limit, timeout for each attempt. An open breaker
/// then takes no token of the rate limiter. Orders that cannot be meant do not compile: a fallback inside a
/// retry or a breaker, and a bulkhead outside of a retry, which would hold its place while the retry waits
/// (`hold_place_while_waiting` says that this is meant).
///
/// **Refusals.** The refusal of one guard is no evidence for breakers outside of it, except for `timed_out`.
/// Permits go back in reverse order, exactly once, also if an exception passes.
///
/// **Cost.** The sum of its guards. The pipeline itself has no allocation, no lock, no type erasure, and
/// reads the clock once if a stage needs the time.
///
/// Copyable. Thread-safe: any number of threads may call through one pipeline. It must outlive its calls: a
/// function that may destroy it has to be called through a copy.
template <clock_source Clock, class... Stages>
class pipeline {
  static_assert(sizeof...(Stages) > 0, "brownout: a pipeline needs at least one guard");
  using rules = detail::pipeline_rules<Stages...>;
  static_assert(rules::has_no_inner_fallback,
                "brownout: a fallback inside a retry or a breaker hides failures from it. Put the fallback "
                "before them, so that it stands outside");
  static_assert(rules::holds_no_place_while_waiting,
                "brownout: a bulkhead or an adaptive limit before a retry holds its place while the retry "
                "waits. Put it after the retry, or wrap it in hold_place_while_waiting if this is meant");

 public:
  // For a pipeline within a pipeline.
  /// What explanations and metrics call guards of this type.
  static constexpr auto kind = guard_kind::other;
  static constexpr auto kinds = rules::kinds;  ///< the kinds of its stages, the outermost first
  /// Whether a stage asks for the time.
  static constexpr bool reads_clock = (detail::reads_clock<Stages> || ...);
  /// Whether a stage limits the time of the call.
  static constexpr bool limits_time = (detail::limits_time<Stages> || ...);

  /// Throws `std::invalid_argument` if a policy has an option out of its range (naming field, value and
  /// range), or if a guard is given twice.
  template <class... Given>
  requires(!(sizeof...(Given) == 1 && (std::same_as<std::remove_cvref_t<Given>, pipeline> && ...)) &&
           sizeof...(Given) == sizeof...(Stages)) explicit pipeline(Given&&... guards)
      : stages_{detail::as_stage(std::forward<Given>(guards))...} {
    require_valid();
  }
  /// As above, with a clock for its time-outs and waits. Its rate limiters should have a clock that tells the
  /// same time.
  template <class... Given>
  requires(sizeof...(Given) == sizeof...(Stages)) explicit pipeline(Clock clock, Given&&... guards)
      : clock_{std::move(clock)}, stages_{detail::as_stage(std::forward<Given>(guards))...} {
    require_valid();
  }

  /// Calls `function` through the guards. Returns its value, or the rejection of the guard that refused.
  /// Exceptions of `function` pass through.
  ///
  /// `function` may take the `const call_context&` of the attempt; with a `timeout` it must. It is called as
  /// an lvalue, by a `retry` several times. `classify` judges its answers for breakers, retries and
  /// fallbacks; see `circuit_breaker::call`. If `function` returns a `result` itself, this returns one
  /// `result` and not a `result` of a `result`.
  template <class F, class C = default_classifier>
  requires(!std::same_as<std::remove_cvref_t<F>, call_context>)
      BROWNOUT_ALWAYS_INLINE detail::pipeline_result_t<F> try_call(F&& function, const C& classify = {})
  const { return run(call_context{}, function, classify); }
  /// As above, and adds to `report` what the guards did.
  template <class F, class C = default_classifier>
  detail::pipeline_result_t<F> try_call(F&& function, call_report& report, const C& classify = {}) const {
    return run_reporting({.report = &report}, function, classify);
  }
  /// As above, for a call with a deadline, a priority, a caller or a report of its own:
  ///
  ///     guarded.try_call({.deadline = request.deadline, .priority = call_priority::sheddable}, load);
  template <class F, class C = default_classifier>
  detail::pipeline_result_t<F> try_call(const call_context& given, F&& function,
                                        const C& classify = {}) const {
    if (given.report != nullptr) [[unlikely]] {
      return run_reporting(given, function, classify);
    }
    return run(given, function, classify);
  }

  /// As `try_call`, but throws `call_rejected` instead of returning a rejection, and for `timed_out` its
  /// subclass `call_timed_out`.
  template <class F, class C = default_classifier>
  requires(!std::same_as<std::remove_cvref_t<F>, call_context>)
      BROWNOUT_ALWAYS_INLINE detail::pipeline_value_t<F> call(F&& function, const C& classify = {})
  const { return detail::value_or_raise(try_call(function, classify)); }
  /// As above; `report` then says what became of the call.
  template <class F, class C = default_classifier>
  detail::pipeline_value_t<F> call(F&& function, call_report& report, const C& classify = {}) const {
    return detail::value_or_raise(try_call(function, report, classify));
  }
  /// As above, with the deadline and the priority of `given`.
  template <class F, class C = default_classifier>
  detail::pipeline_value_t<F> call(const call_context& given, F&& function, const C& classify = {}) const {
    return detail::value_or_raise(try_call(given, function, classify));
  }

  /// Makes it a stage of another pipeline, whose clock and classifier it then uses.
  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) const {
    return detail::rest_of_call<0, std::tuple<Stages...>, Next, detail::frame_of<Next>>{
        stages_, next, next.frame()}(context);
  }

  /// Its stages as it holds them, and its clock: for code that makes calls in another way, such as
  /// `async_call`.
  [[nodiscard]] const std::tuple<Stages...>& stages() const noexcept { return stages_; }
  /// The clock that its stages read.
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }

  /// Calls `visit` with each stage, from the outermost on, and for pipelines in it with theirs.
  template <class Visit>
  constexpr void for_each_stage(const Visit& visit) const {
    std::apply([&](const auto&... one) { (detail::visit_stage(one, visit), ...); }, stages_);
  }

 private:
  void require_valid() const { detail::check_stages(*this); }

  template <class F, class C>
  BROWNOUT_ALWAYS_INLINE detail::pipeline_result_t<F> run(call_context context, F& function,
                                                          const C& classify) const {
    static_assert(!limits_time || detail::takes_context<F>,
                  "brownout: the pipeline has a timeout, so the function must take the deadline: "
                  "[](const brownout::call_context& call) { ... call.deadline ... }. "
                  "If it cannot use one, wrap it in brownout::ignoring_deadline");
    using value = typename detail::pipeline_result_t<F>::value_type;
    const auto& judge = detail::judging_values<detail::returned_t<F>>(classify);
    using frame_type = detail::call_frame<std::remove_cvref_t<decltype(judge)>, Clock, limits_time>;
    using innermost = detail::user_function<value, F>;
    using outermost = detail::rest_of_call<0, std::tuple<Stages...>, innermost, frame_type>;
    if constexpr (reads_clock) context.now = clock_.now();
    if constexpr (limits_time) {
      bool late = false;
      return outermost{stages_,
                       {std::addressof(function)},
                       {std::addressof(judge), std::addressof(clock_), &late}}(context);
    } else {
      return outermost{
          stages_, {std::addressof(function)}, {std::addressof(judge), std::addressof(clock_)}}(context);
    }
  }

  /// The same for a call with a report, which also gets the end of the call.
  template <class F, class C>
  BROWNOUT_NOINLINE detail::pipeline_result_t<F> run_reporting(const call_context& context, F& function,
                                                               const C& classify) const {
    const auto& judge = detail::judging_values<detail::returned_t<F>>(classify);
#if defined(__cpp_exceptions)
    try {
#endif
      auto answer = run(context, function, classify);
      detail::note_end(*context.report, answer, judge);
      return answer;
#if defined(__cpp_exceptions)
    } catch (...) {
      detail::note_end(*context.report, std::current_exception(), judge);
      throw;
    }
#endif
  }

  BROWNOUT_NO_UNIQUE_ADDRESS Clock clock_{};
  std::tuple<Stages...> stages_;
};

/// From stages; a guard stands for a stage that refers to it.
template <class... Given>
requires(detail::are_stages<Given...>) pipeline(Given&&...)
->pipeline<monotonic_clock, detail::stage_for<Given>...>;
/// From a clock and stages.
template <clock_source Clock, class... Given>
pipeline(Clock, Given&&...) -> pipeline<Clock, detail::stage_for<Given>...>;

/// The type of a pipeline with these guards, for a member of a class, where it cannot be deduced. A clock may
/// stand first. Guards with state are referred to all the same.
///
///     class client {
///       circuit_breaker<> api_{{.name = "api"}};
///       bulkhead<> connections_{{.limit = 20}};
///       pipeline_for<timeout, circuit_breaker<>, bulkhead<>> guarded_{
///           timeout{.limit = 2s}, api_, connections_};
///     };
template <class... Guards>
using pipeline_for = decltype(pipeline{std::declval<Guards>()...});

/// Lets a bulkhead or an adaptive limit stand outside of a `retry`: its place stays taken while the retry
/// waits.
template <class Guard>
class hold_place_while_waiting {
 public:
  /// `guard` must outlive this stage.
  explicit hold_place_while_waiting(Guard& guard) noexcept : inner_{detail::as_stage(guard)} {}

  /// As `guard_stage` says.
  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) const {
    return inner_.template around<R>(context, next);
  }
  /// The guard within.
  [[nodiscard]] const Guard& get() const noexcept { return inner_.get(); }
  /// The stage that it wraps.
  [[nodiscard]] const auto& inner() const noexcept { return inner_; }

 private:
  detail::stage_for<Guard&> inner_;
};

}  // namespace brownout::inline BROWNOUT_ABI
