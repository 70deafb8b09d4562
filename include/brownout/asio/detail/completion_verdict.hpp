// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/signature.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/exception_chain.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/retry_after.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The verdict of the default about an error code. The rejection of an inner guard is no evidence, unless the
/// call has timed out.
template <class E>
[[nodiscard]] outcome default_outcome_of(const E& error) {
  if constexpr (std::is_convertible_v<const E&, error_code>) {
    if (const auto reason = rejection_reason_of(error)) {
      return is_failure({.reason = *reason}) ? outcome::failure : outcome::ignored;
    }
  }
  return static_cast<bool>(error) ? outcome::failure : outcome::success;
}

/// What `classify` says about values. If it says nothing or throws, what the default says of the error.
template <class C, class E, class... Seen>
[[nodiscard]] outcome said_of(const C& classify, const E& error, const Seen&... seen) {
  const auto ask = [&]() -> std::optional<outcome> { return classify(seen...); };
  const auto said = contained(ask, std::optional<outcome>{});
  return said ? *said : detail::default_outcome_of(error);
}

/// The verdict about a completion with an error code. A classifier may take the error code, the values that
/// come after it, or both. The values are judged only if there is no error.
template <class C, class E, class... Values>
[[nodiscard]] outcome verdict_of(const C& classify, const E& error, const Values&... values) {
  constexpr bool is_default = std::is_same_v<C, default_classifier>;
  constexpr bool takes_all = sizeof...(Values) > 0 && says_outcome<C, E, Values...>;
  constexpr bool takes_values = sizeof...(Values) == 1 && says_outcome<C, Values...>;
  constexpr bool takes_error = says_outcome<C, E>;
  static_assert(takes_all || takes_values || takes_error || says_outcome<C>,
                "brownout: the classifier of an asynchronous call must take its error code, the value after "
                "it, or all arguments of its completion, by value or by reference to const");
  if constexpr (takes_all) {
    return detail::said_of(classify, error, error, values...);
  } else {
    if (static_cast<bool>(error)) {
      if constexpr (takes_error && !is_default) {
        return detail::said_of(classify, error, error);
      } else {
        return detail::default_outcome_of(error);
      }
    }
    if constexpr (takes_values) {
      return detail::outcome_of(classify, values...);
    } else if constexpr (takes_error && !is_default) {
      return detail::said_of(classify, error, error);
    } else {
      return outcome::success;
    }
  }
}

/// How long the dependency asked callers to wait, from what the classifier takes.
template <class C, class... Seen>
[[nodiscard]] duration wait_told_by(const C& classify, Seen&... seen) {
  if constexpr (tells_retry_after<C, Seen...>) {
    return detail::retry_after_of(classify, seen...);
  } else {
    return {};
  }
}

/// How a call ended, by its classifier.
struct judged_completion {
  outcome verdict = outcome::success;
  duration asked{};  // the wait that the dependency asked for; 0: none
};

/// Judges a completion with values and no place for an error.
template <class C, class... Values>
[[nodiscard]] judged_completion judge_values(const C& classify, Values&... values) {
  if constexpr (sizeof...(Values) < 2 || says_outcome<C, Values...>) {
    const auto verdict = detail::outcome_of(classify, values...);
    return {verdict, verdict == outcome::failure ? detail::retry_after_of(classify, values...) : duration{}};
  } else {
    return {};
  }
}

/// Judges a completion by its arguments.
template <class C>
[[nodiscard]] judged_completion judge(const C& classify) {
  return detail::judge_values(classify);
}
template <class C, class First, class... Rest>
[[nodiscard]] judged_completion judge(const C& classify, First& first, Rest&... rest) {
  using first_type = std::remove_const_t<First>;
  if constexpr (is_error_code<first_type>) {
    const auto verdict = detail::verdict_of(classify, first, rest...);
    if (verdict != outcome::failure) [[likely]] {
      return {verdict, {}};
    }
    auto asked = detail::wait_told_by(classify, first, rest...);
    if constexpr (sizeof...(rest) > 0) {
      if (asked == duration::zero()) asked = detail::wait_told_by(classify, rest...);
    }
    if (asked == duration::zero()) asked = detail::wait_told_by(classify, first);
    return {verdict, asked};
#if defined(__cpp_exceptions)
  } else if constexpr (std::is_same_v<first_type, std::exception_ptr>) {
    if (first == nullptr) return detail::judge_values(classify, rest...);
    const auto verdict = detail::thrown_outcome_of(classify, first);
    return {verdict,
            verdict == outcome::failure ? detail::thrown_retry_after_of(classify, first) : duration{}};
#endif
  } else {
    return detail::judge_values(classify, first, rest...);
  }
}

/// Settles the permit of a call that has failed, with the text of its error. Not inlined: it is rare.
template <class Permit, class First>
BROWNOUT_NOINLINE disposition settle_failure(Permit& admitted, duration asked, const First& first) noexcept {
  if constexpr (std::is_same_v<First, error_code>) {
    char text[120];
    return admitted.complete(outcome::failure, asked, first.message(text, sizeof text));
#if defined(__cpp_exceptions)
  } else if constexpr (std::is_same_v<First, std::exception_ptr>) {
    try {
      if (first != nullptr) std::rethrow_exception(first);
    } catch (const std::exception& known) {
      return admitted.complete(outcome::failure, asked, text_of(known));
    } catch (...) {
    }
    return admitted.complete(outcome::failure, asked);
#endif
  } else {
    return admitted.complete(outcome::failure, asked);
  }
}

/// Settles the permit of a call that ended so.
template <class Permit, class... A>
disposition settle(Permit& admitted, const judged_completion& judged, const A&... arguments) noexcept {
  if (judged.verdict != outcome::failure) [[likely]] {
    return admitted.complete(judged.verdict);
  }
  if constexpr (sizeof...(A) == 0) {
    return admitted.complete(outcome::failure, judged.asked);
  } else {
    return detail::settle_failure(admitted, judged.asked, std::get<0>(std::tie(arguments...)));
  }
}

/// Whether a call ended with an error, by the arguments of its completion.
[[nodiscard]] constexpr bool is_error() noexcept {
  return false;
}
template <class First, class... Rest>
[[nodiscard]] bool is_error(const First& first, const Rest&...) noexcept {
  if constexpr (is_error_code<First> || std::is_same_v<First, std::exception_ptr>) {
    return static_cast<bool>(first);
  } else {
    return false;
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
