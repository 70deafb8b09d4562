// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/bounded_text.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <functional>

namespace brownout::inline BROWNOUT_ABI {

/// One transition of a circuit breaker and its reason, as listeners hear of it.
struct transition_event {
  std::uint64_t epoch = 0;  ///< The epoch that began. Each transition adds 1; a new breaker is in epoch 0.
  circuit_state from = circuit_state::closed;
  circuit_state to = circuit_state::closed;
  transition_cause cause = transition_cause::operator_;
  time_point at{};  ///< when the epoch began, on the breaker's clock

  /// How many times the circuit has opened in the outage that it is in, or that this event ends: 1 with the
  /// first opening, 0 outside an outage.
  ///
  /// An outage begins when the circuit opens and ends when it closes or an operator holds it. Openings before
  /// the breaker's first listener are not counted, nor those before transitions that were missed.
  std::uint32_t cycle = 0;
  /// How long the outage lasted that this event ends: from its first opening to `at`. 0 if the event ends no
  /// outage, or one whose first opening was not counted.
  duration outage_lasted{};

  // What the detector had counted when the circuit opened: with the call at which it tripped; without it when
  // `cause` is `retry_after` or `trip`. 0 what the detector does not count, and in other events.
  std::uint32_t consecutive_failures = 0;  ///< failures since the last success
  std::uint32_t failure_balance = 0;       ///< failures less successes, never below 0
  std::uint32_t calls = 0;                 ///< in the detector's window
  std::uint32_t failures = 0;              ///< of these calls
  std::uint32_t slow_calls = 0;            ///< of these calls

  /// The text of the failure that opened the circuit, or the one given to `trip`; up to 119 bytes. Empty if
  /// there was none. Print `text.view()`. It may name hosts and users: think before you publish it.
  bounded_text text{};

  /// Whether this is no transition, but news of a circuit in `metrics_only`: its detector tripped, and a
  /// closed circuit would have opened. Told once in an epoch, which goes on: `from` and `to` are
  /// `metrics_only`, and `epoch` is the epoch of the transition to it.
  [[nodiscard]] constexpr bool would_have_opened() const noexcept {
    return from == circuit_state::metrics_only && to == circuit_state::metrics_only;
  }

  friend constexpr bool operator==(const transition_event&, const transition_event&) = default;
};

/// Hears of transitions: in the order of their epochs, one at a time, with no lock held.
///
/// A listener runs on the thread that caused the transition, and on it may also hear of up to 16 transitions
/// that other threads cause meanwhile; then the next of these threads goes on. A listener that blocks keeps
/// the thread that it runs on, and a thread that is to go on. Up to 64 transitions wait for it; older ones
/// are missed, and `breaker_snapshot::missed_transitions` counts them.
///
/// What it reads by `snapshot()` is never older than the event. It may call the breaker, and hears of the
/// transitions that it causes after it has returned. It may subscribe and unsubscribe, itself too. It must
/// not destroy the breaker. What it throws is dropped and counted. It must not wait for what a caller of the
/// breaker holds, since it may run within that call.
using transition_listener = std::function<void(const transition_event&)>;

/// Which transitions a listener hears of.
enum class announcements : std::uint8_t {
  /// What an operator wants to be told: the opening that begins an outage; the closing that ends it, with the
  /// number of openings as `cycle`; what an operator did; that a circuit in `metrics_only` would have opened.
  /// Neither half-open nor the openings in between.
  ///
  /// A listener that subscribes during an outage hears its end. Ask the breaker for its state once
  /// subscribed. After missed transitions the next opening counts as a first one: an outage is rather
  /// announced twice than never. A relapse is announced too, however soon it comes, since its outage was said
  /// to be over.
  outages,
  every_transition,
};

namespace detail {

/// Operators' commands and closings are always announced, since each begins or ends something. Probing is no
/// news.
[[nodiscard]] constexpr bool is_announced(const transition_event& event, announcements wanted) noexcept {
  if (wanted == announcements::every_transition) return true;
  if (event.to == circuit_state::open) return event.cycle == 1;
  return event.to != circuit_state::half_open;
}

}  // namespace detail

}  // namespace brownout::inline BROWNOUT_ABI
