// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// A classifier that can say how long the dependency asked to be left alone: by what the call returned, or by
/// what it threw.
template <class C, class R>
inline constexpr bool tells_retry_after = requires(const C& classify, const R& returned) {
  { classify.retry_after(returned) } -> std::convertible_to<duration>;
};
template <class C>
inline constexpr bool tells_thrown_retry_after = tells_retry_after<C, std::exception_ptr>;

/// What the dependency asked for, or nothing.
template <class C, class R>
[[nodiscard]] constexpr duration retry_after_of(const C& classify, const R& seen) {
  if constexpr (tells_retry_after<C, R>) {
    return classify.retry_after(seen);
  } else {
    return duration::zero();
  }
}

template <class Getter>
struct returned_retry_after {
  BROWNOUT_NO_UNIQUE_ADDRESS Getter get;

  [[nodiscard]] constexpr std::optional<outcome> operator()(const auto&...) const noexcept {
    return std::nullopt;
  }
  template <class R>
  requires std::is_invocable_r_v<duration, const Getter&, const R&>
  [[nodiscard]] constexpr duration retry_after(const R& returned) const {
    return saturated(std::invoke(get, returned));
  }
};

template <class Exception, class Getter>
struct thrown_retry_after {
  BROWNOUT_NO_UNIQUE_ADDRESS Getter get;

  [[nodiscard]] constexpr std::optional<outcome> operator()(const auto&...) const noexcept {
    return std::nullopt;
  }
#if defined(__cpp_exceptions)
  [[nodiscard]] duration retry_after(const std::exception_ptr& thrown) const {
    try {
      std::rethrow_exception(thrown);
    } catch (const Exception& seen) {
      return saturated(std::invoke(get, seen));
    } catch (...) {
      return duration::zero();
    }
  }
#endif
};

}  // namespace detail

/// How long the dependency asked to be left alone, read from what the call returned: if the call is a failure
/// and opens the circuit, it stays open for at least as long (see `permit::complete`).
///
///     const auto asked = [](const response& seen) { return seen.retry_after; };  // 0s: nothing
///     api.call(fetch, brownout::first_match{brownout::failure_if(server_error),
///     brownout::retry_after_from(asked)});
///
/// A rule for `first_match`, or a classifier that leaves the verdict to the default.
template <class Getter>
[[nodiscard]] constexpr auto retry_after_from(Getter get) {
  return detail::returned_retry_after<Getter>{std::move(get)};
}
/// The same, read from an exception of this type, or derived from it.
template <class Exception, class Getter>
requires std::is_invocable_r_v<duration, const Getter&, const Exception&>
[[nodiscard]] constexpr auto retry_after_from(Getter get) {
  return detail::thrown_retry_after<Exception, Getter>{std::move(get)};
}

}  // namespace brownout::inline BROWNOUT_ABI
