// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// What kind of guard a stage of a pipeline is.
enum class guard_kind : std::uint8_t {
  none,  ///< no guard: the function itself
  circuit_breaker,
  retry,
  timeout,
  bulkhead,
  rate_limiter,
  adaptive_limit,
  fallback,
  other,  ///< a stage that the library does not know
};

/// The kind in words: "circuit breaker".
[[nodiscard]] constexpr std::string_view to_string(guard_kind value) noexcept {
  switch (value) {
    case guard_kind::none:
      return "none";
    case guard_kind::circuit_breaker:
      return "circuit breaker";
    case guard_kind::retry:
      return "retry";
    case guard_kind::timeout:
      return "timeout";
    case guard_kind::bulkhead:
      return "bulkhead";
    case guard_kind::rate_limiter:
      return "rate limiter";
    case guard_kind::adaptive_limit:
      return "adaptive limit";
    case guard_kind::fallback:
      return "fallback";
    case guard_kind::other:
      return "other";
  }
  return "invalid";
}

namespace detail {

/// Stands for what is inside of a stage, to ask whether a type is a stage.
struct any_next {
  using clock_type = monotonic_clock;
  result<int> operator()(const call_context& context) const;
  [[nodiscard]] outcome judge(const result<int>& answer) const;
};

}  // namespace detail

/// A stage of a pipeline: what stands around the rest of a call.
///
///     struct logged {
///       template <class R, class Next>
///       brownout::result<R> around(const brownout::call_context& context, const Next& next) const {
///         auto answer = next(context);  // what is further in
///         log(answer.has_value());
///         return answer;
///       }
///     };
///
/// `next(context)` makes the rest of the call and returns its `result<R>`; exceptions of the function pass
/// through it. A stage may call it never, once or several times, with a context that it has changed.
/// If it calls it some time after its own beginning, such as for a second attempt, it sets `context.now` to
/// `call_context::unknown`. Then the guards further in read the clock.
/// `next.judge(answer)` is the outcome of an answer, by the classifier of the call.
///
/// Beyond the syntax: `around` may be called by several threads at once. A stage that refuses returns a
/// `rejection`, and does not throw.
template <class S>
concept guard_stage = requires(S& stage, const call_context& context, const detail::any_next& next) {
  { stage.template around<int>(context, next) } -> std::same_as<result<int>>;
};

namespace detail {

/// Whether `call_context::now` may be a time of a `Clock`: the pipeline around has a clock of this type.
template <class Next, class Clock>
inline constexpr bool tells_time_of = true;
template <class Next, class Clock>
requires requires {
  typename Next::clock_type;
}
inline constexpr bool tells_time_of<Next, Clock> = std::same_as<typename Next::clock_type, Clock>;

}  // namespace detail
}  // namespace brownout::inline BROWNOUT_ABI
