// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/classifier.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/guarded_call.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The name of a guard, or an empty one. That of a copied handle would not live as long as its rejection.
template <class G>
[[nodiscard]] std::string_view name_of_guard(const G& guard) noexcept {
  if constexpr (requires { std::string_view{guard.name}; }) {
    return guard.name;
  } else if constexpr (!std::copy_constructible<G> && requires { std::string_view{guard.name()}; }) {
    return guard.name();
  } else {
    return {};
  }
}

/// Whether its permits report how a call ended: a `circuit_breaker`, a `dependency`, a `keyed_breaker`.
template <class B>
concept breaker_like = requires(B& breaker, outcome result) {
  static_cast<bool>(breaker.try_acquire());
  breaker.try_acquire()->complete(result);
  { breaker.try_acquire().rejection() } -> std::convertible_to<rejection>;
};

/// Makes a call that a breaker guards.
//
// `inline` and no more: GCC 12 keeps the permit in registers only if it optimises this function before it
// inlines it.
template <class R, class B, class Next>
BROWNOUT_ALWAYS_INLINE result<R> call_through(B& breaker, const call_context& context, const Next& next) {
  auto admitted = detail::acquire_for_call(breaker);
  if (!admitted) [[unlikely]] {
    auto why = admitted.rejection();
    why.guard = detail::name_of_guard(breaker);
    return why;
  }
  const auto rest = [&]() BROWNOUT_INLINE_LAMBDA { return next(context); };
  if constexpr (may_be_late<Next>) {
    return detail::invoke_settling(*admitted, rest, late_is_failure{next.frame()});
  } else {
    return detail::invoke_settling(*admitted, rest, next.classifier());
  }
}

/// A guard with state, which the pipeline refers to.
template <class G>
struct guard_reference {
  // What a guard says of itself goes first: the permits of an adaptive limit report how a call ended, too.
  static constexpr auto kind =
      stage_kind<G> == guard_kind::other && breaker_like<G> ? guard_kind::circuit_breaker : stage_kind<G>;
  static constexpr bool reads_clock = detail::reads_clock<G>;

  G* guard;

  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) const {
    if constexpr (guard_stage<G>) {
      return guard->template around<R>(context, next);
    } else {
      return detail::call_through<R>(*guard, context, next);
    }
  }
  [[nodiscard]] const G& get() const noexcept { return *guard; }
};

/// A copy of a handle to a breaker, such as a `keyed_breaker`.
template <class B>
struct breaker_handle {
  static constexpr auto kind = guard_kind::circuit_breaker;

  mutable B breaker;

  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) const {
    return detail::call_through<R>(breaker, context, next);
  }
  [[nodiscard]] const B& get() const noexcept { return breaker; }
};

/// What a pipeline stores for an argument of its constructor: of type `T&` for a variable, `T` for a
/// temporary.
template <class T>
struct stage_for_argument {
  using given = std::remove_cvref_t<T>;
  static constexpr bool is_value = std::copy_constructible<given>;
  using type = std::conditional_t<!is_value, guard_reference<std::remove_reference_t<T>>,
                                  std::conditional_t<guard_stage<given>, given, breaker_handle<given>>>;
};
template <class T>
using stage_for = typename stage_for_argument<T>::type;

template <class T>
[[nodiscard]] constexpr stage_for<T> as_stage(T&& argument) {
  using wanted = stage_for_argument<T>;
  static_assert(guard_stage<typename wanted::given> || breaker_like<typename wanted::given>,
                "brownout: an argument of a pipeline is neither a breaker nor a stage. A stage has a member "
                "template <class R, class Next> brownout::result<R> around(const brownout::call_context&, "
                "const Next& next), which is const if it can be copied");
  static_assert(wanted::is_value || std::is_lvalue_reference_v<T>,
                "brownout: a pipeline refers to its guards that have state, such as breakers, bulkheads and "
                "rate limiters. Such a guard must be a variable that outlives the pipeline, not a temporary");
  static_assert(
      wanted::is_value || !std::is_const_v<std::remove_reference_t<T>> ||
          guard_stage<const typename wanted::given>,
      "brownout: a call changes its guards that have state, so a pipeline takes none that is const");
  if constexpr (wanted::is_value) {
    return stage_for<T>{std::forward<T>(argument)};
  } else {
    return stage_for<T>{std::addressof(argument)};
  }
}

/// Whether the first of the arguments of a pipeline is no clock.
template <class... Given>
inline constexpr bool are_stages = false;
template <class First, class... Given>
inline constexpr bool are_stages<First, Given...> = !clock_source<std::remove_cvref_t<First>>;

}  // namespace brownout::inline BROWNOUT_ABI::detail
