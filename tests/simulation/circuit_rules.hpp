// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "simulation/trace.hpp"

#include "brownout/breaker/snapshot.hpp"
#include "brownout/breaker/transition_event.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>

/// Ends a simulation.
class broken_rule : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void require_rule(bool holds, const char* rule) {
  if (!holds) throw broken_rule{rule};
}

/// What must hold for one circuit in each order of events.
class circuit_rules {
 public:
  explicit circuit_rules(trace& seen) : seen_{seen} {}

  /// A transition, as a listener to all of them has it.
  void transition(const brownout::transition_event& event) {
    if (event.would_have_opened()) return;
    // No exception may leave a listener: what is broken is told by `check`.
    if (event.epoch != epoch_ + 1) broken_ = "B10: transitions come in the order of their epochs";
    if (event.from != state_) broken_ = "B1: a transition begins where the last one ended";
    if (!is_legal(event.from, event.to)) broken_ = "B1: a transition that the table does not have";
    if (event.at < at_) broken_ = "B9: a transition before the one that came before it";
    epoch_ = event.epoch;
    state_ = event.to;
    at_ = event.at;
    seen_.note(event.epoch);
    seen_.note(static_cast<std::uint64_t>(event.to) << 8 | static_cast<std::uint64_t>(event.cause));
    seen_.note(static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
  }

  /// `probes_out`: permits of the present epoch that hold a place and are not settled. The probe of a
  /// supervisor may hold one more.
  void check(const brownout::breaker_snapshot& shown, std::uint64_t probes_out) {
    require_rule(broken_ == nullptr, broken_);
    require_rule(shown.state == state_ && shown.epoch == epoch_, "B17: what is read is as new as the events");
    require_rule(shown.retry_after >= brownout::duration::zero(), "B3: no negative wait");
    if (shown.state != brownout::circuit_state::half_open) return;
    require_rule(shown.probes_in_flight == probes_out || shown.probes_in_flight == probes_out + 1,
                 "B4: each place belongs to a permit that is out");
  }

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

 private:
  /// From the specification: the circuit's own ways, and those of operators, who may hold any circuit and
  /// close any.
  static bool is_legal(brownout::circuit_state from, brownout::circuit_state to) {
    using enum brownout::circuit_state;
    switch (to) {
      case closed:
        return true;
      case forced_open:
      case disabled:
      case metrics_only:
        return true;
      case open:
        return from == closed || from == half_open;
      case half_open:
        return from == open || from == forced_open || from == half_open;
    }
    return false;
  }

  trace& seen_;
  brownout::circuit_state state_ = brownout::circuit_state::closed;
  std::uint64_t epoch_ = 0;
  brownout::time_point at_{};
  const char* broken_ = nullptr;
};
