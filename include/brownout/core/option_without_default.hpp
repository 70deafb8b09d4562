// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <concepts>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// An option without a default, because any default would be wrong for some programs. If it is left out, the
/// program does not compile.
///
///     brownout::retry{.tries = 3, .budget = &budget, .idempotent = true};
///
/// It converts from and to a `T`.
template <class T>
class option_without_default {
 public:
  option_without_default() = delete;  // the program left out an option that has no default

  // NOLINTBEGIN(google-explicit-constructor,bugprone-forwarding-reference-overload): it stands for a `T`
  /// Converts from what a `T` can be made of.
  template <std::convertible_to<T> U>
  requires(!std::same_as<std::remove_cvref_t<U>, option_without_default>) constexpr option_without_default(
      U&& value) noexcept(noexcept(T(std::forward<U>(value))))
      : value_(std::forward<U>(value)) {}

  /// The value that was given.
  [[nodiscard]] constexpr operator const T&() const noexcept { return value_; }
  // NOLINTEND(google-explicit-constructor,bugprone-forwarding-reference-overload)

  /// The value, if it is a pointer: an option reads as the pointer itself.
  [[nodiscard]] constexpr T operator->() const noexcept requires std::is_pointer_v<T> { return value_; }

 private:
  T value_;
};

}  // namespace brownout::inline BROWNOUT_ABI
