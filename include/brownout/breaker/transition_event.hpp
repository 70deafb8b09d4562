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

/// One transition of a circuit breaker and its reason, as listeners receive it.
struct transition_event {
  std::uint64_t epoch = 0;  ///< The epoch that began. Each transition adds 1; a new breaker is in epoch 0.
  circuit_state from = circuit_state::closed;            ///< the state before
  circuit_state to = circuit_state::closed;              ///< the state now
  transition_cause cause = transition_cause::operator_;  ///< why
  time_point at{};                                       ///< when the epoch began, on the breaker's clock

  /// How many times the circuit has opened in the present outage, or in the outage that this event ends: 1 at
  /// the first opening, 0 outside an outage.
  ///
  /// An outage begins when the circuit opens and ends when it closes or an operator holds it. Openings before
  /// the first listener of the breaker are not counted. Openings before missed transitions are not counted
  /// either.
  std::uint32_t cycle = 0;
  /// The length of the outage that this event ends: from the first opening to `at`. 0 if the event does not
  /// end an outage, or if the first opening of the outage was not counted.
  duration outage_lasted{};

  // The counts of the detector when the circuit opened. They include the call at which the detector tripped.
  // If `cause` is `retry_after` or `trip`, they are the counts before the opening. 0 for what the detector
  // does not count, and in other events.
  std::uint32_t consecutive_failures = 0;  ///< failures since the last success
  std::uint32_t failure_balance = 0;       ///< failures less successes, never below 0
  std::uint32_t calls = 0;                 ///< in the detector's window
  std::uint32_t failures = 0;              ///< of these calls
  std::uint32_t slow_calls = 0;            ///< of these calls

  /// The text of the failure that opened the circuit, or the one given to `trip`; up to 119 bytes. Empty if
  /// there was none. Print `text.view()`. It may name hosts and users: think before you publish it.
  bounded_text text{};

  /// True if this event is not a transition but news of a circuit in `metrics_only`: its detector tripped,
  /// and a closed circuit would have opened. It comes once in an epoch, and the epoch continues: `from` and
  /// `to` are `metrics_only`, and `epoch` is the epoch of the transition to it.
  [[nodiscard]] constexpr bool would_have_opened() const noexcept {
    return from == circuit_state::metrics_only && to == circuit_state::metrics_only;
  }

  friend constexpr bool operator==(const transition_event&, const transition_event&) = default;
};

/// Receives transitions in the order of their epochs, one at a time, with no lock held.
///
/// A listener runs on the thread that caused the transition. On this thread it may also receive up to 16
/// transitions that other threads cause meanwhile. Then the next of these threads continues. A listener that
/// blocks also blocks its thread, and the thread that is to continue. Up to 64 transitions wait for the
/// listener. Older transitions are dropped, and `breaker_snapshot::missed_transitions` counts them.
///
/// A `snapshot()` that it takes is never older than the event. It may call the breaker. It receives the
/// transitions that it causes after it has returned. It may subscribe listeners and unsubscribe any of them,
/// itself too. It must not destroy the breaker. Its exceptions are dropped and counted. It must not wait for
/// a lock that a caller of the breaker holds, because it may run inside that call.
using transition_listener = std::function<void(const transition_event&)>;

/// Which transitions a listener receives.
enum class announcements : std::uint8_t {
  /// The events that an operator needs: the opening that begins an outage; the closing that ends it, with the
  /// number of openings as `cycle`; operators' commands; the news that a circuit in `metrics_only` would have
  /// opened. It leaves out half-open and the openings in between.
  ///
  /// A listener that subscribes during an outage receives its end. Read the state of the breaker after you
  /// have subscribed. After missed transitions the next opening counts as a first opening, so that an outage
  /// is announced twice rather than never. A relapse is always announced, even if it comes soon, because the
  /// end of the outage was announced before.
  outages,
  every_transition,
};

namespace detail {

/// Operators' commands and closings are always announced, because each of them begins or ends something.
/// Probing is never announced.
[[nodiscard]] constexpr bool is_announced(const transition_event& event, announcements wanted) noexcept {
  if (wanted == announcements::every_transition) return true;
  if (event.to == circuit_state::open) return event.cycle == 1;
  return event.to != circuit_state::half_open;
}

}  // namespace detail

}  // namespace brownout::inline BROWNOUT_ABI
