// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <functional>

namespace brownout::inline BROWNOUT_ABI {

/// One transition of a circuit breaker, as its listeners hear of it.
struct transition_event {
  std::uint64_t epoch = 0;  ///< the epoch that began; grows by one with every transition
  circuit_state from = circuit_state::closed;
  circuit_state to = circuit_state::closed;
  time_point at{};  ///< when, on the breaker's clock

  /// How many times the circuit opened in the outage that it is in or, as this event says, has come out of:
  /// 1 with the first opening, 0 outside an outage. An outage begins when the circuit opens and ends when it
  /// closes or an operator holds it. What came before the breaker's first listener is not counted, nor what
  /// came before transitions that were missed.
  std::uint32_t cycle = 0;

  friend constexpr bool operator==(const transition_event&, const transition_event&) = default;
};

/// Hears of transitions: in the order of their epochs, one at a time, with no lock held.
///
/// Called by whichever thread caused a transition, perhaps also with those that others cause meanwhile; while
/// it blocks, that thread alone waits, and up to 256 transitions queue. It may call into the breaker and
/// cause further transitions, which it hears of after it has returned; it may subscribe and unsubscribe,
/// itself too. It must not destroy the breaker. What it throws is swallowed and counted.
using transition_listener = std::function<void(const transition_event&)>;

/// Which transitions a listener hears of.
enum class announcements : std::uint8_t {
  /// What an operator wants to be told: the opening that begins an outage, the closing that ends it, with the
  /// number of openings as `cycle`, and whatever an operator did. Neither half-open nor the openings in
  /// between.
  ///
  /// Who subscribes in the middle of an outage hears its end: ask the breaker for its state once subscribed.
  /// After missed transitions the next opening counts as a first one: an outage is rather announced twice
  /// than never. So is a relapse, however soon it comes: its outage was said to be over.
  outages,
  every_transition,
};

namespace detail {

/// Operators and closings are always heard, since each begins or ends something: only probing is not news.
[[nodiscard]] constexpr bool is_announced(const transition_event& event, announcements wanted) noexcept {
  if (wanted == announcements::every_transition) return true;
  if (event.to == circuit_state::open) return event.cycle == 1;
  return event.to != circuit_state::half_open;
}

}  // namespace detail

}  // namespace brownout::inline BROWNOUT_ABI
