// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/chance.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/health/call_statistics.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/detail/call_window.hpp"
#include "brownout/recovery/recovery_predictor.hpp"
#include "brownout/system/component.hpp"
#include "brownout/system/detail/circuit_history.hpp"
#include "brownout/system/detail/refused_share.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// When a component is probed, and which of its calls are evidence.
struct watching_rules {
  duration interval;          // from the start of a probe to the start of the next one
  duration suspect_interval;  // the same after a failed probe, while the circuit is closed
  double jitter;              // share by which each interval is longer or shorter at random
  duration timeout;           // of a probe
  std::uint32_t window;       // calls that the health is judged by, at least
  duration stale_after;       // a silence after which they are forgotten
  std::uint32_t timed_one_in;
};

/// A component as its supervisor sees it: the schedule of its probes, and the memory of its outages.
/// Deterministic: time is an argument. Not thread-safe: the supervisor calls it under its lock. Calls use the
/// component itself.
///
/// A probe that passes its deadline counts as a failure at once. No other probe starts until it returns,
/// because its thread still runs. Each further interval counts as one more failure.
class watched_component {
 public:
  /// Throws `std::invalid_argument` if another supervisor watches it already. `seed`: differs in each
  /// process, so that the instances of a fleet do not probe together.
  watched_component(std::size_t number, component& watched, const watching_rules& rules, std::uint64_t seed,
                    time_point now)
      : number_{number},
        component_{&watched},
        rules_{rules},
        seed_{seed},
        calls_{rules.window, rules.stale_after},
        // The first probes of a fleet that starts at once are spread too.
        next_probe_{now +
                    scaled((std::min)(scaled(rules.interval, rules.jitter), latest_start), next_chance())},
        history_{number, watched.described().recovery} {
    // relaxed: it orders nothing.
    if (component_->watched_.exchange(true, std::memory_order_relaxed)) {
      raise(std::invalid_argument{"supervisor: another supervisor watches '" + std::string{watched.name()} +
                                  "' already"});
    }
  }
  watched_component(const watched_component&) = delete;
  watched_component& operator=(const watched_component&) = delete;
  /// Gives up the probe that runs, so that its place in a half-open circuit is free. After this,
  /// no step sees whether there are few calls, so the usual share of them is timed.
  ~watched_component() {
    if (running_ && running_->holds_permit) component_->end_probe(outcome::cancelled, {});
    component_->time_one_in(rules_.timed_one_in);
    component_->watched_.store(false, std::memory_order_relaxed);
  }

  /// Follows other rules from now on. The calls, the outages and the probe that runs are kept.
  void reconfigure(const watching_rules& rules, time_point now) {
    rules_ = rules;
    calls_.reconfigure(rules.window, rules.stale_after);
    // At a time of its own, since a new configuration may reach a whole fleet at once.
    const auto wait = rules.jitter > 0 ? scaled(rules.interval, next_chance()) : rules.interval;
    next_probe_ = (std::min)(next_probe_, now + wait);
  }

  /// Does what is due at `now`: gives up an overdue probe, and starts the next one.
  [[nodiscard]] std::optional<probe_order> step(time_point now) {
    observe(now);
    choose_timed_calls();
    if (!probed()) return std::nullopt;
    if (running_ && running_->holds_permit && now >= running_->deadline) {
      static_cast<void>(settle(outcome::failure, no_answer(), now));
      next_probe_ = next_after(running_->started, now);
      // A probe whose deadline is longer than an interval has failed once, not once for each interval.
      if (next_probe_ <= now) next_probe_ = now + jittered(rules_.suspect_interval);
    }
    if (now < next_probe_ || (running_ && running_->holds_permit)) return std::nullopt;
    const auto wait = component_->status().retry_after;
    if (wait > duration::zero()) {  // refused for now: try again when the time is over
      next_probe_ = now + (std::min)(wait, rules_.interval);
      return std::nullopt;
    }
    const auto refused = component_->begin_probe();
    observe(now);
    if (refused) {  // a real call took the place of the probe
      next_probe_ = now + (std::min)(refused->retry_after, rules_.interval);
      return std::nullopt;
    }
    if (running_) {  // the last probe still hangs
      note_failed(component_->end_probe(outcome::failure, last_error_));
      observe(now, last_error_);
      // Not at once, even if the circuit waits for a probe: each interval counts as one failure.
      next_probe_ = (std::max)(next_after(now, now), now + jittered(rules_.suspect_interval));
      return std::nullopt;
    }
    if (!first_order_at_) first_order_at_ = now;
    running_.emplace(running{++tickets_, now, now + rules_.timeout});
    return probe_order{number_, running_->ticket, running_->deadline};
  }

  /// Takes the answer of a probe. A probe whose deadline has passed was counted as a failure before.
  void report(std::uint64_t ticket, const probe_result& found, time_point now) {
    if (!running_ || running_->ticket != ticket) return;
    last_probe_at_ = now;
    last_probe_latency_ = now - running_->started;
    if (running_->holds_permit) {
      // A probe that was given up at its deadline, for example by `supervision::stop`, says nothing.
      const bool is_late = now >= running_->deadline && found.result != outcome::cancelled;
      const auto became =
          is_late ? settle(outcome::failure, no_answer(), now) : settle(found.result, found.reason, now);
      // A probe that did not count is not repeated at once: it would say the same again.
      next_probe_ = became == disposition::counted
                        ? next_after(running_->started, now)
                        : (std::max)(running_->started + jittered(rules_.interval), now);
    }
    running_.reset();
  }

  /// Looks at the circuit and notes what it did since the last look: its changes go into `history()`.
  /// `reason`: why it opened, if a probe opened it.
  circuit_status observe(time_point now, std::string_view reason = {}) {
    const auto circuit = component_->status();
    calls_.note(circuit.epoch, now, [this](std::uint64_t epoch) { return component_->calls_of(epoch); });
    refused_.note(component_->described().limited_by, circuit.state, now);
    if (!history_.is_news(circuit)) return circuit;
    breaker_snapshot said;
    if (reason.empty() && circuit.state != circuit_state::closed) {  // calls opened it
      said = component_->snapshot();
      reason = said.last_failure.view();
    }
    history_.note(circuit, now, reason);
    // Real calls opened the circuit or took the first probe: our probe is due when the next call may pass.
    if (circuit.state == circuit_state::open || circuit.state == circuit_state::half_open) {
      next_probe_ = (std::min)(next_probe_, now + circuit.retry_after);
    }
    return circuit;
  }

  /// When `step` is due next, if no probe is reported before.
  [[nodiscard]] time_point next_step() const noexcept {
    if (!probed()) return (time_point::max)();
    return running_ && running_->holds_permit ? running_->deadline : next_probe_;
  }

  /// Whether the dependency has answered once, has no probe, or may not be asked now. Also when its probe had
  /// time for an answer, but never said success or failure.
  [[nodiscard]] bool assessed(const circuit_status& circuit, time_point now) const noexcept {
    if (!probed() || answered_ || refuses_calls(circuit.state)) return true;
    return first_order_at_ && now - *first_order_at_ >= (std::max)(rules_.interval, rules_.timeout);
  }

  /// The evidence for the health score. If the next call would pass and there is no probe to make it, the
  /// dependency is unknown. Otherwise an open circuit could keep the features off whose calls alone can close
  /// it.
  [[nodiscard]] component_evidence evidence(const circuit_status& circuit, time_point now) const noexcept {
    component_evidence seen;
    const bool off = circuit.state == circuit_state::open || circuit.state == circuit_state::half_open;
    if (probed() || !off || circuit.retry_after > duration::zero()) seen = evidence_of_calls(circuit, now);
    seen.refused = refused_.value();
    seen.measured = measured_;
    return seen;
  }
  /// What is measured of a component apart from its calls: by the service, and by the component itself. Calls
  /// code of the user, so no lock may be held. A measurement that throws measures nothing.
  [[nodiscard]] static measurement measured_of(const component& asked) {
    measurement all;
    if (asked.described().measure) all = contained(asked.described().measure, all);
    if (const auto share = asked.share_that_passes()) {  // each of the two can lower the score
      all.success_share = (std::min)(all.success_share.value_or(*share), *share);
    }
    return all;
  }
  /// Takes the latest measurement; it holds until the next one.
  void take(const measurement& measured) noexcept { measured_ = measured; }

  /// The present outage, from the first opening of the circuit on. Empty without one, and while an operator
  /// holds the circuit.
  [[nodiscard]] std::optional<ongoing_outage> outage(time_point now) const noexcept {
    return history_.outage(now, component_->status().retry_after);
  }

  /// How long it refuses calls at most, as far as that is known; the longest duration if it is not.
  [[nodiscard]] duration refuses_for(time_point now) const {
    const auto shown = component_->snapshot();
    if (shown.retry_after == rejection::unknown || shown.state != circuit_state::open)
      return shown.retry_after;
    const auto passed = now - shown.since;
    return (std::max)(shown.retry_after, component_->longest_period(passed + shown.retry_after) - passed);
  }

  [[nodiscard]] component& watched() const noexcept { return *component_; }
  /// What its circuit did, and how long its outages took.
  [[nodiscard]] circuit_history& history() noexcept { return history_; }
  [[nodiscard]] const circuit_history& history() const noexcept { return history_; }

  /// The component for display. The supervisor adds weight and health.
  [[nodiscard]] component_snapshot snapshot(time_point now) const {
    component_snapshot shown;
    shown.name = component_->name();
    shown.circuit = component_->snapshot();
    shown.recent = calls_.statistics(shown.circuit.epoch);
    shown.calls = component_->calls();
    shown.latency = component_->latencies();
    shown.probed = probed();
    shown.probe_hanging = running_ && !running_->holds_permit;
    if (running_) shown.probe_running_for = (std::max)(now - running_->started, duration::zero());
    shown.last_probe_at = last_probe_at_;
    shown.last_probe_latency = last_probe_latency_;
    if (last_success_at_) shown.since_probe_success = (std::max)(now - *last_success_at_, duration::zero());
    shown.last_error = last_error_;
    shown.last_failure_was_probe =
        !shown.circuit.last_failure.empty() && shown.circuit.last_failure_at == probe_failed_at_;
    shown.measured = measured_;
    if (component_->described().limited_by) shown.refused = refused_.value();
    history_.show(shown, now);
    return shown;
  }

 private:
  static constexpr std::uint64_t few_calls = 16;  // between two steps
  static constexpr duration latest_start =
      std::chrono::seconds{1};  // of the first probe: readiness waits for it

  [[nodiscard]] bool probed() const noexcept { return static_cast<bool>(component_->described().probe); }
  [[nodiscard]] std::string no_answer() const { return "no answer within " + to_text(rules_.timeout); }

  [[nodiscard]] double next_chance() noexcept { return chance_of(seed_, drawn_++); }
  [[nodiscard]] static duration scaled(duration one, double by) noexcept {
    return duration{static_cast<duration::rep>(static_cast<double>(one.count()) * by)};
  }
  [[nodiscard]] duration jittered(duration one) noexcept {
    if (rules_.jitter <= 0) return one;
    return scaled(one, 1 + rules_.jitter * (2 * next_chance() - 1));
  }

  /// While there are few calls, each is timed, so that the mean latency is that of the latest ones.
  void choose_timed_calls() noexcept {
    const auto calls = calls_.seen();
    const auto most = rules_.timed_one_in;
    const bool are_few = calls - calls_at_step_ < few_calls;  // a new epoch begins at another number: not few
    calls_at_step_ = calls;
    component_->time_one_in(are_few && most != 0 ? 1 : most);
  }

  [[nodiscard]] component_evidence evidence_of_calls(const circuit_status& circuit,
                                                     time_point now) const noexcept {
    const auto recent = calls_.statistics(circuit.epoch);
    return {.state = circuit.state,
            .calls = recent.calls,
            .successes = recent.successes,
            .mean_latency = recent.mean_latency,
            .probes_needed = circuit.probes_needed,
            .probes_succeeded = circuit.probes_succeeded,
            .age = (std::max)(now - recent.last, duration::zero())};
  }

  struct running {
    std::uint64_t ticket;
    time_point started;
    time_point deadline;
    bool holds_permit = true;  // false: given up, and not returned yet
  };

  [[nodiscard]] disposition settle(outcome result, std::string_view reason, time_point now) {
    if (result == outcome::success || result == outcome::failure) {
      answered_ = true;
      suspected_ = result == outcome::failure;
    }
    if (result == outcome::failure) last_error_ = reason.empty() ? "probe failed" : reason;
    if (result == outcome::success) {
      last_error_.clear();
      last_success_at_ = now;
    }
    const auto became = component_->end_probe(result, last_error_);
    if (result == outcome::failure) note_failed(became);
    running_->holds_permit = false;
    observe(now, last_error_);
    return became;
  }

  /// Keeps in mind that the circuit's last failure is that of a probe.
  void note_failed(disposition became) {
    if (became == disposition::counted) probe_failed_at_ = component_->snapshot().last_failure_at;
  }

  /// When the next probe is due. In a half-open circuit at once, because the circuit waits for it.
  [[nodiscard]] time_point next_after(time_point started, time_point now) noexcept {
    const auto circuit = component_->status();
    if (circuit.state == circuit_state::half_open) return now;
    if (circuit.state == circuit_state::open) return now + (std::min)(circuit.retry_after, rules_.interval);
    return (std::max)(started + jittered(suspected_ ? rules_.suspect_interval : rules_.interval), now);
  }

  std::size_t number_;
  component* component_;
  watching_rules rules_;
  std::uint64_t seed_;
  std::uint64_t drawn_ = 0;  // random numbers so far
  call_window calls_;
  std::uint64_t calls_at_step_ = 0;

  time_point next_probe_;
  std::optional<time_point> first_order_at_{};
  std::uint64_t tickets_ = 0;
  std::optional<running> running_{};
  bool answered_ = false;
  bool suspected_ = false;  // its last probe failed
  std::optional<time_point> last_probe_at_{};
  std::optional<time_point> last_success_at_{};
  duration last_probe_latency_{};
  std::string last_error_{};
  std::optional<time_point> probe_failed_at_{};  // of the latest failed probe, by the clock of the breaker

  circuit_history history_;
  measurement measured_{};
  refused_share refused_{};  // by the limit around it
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
