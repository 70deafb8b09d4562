// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/exception_chain.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/result.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

template <class T>
inline constexpr bool is_chrono_duration = false;
template <class Rep, class Period>
inline constexpr bool is_chrono_duration<std::chrono::duration<Rep, Period>> = true;

/// Whether a type can hold a wait: a duration, or an optional one.
template <class T>
inline constexpr bool is_wait = is_chrono_duration<T>;
template <class T>
inline constexpr bool is_wait<std::optional<T>> = is_chrono_duration<T>;

template <class Rep, class Period>
[[nodiscard]] constexpr duration wait_of(std::chrono::duration<Rep, Period> said) noexcept {
  return (std::max)(saturated(said), duration::zero());
}
template <class Wait>
[[nodiscard]] constexpr duration wait_of(const std::optional<Wait>& said) noexcept {
  return said ? wait_of(*said) : duration::zero();
}

/// How long to wait, by `get(seen)`. Zero: no wait is given. For a call that returns void, `seen` is empty.
template <class Getter, class... Seen>
[[nodiscard]] constexpr duration wait_from(const Getter& get, Seen&... seen);

/// The wait by `get` for the value inside of a result. Zero for a rejection.
template <class Getter, class Result>
[[nodiscard]] constexpr duration wait_inside(const Getter& get, Result& seen) {
  if (!seen.has_value()) return duration::zero();
  if constexpr (std::is_void_v<typename Result::value_type>) {
    return detail::wait_from(get);
  } else {
    auto&& value = *seen;  // a variable also if the result holds an rvalue reference
    return detail::wait_from(get, value);
  }
}

template <class Getter, class... Seen>
constexpr duration wait_from(const Getter& get, Seen&... seen) {
  constexpr bool is_taken = sizeof...(Seen) == 1 && std::is_invocable_v<const Getter&, Seen&...> &&
                            !(looks_inside<Getter, std::remove_cv_t<Seen>> || ...);
  constexpr bool is_inside = !is_taken && (is_result<std::remove_cv_t<Seen>> || ...);
  static_assert(
      is_taken || is_inside,
      "brownout: the getter given to retry_after_from must take what the call returns, or the named "
      "exception: by value, by reference, or as a pointer to a member of it");
  if constexpr (is_inside) {
    return detail::wait_inside(get, seen...);
  } else if constexpr (is_taken) {
    constexpr bool is_said = is_wait<std::remove_cvref_t<std::invoke_result_t<const Getter&, Seen&...>>>;
    static_assert(is_said,
                  "brownout: the getter given to retry_after_from must return a std::chrono::duration or a "
                  "std::optional of one; a plain number has no unit");
    if constexpr (is_said) {
      if ((detail::holds_nothing<Getter>(seen) || ...)) return duration::zero();
      return wait_of(detail::ask_of(get, seen...));
    }
  }
  return duration::zero();
}

/// Whether it can tell the wait that the dependency asks for from what a call returned (for void: no
/// argument) ...
template <class C, class... Returned>
inline constexpr bool tells_retry_after = requires(const C& classify, Returned&... returned) {
  classify.retry_after(returned...);
};
/// ... or from what a call threw.
template <class C>
inline constexpr bool tells_thrown_retry_after = requires(const C& classify,
                                                          const std::exception_ptr& thrown) {
  classify.thrown_retry_after(thrown);
};

/// How long the dependency asks callers to wait if a call returned this. Zero: it does not ask.
template <class C, class... Returned>
[[nodiscard]] constexpr duration retry_after_of(const C& classify, Returned&... returned);

/// As `retry_after_of`, for the value inside of a result. Zero for a rejection.
template <class C, class Result>
[[nodiscard]] constexpr duration retry_after_inside(const C& classify, Result& returned) {
  if (!returned.has_value()) return duration::zero();
  if constexpr (std::is_void_v<typename Result::value_type>) {
    return detail::retry_after_of(classify);
  } else {
    auto&& value = *returned;
    return detail::retry_after_of(classify, value);
  }
}

template <class C, class... Returned>
constexpr duration retry_after_of(const C& classify, Returned&... returned) {
  if constexpr (tells_retry_after<C, Returned...>) {
    return contained([&] { return wait_of(classify.retry_after(returned...)); }, duration::zero());
  } else if constexpr ((is_result<std::remove_cv_t<Returned>> || ...)) {
    return detail::retry_after_inside(classify, returned...);
  } else {
    return duration::zero();
  }
}
/// As `retry_after_of`, for what a call threw.
template <class C>
[[nodiscard]] duration thrown_retry_after_of(const C& classify, const std::exception_ptr& thrown) {
  if constexpr (tells_thrown_retry_after<C>) {
    return contained([&] { return wait_of(classify.thrown_retry_after(thrown)); }, duration::zero());
  } else {
    return duration::zero();
  }
}

template <class Getter>
struct returned_wait_rule {
  BROWNOUT_NO_UNIQUE_ADDRESS Getter get;

  [[nodiscard]] constexpr std::optional<outcome> operator()(const auto&...) const noexcept {
    return std::nullopt;
  }

  [[nodiscard]] constexpr duration retry_after(auto&&... returned) const {
    return detail::wait_from(get, returned...);
  }
};

template <class Exception, class Getter>
struct exception_wait_rule {
  BROWNOUT_NO_UNIQUE_ADDRESS Getter get;

  [[nodiscard]] constexpr std::optional<outcome> operator()(const auto&...) const noexcept {
    return std::nullopt;
  }
#if defined(__cpp_exceptions)
  [[nodiscard]] duration thrown_retry_after(const std::exception_ptr& thrown) const {
    duration said{};
    const auto asked = [&](Exception& seen) {
      return (said = detail::wait_from(get, seen)) > duration::zero();
    };
    static_cast<void>(detail::is_caught_as<Exception&>(thrown, asked));
    return said;
  }
#endif
};

}  // namespace detail

/// Makes a rule that reads from the answer of a call how long the dependency asks callers to wait. If the
/// call is a failure that opens the circuit, the circuit stays open for at least as long (see
/// `permit::complete`).
///
///     const auto asked = [](const response& seen) {
///       return brownout::parse_retry_after(seen.header("Retry-After"), std::chrono::system_clock::now());
///     };
///     const brownout::first_match classify{brownout::failure_if(is_server_error),
///                                          brownout::retry_after_from(asked)};
///     api.call(fetch, classify);
///
/// `get` takes what the call returns, by value or by reference; it may be a pointer to a member, as the
/// predicate of `failure_if`. It returns a `std::chrono::duration`, integral or floating, or a
/// `std::optional` of one. An empty optional, zero, a negative duration and NaN mean that no wait is given. A
/// getter of another form does not compile. If calls return different types, `get` must take all of them, or
/// each type needs its own `first_match`.
///
/// `get` is called only after a failure, on the thread that made the call. If it throws, no wait is given:
/// the failure counts, and the caller gets the answer.
///
/// The rule leaves the verdict to the other rules of its `first_match`, or to `default_classifier`.
template <class Getter>
[[nodiscard]] constexpr auto retry_after_from(Getter get) {
  return detail::returned_wait_rule<Getter>{std::move(get)};
}
/// As above, for a call that threw an `Exception`, or an exception derived from it: `get` takes the
/// exception. An exception inside another one (`std::throw_with_nested`) is found too, up to 16 exceptions
/// deep. The outermost exception that gives a wait decides.
template <class Exception, class Getter>
[[nodiscard]] constexpr auto retry_after_from(Getter get) {
  return detail::exception_wait_rule<Exception, Getter>{std::move(get)};
}

}  // namespace brownout::inline BROWNOUT_ABI
