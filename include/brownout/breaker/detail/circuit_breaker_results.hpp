// SPDX-License-Identifier: BSL-1.0
#pragma once

// How a circuit breaker takes the result of a call: the members that are not worth a place in every caller's
// code.

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/detail/announcer.hpp"
#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/held_places.hpp"
#include "brownout/breaker/detail/probe_decision.hpp"
#include "brownout/breaker/detail/result_totals.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::late() noexcept {
  totals_.add_late();
  return disposition::late;
}

template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::counted(detail::result_kind kind, std::uint64_t epoch,
                                                               const failure_report& said) noexcept {
  totals_.add(kind);
  if (kind == detail::result_kind::failed && !said.why.empty())
    circuit_.note_failure(epoch, said.why, circuit_.elapsed());
  return disposition::counted;
}

/// The time for the detector's window, by the rule in core/clock.hpp.
template <detector Detector, clock_source Clock, class Atomics>
duration circuit_breaker<Detector, Clock, Atomics>::window_time() const noexcept {
  return detail::needs_of<Detector>(history_).times_calls ? circuit_.elapsed() : circuit_.coarse_elapsed();
}

template <detector Detector, clock_source Clock, class Atomics>
call_sample circuit_breaker<Detector, Clock, Atomics>::sample(detail::control_word seen, start_time started,
                                                              outcome result) const noexcept {
  call_sample call{.epoch = seen.epoch(), .failed = result == outcome::failure};
  const auto needs = detail::needs_of<Detector>(history_);
  if (needs.times_calls || (needs.reads_clock && (needs.has_window || call.failed)))
    call.ended = window_time();
  if constexpr (Detector::times_calls) {
    if (needs.times_calls) call.took = call.ended - started.at;
    call.was_overdue = started.was_overdue;
  }
  return call;
}

/// No failure.
template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_slowly(detail::control_word token,
                                                                     start_time started,
                                                                     outcome result) noexcept {
  if constexpr (Detector::counts_overdue) started.was_overdue = in_flight_.leave(started.place);
  const auto seen = circuit_.word();
  if (result == outcome::success && seen.era() == token.era() && seen.measures()) [[likely]] {
    const auto call = sample(seen, started, outcome::success);
    if constexpr (requires { Detector::record_good(history_, call); }) {
      Detector::record_good(history_, call);
      return disposition::counted;
    } else {
      return record_call(seen, call, detail::nothing_said);
    }
  }
  return record_off_closed(seen, token, started, result, detail::nothing_said);
}

/// Apart from the above, so that a success does not pay for what only a failure needs.
template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_failure(detail::control_word token,
                                                                      start_time started,
                                                                      duration retry_after,
                                                                      std::string_view why) noexcept {
  if constexpr (Detector::counts_overdue) started.was_overdue = in_flight_.leave(started.place);
  const failure_report said{retry_after, why};
  const auto seen = circuit_.word();
  if (seen.era() == token.era() && seen.measures()) {
    return record_call(seen, sample(seen, started, outcome::failure), said);
  }
  return record_off_closed(seen, token, started, outcome::failure, said);
}

/// A function of its own, because it takes many registers.
template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_off_closed(
    detail::control_word seen, detail::control_word token, start_time started, outcome result,
    const failure_report& said) noexcept {
  token = detail::held_places::of_this_thread().leave(this, token);
  if (detail::ticket::is_rider(token)) return disposition::released;
  if (result != outcome::success && result != outcome::failure) {
    give_place_back(token);
    return disposition::released;
  }
  if (seen.era() != token.era()) return late();
  if (seen.state() == circuit_state::disabled) return disposition::released;
  return record_probe(seen, sample(seen, started, result), said);
}

/// In a closed circuit or in metrics_only. Inlined, because each caller knows whether the call has failed.
template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_call(detail::control_word seen,
                                                                   const call_sample& call,
                                                                   const failure_report& said) noexcept {
  constexpr auto most_marks = detail::control_word::most_marks;
  const bool opens_on_wait =
      call.failed && said.retry_after > duration::zero() && circuit_.rules()->opens_on(said.retry_after);
  // Before the call enters a window. Otherwise another failure could open the circuit because of it, for a
  // shorter time than this one asks for.
  if (opens_on_wait && opens_at_once(seen, said)) return disposition::counted;
  const auto era = seen.era();
  const bool has_window = detail::needs_of<Detector>(history_).has_window;
  const auto rules = circuit_.policy().detector();
  const auto kind = detail::kind_of(call, *rules);
  auto evidence = rules->record(history_, call);
  for (;;) {
    auto judged = rules->judge(evidence, seen.marks(), call, most_marks);
    if (opens_on_wait) judged = {judged.marks, true, transition_cause::retry_after};
    if (judged.trips) [[unlikely]] {
      const auto figures = rules->statistics(evidence, judged.marks, most_marks);
      if (record_trip(seen, judged, figures, kind, said)) return disposition::counted;
    } else if (judged.marks == seen.marks() || circuit_.replace(seen, seen.with_marks(judged.marks))) {
      return counted(kind, call.epoch, said);
    }
    // The call entered a window before its epoch ended, so it was counted.
    if (seen.era() != era) return has_window ? counted(kind, call.epoch, said) : late();
    rules->refresh(evidence, history_, call);
  }
}

template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_probe(detail::control_word seen,
                                                                    const call_sample& call,
                                                                    const failure_report& said) noexcept {
  using enum transition_cause;
  const auto era = seen.era();
  auto without_failure = call;  // if this is bad, the call was slow
  without_failure.failed = false;
  const auto detecting = circuit_.policy().detector();
  const auto kind = detail::kind_of(call, *detecting);
  const detail::probe_end ended{call.failed, detecting->is_bad(without_failure),
                                call.failed ? bounded(said.retry_after) : duration::zero()};
  const auto rules = circuit_.rules();
  while (seen.era() == era) {
    const auto next = detail::after_probe(seen, *rules, ended, circuit_.first_marks());
    if (next.era() == era) {
      if (circuit_.replace(seen, next)) return counted(kind, call.epoch, said);
      continue;
    }
    const auto at = circuit_.observe(seen);
    if (!at) continue;
    if (next.is(circuit_state::open)) {
      const auto cause = rules->opens_on(ended.retry_after) ? transition_cause::retry_after : probe_failed;
      if (change_to_open(seen, next, *at, {cause, {}, said.why}, kind)) return disposition::counted;
    } else if (change(seen, next, *at, {probes_succeeded})) {
      return counted(kind, call.epoch, said);
    }
  }
  return late();
}

/// Counts calls that have been in flight for too long, as if they had just ended.
template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::count_overdue() noexcept {
  if constexpr (Detector::counts_overdue) {  // explicit instantiation comes here for any detector
    const auto limit = [this] { return circuit_.policy().detector()->overdue_after(); };
    const auto now = circuit_.elapsed();
    if (!in_flight_.is_time_to_look(now, limit)) [[likely]]
      return;
    const auto seen = circuit_.word();
    if (!seen.measures()) return;
    in_flight_.count_overdue(seen.epoch(), now, limit(), [&](duration took) {
      static_cast<void>(record_call(seen,
                                    {.epoch = seen.epoch(), .in_flight = true, .took = took, .ended = now},
                                    detail::nothing_said));
    });
  }
}

template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::give_back(detail::control_word token,
                                                          [[maybe_unused]] start_time started) noexcept {
  if constexpr (Detector::counts_overdue) in_flight_.leave(started.place);
  give_place_back(detail::held_places::of_this_thread().leave(this, token));
}

/// A permit is destroyed without a report.
template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::abandon(detail::control_word token,
                                                        start_time started) noexcept {
  if (!detail::is_unwinding()) return give_back(token, started);
  static_cast<void>(record_failure(token, started, duration::zero(), {}));
}

/// In a half-open circuit another call can have the place.
template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::give_place_back(detail::control_word token) noexcept {
  auto seen = circuit_.word();
  while (seen.era() == token.era() && seen.state() == circuit_state::half_open) {
    if (circuit_.replace(seen, seen.with_give_back())) return;
  }
}

}  // namespace brownout::inline BROWNOUT_ABI
