// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <concepts>
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

/// Whether `Callable` is a pointer to a member of the value that a result holds. `std::invoke` would treat
/// the result as a pointer to the value and dereference it, although it may have no value.
template <class Callable, class Seen>
inline constexpr bool looks_inside = false;
template <class Member, class Class, class T>
inline constexpr bool looks_inside<Member Class::*, result<T>> = !std::is_same_v<Class, result<T>>;

/// The type that `try_call` returns for a function that returns an `R`: one `result`, even if several
/// breakers guard the call.
template <class R>
struct refusable {
  using type = result<R>;
};
template <class T>
struct refusable<result<T>> {
  using type = result<T>;
};

/// Whether values of these types, or the objects that they refer to, can be compared.
template <class T, class U>
inline constexpr bool are_comparable = requires(bool equal, const std::add_pointer_t<const T> one,
                                                const std::add_pointer_t<const U> other) {
  equal = (*one == *other);
};
}  // namespace detail

/// What `try_call(function)` returns: `result<R>` for a function that returns an `R`. If the function itself
/// returns a `result<T>` by value, the type is `result<T>`, and its rejection may come from either breaker.
template <class F>
using try_call_result_t = typename detail::refusable<std::remove_cv_t<std::invoke_result_t<F>>>::type;

/// What a guarded call returned, or the rejection if it has no answer. It has the part of C++23's
/// `std::expected<T, rejection>` that is needed here, and also supports references.
///
/// `T` may be void, a reference or move-only. A default-constructed result holds a value-initialised `T`, as
/// that of `std::expected` does, and not a rejection. Results that hold equal values, or equal rejections,
/// are equal; results of references compare what they refer to. Not thread-safe, like any value.
template <class T>
class [[nodiscard]] result {
  static_assert(!std::is_same_v<std::remove_cvref_t<T>, brownout::rejection>,
                "a call that returns a rejection could not be told from a call that was rejected");
  static constexpr bool is_void = std::is_void_v<T>;
  static constexpr bool is_reference = std::is_reference_v<T>;
  using stored = std::conditional_t<is_void, std::monostate,
                                    std::conditional_t<is_reference, std::add_pointer_t<T>, std::decay_t<T>>>;

  /// Whether a `U` is taken as a value: it is not a result and has no constructor of its own below. A `bool`
  /// is never made from a result.
  template <class U>
  static constexpr bool holds = !is_void && !is_reference && std::is_constructible_v<stored, U> &&
                                !std::is_same_v<std::remove_cvref_t<U>, result> &&
                                !std::is_same_v<std::remove_cvref_t<U>, brownout::rejection> &&
                                !std::is_same_v<std::remove_cvref_t<U>, std::in_place_t> &&
                                !(std::is_same_v<stored, bool> && detail::is_result<std::remove_cvref_t<U>>);
  template <class U>
  static constexpr bool binds_to = is_reference&& std::is_convertible_v<U&&, T>&&
                                       std::is_convertible_v<std::add_pointer_t<U>, std::add_pointer_t<T>> &&
                                   (std::is_rvalue_reference_v<T> || std::is_lvalue_reference_v<U>);

  /// Whether a `T` can be made from the value of the other result, but not from the other result itself.
  template <class U, class Other>
  static consteval bool converts_from() {
    if constexpr (is_void || std::is_void_v<U> || std::is_same_v<T, U>) {
      return false;
    } else if constexpr (is_reference) {
      return std::is_reference_v<U> && binds_to<U>;
    } else {
      return std::is_constructible_v<stored, U> && !std::is_same_v<stored, bool> &&
             !std::is_constructible_v<stored, Other> && !std::is_convertible_v<Other, stored>;
    }
  }

 public:
  /// The type of the value.
  using value_type = T;

  /// Holds a value-initialised `T`. For void: the call has returned.
  constexpr result() requires(is_void || (!is_reference && std::is_default_constructible_v<stored>))
      : content_{std::in_place_index<0>} {}

  /// Holds a `T` made from these arguments.
  template <class... Args>
  requires(!is_reference &&
           std::is_constructible_v<stored, Args...>) constexpr explicit result(std::in_place_t,
                                                                               Args&&... args)
      : content_{std::in_place_index<0>, std::forward<Args>(args)...} {}

  // NOLINTBEGIN(google-explicit-constructor): a result is made by returning what it holds
  // NOLINTBEGIN(bugprone-forwarding-reference-overload): `holds` and `binds_to` leave copy and move alone

  /// Holds a value. Explicit if a `U` does not convert to `T` implicitly.
  template <class U = T>
  requires holds<U>
  constexpr explicit(!std::is_convertible_v<U, stored>) result(U&& value)
      : content_{std::in_place_index<0>, std::forward<U>(value)} {}

  /// Refers to its argument, which must outlive the result. It never refers to a temporary made from the
  /// argument.
  template <class U>
  requires binds_to<U>
  constexpr result(U&& value) : content_{std::in_place_index<0>, std::addressof(value)} {}

  // NOLINTEND(bugprone-forwarding-reference-overload)

  /// Holds the converted value, or the rejection, of the other result. Explicit if the conversion of the
  /// value is explicit.
  template <class U>
  requires(converts_from<U, const result<U>&>()) constexpr explicit(!std::is_convertible_v<U, T>)
      result(const result<U>& other)
      : content_{converted(other)} {}
  /// Takes over the value or the rejection of a `result` of another type, if its value converts to `T`.
  template <class U>
  requires(converts_from<U, result<U>>()) constexpr explicit(!std::is_convertible_v<U, T>)
      result(result<U>&& other)
      : content_{converted(std::move(other))} {}

  /// Holds a rejection.
  constexpr result(const brownout::rejection& why) : content_{std::in_place_index<1>, why} {}

  // NOLINTEND(google-explicit-constructor)

  /// True when the call was made and returned.
  [[nodiscard]] constexpr bool has_value() const noexcept { return content_.index() == 0; }
  /// As `has_value`.
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return has_value(); }

  /// Why the call was not made. Precondition: `!has_value()`.
  [[nodiscard]] constexpr const brownout::rejection& rejection() const noexcept {
    BROWNOUT_PRECONDITION(content_.index() == 1, "result::rejection() on a result that was not refused");
    return std::get<1>(content_);
  }

  /// The value. Precondition: `has_value()`.
  constexpr decltype(auto) operator*() & noexcept { return get(*this); }
  /// As above, of a constant result.
  constexpr decltype(auto) operator*() const& noexcept { return get(*this); }
  /// As above, of a result that ends: the value is moved.
  constexpr decltype(auto) operator*() && noexcept { return get(std::move(*this)); }

  /// A member of the value. Precondition: there is one.
  constexpr auto* operator->() noexcept requires(!is_void) {
    auto&& value = get(*this);  // a variable also if the result holds an rvalue reference
    return std::addressof(value);
  }
  /// As above, of a constant result.
  constexpr auto* operator->() const noexcept requires(!is_void) {
    auto&& value = get(*this);
    return std::addressof(value);
  }

  /// The value; throws `call_rejected` when there is none.
  constexpr decltype(auto) value() & { return throw_if_rejected(), get(*this); }
  /// As above, of a constant result.
  constexpr decltype(auto) value() const& { return throw_if_rejected(), get(*this); }
  /// As above, of a result that ends: the value is moved.
  constexpr decltype(auto) value() && { return throw_if_rejected(), get(std::move(*this)); }

  /// The value, or `fallback` when the call was not made.
  template <class U = std::decay_t<T>>
  requires(!is_void && std::is_convertible_v<U, std::decay_t<T>>)
      [[nodiscard]] constexpr std::decay_t<T> value_or(U&& fallback) const& {
    if (has_value()) return get(*this);
    return std::forward<U>(fallback);
  }
  /// As above, of a result that ends: the value is moved.
  template <class U = std::decay_t<T>>
  requires(!is_void && std::is_convertible_v<U, std::decay_t<T>>)
      [[nodiscard]] constexpr std::decay_t<T> value_or(U&& fallback) && {
    if (has_value()) return get(std::move(*this));
    return std::forward<U>(fallback);
  }

  /// Exchanges values and rejections.
  constexpr void swap(result& other) noexcept(
      std::is_nothrow_swappable_v<stored>&& std::is_nothrow_move_constructible_v<stored>) {
    content_.swap(other.content_);
  }
  friend constexpr void swap(result& one, result& other) noexcept(noexcept(one.swap(other))) {
    one.swap(other);
  }

 private:
  constexpr void throw_if_rejected() const {
    if (!has_value()) detail::raise_rejected(rejection(), rejection().guard);
  }

  template <class Self>
  static constexpr decltype(auto) get(Self&& self) noexcept {
    BROWNOUT_PRECONDITION(self.has_value(), "the value of a result that holds a rejection");
    if constexpr (is_void) {
      return;
    } else if constexpr (is_reference) {
      return static_cast<T>(*std::get<0>(self.content_));
    } else {
      auto& value = std::get<0>(self.content_);
      if constexpr (std::is_lvalue_reference_v<Self>) {
        return (value);
      } else {
        return std::move(value);
      }
    }
  }

  using content = std::variant<stored, brownout::rejection>;

  template <class Other>
  static constexpr content converted(Other&& other) {
    if (!other.has_value()) return content{std::in_place_index<1>, other.rejection()};
    if constexpr (is_reference) {
      auto&& referred = *other;
      return content{std::in_place_index<0>, std::addressof(referred)};
    } else {
      return content{std::in_place_index<0>, *std::forward<Other>(other)};
    }
  }

  content content_;
};

// These are not friends: a value that converts to a result is not compared as a result.

/// Equal if both have equal values, or equal rejections.
template <class T, class U>
requires((std::is_void_v<T> && std::is_void_v<U>) || detail::are_comparable<T, U>)
    [[nodiscard]] constexpr bool
    operator==(const result<T>& one, const result<U>& other) {
  if (one.has_value() != other.has_value()) return false;
  if (!one.has_value()) return one.rejection() == other.rejection();
  if constexpr (std::is_void_v<T>) {
    return true;
  } else {
    return *one == *other;
  }
}
/// Equal if there is a value that is equal.
template <class T, class U>
requires(!detail::is_result<U> && !std::is_same_v<U, rejection> && detail::are_comparable<T, U>)
    [[nodiscard]] constexpr bool
    operator==(const result<T>& one, const U& value) {
  return one.has_value() && *one == value;
}
/// Equal if there is an equal rejection.
template <class T>
[[nodiscard]] constexpr bool operator==(const result<T>& one, const rejection& why) noexcept {
  return !one.has_value() && one.rejection() == why;
}

}  // namespace brownout::inline BROWNOUT_ABI
