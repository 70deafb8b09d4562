// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace brownout::inline BROWNOUT_ABI {

template <class T>
class result;

namespace detail {
template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;
}  // namespace detail

/// What a guarded call returned, or why it was not made. The part of C++23's `std::expected` that is needed
/// here.
///
/// `T` may be void, a reference or move-only. Not thread-safe, like any value.
template <class T>
class [[nodiscard]] result {
  static_assert(!std::is_same_v<std::remove_cvref_t<T>, brownout::rejection>,
                "a call that returns a rejection could not be told from a call that was rejected");
  static constexpr bool is_void = std::is_void_v<T>;
  using stored =
      std::conditional_t<is_void, std::monostate,
                         std::conditional_t<std::is_reference_v<T>, std::add_pointer_t<T>, std::decay_t<T>>>;

  template <class U>
  static constexpr bool holds = !is_void && !std::is_reference_v<T> && std::is_constructible_v<stored, U&&> &&
                                !detail::is_result<std::remove_cvref_t<U>> &&
                                !std::is_same_v<std::remove_cvref_t<U>, brownout::rejection>;
  template <class U>
  static constexpr bool binds_to = std::is_reference_v<T>&& std::is_convertible_v<U&&, T>&&
                                       std::is_convertible_v<std::add_pointer_t<U>, std::add_pointer_t<T>> &&
                                   (std::is_rvalue_reference_v<T> || std::is_lvalue_reference_v<U>);

 public:
  using value_type = T;

  // NOLINTBEGIN(google-explicit-constructor): a result is made by returning what it holds
  // NOLINTBEGIN(bugprone-forwarding-reference-overload): `holds` and `binds_to` leave copy and move alone

  /// A value.
  template <class U = T>
  requires holds<U>
  constexpr result(U&& value) : content_{std::in_place_index<0>, std::forward<U>(value)} {}

  /// A reference to what it is given, which must outlive the result; never to a temporary made of it.
  template <class U>
  requires binds_to<U>
  constexpr result(U&& value) : content_{std::in_place_index<0>, std::addressof(value)} {}

  // NOLINTEND(bugprone-forwarding-reference-overload)

  constexpr result() requires is_void : content_{std::in_place_index<0>} {}

  constexpr result(const brownout::rejection& why) : content_{std::in_place_index<1>, why} {}

  // NOLINTEND(google-explicit-constructor)

  /// True when the call was made and returned.
  [[nodiscard]] constexpr bool has_value() const noexcept { return content_.index() == 0; }
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return has_value(); }

  /// Why the call was not made. Precondition: `!has_value()`.
  [[nodiscard]] constexpr const brownout::rejection& rejection() const noexcept {
    BROWNOUT_PRECONDITION(content_.index() == 1, "result::rejection() on a result that was not refused");
    return *std::get_if<1>(&content_);
  }

  /// The value. Precondition: `has_value()`.
  constexpr decltype(auto) operator*() & noexcept { return get(*this); }
  constexpr decltype(auto) operator*() const& noexcept { return get(*this); }
  constexpr decltype(auto) operator*() && noexcept { return get(std::move(*this)); }

  constexpr auto* operator->() noexcept requires(!is_void) { return std::addressof(get(*this)); }
  constexpr const auto* operator->() const noexcept requires(!is_void) { return std::addressof(get(*this)); }

  /// The value; throws `call_rejected` when there is none.
  constexpr decltype(auto) value() & { return throw_if_rejected(), get(*this); }
  constexpr decltype(auto) value() const& { return throw_if_rejected(), get(*this); }
  constexpr decltype(auto) value() && { return throw_if_rejected(), get(std::move(*this)); }

  /// The value, or `fallback` when the call was not made.
  template <class U>
  requires(!is_void && std::is_constructible_v<std::decay_t<T>, U&&>)
      [[nodiscard]] constexpr std::decay_t<T> value_or(U&& fallback) const& {
    return has_value() ? static_cast<std::decay_t<T>>(get(*this))
                       : static_cast<std::decay_t<T>>(std::forward<U>(fallback));
  }
  template <class U>
  requires(!is_void && std::is_constructible_v<std::decay_t<T>, U&&>)
      [[nodiscard]] constexpr std::decay_t<T> value_or(U&& fallback) && {
    return has_value() ? static_cast<std::decay_t<T>>(get(std::move(*this)))
                       : static_cast<std::decay_t<T>>(std::forward<U>(fallback));
  }

 private:
  constexpr void throw_if_rejected() const {
    if (!has_value()) detail::raise(call_rejected{rejection()});
  }

  template <class Self>
  static constexpr decltype(auto) get(Self&& self) noexcept {
    BROWNOUT_PRECONDITION(self.has_value(), "the value of a result that holds a rejection");
    if constexpr (is_void) {
      return;
    } else if constexpr (std::is_reference_v<T>) {
      return static_cast<T>(**std::get_if<0>(&self.content_));
    } else {
      auto& value = *std::get_if<0>(&self.content_);
      if constexpr (std::is_lvalue_reference_v<Self>) {
        return (value);
      } else {
        return std::move(value);
      }
    }
  }

  std::variant<stored, brownout::rejection> content_;
};

}  // namespace brownout::inline BROWNOUT_ABI
