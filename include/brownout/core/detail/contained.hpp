// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/compiler.hpp"
#include "brownout/version.hpp"

#include <exception>
#include <functional>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Returns what `ask()` returns, or `otherwise` when `ask()` throws.
///
/// For callables of the user that judge a call after its end. An exception from such a callable must not
/// replace the answer or the exception of the call.
template <class Said, class Ask>
[[nodiscard]] constexpr Said contained(const Ask& ask, Said otherwise) {
#if defined(__cpp_exceptions)
  try {
    return ask();
  } catch (...) {
    // This is not an exception but the end of the thread (pthread_exit, cancellation). It cannot be stopped.
    if (std::current_exception() == nullptr) throw;
    return otherwise;
  }
#else
  static_cast<void>(otherwise);
  return ask();
#endif
}

/// As `std::invoke`, for a predicate or a getter of the user.
///
/// A pointer to a member function is not called inline: GCC 12 takes the function for a virtual one there,
/// and warns in the user's file that a small object has no room for a table (-Warray-bounds at -O2).
template <class Function, class Seen>
[[nodiscard]] BROWNOUT_NOINLINE constexpr std::invoke_result_t<const Function&, Seen&> invoke_member(
    Function function, Seen& seen) {
  return std::invoke(function, seen);
}
template <class Function, class Seen>
[[nodiscard]] constexpr std::invoke_result_t<const Function&, Seen&> ask_of(const Function& function,
                                                                            Seen& seen) {
  if constexpr (std::is_member_function_pointer_v<Function>) {
    return detail::invoke_member(function, seen);
  } else {
    return std::invoke(function, seen);
  }
}

/// Whether `std::invoke` dereferences a `Seen` because `Function` is a pointer to a member of what it holds.
template <class Function, class Seen>
inline constexpr bool dereferences = false;
template <class Member, class Class, class Seen>
inline constexpr bool dereferences<Member Class::*, Seen> = !std::is_base_of_v<Class, Seen>;

/// Whether `ask_of` would dereference `seen`, for example an optional, although there is nothing in it.
template <class Function, class Seen>
[[nodiscard]] constexpr bool holds_nothing(const Seen& seen) {
  if constexpr (dereferences<Function, Seen> && std::is_constructible_v<bool, const Seen&>) {
    return !static_cast<bool>(seen);
  } else {
    return false;
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
