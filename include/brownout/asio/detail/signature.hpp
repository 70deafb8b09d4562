// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <tuple>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Error codes of Boost, and what they convert to: `std::error_code`.
template <class E>
inline constexpr bool is_error_code = std::is_convertible_v<error_code, E>&& requires(const E& error) {
  static_cast<bool>(error);
  error.category();
  error.message();
};

/// What can be known from a completion signature.
template <class Signature>
struct signature_of;
template <class... A>
struct signature_of<void(A...)> {
  using values = std::tuple<std::decay_t<A>...>;

  template <std::size_t I>
  static consteval auto first_of() {
    if constexpr (sizeof...(A) == 0) {
      return std::type_identity<void>{};
    } else {
      return std::type_identity<std::tuple_element_t<I, values>>{};
    }
  }
  /// The type of the first argument. Void if there is none.
  using first = typename decltype(first_of<0>())::type;

  static constexpr bool has_error_code = is_error_code<first>;
  static constexpr bool has_exception = std::is_same_v<first, std::exception_ptr>;

  /// Whether its first argument can tell of a refusal, and the others can be left out.
  static constexpr bool takes_refusals =
      (has_error_code || has_exception) && (std::is_default_constructible_v<std::decay_t<A>> && ...);
};
template <class... A>
struct signature_of<void(A...) noexcept> : signature_of<void(A...)> {};

#if defined(__cpp_exceptions)
[[nodiscard]] inline std::exception_ptr exception_of(const rejection& why) {
  if (why.reason == rejection_reason::timed_out) return std::make_exception_ptr(call_timed_out{why});
  if (why.reason == rejection_reason::cancelled) {
    return std::make_exception_ptr(boost::system::system_error{net::error::operation_aborted});
  }
  return std::make_exception_ptr(call_rejected{why});
}
#endif

/// The arguments of a completion that tells of a refusal. A call that its caller has cancelled ends as the
/// operations of Boost.Asio do.
template <class Signature>
[[nodiscard]] typename signature_of<Signature>::values refused_values(const rejection& why) {
  typename signature_of<Signature>::values values{};
  if constexpr (signature_of<Signature>::has_error_code) {
    std::get<0>(values) = why.reason == rejection_reason::cancelled
                              ? error_code{net::error::operation_aborted}
                              : make_error_code(why.reason);
  } else {
#if defined(__cpp_exceptions)
    std::get<0>(values) = exception_of(why);
#endif
  }
  return values;
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
