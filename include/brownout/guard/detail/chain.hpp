// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/retry_after.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What the stages around one call share. It is copied into each stage: a variable whose address another
/// function gets would have to be written to memory in each call.
template <class Classifier, class Clock, bool MayBeLate>
struct call_frame {
  const Classifier* classify;
  const Clock* clock;

  [[nodiscard]] BROWNOUT_ALWAYS_INLINE call_frame copied() const noexcept { return {classify, clock}; }
};
template <class Classifier, class Clock>
struct call_frame<Classifier, Clock, true> {
  const Classifier* classify;
  const Clock* clock;
  bool* late;  // whether the latest attempt had its answer after its deadline

  [[nodiscard]] BROWNOUT_ALWAYS_INLINE call_frame copied() const noexcept { return {classify, clock, late}; }
};

/// Whether a function of a user takes the context of the call.
template <class F>
inline constexpr bool takes_context = requires(F& function, const call_context& context) {
  function(context);
};

template <class F>
BROWNOUT_ALWAYS_INLINE decltype(auto) invoke_with(F& function, const call_context& context) {
  if constexpr (takes_context<F>) {
    return function(context);
  } else {
    return function();
  }
}

// Declared twice and never defined: if a type is no function at all, an overload that would call it does not
// take part, and there is no error.
template <class F>
requires takes_context<F>
auto returned_by(F& function, const call_context& context) -> decltype(function(context));
template <class F>
requires(!takes_context<F>) auto returned_by(F& function, const call_context&) -> decltype(function());

/// What a function of a user returns.
template <class F>
using returned_t = decltype(returned_by(std::declval<F&>(), std::declval<const call_context&>()));

/// A copy that is made member by member. If it were copied as a whole, GCC would keep the original in memory.
[[nodiscard]] BROWNOUT_ALWAYS_INLINE call_context copy_of(const call_context& given) noexcept {
  return {.deadline = given.deadline,
          .now = given.now,
          .attempt = given.attempt,
          .priority = given.priority,
          .caller = given.caller,
          .report = given.report};
}

/// A rejection of a call whose function has run, at least in part.
[[nodiscard]] constexpr rejection begun(rejection why) noexcept {
  why.began = true;
  return why;
}

/// The innermost part of a call: the function of the user. It is called as an lvalue, since a retry calls it
/// several times.
template <class R, class F>
struct user_function {
  F* function;

  [[nodiscard]] BROWNOUT_ALWAYS_INLINE user_function copied() const noexcept { return {function}; }

  BROWNOUT_ALWAYS_INLINE result<R> operator()(const call_context& context) const {
    if (context.report != nullptr) [[unlikely]] {
      ++context.report->attempts;
    }
    if constexpr (std::is_void_v<returned_t<F>>) {
      detail::invoke_with(*function, context);
      return {};
    } else if constexpr (is_result<std::remove_cvref_t<returned_t<F>>>) {
      result<R> answer = detail::invoke_with(*function, context);
      if (!answer.has_value()) [[unlikely]] {
        return begun(answer.rejection());
      }
      return answer;
    } else {
      return detail::invoke_with(*function, context);
    }
  }
};

// What the library's stages say about themselves, and what is assumed of others.

template <class S>
inline constexpr guard_kind stage_kind = guard_kind::other;
template <class S>
requires requires {
  S::kind;
}
inline constexpr guard_kind stage_kind<S> = S::kind;

/// Whether it uses `call_context::now`.
template <class S>
inline constexpr bool reads_clock = false;
template <class S>
requires requires {
  S::reads_clock;
}
inline constexpr bool reads_clock<S> = S::reads_clock;

/// Whether it gives calls a deadline.
template <class S>
inline constexpr bool limits_time = stage_kind<S> == guard_kind::timeout;
template <class S>
requires requires {
  S::limits_time;
}
inline constexpr bool limits_time<S> = S::limits_time;

/// Whether an answer of this part of a call may come after a deadline.
template <class Rest>
inline constexpr bool may_be_late = false;
template <std::size_t I, class Stages, class Last, class Frame>
class rest_of_call;
template <std::size_t I, class... S, class Last, class Frame>
inline constexpr bool may_be_late<rest_of_call<I, std::tuple<S...>, Last, Frame>> = [] {
  constexpr bool limits[] = {limits_time<S>..., false};
  for (auto i = I; i < sizeof...(S); ++i) {
    if (limits[i]) return true;
  }
  return may_be_late<Last>;
}();

/// Whether a deadline has passed. Most answers come early enough for a coarse reading to tell.
template <class Clock>
[[nodiscard]] BROWNOUT_ALWAYS_INLINE bool has_passed(const Clock& clock, time_point deadline) noexcept {
  if constexpr (has_coarse_now<Clock>) {
    if (clock.coarse_now() + coarse_resolution < deadline) [[likely]] {
      return false;
    }
  }
  return clock.now() >= deadline;
}

/// The part of a call that a stage stands around: the stages from `I` on, and at their end `Last`, which is
/// the function of the user, or the rest of an outer pipeline. It is what a stage is given as `next`.
template <std::size_t I, class Stages, class Last, class Frame>
class rest_of_call {
  template <class>
  struct value_of;
  template <class R, class F>
  struct value_of<user_function<R, F>> {
    using type = R;
  };
  template <std::size_t J, class S, class L, class G>
  struct value_of<rest_of_call<J, S, L, G>> {
    using type = typename rest_of_call<J, S, L, G>::value_type;
  };

 public:
  using value_type = typename value_of<Last>::type;
  using clock_type = std::remove_cvref_t<decltype(*std::declval<Frame&>().clock)>;

  BROWNOUT_ALWAYS_INLINE rest_of_call(const Stages& stages, Last last, Frame frame) noexcept
      : stages_{&stages}, last_{last}, frame_{frame} {}

  /// Makes the rest of the call.
  BROWNOUT_ALWAYS_INLINE result<value_type> operator()(const call_context& context) const {
    if constexpr (I == std::tuple_size_v<Stages>) {
      return last_(context);
    } else {
      return std::get<I>(*stages_).template around<value_type>(
          context, rest_of_call<I + 1, Stages, Last, Frame>{*stages_, last_, frame_});
    }
  }

  /// The outcome of an answer, by the classifier of the call. Throws nothing, but the thread may end in it.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE outcome judge(const result<value_type>& answer) const {
    return detail::outcome_of(*frame_.classify, answer);
  }

  // For the stages of the library.

  [[nodiscard]] BROWNOUT_ALWAYS_INLINE rest_of_call copied() const noexcept {
    return {*stages_, last_.copied(), frame_.copied()};
  }

  [[nodiscard]] const auto& classifier() const noexcept { return *frame_.classify; }
  [[nodiscard]] const clock_type& clock() const noexcept { return *frame_.clock; }
  [[nodiscard]] Frame frame() const noexcept { return frame_; }

  BROWNOUT_ALWAYS_INLINE void set_late(bool late) const noexcept {
    if constexpr (requires { frame_.late; }) *frame_.late = late;
  }
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE bool is_late() const noexcept {
    if constexpr (requires { frame_.late; }) {
      return *frame_.late;
    } else {
      return false;
    }
  }

 private:
  const Stages* stages_;
  Last last_;
  Frame frame_;
};

/// As `copy_of` a context.
template <std::size_t I, class Stages, class Last, class Frame>
[[nodiscard]] BROWNOUT_ALWAYS_INLINE auto copy_of(
    const rest_of_call<I, Stages, Last, Frame>& given) noexcept {
  return given.copied();
}

/// A classifier that judges the value in the answer of a pipeline, as it would judge what the function
/// returned. It is needed for predicates that take anything: given a `result`, they would ask whether there
/// is a value, and not what it is.
template <class C>
class value_classifier {
 public:
  explicit constexpr value_classifier(const C& given) noexcept : given_{std::addressof(given)} {}

  template <class R>
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE outcome operator()(const result<R>& answer) const {
    return detail::outcome_inside(*given_, answer);
  }
  template <class R>
  [[nodiscard]] duration retry_after(result<R>& answer) const {
    return detail::retry_after_inside(*given_, answer);
  }
#if defined(__cpp_exceptions)
  [[nodiscard]] auto threw(const std::exception_ptr& thrown) const requires(judges_exceptions<C>) {
    return given_->threw(thrown);
  }
  [[nodiscard]] duration thrown_retry_after(const std::exception_ptr& thrown) const
      requires(tells_thrown_retry_after<C>) {
    return detail::thrown_retry_after_of(*given_, thrown);
  }
#endif

 private:
  const C* given_;
};

/// The classifier of a pipeline for a function that returns a `Returned`. `default_classifier` judges a
/// result by its value, and a function that returns a result wants that one judged.
template <class Returned, class C>
[[nodiscard]] BROWNOUT_ALWAYS_INLINE decltype(auto) judging_values(const C& classify) noexcept {
  if constexpr (std::is_same_v<C, default_classifier> || is_result<std::remove_cvref_t<Returned>>) {
    return (classify);
  } else {
    return value_classifier<C>{classify};
  }
}

/// Judges as the classifier of the call does, and an answer that came late as a failure.
template <class Frame>
class late_is_failure {
  using given = std::remove_cvref_t<decltype(*std::declval<Frame&>().classify)>;

 public:
  explicit late_is_failure(Frame frame) noexcept : frame_{frame} {}

  template <class R>
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE outcome operator()(const result<R>& answer) const {
    if (*frame_.late) [[unlikely]] {
      return outcome::failure;
    }
    return detail::outcome_of(*frame_.classify, answer);
  }
#if defined(__cpp_exceptions)
  // Not for the default, whose verdicts about exceptions cost less if there is no `threw`.
  [[nodiscard]] auto threw(const std::exception_ptr& thrown) const
      requires(judges_exceptions<given> && !std::same_as<given, default_classifier>) {
    return frame_.classify->threw(thrown);
  }
  [[nodiscard]] duration thrown_retry_after(const std::exception_ptr& thrown) const requires
      tells_thrown_retry_after<given> {
    return frame_.classify->thrown_retry_after(thrown);
  }
#endif
  template <class R>
  [[nodiscard]] duration retry_after(result<R>& answer) const {
    return detail::retry_after_of(*frame_.classify, answer);
  }

 private:
  Frame frame_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
