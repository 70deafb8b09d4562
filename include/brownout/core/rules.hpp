// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/retry_after.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

template <outcome Verdict, class Predicate>
struct returned_rule {
  BROWNOUT_NO_UNIQUE_ADDRESS Predicate matches;

  template <class R>
  requires(std::predicate<const Predicate&, const R&> && !looks_inside<Predicate, R>)
      [[nodiscard]] constexpr std::optional<outcome>
      operator()(const R& returned) const {
    if (detail::holds_nothing<Predicate>(returned)) return std::nullopt;
    return detail::ask_of(matches, returned) ? std::optional{Verdict} : std::nullopt;
  }
};

template <outcome Verdict, class Predicate, class... R>
inline constexpr bool has_unfit_predicate<returned_rule<Verdict, Predicate>, R...> =
    !says_outcome<returned_rule<Verdict, Predicate>, R...>;

template <outcome Verdict, class Predicate, class... Exceptions>
struct exception_rule {
  static_assert(
      (std::predicate<const Predicate&, const Exceptions&> && ...),
      "brownout: the predicate given to ignore_exceptions, success_exceptions or failure_exceptions "
      "must take each of these exceptions, by value or by reference to const, and return a bool");

  BROWNOUT_NO_UNIQUE_ADDRESS Predicate matches;

  [[nodiscard]] constexpr std::optional<outcome> operator()(const auto&...) const noexcept {
    return std::nullopt;
  }

#if defined(__cpp_exceptions)
  [[nodiscard]] std::optional<outcome> threw(const std::exception_ptr& thrown) const {
    return (detail::is_caught_as<const Exceptions&>(thrown, matches) || ...) ? std::optional{Verdict}
                                                                             : std::nullopt;
  }
#endif
};

}  // namespace detail

/// Makes a rule: what a call returned is a failure, a success or ignored if `matches(returned)` is true.
///
///     api.call(fetch, brownout::failure_if([](const response& seen) { return seen.status >= 500; }));
///     rpc.call(send, brownout::failure_if([](const absl::Status& seen) { return !seen.ok(); }));
///
/// A rule is a classifier that decides only what matches. `default_classifier` decides the rest. `matches`
/// must take what the call returns, by value or by reference to const. Otherwise the call does not compile.
/// It may be a pointer to a member, also of what a returned pointer, `std::optional` or `std::expected`
/// holds: if that holds nothing, the rule does not match. If it throws during a call, the rule does not
/// match.
///
/// Success or ignored? An answer such as "not found" shows that the dependency works: it is a success. If it
/// were ignored, a half-open circuit would wait for other evidence. An answer that is no evidence about the
/// dependency, such as the answer to a bad request of ours, is ignored.
template <class Predicate>
[[nodiscard]] constexpr auto failure_if(Predicate matches) {
  return detail::returned_rule<outcome::failure, Predicate>{std::move(matches)};
}
/// See `failure_if`.
template <class Predicate>
[[nodiscard]] constexpr auto success_if(Predicate matches) {
  return detail::returned_rule<outcome::success, Predicate>{std::move(matches)};
}
/// See `failure_if`.
template <class Predicate>
[[nodiscard]] constexpr auto ignore_if(Predicate matches) {
  return detail::returned_rule<outcome::ignored, Predicate>{std::move(matches)};
}

/// Makes a rule: an exception of one of these types, or derived from one, is ignored, a success or a failure.
/// With a predicate, only an exception that also `matches`. The exception reaches the caller in any case. An
/// exception inside another one (`std::throw_with_nested`) matches too: the outermost one is examined first,
/// and 16 at most.
///
///     api.call(fetch, brownout::ignore_exceptions<bad_request, not_signed_in>());
///     const auto missing = [](const http_error& thrown) { return thrown.status == 404; };
///     api.call(fetch, brownout::success_exceptions<http_error>(missing));
///
/// It is a rule like `failure_if`. After a call that threw, each type costs one more throw and catch for each
/// examined exception. With `-fno-exceptions` it matches nothing.
template <class Exception, class... More, class Predicate = detail::matches_all>
[[nodiscard]] constexpr auto ignore_exceptions(Predicate matches = {}) {
  return detail::exception_rule<outcome::ignored, Predicate, Exception, More...>{std::move(matches)};
}
/// See `ignore_exceptions`.
template <class Exception, class... More, class Predicate = detail::matches_all>
[[nodiscard]] constexpr auto success_exceptions(Predicate matches = {}) {
  return detail::exception_rule<outcome::success, Predicate, Exception, More...>{std::move(matches)};
}
/// See `ignore_exceptions`. If only these exceptions are failures, add a rule after it that ignores all
/// others.
///
///     first_match{failure_exceptions<timed_out, disconnected>(), ignore_exceptions<std::exception>()}
template <class Exception, class... More, class Predicate = detail::matches_all>
[[nodiscard]] constexpr auto failure_exceptions(Predicate matches = {}) {
  return detail::exception_rule<outcome::failure, Predicate, Exception, More...>{std::move(matches)};
}

/// Several rules in order: the first rule that matches decides. If none matches, `default_classifier`
/// decides.
///
///     const brownout::first_match classify{failure_if(server_error), ignore_exceptions<bad_request>()};
///     api.call(fetch, classify);
///     admitted->complete(classify(response));  // by hand
///
/// A rule is any classifier. A classifier that always decides must come last. A rule that throws does not
/// match. Thread-safe when its rules are.
template <class... Rules>
class first_match {
 public:
  /// Rules in the order in which they are asked.
  constexpr explicit first_match(Rules... rules) : rules_{std::move(rules)...} {}

  template <class... R>
  requires((detail::says_outcome<Rules, R...> && !detail::mistakes_threw<Rules>)&&...)
      [[nodiscard]] constexpr outcome
      /// Judges what a call returned.
      operator()(const R&... returned) const {
    const auto said = first([&](const auto& rule) -> std::optional<outcome> { return rule(returned...); });
    return said ? *said : default_classifier{}(returned...);
  }

#if defined(__cpp_exceptions)
  /// Precondition: `thrown` is not null.
  [[nodiscard]] outcome threw(const std::exception_ptr& thrown) const
      requires(detail::judges_exceptions<Rules> || ...) {
    const auto said = first([&]<class Rule>(const Rule& rule) -> std::optional<outcome> {
      if constexpr (detail::judges_exceptions<Rule>) {
        return rule.threw(thrown);
      } else {
        return std::nullopt;
      }
    });
    return said ? *said : default_classifier{}.threw(thrown);
  }
#endif

  /// How long the dependency asks callers to wait if a call returned this: by the first rule that gives a
  /// wait. Zero: no rule does. See `retry_after_from`.
  template <class... R>
  requires(detail::tells_retry_after<Rules, R...> || ...) [[nodiscard]] constexpr duration
      retry_after(R&&... returned) const {
    return first_wait([&](const auto& rule) { return detail::retry_after_of(rule, returned...); });
  }

#if defined(__cpp_exceptions)
  /// As `retry_after`, for what a call threw. Precondition: `thrown` is not null.
  [[nodiscard]] duration thrown_retry_after(const std::exception_ptr& thrown) const
      requires(detail::tells_thrown_retry_after<Rules> || ...) {
    return first_wait([&](const auto& rule) { return detail::thrown_retry_after_of(rule, thrown); });
  }
#endif

 private:
  using verdict = std::optional<outcome>;

  /// The verdict of the first rule that has one.
  template <class Ask>
  [[nodiscard]] constexpr verdict first(const Ask& ask) const {
    verdict said;
    const auto says = [&](const auto& rule) {
      said = detail::contained([&]() -> verdict { return ask(rule); }, verdict{});
      return said.has_value();
    };
    std::apply([&](const auto&... rule) { static_cast<void>((says(rule) || ...)); }, rules_);
    return said;
  }
  template <class Ask>
  [[nodiscard]] constexpr duration first_wait(const Ask& ask) const {
    duration said{};
    const auto says = [&](const auto& rule) { return (said = ask(rule)) > duration::zero(); };
    std::apply([&](const auto&... rule) { static_cast<void>((says(rule) || ...)); }, rules_);
    return said;
  }

  std::tuple<Rules...> rules_;
};

namespace detail {
template <class... Rules, class... R>
inline constexpr bool has_unfit_predicate<first_match<Rules...>, R...> = (has_unfit_predicate<Rules, R...> ||
                                                                          ...);
}  // namespace detail

}  // namespace brownout::inline BROWNOUT_ABI
