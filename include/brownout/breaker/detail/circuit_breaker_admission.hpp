// SPDX-License-Identifier: BSL-1.0
#pragma once

// How a circuit breaker admits calls: what is inlined into calls, and what is not worth a place there.

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/held_places.hpp"
#include "brownout/breaker/detail/probe_decision.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <atomic>

namespace brownout::inline BROWNOUT_ABI {

// `inline`, so that compilers inline it into calls as they do with a function that is defined in its class.
template <detector Detector, clock_source Clock, class Atomics>
template <bool WithinCall>
inline auto circuit_breaker<Detector, Clock, Atomics>::acquire() noexcept -> admission {
  if constexpr (Detector::counts_overdue) count_overdue();
  const auto seen = circuit_.word();
  if (seen.is_clean()) [[likely]] {
    return admission{this, seen, start(seen)};
  }
  // A window of time is never clean, so all its calls would pass through the function below.
  if constexpr (Detector::reads_clock && Detector::has_window) {
    if (seen.is(circuit_state::closed)) [[likely]] {
      return admission{this, seen.without_shortcut(), start(seen)};
    }
  }
  // Plain words in registers: returning the admission itself from out of line costs memory traffic.
  const auto slow = WithinCall ? acquire_slowly_for_call(seen) : acquire_slowly(seen);
  return admission{slow.admitted_by, slow.token,
                   slow.admitted_by == nullptr ? start_time{} : start(slow.token)};
}

template <detector Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::refuse(rejection_reason reason, duration retry_after) noexcept
    -> answer {
  if (auto* const spread = circuit_.refusals()) {
    spread->add_one();
  } else {
    rejections_.fetch_add(1, std::memory_order_relaxed);  // a total for display, orders nothing
  }
  return {nullptr, admission::pack(reason, retry_after)};
}

/// For a circuit that an operator holds open, in as few instructions as possible.
template <detector Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::refuse_until_released() noexcept -> answer {
  rejections_.fetch_add(1, std::memory_order_relaxed);  // a total for display, orders nothing
  return {nullptr, admission::pack(rejection_reason::forced_open, rejection::unknown)};
}

template <detector Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::start(detail::control_word token) noexcept -> start_time {
  start_time begun;
  if constexpr (detail::has_needs_of_its_own<Detector>) {
    if (!token.is_clean() && history_.needs().times_calls) begun.at = circuit_.elapsed();
  } else if constexpr (Detector::times_calls) {
    begun.at = circuit_.elapsed();
  }
  if constexpr (Detector::counts_overdue) {
    if (token.measures()) begun.place = in_flight_.enter(token.epoch(), begun.at);
  }
  return begun;
}

/// These are three functions, so that a call does not save registers that only a later one needs.
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

/// Refuses the call if a coarse reading of the clock is enough for that. Most rejections end here.
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
      if (change(seen, next, *at, {transition_cause::hold_over})) seen = next;
      continue;  // as a call on a closed circuit
    }
    detail::control_word next;
    auto cause = transition_cause::open_period_over;
    if (state == half_open) {
      const auto rules = circuit_.rules();
      const auto left = at->wait_for_place(*rules);
      if (left > duration::zero()) {
        const auto rider = detail::held_places::of_this_thread().ride(this, seen);
        if (rider) return {this, *rider};
        if (!seen.is_ramping()) return refuse(rejection_reason::probes_in_flight, left);
        if (seen.succeeded() > 0 && !circuit_.replace(seen, seen.with_no_streak())) continue;
        return refuse(rejection_reason::recovering, left);
      }
      const bool has_room = seen.in_flight() < rules->limit(seen);  // else every call is lost
      next = has_room ? seen.with_admission() : detail::first_probe(seen, *rules);
      cause = transition_cause::probes_lost;  // no news if it has room
    } else if (const auto left = circuit_.wait(*at); left > duration::zero()) {
      if (state == forced_open) return refuse(rejection_reason::forced_open, left);
      if (at->period.waits_after(seen.refused()) && !circuit_.replace(seen, seen.with_refusal())) continue;
      return refuse(rejection_reason::circuit_open, left);
    } else {
      next = detail::first_probe(seen, *circuit_.rules());  // its time is over
      if (state == forced_open) cause = transition_cause::hold_over;
    }
    if (change(seen, next, *at, {cause})) return {this, next.without_shortcut()};
  }
}

/// Apart from `acquire_slowly`, so that it costs a permit nothing that is taken by hand.
template <detector Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::acquire_slowly_for_call(detail::control_word seen) noexcept
    -> answer {
  auto given = acquire_slowly(seen);
  if (given.admitted_by != nullptr && given.token.state() == circuit_state::half_open) {
    given.token = detail::held_places::of_this_thread().enter(this, given.token);
  }
  return given;
}

}  // namespace brownout::inline BROWNOUT_ABI
