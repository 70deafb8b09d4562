// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/exception_chain.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/retry_after.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// Whether `classify(returned...)` returns an outcome, or an optional one.
template <class C, class... R>
inline constexpr bool says_outcome = requires(const C& classify, const R&... returned) {
  { classify(returned...) } -> std::convertible_to<std::optional<outcome>>;
};
template <class C>
inline constexpr bool says_outcome<C, void> = says_outcome<C>;

/// Whether it does so for the value that a `result` holds.
template <class C, class R>
inline constexpr bool says_outcome_inside = false;
template <class C, class T>
inline constexpr bool says_outcome_inside<C, result<T>> =
    says_outcome<C, std::remove_reference_t<T>> || says_outcome_inside<C, T>;

/// Whether it judges what a call returns, or the value inside of a returned result.
template <class C, class R>
inline constexpr bool judges_returned =
    says_outcome<C, std::remove_reference_t<R>> || says_outcome_inside<C, std::remove_cvref_t<R>>;

/// Whether it judges exceptions too.
template <class C>
inline constexpr bool judges_exceptions = requires(const C& classify, const std::exception_ptr& thrown) {
  { classify.threw(thrown) } -> std::convertible_to<std::optional<outcome>>;
};

/// Whether it has a member `threw` of another form. That is a mistake: a classifier that does not judge
/// exceptions has no `threw`.
template <class C>
inline constexpr bool mistakes_threw =
    !judges_exceptions<C> &&
    (
        requires { &C::threw; } ||
        requires(C & classify, const std::exception_ptr& thrown) { classify.threw(thrown); });

/// `std::expected` and similar types: a value or an error. The conversion to bool is required, so that a type
/// with other members of these names does not match, such as a generated message with fields `value` and
/// `error`.
template <class T>
inline constexpr bool is_expected_like = requires(const T& returned) {
  { returned.has_value() } -> std::convertible_to<bool>;
  static_cast<bool>(returned);
}
&&(
    requires(const T& returned) { returned.error(); } ||
    requires(const T& returned) { returned.has_error(); });

/// `std::error_code` and similar types: true means an error.
template <class T>
inline constexpr bool is_error_code_like = requires(const T& returned) {
  static_cast<bool>(returned);
  { returned.value() } -> std::convertible_to<int>;
  returned.category();
};

/// Whether its error is the rejection of a breaker.
template <class T>
inline constexpr bool holds_rejection = requires(const T& returned) {
  requires std::is_same_v<std::remove_cvref_t<decltype(returned.error())>, rejection>;
};

}  // namespace detail

/// Judges how a call ended, for a call that returns an `R` (perhaps a reference, perhaps void).
///
/// `classify(returned)`, without an argument for void, returns an `outcome`, or something that converts to
/// one. It may return a `std::optional<outcome>` instead; if that is empty, `default_classifier` decides. A
/// classifier may also have a member `threw(const std::exception_ptr&)` that returns the same for an
/// exception. Without that member `default_classifier` judges exceptions.
///
/// A classifier for `T` also serves a call that returns a `result<T>`, as a `try_call` inside does. It judges
/// the value. A rejection is left to `default_classifier`.
///
/// Beyond the syntax: the same end of a call gives the same outcome. The breaker calls the classifier through
/// a reference to const, on the threads that make the calls, and only for calls that were made. If a
/// classifier throws, `default_classifier` decides, and the caller gets what the call returned or threw.
template <class C, class R>
concept classifier = detail::judges_returned<C, R> && !detail::mistakes_threw<C>;

/// Judges only by what is certain from the type. It recognises types of other libraries without including
/// their headers.
///
/// Returned:
/// - a value or an error, with `has_value()`, a conversion to bool, and `error()` or `has_error()`
///   (`std::expected`, Boost.System's `result`, Boost.Outcome's `result` and `outcome`): failure without a
///   value;
/// - an error code, with `value()`, `category()` and a conversion to bool (`std::error_code`,
///   Boost.System's): failure when true;
/// - `brownout::result`: judged by its value. If it holds a rejection: failure if the call timed out,
///   otherwise ignored;
/// - `brownout::outcome`: this outcome;
/// - any other type, and void: success.
///
/// Thrown, alone or inside another exception (`std::throw_with_nested`), up to 16 exceptions deep:
/// - `call_timed_out`: failure;
/// - any other `call_rejected`: ignored;
/// - `std::bad_alloc`, or derived from it: ignored;
/// - anything else: failure.
///
/// A value that only looks like an error is a success. An empty `std::optional` and a null pointer are
/// answers: the dependency has no such entry. `false` and `-1` may mean anything. A `std::future` is not a
/// result yet: use `try_acquire` for calls that end later. An error is a failure even if its text is
/// "cancelled", because time-outs have such texts too.
///
/// The rejection of an inner guard is ignored, whether it is returned or thrown. It is no evidence, because
/// the inner guard did not call its dependency. If it were a failure, it would open the outer circuit
/// although the inner one already fails fast, and keep the outer one open after the inner one has recovered.
/// A time-out is a failure: that call was made, and the dependency did not answer.
/// A `std::bad_alloc` is ignored because this process is short of memory. A rule can change both:
/// `failure_exceptions<call_rejected>()`, `failure_exceptions<std::bad_alloc>()`.
///
/// Stateless, `constexpr`. Throws only what the members of the returned value throw.
struct default_classifier {
  /// A call that returned `void` succeeded.
  [[nodiscard]] constexpr outcome operator()() const noexcept { return outcome::success; }

  /// Judges what a call returned: an `outcome` is the verdict itself, and a `result` counts as what it
  /// holds.
  template <class R>
  [[nodiscard]] constexpr outcome operator()(const R& returned) const {
    if constexpr (std::is_same_v<R, outcome>) {
      return returned;
    } else if constexpr (detail::is_result<R>) {
      if (!returned.has_value()) [[unlikely]] {
        return judge(returned.rejection());
      }
      if constexpr (std::is_void_v<typename R::value_type>) {
        return (*this)();
      } else {
        return (*this)(*returned);
      }
    } else if constexpr (detail::is_expected_like<R>) {
      if (returned.has_value()) return outcome::success;
      if constexpr (detail::holds_rejection<R>) {
        return judge(returned.error());
      } else {
        return outcome::failure;
      }
    } else if constexpr (detail::is_error_code_like<R>) {
      return static_cast<bool>(returned) ? outcome::failure : outcome::success;
    } else {
      return outcome::success;
    }
  }

#if defined(__cpp_exceptions)
  /// Precondition: `thrown` is not null.
  [[nodiscard]] outcome threw(const std::exception_ptr& thrown) const {
    BROWNOUT_PRECONDITION(thrown != nullptr, "a classifier was asked about no exception");
    return detail::is_no_evidence(thrown) ? outcome::ignored : outcome::failure;
  }
#endif

 private:
  [[nodiscard]] static constexpr outcome judge(const rejection& why) noexcept {
    return detail::is_failure(why) ? outcome::failure : outcome::ignored;
  }
};
static_assert(classifier<default_classifier, void>);
static_assert(classifier<default_classifier, int&>);

namespace detail {

/// Whether `C`, or a rule of `C`, has a predicate that does not take such a value (see core/rules.hpp).
template <class C, class... R>
inline constexpr bool has_unfit_predicate = false;

/// The verdict of `classify`. If it returns no outcome or throws, the verdict of the default. If that throws
/// too, `ignored`. If `classify` has a wrong form, the compiler shows only one of the messages below.
template <class C, class... R>
[[nodiscard]] constexpr outcome outcome_of(const C& classify, const R&... returned);

/// The verdict of a `classify` that takes values, for a call that returned a result.
template <class C, class T>
[[nodiscard]] constexpr outcome outcome_inside(const C& classify, const result<T>& returned) {
  if (!returned.has_value()) return default_classifier{}(returned);
  if constexpr (std::is_void_v<T>) {
    return detail::outcome_of(classify);
  } else {
    return detail::outcome_of(classify, *returned);
  }
}

template <class C, class... R>
constexpr outcome outcome_of(const C& classify, const R&... returned) {
  if constexpr (!says_outcome<C, R...> && (is_result<R> || ...)) {
    return detail::outcome_inside(classify, returned...);
  } else if constexpr (has_unfit_predicate<C, R...>) {
    static_assert(!has_unfit_predicate<C, R...>,
                  "brownout: the predicate given to failure_if, success_if or ignore_if must take what the "
                  "call returns, by value or by reference to const, and return a bool");
  } else if constexpr (mistakes_threw<C>) {
    static_assert(!mistakes_threw<C>,
                  "brownout: the member threw of a classifier must be const, take a const "
                  "std::exception_ptr&, and return an outcome or a std::optional<outcome>");
  } else if constexpr (!says_outcome<C, R...>) {
    static_assert(
        says_outcome<C, R...>,
        "brownout: a classifier must take what the call returns, by value or by reference to const, "
        "and return an outcome or a std::optional<outcome>; failure_if makes one of a predicate");
  } else {
    const auto ask = [&]() -> std::optional<outcome> { return classify(returned...); };
    if (const auto said = contained(ask, std::optional<outcome>{})) return *said;
    return contained([&] { return default_classifier{}(returned...); }, outcome::ignored);
  }
  return outcome::ignored;
}

#if defined(__cpp_exceptions)
/// The verdict of `classify` about an exception. If it has none or throws, the verdict of the default.
/// Precondition: `thrown` is not null.
template <class C>
[[nodiscard]] outcome thrown_outcome_of(const C& classify, const std::exception_ptr& thrown) {
  std::optional<outcome> said;
  if constexpr (judges_exceptions<C>) {
    said = contained([&]() -> std::optional<outcome> { return classify.threw(thrown); }, said);
  }
  return said ? *said : default_classifier{}.threw(thrown);
}
#endif

}  // namespace detail
}  // namespace brownout::inline BROWNOUT_ABI
