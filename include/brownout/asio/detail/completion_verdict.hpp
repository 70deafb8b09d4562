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
#include <string_view>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The verdict of the default about an error code. The rejection of an inner guard is no evidence, unless the
/// call has timed out.
template <class E>
[[nodiscard]] outcome default_outcome_of(const E& error) {
  if constexpr (std::is_same_v<E, error_code>) {
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
  return said ? *said : default_outcome_of(error);
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
    return said_of(classify, error, error, values...);
  } else {
    if (static_cast<bool>(error)) {
      if constexpr (takes_error && !is_default) {
        return said_of(classify, error, error);
      } else {
        return default_outcome_of(error);
      }
    }
    if constexpr (takes_values) {
      return outcome_of(classify, values...);
    } else if constexpr (takes_error && !is_default) {
      return said_of(classify, error, error);
    } else {
      return outcome::success;
    }
  }
}

/// How long the dependency asked callers to wait, from what the classifier takes.
template <class C, class... Seen>
[[nodiscard]] duration wait_told_by(const C& classify, Seen&... seen) {
  if constexpr (tells_retry_after<C, Seen...>) {
    return retry_after_of(classify, seen...);
  } else {
    return {};
  }
}

/// Settles the permit of a call whose error is a failure, with the text of its error. Not inlined: it is rare.
template <class Permit, class E>
BROWNOUT_NOINLINE disposition settle_error(Permit& admitted, const E& error, duration retry_after) noexcept {
  if constexpr (std::is_same_v<E, error_code>) {
    char text[120];
    return admitted.complete(outcome::failure, retry_after, error.message(text, sizeof text));
  } else {
    return admitted.complete(outcome::failure, retry_after);
  }
}

/// Settles the permit of a call that completed with values, and no place for an error.
template <class Permit, class C, class... Values>
disposition settle_values(Permit& admitted, const C& classify, Values&... values) noexcept {
  if constexpr (sizeof...(Values) < 2 || says_outcome<C, Values...>) {
    const auto verdict = outcome_of(classify, values...);
    return admitted.complete(verdict,
                             verdict == outcome::failure ? retry_after_of(classify, values...) : duration{});
  } else {
    return admitted.complete(outcome::success);
  }
}

#if defined(__cpp_exceptions)
/// Settles the permit of a call that completed with an exception.
template <class Permit, class C>
BROWNOUT_NOINLINE disposition settle_exception(Permit& admitted, const C& classify,
                                               const std::exception_ptr& thrown) noexcept {
  const auto verdict = thrown_outcome_of(classify, thrown);
  if (verdict != outcome::failure) return admitted.complete(verdict);
  const auto wait = thrown_retry_after_of(classify, thrown);
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& known) {
    return admitted.complete(outcome::failure, wait, text_of(known));
  } catch (...) {
    return admitted.complete(outcome::failure, wait);
  }
}
#endif

/// Settles the permit of a call by the arguments of its completion.
template <class Permit, class C>
disposition settle(Permit& admitted, const C& classify) noexcept {
  return settle_values(admitted, classify);
}
template <class Permit, class C, class First, class... Rest>
disposition settle(Permit& admitted, const C& classify, First& first, Rest&... rest) noexcept {
  using first_type = std::remove_const_t<First>;
  if constexpr (is_error_code<first_type>) {
    const auto verdict = verdict_of(classify, first, rest...);
    if (verdict != outcome::failure) [[likely]] {
      return admitted.complete(verdict);
    }
    auto wait = wait_told_by(classify, first, rest...);
    if (wait == duration::zero()) wait = wait_told_by(classify, rest...);
    if (wait == duration::zero()) wait = wait_told_by(classify, first);
    return settle_error(admitted, first, wait);
#if defined(__cpp_exceptions)
  } else if constexpr (std::is_same_v<first_type, std::exception_ptr>) {
    if (first == nullptr) return settle_values(admitted, classify, rest...);
    return settle_exception(admitted, classify, first);
#endif
  } else {
    return settle_values(admitted, classify, first, rest...);
  }
}

/// Whether a call ended with an error, by the arguments of its completion.
[[nodiscard]] constexpr bool is_error() noexcept { return false; }
template <class First, class... Rest>
[[nodiscard]] bool is_error(const First& first, const Rest&...) noexcept {
  if constexpr (is_error_code<First> || std::is_same_v<First, std::exception_ptr>) {
    return static_cast<bool>(first);
  } else {
    return false;
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
