// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/atomics.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/striped_total.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/detail/attempt.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/guard/detail/kept_answer.hpp"
#include "brownout/guard/last_good.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// Why a call has no good answer, for the function of a `fallback`. Valid while that function runs.
///
/// If there is neither a rejection nor an exception, the call returned a value that was judged as a failure.
class failure {
 public:
  /// For a `fallback`, which makes it.
  explicit failure(const detail::attempt_end& ended) noexcept : ended_{&ended} {}

  /// How the classifier judged the call: `failure`, or `ignored` for most rejections.
  [[nodiscard]] brownout::outcome outcome() const noexcept { return ended_->verdict; }
  /// The rejection if a guard refused the call, or ended it; otherwise empty.
  [[nodiscard]] const std::optional<brownout::rejection>& rejection() const noexcept {
    return ended_->refused;
  }
  /// The exception if the call threw one; otherwise null.
  [[nodiscard]] const std::exception_ptr& exception() const noexcept { return ended_->thrown; }

 private:
  const detail::attempt_end* ended_;
};

/// How often a fallback ran. If the sum rises all the time, the fallback hides a permanent failure.
struct fallback_snapshot {
  std::uint64_t answered = 0;    ///< it had an answer
  std::uint64_t unanswered = 0;  ///< it had none: it threw, was rejected itself, or kept no answer
};

namespace detail {

/// Whether a call that ended so needs another answer.
[[nodiscard]] inline bool wants_fallback(const attempt_end& ended) noexcept {
  if (ended.verdict == outcome::success || ended.verdict == outcome::cancelled) return false;
  if (ended.refused) return ended.refused->reason != rejection_reason::cancelled;
  return ended.verdict == outcome::failure;
}

#if defined(__cpp_exceptions)
/// Nests the first error in an exception of `std::throw_with_nested` that has nothing nested yet, as there
/// was no current exception. `std::rethrow_if_nested` would end the program, so something is always nested.
inline void nest(std::nested_exception& thrown, const attempt_end& first) {
  if (thrown.nested_ptr() != nullptr) return;
  try {
    if (first.thrown != nullptr) std::rethrow_exception(first.thrown);
    if (first.refused) raise_rejected(*first.refused, first.refused->guard);
    raise(std::runtime_error{"brownout: the call returned a failure"});
  } catch (...) {
    thrown = std::nested_exception{};  // takes the current exception
  }
}
#endif

/// What copies of a fallback share.
struct fallback_counts {
  striped_total<std_atomics> answered{};
  striped_total<std_atomics> unanswered{};
};
struct fallback_memory : fallback_counts {
  kept_answer kept{};
};

/// What the function of a fallback returns.
template <class Source>
[[nodiscard]] decltype(auto) ask(const Source& source, const failure& why) {
  if constexpr (std::invocable<const Source&, const failure&>) {
    return std::invoke(source, why);
  } else {
    return std::invoke(source);
  }
}

/// Whether it is a function.
template <class Source>
inline constexpr bool is_asked =
    std::invocable<const Source&, const failure&> || std::invocable<const Source&>;

/// Whether it answers a call that returns an `R`.
template <class Source, class R>
inline constexpr bool answers = std::convertible_to<const Source&, result<R>>;
template <class Source, class R>
requires is_asked<Source>
inline constexpr bool answers<Source, R> =
    std::is_void_v<R> ||
    std::convertible_to<decltype(detail::ask(std::declval<const Source&>(), std::declval<const failure&>())),
                        result<R>>;
template <class R>
inline constexpr bool answers<last_good, R> = std::is_object_v<R>&& std::copy_constructible<R>;

}  // namespace detail

/// A stage of a pipeline that answers for a call that has failed or was refused.
///
///     brownout::fallback{0}                                               // a value
///     brownout::fallback{[] { return plain(); }}                          // a function
///     brownout::fallback{[](const brownout::failure& why) { ... }}        // one that asks for the reason
///     brownout::fallback{brownout::last_good{.max_age = 5min}}            // the latest good answer
///
/// It runs after a failure, by the classifier of the call, and after a rejection. It does not run after a
/// success, an ignored call, or a call that its caller gave up. A value that came late is an answer, so it
/// does not run then either. When it runs, all guards further in have their permits back.
///
/// An exception of its function passes to the caller unchanged, through `try_call` too. If it was thrown by
/// `std::throw_with_nested`, the first error is nested in it: the exception of the call, or `call_rejected`.
/// The function is called outside of any handler. It may also return a `result`, for example that of another
/// pipeline.
///
/// It is no substitute for an alert: `snapshot()` counts how often it ran, and `call_report::ended_by` says
/// so for a single call.
///
/// Copyable. Copies, and thus copies of a pipeline, share their counts and the answer of `last_good`. Give
/// each pipeline a fallback of its own. Thread-safe if the function is. A call that succeeds costs nothing
/// but its judgement; with `last_good` also a copy of its answer, an allocation and a short lock.
template <class Source>
class fallback {
  static_assert(std::copy_constructible<Source>,
                "brownout: the value or the function of a fallback must be copyable, since a pipeline is");
  static constexpr bool keeps_answers = std::same_as<Source, last_good>;
  using shared = std::conditional_t<keeps_answers, detail::fallback_memory, detail::fallback_counts>;

 public:
  /// What explanations and metrics call guards of this type.
  static constexpr auto kind = guard_kind::fallback;
  /// Whether it asks for the time: `last_good` needs the age of an answer.
  static constexpr bool reads_clock = keeps_answers;

  /// A value, a function, or `last_good`.
  //
  // No braces: the value may be of a type that takes a list of its own kind.
  explicit fallback(Source given) : source_(std::move(given)), shared_{std::make_shared<shared>()} {}

  /// How often it ran. Thread-safe.
  [[nodiscard]] fallback_snapshot snapshot() const noexcept {
    return {.answered = shared_->answered.read(), .unanswered = shared_->unanswered.read()};
  }
  /// The value, the function or the `last_good` that it was made from.
  [[nodiscard]] const Source& source() const noexcept { return source_; }

  /// Forgets the answer of `last_good`. Calls that are in flight leave none either: they may have asked
  /// before the change. Call it after the change of what the answers show. Thread-safe.
  void invalidate() const requires keeps_answers {
    if constexpr (keeps_answers) shared_->kept.invalidate();
  }

  /// Checks the options. Called by the pipeline.
  //
  // Asked again within: Clang 14 instantiates what its constraint rules out.
  void validate() const requires keeps_answers {
    if constexpr (keeps_answers) source_.validate();
  }

  // As in `retry`, what comes after a call that did not succeed gets copies of its variables. It also gives
  // its answer to a variable of its own: Clang would keep an answer in memory that another function writes.
  /// As `guard_stage` says.
  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) const {
    static_assert(detail::answers<Source, R>,
                  "brownout: the fallback must give what the call returns: a value that converts to it, or a "
                  "function that is callable if const and returns it. last_good needs an object that can be "
                  "copied, not a reference");
    [[maybe_unused]] std::uint64_t generation = 0;
    [[maybe_unused]] auto began = context.now;
    if constexpr (keeps_answers) {
      generation = this->generation();
      if (began == call_context::unknown) began = next.clock().now();  // by a stage of the user
    }
#if defined(__cpp_exceptions)
    detail::exception_place thrown;
    bool has_ended = false;
    try {
#endif
      auto answer = next(context);
      const auto verdict = next.judge(answer);
      if (verdict == outcome::success) [[likely]] {
        if constexpr (keeps_answers) keep(answer, began, generation);
        return answer;
      }
#if defined(__cpp_exceptions)
      has_ended = true;
#endif
      auto other =
          after_answer<R>(detail::copy_of(context), detail::copy_of(next), std::move(answer), verdict);
      return result<R>{std::move(other)};
#if defined(__cpp_exceptions)
    } catch (...) {
      if (has_ended) throw;
      thrown.hold_current();
    }
    auto other = after_exception<R>(detail::copy_of(context), detail::copy_of(next), thrown.take());
    return result<R>{std::move(other)};
#endif
  }

  // For code that makes calls in another way, such as `async_call`.

  /// A number that changes whenever the answer of `last_good` is forgotten. Read it before the call.
  [[nodiscard]] std::uint64_t generation() const noexcept requires keeps_answers {
    if constexpr (keeps_answers) {
      return shared_->kept.generation();
    } else {
      return 0;
    }
  }

  /// The answer in place of that of the call, if it needs one and there is one.
  template <class R, class Clock>
  std::optional<result<R>> instead(const call_context& context, const Clock& clock,
                                   const detail::attempt_end& ended) const {
    if (!detail::wants_fallback(ended)) return std::nullopt;
    if (context.report != nullptr && ended.refused) context.report->refused = ended.refused;
    std::optional<result<R>> given;
#if defined(__cpp_exceptions)
    try {
#endif
      if constexpr (keeps_answers) {
        give_kept(context, clock, given);
      } else if constexpr (!detail::is_asked<Source>) {
        given.emplace(source_);
      } else if constexpr (std::is_void_v<R>) {
        static_cast<void>(detail::ask(source_, failure{ended}));
        given.emplace();
      } else {
        given.emplace(detail::ask(source_, failure{ended}));
      }
#if defined(__cpp_exceptions)
    } catch (std::nested_exception& error) {
      shared_->unanswered.add_one();
      detail::nest(error, ended);
      throw;
    } catch (...) {
      shared_->unanswered.add_one();
      throw;
    }
#endif
    const bool is_answered = given && given->has_value();
    (is_answered ? shared_->answered : shared_->unanswered).add_one();
    if (context.report != nullptr && given) context.report->ended_by = kind;
    return given;
  }

  /// Keeps the answer of a call that has succeeded.
  template <class R>
  void keep(const result<R>& answer, time_point began, std::uint64_t generation) const {
    if (!answer.has_value()) return;  // a rejection that the classifier takes for a success
    shared_->kept.keep(*answer, began, generation);
  }

 private:
  template <class R, class Next>
  BROWNOUT_NOINLINE result<R> after_answer(const call_context& context, const Next& next, result<R> answer,
                                           outcome verdict) const {
    const auto ended = detail::end_of(next, answer, verdict);
    if (auto given = instead<R>(context, next.clock(), ended)) return *std::move(given);
    return answer;
  }
#if defined(__cpp_exceptions)
  template <class R, class Next>
  BROWNOUT_NOINLINE result<R> after_exception(const call_context& context, const Next& next,
                                              std::exception_ptr thrown) const {
    const auto ended = detail::end_of(next, std::move(thrown));
    if (auto given = instead<R>(context, next.clock(), ended)) return *std::move(given);
    std::rethrow_exception(ended.thrown);
  }
#endif

  /// Gives a copy of the kept answer, unless it is too old, of another type, or cannot be copied.
  template <class R, class Clock>
  void give_kept(const call_context& context, const Clock& clock, std::optional<result<R>>& given) const {
    const auto found = shared_->kept.read();
    if (found == nullptr || found->type != &detail::type_tag<R>) return;
    // An answer of the future is one of a clock that was set back. Nothing says how old it is.
    const auto age = clock.now() - found->since;
    if (age < duration::zero() || age > duration{source_.max_age}) {
      shared_->kept.forget(found);
      return;
    }
    const auto copy = [&] {
      given.emplace(std::in_place, static_cast<const detail::answer_of_type<R>&>(*found).value);
      return true;
    };
    if (detail::contained(copy, false) && context.report != nullptr) context.report->age = age;
  }

  Source source_;
  std::shared_ptr<shared> shared_;
};

/// From a value, a function or `last_good`.
template <class Source>
fallback(Source) -> fallback<Source>;

}  // namespace brownout::inline BROWNOUT_ABI
