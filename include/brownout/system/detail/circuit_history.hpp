// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/recovery/outage_history.hpp"
#include "brownout/recovery/recovery_predictor.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What a circuit did, as its supervisor saw it: its changes, and its outages.
///
/// Deterministic: time is an argument. Not thread-safe: the supervisor calls it under its lock.
class circuit_history {
 public:
  /// `number`: of the dependency. Throws `std::invalid_argument` for options that are not valid.
  circuit_history(std::size_t number, const recovery_options& remembered)
      : number_{number}, durations_{remembered} {}

  /// Whether the circuit is in another state than at the last look.
  [[nodiscard]] bool is_news(const circuit_status& circuit) noexcept {
    if (circuit.state != known_state_) return true;
    known_epoch_ = circuit.epoch;
    return false;
  }

  /// Notes how the circuit came to this state. Calls may have caused several transitions since the last look:
  /// the states that must lie between are filled in. `reason`: why it opened, if it did.
  void note(const circuit_status& circuit, time_point now, std::string_view reason) {
    const bool in_one_step = circuit.epoch - std::exchange(known_epoch_, circuit.epoch) == 1;
    while (known_state_ != circuit.state) {
      const auto next = next_towards(circuit.state, in_one_step);
      note_change(known_state_, next, now, reason);
      known_state_ = next;
    }
  }

  /// The present outage, from the first opening of the circuit on. `not_before`: until the next call may
  /// pass. Empty without an outage, and while an operator holds the circuit.
  [[nodiscard]] std::optional<ongoing_outage> outage(time_point now, duration not_before) const noexcept {
    if (!outage_began_) return std::nullopt;
    return ongoing_outage{.history = &durations_, .elapsed = now - *outage_began_, .not_before = not_before};
  }

  /// The changes since the last call of this function.
  [[nodiscard]] std::vector<circuit_change> take_changes() noexcept {
    std::vector<circuit_change> taken;
    taken.swap(changes_);
    return taken;
  }

  /// The lengths of the outages that are remembered.
  [[nodiscard]] std::vector<outage_record> outages() const { return durations_.history(); }
  void restore(const std::vector<outage_record>& outages) noexcept { durations_.remember(outages); }

  /// Fills in what it knows.
  void show(component_snapshot& shown, time_point now) const {
    shown.changes = counts_;
    shown.outages = outages_;
    shown.outage_time = outage_time_;
    shown.last_outages = last_outages_;
    shown.outage_began = outage_began_;
    if (const auto lasting = outage(now, shown.circuit.retry_after))
      shown.recovery = durations_.estimate(lasting->elapsed, lasting->not_before);
  }

 private:
  static constexpr std::size_t remembered_outages = 64;

  /// The next state after the known state, on the way to `state`.
  [[nodiscard]] circuit_state next_towards(circuit_state state, bool in_one_step) const noexcept {
    using enum circuit_state;
    if (known_state_ == open && state == closed && !in_one_step) return half_open;  // recovered, not reset
    if (initiator_of(known_state_, state) != transition_initiator::none) return state;
    return known_state_ == closed ? open : closed;
  }

  void note_change(circuit_state from, circuit_state to, time_point now, std::string_view reason) {
    ++counts_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
    if (from == circuit_state::closed && to == circuit_state::open) {
      outage_began_ = now;
      if (last_outages_.size() == remembered_outages) last_outages_.erase(last_outages_.begin());
      last_outages_.push_back({.number = ++outages_begun_, .began = now, .reason = std::string{reason}});
    }
    if (outage_began_ && from == circuit_state::half_open && to == circuit_state::open) {
      ++last_outages_.back().failed_tries;
      last_outages_.back().last_try_at = now;
    }
    if (outage_began_ && to != circuit_state::open && to != circuit_state::half_open) {
      // Threads that read the clock at once may take the lock in another order.
      end_outage(from, to, (std::max)(now - *outage_began_, duration::zero()));
    }
    changes_.push_back({number_, from, to, now, std::string{to == circuit_state::open ? reason : ""}});
  }

  /// An outage ends by itself when probes close the circuit. An outage that ends in another way was cut
  /// short: its full length is unknown.
  void end_outage(circuit_state from, circuit_state to, duration lasted) noexcept {
    last_outages_.back().ended = *std::exchange(outage_began_, std::nullopt) + lasted;
    if (from == circuit_state::half_open && to == circuit_state::closed) {
      ++outages_;
      outage_time_ += lasted;
      durations_.note_ended(lasted);
    } else {
      durations_.note_cut_short(lasted);
    }
  }

  std::size_t number_;
  circuit_state known_state_ = circuit_state::closed;
  std::uint64_t known_epoch_ = 0;
  std::vector<circuit_change> changes_{};
  circuit_change_counts counts_{};
  std::optional<time_point> outage_began_{};
  std::vector<circuit_outage> last_outages_{};  // the present one is the last
  std::uint64_t outages_begun_ = 0;
  std::uint64_t outages_ = 0;
  duration outage_time_{};
  recovery_predictor durations_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
