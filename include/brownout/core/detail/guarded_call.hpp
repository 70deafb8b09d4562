// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/exception_chain.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/retry_after.hpp"
#include "brownout/version.hpp"

#include <exception>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Whether the settlement of a call owns its permit instead of pointing to it. A permit of two words stays in
/// registers then. A larger one would be moved for nothing.
template <class Permit>
inline constexpr bool is_settled_by_value = false;

/// Settles the permit of a call exactly once, however the scope ends. It uses a destructor and not a handler,
/// so that the same code works with and without exceptions, and for the end of a thread, which is no C++
/// exception.
template <class Permit>
class settlement {
 public:
  explicit settlement(Permit& admitted) noexcept : permit_{held(admitted)} {}
  settlement(const settlement&) = delete;
  settlement& operator=(const settlement&) = delete;
  BROWNOUT_ALWAYS_INLINE ~settlement() {
    if (!is_settled_) [[unlikely]] {
      permit().complete(unsettled_);
    }
  }

  /// Call this when the call has ended and before its classifier runs. If the thread ends in the classifier,
  /// the call counts as nothing. Before this point, a call that does not return counts as a failure.
  void ended() noexcept { unsettled_ = outcome::ignored; }

  BROWNOUT_ALWAYS_INLINE void complete(outcome result, duration retry_after = {},
                                       std::string_view why = {}) noexcept {
    is_settled_ = true;
    permit().complete(result, retry_after, why);
  }

 private:
  using holder = std::conditional_t<is_settled_by_value<Permit>, Permit, Permit*>;

  static holder held(Permit& admitted) noexcept {
    if constexpr (is_settled_by_value<Permit>) {
      return std::move(admitted);
    } else {
      return &admitted;
    }
  }
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE Permit& permit() noexcept {
    if constexpr (is_settled_by_value<Permit>) {
      return permit_;
    } else {
      return *permit_;
    }
  }

  holder permit_;
  bool is_settled_ = false;
  outcome unsettled_ = outcome::failure;
};

#if defined(__cpp_exceptions)
/// Settles the permit after an exception, by the verdict of `classify` or by the default. Must be called in a
/// handler. `known`: the exception if it is a `std::exception`; used for its text.
template <class Permit, class C>
void settle_thrown(settlement<Permit>& settles, const C& classify, const std::exception* known = nullptr) {
  settles.ended();
  auto result = outcome::failure;
  duration retry_after{};
  // Null if it is no C++ exception, for example at the end of the thread.
  if (const auto thrown = std::current_exception()) {
    result = detail::thrown_outcome_of(classify, thrown);
    if (result == outcome::failure) retry_after = detail::thrown_retry_after_of(classify, thrown);
  }
  // The text is read last, because `threw` may have changed the exception.
  const bool tells = known != nullptr && result == outcome::failure;
  settles.complete(result, retry_after, tells ? text_of(*known) : std::string_view{});
}
#endif

/// Makes the call, and settles its permit if the call throws. By default there are handlers only for
/// exceptions that may not be failures, and for exceptions with a text. It must be inlined, as the functions
/// below: because of the handlers GCC would treat the whole call as rare and not inline it. The handlers cost
/// nothing until an exception is thrown.
template <class Permit, class F, class C>
BROWNOUT_ALWAYS_INLINE std::invoke_result_t<F> invoke_settling_thrown(settlement<Permit>& settles,
                                                                      F&& function, const C& classify) {
#if defined(__cpp_exceptions)
  if constexpr (std::is_same_v<C, default_classifier> ||
                !(judges_exceptions<C> || tells_thrown_retry_after<C>)) {
    // Gives the same verdicts as `default_classifier` at less cost. The settlement is passed only to inlined
    // functions, so that the compiler can keep the permit in registers.
    try {
      return std::forward<F>(function)();
    } catch (const call_rejected& refused) {
      settles.complete(is_failure(refused.why()) ? outcome::failure : outcome::ignored);
      throw;
    } catch (const std::bad_alloc&) {
      settles.complete(outcome::ignored);
      throw;
    } catch (const std::nested_exception&) {
      const auto judged = judge_handled_chain();
      settles.complete(judged.result, {}, judged.text);
      throw;
    } catch (const std::exception& thrown) {
      settles.complete(outcome::failure, {}, text_of(thrown));
      throw;
    }
  } else {
    try {
      return std::forward<F>(function)();
    } catch (const std::exception& thrown) {
      detail::settle_thrown(settles, classify, &thrown);
      throw;
    } catch (...) {
      detail::settle_thrown(settles, classify);
      throw;
    }
  }
#else
  static_cast<void>(settles);
  static_cast<void>(classify);
  return std::forward<F>(function)();
#endif
}

/// Makes an admitted call and settles its permit by the verdict of `classify`. There is one function for each
/// kind of return value. The value is in the outermost block of the function, because only there all
/// compilers build it in place.
template <class Permit, class F, class C>
requires std::is_object_v<std::invoke_result_t<F>> BROWNOUT_ALWAYS_INLINE std::invoke_result_t<F>
invoke_settling(Permit& admitted, F&& function, const C& classify) {
  static_assert(std::is_move_constructible_v<std::invoke_result_t<F>>,
                "what a guarded call returns must be movable, since it is judged before it is returned");
  settlement<Permit> settles{admitted};
  std::remove_cv_t<std::invoke_result_t<F>> value =
      detail::invoke_settling_thrown(settles, std::forward<F>(function), classify);
  settles.ended();
  const auto verdict = detail::outcome_of(classify, value);
  settles.complete(verdict,
                   verdict == outcome::failure ? detail::retry_after_of(classify, value) : duration{});
  return value;
}
template <class Permit, class F, class C>
requires std::is_reference_v<std::invoke_result_t<F>> BROWNOUT_ALWAYS_INLINE std::invoke_result_t<F>
invoke_settling(Permit& admitted, F&& function, const C& classify) {
  settlement<Permit> settles{admitted};
  auto&& value = detail::invoke_settling_thrown(settles, std::forward<F>(function), classify);
  settles.ended();
  const auto verdict = detail::outcome_of(classify, value);
  settles.complete(verdict,
                   verdict == outcome::failure ? detail::retry_after_of(classify, value) : duration{});
  return static_cast<std::invoke_result_t<F>>(value);
}
template <class Permit, class F, class C>
requires std::is_void_v<std::invoke_result_t<F>> BROWNOUT_ALWAYS_INLINE void invoke_settling(
    Permit& admitted, F&& function, const C& classify) {
  settlement<Permit> settles{admitted};
  detail::invoke_settling_thrown(settles, std::forward<F>(function), classify);
  settles.ended();
  const auto verdict = detail::outcome_of(classify);
  settles.complete(verdict, verdict == outcome::failure ? detail::retry_after_of(classify) : duration{});
}

/// A tag: a guarded call acquires the permit, and settles it on this thread before it returns.
struct within_call {
  explicit within_call() = default;
};

/// A permit for a guarded call, or the rejection.
template <class Breaker>
[[nodiscard]] BROWNOUT_ALWAYS_INLINE auto acquire_for_call(Breaker& breaker) noexcept {
  if constexpr (requires { breaker.try_acquire(within_call{}); }) {
    return breaker.try_acquire(within_call{});
  } else {
    return breaker.try_acquire();
  }
}

template <class Breaker, class F, class C>
std::invoke_result_t<F> call(Breaker& breaker, F&& function, const C& classify) {
  auto admitted = detail::acquire_for_call(breaker);
  if (!admitted) [[unlikely]] {
    raise_rejected(admitted.rejection(), breaker.name());
  }
  return detail::invoke_settling(*admitted, std::forward<F>(function), classify);
}

template <class Breaker, class F, class C>
try_call_result_t<F> try_call(Breaker& breaker, F&& function, const C& classify) {
  auto admitted = detail::acquire_for_call(breaker);
  if (!admitted) [[unlikely]] {
    return admitted.rejection();
  }
  if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
    detail::invoke_settling(*admitted, std::forward<F>(function), classify);
    return {};
  } else {
    return detail::invoke_settling(*admitted, std::forward<F>(function), classify);
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
