// SPDX-License-Identifier: BSL-1.0
#pragma once

// How a circuit breaker changes its state, what operators may do with it, and what it shows.

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/detail/announcer.hpp"
#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/policy.hpp"
#include "brownout/breaker/detail/result_totals.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

template <detector Detector, clock_source Clock, class Atomics>
duration circuit_breaker<Detector, Clock, Atomics>::held(duration how_long) noexcept {
  return std::clamp(how_long, detail::control_word::unit, longest_hold);
}

template <detector Detector, clock_source Clock, class Atomics>
duration circuit_breaker<Detector, Clock, Atomics>::bounded(duration retry_after) noexcept {
  return std::clamp(retry_after, duration::zero(), breaker_options::most_retry_after);
}

/// Replaces the word of `at` by `next`, and tells listeners if that begins an epoch. On failure `seen`
/// becomes the current word.
template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::change(detail::control_word& seen, detail::control_word next,
                                                       const era_state& at,
                                                       const detail::grounds& why) noexcept {
  if (!circuit_.begin_era(seen, next, at)) return false;
  circuit_.announce(at, next, why);
  return true;
}

/// The same for an open word. A listener must not read anything older than its event, so the failure and its
/// text are noted before listeners are told.
template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::change_to_open(detail::control_word& seen,
                                                               detail::control_word next, const era_state& at,
                                                               const detail::grounds& why,
                                                               detail::result_kind kind) noexcept {
  if (!circuit_.begin_era(seen, next, at)) return false;
  totals_.add(kind);
  circuit_.note_failure(next.epoch(), why.text, at.now);
  circuit_.announce(at, next, why);
  return true;
}

/// Opens the closed circuit.
template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::open(detail::control_word& seen, const era_state& at,
                                                     duration retry_after, const detail::grounds& why,
                                                     detail::result_kind kind) noexcept {
  // Only then does the numbering of open periods begin again.
  const bool begins_outage =
      seen.is_begun_by_operator() || at.now - at.begun >= circuit_.rules()->relapse_within;
  return change_to_open(seen, seen.next_open(begins_outage, bounded(retry_after)), at, why, kind);
}

/// The call at which the detector trips: opens the closed circuit, or says that it would have opened. False
/// when the word has changed; then `seen` becomes the current word.
template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::record_trip(detail::control_word& seen,
                                                            const judgement& judged,
                                                            const epoch_statistics& figures,
                                                            detail::result_kind kind,
                                                            const failure_report& said) noexcept {
  const detail::grounds why{judged.cause, figures, said.why};
  if (seen.is(circuit_state::closed)) {
    const auto at = circuit_.observe(seen);
    return at && open(seen, *at, said.retry_after, why, kind);
  }
  if (judged.marks != seen.marks() && !circuit_.replace(seen, seen.with_marks(judged.marks))) return false;
  static_cast<void>(counted(kind, seen.epoch(), said));
  circuit_.announce_trip(seen, why);
  return true;
}

/// Opens the closed circuit because of a failure that asks for a wait.
template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::opens_at_once(detail::control_word seen,
                                                              const failure_report& said) noexcept {
  const auto era = seen.era();
  while (seen.era() == era && seen.is(circuit_state::closed)) {
    const auto at = circuit_.observe(seen);
    if (!at) continue;
    if (open(seen, *at, said.retry_after, {transition_cause::retry_after, counts(*at), said.why},
             detail::result_kind::failed))
      return true;
  }
  return false;
}

template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::trip(std::string_view why, duration retry_after) noexcept {
  auto seen = circuit_.word();
  while (seen.measures()) {
    const auto at = circuit_.observe(seen);
    if (!at) continue;
    const detail::grounds tripped{transition_cause::trip, counts(*at), why};
    if (!seen.is(circuit_state::closed)) {
      circuit_.announce_trip(seen, tripped);
      return false;
    }
    if (open(seen, *at, retry_after, tripped, detail::result_kind::good)) return true;
  }
  return false;
}

/// Closed or metrics_only.
template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::hold(circuit_state state) noexcept {
  auto seen = circuit_.word();
  while (state == circuit_state::closed || !seen.is(state)) {
    const auto at = circuit_.observe(seen);
    if (!at) continue;
    if (change(seen, seen.next_held(state, circuit_.first_marks()), *at, {transition_cause::operator_}))
      return;
  }
}

/// Forced open or disabled; zero: until another command.
template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::hold(circuit_state state, duration how_long) noexcept {
  auto seen = circuit_.word();
  for (;;) {
    const auto at = circuit_.observe(seen);
    if (!at) continue;
    const auto end = how_long == duration::zero() ? how_long : at->now - at->begun + how_long;
    // If the word has no room for the renewed hold, the hold begins again.
    if (seen.is(state) && end <= detail::control_word::longest_held) {
      const auto next = seen.with_held_for(end);
      if (next == seen || circuit_.replace(seen, next)) return;
    } else if (change(seen, seen.next_held(state, how_long), *at, {transition_cause::operator_})) {
      return;
    }
  }
}

template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::reconfigure(const breaker_options& options) {
  const auto rules = detail::policy<Detector>::valid(options, name_, circuit_.policy().left_out());
  if (!options.name.empty() && options.name != name_) {
    detail::invalid_option("breaker_options.name", "'" + options.name + "'", "'" + name_ + "'");
  }
  circuit_.reconfigure([&](auto& policy) { policy.replace(rules); });
}

template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::reconfigure(const Detector& detector) {
  const auto next = detail::policy<Detector>::valid_replacing(this->detector(), detector, name_);
  circuit_.reconfigure([&](auto& policy) { policy.replace(next); });
}

/// What the detector has counted in the epoch of `at`, which measures.
template <detector Detector, clock_source Clock, class Atomics>
epoch_statistics circuit_breaker<Detector, Clock, Atomics>::counts(const era_state& at) const noexcept {
  const auto needs = detail::needs_of<Detector>(history_);
  const auto now = needs.reads_clock && needs.has_window ? window_time() : at.now;
  const auto rules = circuit_.policy().detector();
  const auto evidence = rules->read(history_, {.epoch = at.word.epoch(), .ended = now});
  return rules->statistics(evidence, at.word.marks(), detail::control_word::most_marks);
}

template <detector Detector, clock_source Clock, class Atomics>
breaker_snapshot circuit_breaker<Detector, Clock, Atomics>::show(const era_state& at) const noexcept {
  const auto seen = at.word;
  const auto rules = circuit_.rules();
  breaker_snapshot shown;
  shown.state = seen.state();
  shown.epoch = seen.epoch();
  shown.since = circuit_.time_of(at.begun);
  shown.probes_needed = rules->needed(seen);
  if (shown.state == circuit_state::half_open) {
    shown.retry_after = at.wait_for_place(*rules);
    shown.probes_succeeded = seen.succeeded();
    shown.probes_failed = seen.failed();
    shown.probes_in_flight = seen.in_flight();
    shown.in_flight_limit = rules->limit(seen);
  } else {
    shown.retry_after = circuit_.wait(at);
  }
  if (shown.state == circuit_state::open) shown.open_period = at.period.number();
  return shown;
}

template <detector Detector, clock_source Clock, class Atomics>
circuit_status circuit_breaker<Detector, Clock, Atomics>::status() const noexcept {
  const auto seen = circuit_.observed_word();
  if (seen.state() == circuit_state::closed) return {.epoch = seen.epoch()};
  const auto shown = show(circuit_.look());
  return {shown.state, shown.epoch, shown.retry_after, shown.probes_needed, shown.probes_succeeded};
}

template <detector Detector, clock_source Clock, class Atomics>
breaker_snapshot circuit_breaker<Detector, Clock, Atomics>::snapshot() const noexcept {
  const auto at = circuit_.look();
  auto shown = show(at);
  if (at.word.measures()) shown.count(counts(at));
  circuit_.show_rare(shown);
  // Totals, read beside the word; relaxed, because they order nothing.
  totals_.show_in(shown);
  shown.rejections = rejections_.load(std::memory_order_relaxed);
  if (const auto* spread = circuit_.refusals()) shown.rejections += spread->read();
  return shown;
}

}  // namespace brownout::inline BROWNOUT_ABI
