// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/transition_event.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/health/health_report.hpp"
#include "brownout/level/level_transition.hpp"
#include "brownout/version.hpp"

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A change of the level with the contributions of the dependencies, for example an `explained_transition`.
template <class T>
concept explainable_transition = requires(const T& change) {
  { to_string(change.from) } -> std::convertible_to<std::string_view>;
  { change.cause } -> std::convertible_to<level_cause>;
  { change.limit } -> std::convertible_to<score_limit>;
  { change.contributions.front().dependency } -> std::convertible_to<std::size_t>;
  { change.contributions.front().lost } -> std::convertible_to<double>;
  { change.contributions.front().refused } -> std::convertible_to<double>;
};

/// A change of a circuit of a system: a `circuit_change`.
template <class T>
concept explainable_circuit_change = requires(const T& change) {
  { change.dependency } -> std::convertible_to<std::size_t>;
  { change.from } -> std::same_as<const circuit_state&>;
  { change.to } -> std::same_as<const circuit_state&>;
  { change.reason } -> std::convertible_to<std::string_view>;
};

namespace detail {

// Put together from strings: every file that includes this header would compile the formats of a library.

/// A number with at most so many significant digits: "62", "0.25", "1e+06".
[[nodiscard]] inline std::string rounded_text(double value, int digits = 6) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits);
  return {text, end.ptr};
}

[[nodiscard]] inline std::string seconds_text(duration value) {
  return rounded_text(std::chrono::duration<double>(value).count()) + " s";
}

template <degradation_level Level>
void append_outlook(std::string& text, const level_outlook<Level>& next) {
  if (next.better && next.blind) {
    text.append(" ").append(to_string(*next.better));
    text += " is tried after " + seconds_text(next.better_after) + " without evidence.";
  } else if (next.better) {
    text.append(" ").append(to_string(*next.better));
    text += " when the score holds " + rounded_text(next.better_at) + " for " +
            seconds_text(next.better_after) + '.';
  }
  if (next.worse) {
    text.append(" ").append(to_string(*next.worse)) += " below " + rounded_text(next.worse_below) + '.';
  }
}

}  // namespace detail

/// Says in one line what a circuit did and why: "closed -> open: failure_rate, 12 of 20 calls failed
/// (connection refused)" or "half_open -> closed: probes_succeeded, after 31.2 s and 4 openings".
///
/// The text of the failure is written unchanged: it may name hosts and users. Allocates.
[[nodiscard]] inline std::string explain(const transition_event& event) {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  std::string text{to_string(event.from)};
  if (event.would_have_opened()) {
    text += ", would have opened: ";
  } else {
    text.append(" -> ").append(to_string(event.to)) += ": ";
  }
  text += to_string(event.cause);
  // If no detector tripped, the counts may be those of two detectors of an `any_of`.
  if (event.failures > 0 && event.failures <= event.calls) {
    text += ", " + number(event.failures) + " of " + number(event.calls) + " calls failed";
  } else if (event.failures > 0) {
    text += ", " + number(event.failures) + " calls failed";
  } else if (event.cause == transition_cause::failure_balance) {
    text += ", " + number(event.failure_balance) + " failures more than successes";
  } else if (event.consecutive_failures > 0) {
    text += ", " + number(event.consecutive_failures) + " failures in a row";
  }
  if (event.slow_calls > 0)
    text += ", " + number(event.slow_calls) + " of " + number(event.calls) + " calls slow";
  if (!event.text.empty()) text.append(" (").append(event.text.view()) += ')';
  if (event.outage_lasted > duration::zero()) {
    text += ", after " + detail::seconds_text(event.outage_lasted) + " and " + number(event.cycle) +
            (event.cycle == 1 ? " opening" : " openings");
  }
  return text;
}

/// Says in one line what a circuit of a system did: "database: closed -> open (connection refused)".
///
/// `name_of(number)` returns the name of a dependency. Name and reason are written unchanged: they may name
/// hosts and users. Allocates.
template <explainable_circuit_change Change, class NameOf>
[[nodiscard]] std::string explain(const Change& change, const NameOf& name_of) {
  std::string text{name_of(change.dependency)};
  text.append(": ").append(to_string(change.from)).append(" -> ").append(to_string(change.to));
  if (!change.reason.empty()) text.append(" (").append(change.reason) += ')';
  return text;
}

/// Says what would change the level, in one or two sentences: "LIMITED when the score holds 62 for 10 s.
/// EMERGENCY below 40."
template <degradation_level Level>
[[nodiscard]] std::string explain(const level_outlook<Level>& next) {
  std::string text;
  detail::append_outlook(text, next);
  return text.empty() ? text : text.substr(1);
}

/// Says why a feature is offered as it is: "off: database refuses calls", "off: the level does not allow it",
/// "reduced" or "full, returning step by step".
///
/// `name_of(number)` returns the name of a dependency. It is written unchanged. Allocates.
template <class NameOf>
[[nodiscard]] std::string explain(const feature_verdict& verdict, const NameOf& name_of) {
  std::string text{to_string(verdict.mode)};
  if (verdict.returning) return text += ", returning step by step";
  if (verdict.mode != feature_mode::off) return text;
  auto because = [&, first = true](std::string_view why) mutable {
    text.append(std::exchange(first, false) ? ": " : "; ").append(why);
  };
  if (!verdict.allowed_by_level) because("the level does not allow it");
  for (std::size_t number = 0; number < dependency_set::most; ++number) {
    if (verdict.blocked_by.contains(number)) because(std::string{name_of(number)} + " refuses calls");
  }
  if (verdict.dimmed) because("it is dimmed for this caller");
  return text;
}

/// Says in one line why the level changed: "OPTIMAL -> MINIMAL: health_fell, score 50 below 90.
/// openai loses 50 points (open). LIMITED when the score holds 62 for 10 s. EMERGENCY below 40."
///
/// `name_of(number)` returns the name of a dependency. Names, actor and reason are written unchanged: if
/// strangers choose them, refuse control characters before. Allocates.
template <explainable_transition Transition, class NameOf>
[[nodiscard]] std::string explain(const Transition& change, const NameOf& name_of) {
  std::string text{change.dry_run ? "(dry run) " : ""};
  text.append(to_string(change.from)).append(" -> ").append(to_string(change.to));
  text.append(": ").append(to_string(change.cause));
  text += ", score " + (change.score ? detail::rounded_text(*change.score) : "unknown");
  if (change.threshold && change.to > change.from) {
    text += " below " + detail::rounded_text(*change.threshold);
  }
  if (change.threshold && change.to < change.from) {
    text += ", " + detail::rounded_text(*change.threshold) + " held for " + detail::seconds_text(change.held);
  }
  text += '.';
  if (!change.actor.empty()) {
    text += change.cause == level_cause::override_ended ? " It was set by " : " By ";
    text.append(change.actor).append(": ").append(change.reason) += '.';
  }
  if (change.limit == score_limit::required) {
    text.append(" ").append(name_of(change.limited_by)) += " is required.";
  } else if (change.limit == score_limit::optional) {
    text += " Optional dependencies alone take it no lower.";
  } else if (change.limit == score_limit::thin_evidence) {
    text += " Too little is known for a score.";
  }
  for (const auto& signal : change.contributions) {
    text.append(" ").append(name_of(signal.dependency));
    if (signal.score) {
      text += " loses " + detail::rounded_text(signal.lost) + " points (";
      text += to_string(signal.state);
      if (signal.refused > 0) {
        text += ", its limit refused " + detail::rounded_text(100 * signal.refused, 3) + " % of calls";
      }
      text += ").";
    } else {
      text += " is unknown.";
    }
  }
  if (change.cause == level_cause::override_set) text += " By health:";
  detail::append_outlook(text, change.next);
  return text;
}

}  // namespace brownout::inline BROWNOUT_ABI
