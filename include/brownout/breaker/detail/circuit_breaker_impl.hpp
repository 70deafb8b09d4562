// SPDX-License-Identifier: BSL-1.0
#pragma once

// How a circuit breaker decides: the members that are not worth a place in every caller's code.

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/held_places.hpp"
#include "brownout/breaker/detail/probe_decision.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <atomic>

namespace brownout::inline BROWNOUT_ABI {

/// Three functions, so that a call does not save the registers that only a later one needs.
template <detector Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::acquire_slowly(detail::control_word seen) noexcept -> answer {
  if (seen.refuses_all()) return refuse_until_released();
  if (seen.admits_all()) return {this, seen.without_shortcut()};
  if constexpr (detail::has_coarse_now<Clock>) {
    return acquire_by_coarse_clock(seen);
  } else {
    return acquire_by_clock(seen);
  }
}

/// Refuses, where a coarse reading of the clock is enough to do so: as most calls are that are refused.
template <detector Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::acquire_by_coarse_clock(detail::control_word seen) noexcept
    -> answer {
  const auto left = circuit_.surely_refuses_for(seen);
  if (left == duration::zero()) return acquire_by_clock(seen);
  auto reason = rejection_reason::circuit_open;
  if (seen.is(circuit_state::forced_open)) reason = rejection_reason::forced_open;
  if (seen.is(circuit_state::half_open)) {
    const auto rider = detail::held_places::of_this_thread().ride(this, seen);
    if (rider) return {this, *rider};
    reason = rejection_reason::probes_in_flight;
  }
  return refuse(reason, left);
}

template <detector Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::acquire_by_clock(detail::control_word seen) noexcept
    -> answer {
  using enum circuit_state;
  for (;;) {
    if (seen.refuses_all()) return refuse_until_released();
    if (seen.admits_all()) return {this, seen.without_shortcut()};
    const auto state = seen.state();
    const auto at = circuit_.observe(seen);
    if (!at) continue;
    if (state == disabled) {
      if (at->now - at->begun < seen.held_for()) return {this, seen.without_shortcut()};
      const auto next = seen.next_held(closed, circuit_.first_marks());
      if (circuit_.begin_era(seen, next, *at)) seen = next;
      continue;  // as a call on a closed circuit
    }
    detail::control_word next;
    if (state == half_open) {
      const auto rules = circuit_.rules();
      const auto left = circuit_.wait(*at, *rules);
      if (left > duration::zero()) {
        const auto rider = detail::held_places::of_this_thread().ride(this, seen);
        if (rider) return {this, *rider};
        if (!seen.is_ramping()) return refuse(rejection_reason::probes_in_flight, left);
        if (seen.succeeded() > 0 && !circuit_.replace(seen, seen.with_no_streak())) continue;
        return refuse(rejection_reason::recovering, left);
      }
      const bool has_room = seen.in_flight() < rules->limit(seen);  // else every call is lost
      next = has_room ? seen.with_admission() : detail::first_probe(seen, *rules);
    } else if (const auto left = circuit_.wait(*at); left > duration::zero()) {
      if (state == forced_open) return refuse(rejection_reason::forced_open, left);
      if (at->period.waits_after(seen.refused()) && !circuit_.replace(seen, seen.with_refusal())) continue;
      return refuse(rejection_reason::circuit_open, left);
    } else {
      next = detail::first_probe(seen, *circuit_.rules());  // its time is over
    }
    if (circuit_.begin_era(seen, next, *at)) return {this, next.without_shortcut()};
  }
}

/// Apart from `acquire_slowly`, so that a permit taken by hand pays nothing for it.
template <detector Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::acquire_slowly_for_call(detail::control_word seen) noexcept
    -> answer {
  auto given = acquire_slowly(seen);
  if (given.admitted_by != nullptr && given.token.state() == circuit_state::half_open) {
    given.token = detail::held_places::of_this_thread().enter(this, given.token);
  }
  return given;
}

/// What the detector's window is fed and read by: the rule in core/clock.hpp.
template <detector Detector, clock_source Clock, class Atomics>
duration circuit_breaker<Detector, Clock, Atomics>::window_time() const noexcept {
  return Detector::times_calls ? circuit_.elapsed() : circuit_.coarse_elapsed();
}

template <detector Detector, clock_source Clock, class Atomics>
call_sample circuit_breaker<Detector, Clock, Atomics>::sample(detail::control_word seen, start_time started,
                                                              outcome result) const noexcept {
  call_sample call{.epoch = seen.epoch(), .failed = result == outcome::failure};
  if (Detector::reads_clock && (Detector::has_window || call.failed)) call.ended = window_time();
  if constexpr (Detector::times_calls) {
    call.took = call.ended - started.at;
    call.was_overdue = started.was_overdue;
  }
  return call;
}

template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_slowly(detail::control_word token,
                                                                     start_time started, outcome result,
                                                                     duration retry_after) noexcept {
  if constexpr (Detector::counts_overdue) started.was_overdue = in_flight_.leave(started.place);
  const auto seen = circuit_.word();
  const bool judged = result == outcome::success || result == outcome::failure;
  if (judged && seen.era() == token.era() && seen.measures()) [[likely]] {
    const auto call = sample(seen, started, result);
    if constexpr (requires { Detector::record_good(history_, call); }) {
      if (!call.failed) [[likely]] {
        Detector::record_good(history_, call);
        return disposition::counted;
      }
    }
    return record_call(seen, call, retry_after);
  }
  return record_off_closed(seen, token, started, result, retry_after);
}

/// A function of its own, for the registers that it takes.
template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_off_closed(detail::control_word seen,
                                                                         detail::control_word token,
                                                                         start_time started, outcome result,
                                                                         duration retry_after) noexcept {
  token = detail::held_places::of_this_thread().leave(this, token);
  if (detail::ticket::is_rider(token)) return disposition::released;
  if (result == outcome::ignored || result == outcome::cancelled) {
    give_place_back(token);
    return disposition::released;
  }
  if (seen.era() != token.era()) return late();
  if (seen.state() == circuit_state::disabled) return disposition::released;
  return record_probe(seen, sample(seen, started, result), retry_after);
}

/// Closed or metrics_only.
template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_call(detail::control_word seen,
                                                                   const call_sample& call,
                                                                   duration retry_after) noexcept {
  // Before a window takes the call in: else another failure could open the circuit on account of it, for less
  // time than this one asks for.
  if (retry_after > duration::zero() && call.failed && opens_at_once(seen, retry_after)) return counted(true);
  const auto era = seen.era();
  const auto rules = circuit_.policy().detector();
  auto evidence = rules->record(history_, call);
  for (;;) {
    const auto judged = rules->judge(evidence, seen.marks(), call, detail::control_word::most_marks);
    bool done = false;
    if (judged.trips && seen.state() == circuit_state::closed) {
      done = open(seen, call.failed ? retry_after : duration::zero());
    } else {
      done = judged.marks == seen.marks() || circuit_.replace(seen, seen.with_marks(judged.marks));
    }
    if (done) return counted(call.failed);
    // A window has taken the call in while its epoch went on: it counts, only for nothing any more.
    if (seen.era() != era) return Detector::has_window ? counted(call.failed) : late();
    rules->refresh(evidence, history_, call);
  }
}

/// Opens the closed circuit on account of a failure that asks for this wait, where that is wanted.
template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::opens_at_once(detail::control_word seen,
                                                              duration retry_after) noexcept {
  if (!circuit_.rules()->opens_on(retry_after)) return false;
  const auto era = seen.era();
  while (seen.era() == era && seen.state() == circuit_state::closed) {
    if (open(seen, retry_after)) return true;
  }
  return false;
}

template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::open(detail::control_word& seen,
                                                     duration retry_after) noexcept {
  const auto at = circuit_.observe(seen);
  if (!at) return false;
  // Only then is the numbering of open periods begun again.
  const bool begins_outage =
      seen.is_begun_by_operator() || at->now - at->begun >= circuit_.rules()->relapse_within;
  return circuit_.begin_era(seen, seen.next_open(begins_outage, bounded(retry_after)), *at);
}

template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_probe(detail::control_word seen,
                                                                    const call_sample& call,
                                                                    duration retry_after) noexcept {
  const auto era = seen.era();
  auto without_failure = call;  // what is bad of that is slow
  without_failure.failed = false;
  const detail::probe_end ended{call.failed, circuit_.policy().detector()->is_bad(without_failure),
                                call.failed ? bounded(retry_after) : duration::zero()};
  const auto rules = circuit_.rules();
  while (seen.era() == era) {
    const auto next = detail::after_probe(seen, *rules, ended, circuit_.first_marks());
    bool done = false;
    if (next.era() == era) {
      done = circuit_.replace(seen, next);
    } else if (const auto at = circuit_.observe(seen)) {
      done = circuit_.begin_era(seen, next, *at);
    }
    if (done) return counted(call.failed);
  }
  return late();
}

/// Calls that have been in flight for too long count now. What that does to the circuit is decided as if they
/// had just ended.
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
      static_cast<void>(record_call(
          seen, {.epoch = seen.epoch(), .in_flight = true, .took = took, .ended = now}, duration::zero()));
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
  static_cast<void>(record_slowly(token, started, outcome::failure, duration::zero()));
}

/// Half-open, somebody else can have it.
template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::give_place_back(detail::control_word token) noexcept {
  auto seen = circuit_.word();
  while (seen.era() == token.era() && seen.state() == circuit_state::half_open) {
    if (circuit_.replace(seen, seen.with_give_back())) return;
  }
}

/// Closed or metrics_only.
template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::hold(circuit_state state) noexcept {
  auto seen = circuit_.word();
  while (state == circuit_state::closed || !seen.is(state)) {
    const auto at = circuit_.observe(seen);
    if (at && circuit_.begin_era(seen, seen.next_held(state, circuit_.first_marks()), *at)) return;
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
    // A hold that is renewed for longer than its word has room for begins anew.
    if (seen.is(state) && end <= detail::control_word::longest_held) {
      const auto next = seen.with_held_for(end);
      if (next == seen || circuit_.replace(seen, next)) return;
    } else if (circuit_.begin_era(seen, seen.next_held(state, how_long), *at)) {
      return;
    }
  }
}

template <detector Detector, clock_source Clock, class Atomics>
circuit_status circuit_breaker<Detector, Clock, Atomics>::status() const noexcept {
  const auto seen = circuit_.observed_word();
  if (seen.state() == circuit_state::closed) return {.epoch = seen.epoch()};
  const auto shown = snapshot();
  return {shown.state, shown.epoch, shown.retry_after, shown.probes_needed, shown.probes_succeeded};
}

template <detector Detector, clock_source Clock, class Atomics>
breaker_snapshot circuit_breaker<Detector, Clock, Atomics>::snapshot() const noexcept {
  auto seen = circuit_.word();
  auto at = circuit_.observe(seen);
  while (!at) at = circuit_.observe(seen);
  auto shown = circuit_.show(*at);
  if (shown.state == circuit_state::closed || shown.state == circuit_state::metrics_only) {
    const auto rules = circuit_.policy().detector();
    const auto now = Detector::reads_clock ? window_time() : duration::zero();
    const auto evidence = rules->read(history_, {.epoch = seen.epoch(), .ended = now});
    shown.count(rules->statistics(evidence, seen.marks(), detail::control_word::most_marks));
  }
  // relaxed: totals, read beside the word.
  shown.failed_results = failed_.load(std::memory_order_relaxed);
  shown.rejections = rejections_.load(std::memory_order_relaxed);
  if (const auto* spread = circuit_.refusals()) shown.rejections += spread->read();
  shown.late_results = late_.load(std::memory_order_relaxed);
  return shown;
}

}  // namespace brownout::inline BROWNOUT_ABI
