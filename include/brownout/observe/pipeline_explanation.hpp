// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/last_good.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// A product that does not exceed the largest number.
template <class Number>
[[nodiscard]] constexpr Number saturated_product(Number one, Number other) noexcept {
  constexpr auto most = (std::numeric_limits<Number>::max)();
  return one != 0 && other > most / one ? most : one * other;
}

/// What a stage adds to the explanation of its pipeline.
struct explained_stage {
  std::string line{};
  const retry* again = nullptr;        // if it is one
  duration limit = (duration::max)();  // if it is a timeout
  bool is_function_of_fallback = false;
  bool is_of_user = false;
};

/// The worst case of a part of a pipeline, which grows from the function outwards.
struct worst_case {
  static constexpr duration unlimited = (duration::max)();

  std::uint64_t calls = 1;       // of the function
  duration longest = unlimited;  // if the function keeps its deadlines

  /// Puts a retry around this part.
  void repeat(const retry& policy) {
    // A function that must not be called twice is called again only if it never was.
    if (policy.idempotent || calls != 1) calls = saturated_product(calls, std::uint64_t{policy.tries});
    if (longest == unlimited) return;
    longest = duration{saturated_product(longest.count(), duration::rep{policy.tries})};
    for (std::uint32_t failed = 1; failed < policy.tries; ++failed) {
      // After a failure, or after a refusal that says to come back within `cap`.
      const auto wait = (std::max)(policy.wait_after(failed, policy.most_retry_after, 1), 2 * policy.cap);
      longest = longest < unlimited - wait ? longest + wait : unlimited;
    }
  }
};

[[nodiscard]] inline std::string worst_case_text(const std::vector<explained_stage>& stages) {
  worst_case worst;
  bool has_function_of_fallback = false;
  bool has_stage_of_user = false;
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    if (stage->again != nullptr) worst.repeat(*stage->again);
    worst.longest = (std::min)(worst.longest, stage->limit);
    has_function_of_fallback = has_function_of_fallback || stage->is_function_of_fallback;
    has_stage_of_user = has_stage_of_user || stage->is_of_user;
  }
  std::string text{"The function is called at most "};
  text += worst.calls == 1 ? "once" : to_text(worst.calls) + " times";
  if (worst.longest == worst_case::unlimited) {
    text += ". The time of a call is not limited.";
  } else {
    text += ". A call takes at most " + to_text(worst.longest);
    if (has_function_of_fallback) text += " and the time of the fallback";
    text += ", if the function keeps its deadlines.";
  }
  if (has_stage_of_user) text += " Stages of your own may change both.";
  return text;
}

/// What a guard with state admits.
template <class G>
[[nodiscard]] std::string limits_of(const G& guard) {
  if constexpr (requires {
                  guard.options().most;
                  guard.snapshot().limit;
                }) {
    const auto options = guard.options();
    return "from " + to_text(options.least) + " to " + to_text(options.most) + " calls at a time, now " +
           to_text(guard.snapshot().limit);
  } else if constexpr (requires { guard.options().limit; }) {
    return "at most " + to_text(guard.options().limit) + " calls at a time";
  } else if constexpr (
      requires { guard.options().rate; } && !requires { guard.options().burst; }) {
    const auto rate = guard.options().rate;  // of a sliding window
    return "at most " + to_text(rate.tokens()) + " calls in a period of " + to_text(rate.period());
  } else if constexpr (requires { guard.options().rate.per_second(); }) {
    auto text = "at most " + to_text(guard.options().rate.per_second()) + " calls a second";
    if constexpr (requires { guard.options().burst; }) {
      text += " after a burst of " + to_text(guard.options().burst);
    }
    if constexpr (requires { guard.options().capacity; }) text += ", for each key";
    return text;
  } else {
    return {};
  }
}
/// What a policy does.
[[nodiscard]] inline std::string limits_of(const retry& policy) {
  auto text = "at most " + to_text(policy.tries) + " tries, waits of up to " + to_text(policy.cap);
  if (!policy.idempotent) text += ", again only what was never begun";
  return text;
}
[[nodiscard]] inline std::string limits_of(const timeout& policy) {
  auto text = to_text(duration{policy.limit});
  if (policy.late == late_value::discard) text += ", late values are discarded";
  return text;
}
template <class Source>
[[nodiscard]] std::string limits_of(const fallback<Source>& policy) {
  if constexpr (std::is_same_v<Source, last_good>) {
    return "the last good answer, at most " + to_text(duration{policy.source().max_age}) + " old";
  } else {
    static_cast<void>(policy);
    return is_asked<Source> ? "a function" : "a value";
  }
}

/// A guard in a line: "bulkhead 'connections': at most 20 calls at a time".
template <guard_kind Kind, class G>
[[nodiscard]] std::string guard_text(const G& guard) {
  std::string text{Kind == guard_kind::other ? "a stage of your own" : to_string(Kind)};
  std::string_view name;
  if constexpr (requires { std::string_view{guard.name}; }) {
    name = guard.name;
  } else if constexpr (requires { std::string_view{guard.name()}; }) {
    name = guard.name();
  }
  if (!name.empty()) text.append(" '").append(name) += '\'';
  // What the options of a stage of the user mean is not known.
  if constexpr (Kind != guard_kind::other && Kind != guard_kind::circuit_breaker) {
    const auto limits = detail::limits_of(guard);
    if (!limits.empty()) text.append(": ") += limits;
  }
  return text;
}

template <class S>
[[nodiscard]] explained_stage explained(const S& stage) {
  if constexpr (has_guard_within<S>) {
    using guard = std::remove_cvref_t<decltype(stage.get())>;
    constexpr auto own = stage_kind<S>;
    constexpr auto kind = own == guard_kind::other ? stage_kind<guard> : own;
    return {.line = detail::guard_text<kind>(stage.get()),
            .is_of_user = kind == guard_kind::other && guard_stage<guard>};
  } else {
    explained_stage shown{.line = detail::guard_text<stage_kind<S>>(stage),
                          .is_of_user = stage_kind<S> == guard_kind::other};
    if constexpr (std::is_same_v<S, retry>) {
      shown.again = &stage;
    } else if constexpr (std::is_same_v<S, timeout>) {
      shown.limit = stage.limit;
    } else if constexpr (stage_kind<S> == guard_kind::fallback) {
      shown.is_function_of_fallback = is_asked<std::remove_cvref_t<decltype(stage.source())>>;
    }
    return shown;
  }
}

}  // namespace detail

/// Says in which order a pipeline asks its guards, what each allows, and the worst case:
///
///     1. fallback: the last good answer, at most 5m old
///     2. timeout: 2s
///     3. retry: at most 3 tries, waits of up to 2s
///     4. circuit breaker 'database'
///     5. timeout: 300ms
///     The function is called at most 3 times. A call takes at most 2s, if the function keeps its deadlines.
///
/// The first is the outermost. Limits that change while the program runs are those of now. Allocates.
template <class Clock, class... Stages>
[[nodiscard]] std::string explain(const pipeline<Clock, Stages...>& shown) {
  std::vector<detail::explained_stage> stages;
  shown.for_each_stage([&](const auto& stage) { stages.push_back(detail::explained(stage)); });
  std::string text;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    text.append(std::to_string(i + 1)).append(". ").append(stages[i].line) += '\n';
  }
  return text + detail::worst_case_text(stages);
}

}  // namespace brownout::inline BROWNOUT_ABI
