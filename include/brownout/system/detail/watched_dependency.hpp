// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/detail/call_window.hpp"
#include "brownout/recovery/recovery_predictor.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/probe.hpp"
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

/// A dependency with its probe schedule and the memory of its outages. Deterministic: time is an argument.
/// Not thread-safe: the supervisor calls it under its lock. Calls use the dependency itself.
///
/// A probe that passes its deadline counts as a failure at once. No other probe starts until it returns,
/// because its thread still runs. Each further interval counts as one more failure.
template <clock_source Clock>
class watched_dependency {
 public:
  /// How many recent calls the health is judged by, at least.
  static constexpr std::uint32_t window = 20;
  /// Of this many calls one is timed, unless there are fewer between two steps.
  static constexpr std::uint32_t timed_of_many = 16;

  using dependency_type = brownout::dependency<Clock>;

  watched_dependency(std::size_t number, const dependency_options& options, duration interval,
                     duration suspect_interval, duration stale_after, Clock clock, time_point now)
      : number_{number},
        interval_{interval},
        suspect_interval_{suspect_interval},
        timeout_{options.timeout},
        probed_{static_cast<bool>(options.probe)},
        dependency_{options, clock},
        calls_{window, stale_after},
        next_probe_{now},
        durations_{options.recovery} {}

  /// Does what is due at `now`: gives up an overdue probe, and starts the next one.
  [[nodiscard]] std::optional<probe_order> step(time_point now) {
    choose_timed_calls();
    observe(now);
    if (!probed_) return std::nullopt;
    if (running_ && running_->permit && now >= running_->deadline) {
      static_cast<void>(settle(outcome::failure, "no answer within " + detail::to_text(timeout_), now));
      next_probe_ = next_after(running_->started, now);
      // A probe whose deadline is longer than an interval has failed once, not once for each interval.
      if (next_probe_ <= now) next_probe_ = now + suspect_interval_;
    }
    if (now < next_probe_ || (running_ && running_->permit)) return std::nullopt;
    const auto wait = dependency_.breaker().status().retry_after;
    if (wait > duration::zero()) {  // refused for now: try again when the time is over
      next_probe_ = now + (std::min)(wait, interval_);
      return std::nullopt;
    }
    auto admitted = dependency_.try_acquire();
    observe(now);
    if (!admitted) {  // a real call took the place of the probe
      next_probe_ = now + (std::min)(admitted.rejection().retry_after, interval_);
      return std::nullopt;
    }
    if (running_) {  // the last probe still hangs
      admitted->complete(outcome::failure);
      observe(now, last_error_);
      next_probe_ = next_after(now, now);
      return std::nullopt;
    }
    running_.emplace(running{++tickets_, now, now + timeout_, *std::move(admitted)});
    return probe_order{number_, running_->ticket, running_->deadline};
  }

  /// Takes the answer of a probe. A probe whose deadline has passed was counted as a failure before.
  void report(std::uint64_t ticket, const probe_result& found, time_point now) {
    if (!running_ || running_->ticket != ticket) return;
    last_probe_at_ = now;
    last_probe_latency_ = now - running_->started;
    if (running_->permit) {
      const auto became = now >= running_->deadline
                              ? settle(outcome::failure, "no answer within " + detail::to_text(timeout_), now)
                              : settle(found.result, found.reason, now);
      // A probe that did not count is not repeated at once: it would say the same again.
      next_probe_ = became == disposition::counted ? next_after(running_->started, now)
                                                   : (std::max)(running_->started + interval_, now);
    }
    running_.reset();
  }

  /// Looks at the circuit and notes what it did since the last look: its changes go into `changes()`.
  circuit_status observe(time_point now, std::string_view reason = {}) {
    const auto circuit = dependency_.breaker().status();
    calls_.note(circuit.epoch, now,
                [this](std::uint64_t epoch) { return dependency_.counters().read(epoch); });
    const bool in_one_step = circuit.epoch - std::exchange(known_epoch_, circuit.epoch) == 1;
    if (circuit.state == known_state_) return circuit;
    // Calls may have caused several transitions since: fill in the states that must lie between.
    while (known_state_ != circuit.state) {
      const auto next = next_towards(circuit.state, in_one_step);
      note(known_state_, next, now, reason);
      known_state_ = next;
    }
    // Real calls opened the circuit or took the first probe: our probe is due when the next call may pass.
    if (circuit.state == circuit_state::open || circuit.state == circuit_state::half_open) {
      next_probe_ = (std::min)(next_probe_, now + circuit.retry_after);
    }
    return circuit;
  }

  /// When `step` is due next, if no probe is reported before.
  [[nodiscard]] time_point next_step() const noexcept {
    if (!probed_) return (time_point::max)();
    return running_ && running_->permit ? running_->deadline : next_probe_;
  }

  /// Whether the dependency has answered once, has no probe, or may not be asked now.
  [[nodiscard]] bool assessed(const circuit_status& circuit) const noexcept {
    return !probed_ || answered_ || refuses_calls(circuit.state);
  }

  /// The evidence for the health score. If the next call would pass and there is no probe to make it, the
  /// dependency is unknown. Otherwise an open circuit could keep the features off whose calls alone can close
  /// it.
  [[nodiscard]] component_evidence evidence(const circuit_status& circuit, time_point now) const noexcept {
    component_evidence seen;
    const bool off = circuit.state == circuit_state::open || circuit.state == circuit_state::half_open;
    if (probed_ || !off || circuit.retry_after > duration::zero()) seen = evidence_of_calls(circuit, now);
    seen.measured = measured_;
    return seen;
  }
  /// Takes the service's own measurement; it holds until the next one.
  void take(const measurement& measured) noexcept { measured_ = measured; }

  /// The present outage, from the first opening of the circuit on. Empty without one, and while an operator
  /// holds the circuit.
  [[nodiscard]] std::optional<ongoing_outage> outage(time_point now) const noexcept {
    if (!outage_began_) return std::nullopt;
    return ongoing_outage{.history = &durations_,
                          .elapsed = now - *outage_began_,
                          .not_before = dependency_.breaker().status().retry_after};
  }

  [[nodiscard]] dependency_type& dependency() noexcept { return dependency_; }
  [[nodiscard]] const dependency_type& dependency() const noexcept { return dependency_; }
  [[nodiscard]] std::vector<circuit_change> take_changes() { return std::exchange(changes_, {}); }

  /// The dependency for display. The supervisor adds weight and health.
  [[nodiscard]] component_snapshot snapshot(time_point now) const {
    component_snapshot shown;
    shown.name = dependency_.name();
    shown.circuit = dependency_.breaker().snapshot();
    shown.recent = calls_.statistics(shown.circuit.epoch);
    shown.probed = probed_;
    shown.probe_hanging = running_ && !running_->permit;
    shown.last_probe_at = last_probe_at_;
    shown.last_probe_latency = last_probe_latency_;
    shown.last_error = last_error_;
    shown.changes = counts_;
    shown.outages = outages_;
    shown.outage_time = outage_time_;
    shown.measured = measured_;
    if (const auto lasting = outage(now)) {
      shown.outage_began = outage_began_;
      shown.recovery = durations_.estimate(lasting->elapsed, lasting->not_before);
    }
    return shown;
  }

 private:
  /// While there are few calls, each is timed, so that the mean latency is that of the latest ones.
  void choose_timed_calls() noexcept {
    const auto calls = dependency_.counters().read_all().calls();
    const bool are_few = calls - std::exchange(calls_at_step_, calls) < timed_of_many;
    dependency_.counters().time_one_in(are_few ? 1 : timed_of_many);
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
    std::optional<typename dependency_type::permit> permit;  // empty: given up, and not returned yet
  };

  [[nodiscard]] disposition settle(outcome result, std::string_view reason, time_point now) {
    if (result != outcome::cancelled) answered_ = true;
    if (result == outcome::success || result == outcome::failure) suspected_ = result == outcome::failure;
    if (result == outcome::failure) last_error_ = reason.empty() ? "probe failed" : reason;
    if (result == outcome::success) last_error_.clear();
    const auto became = running_->permit->complete(result, {}, last_error_);
    running_->permit.reset();
    observe(now, last_error_);
    return became;
  }

  /// The next state after the known state, on the way to `state`.
  [[nodiscard]] circuit_state next_towards(circuit_state state, bool in_one_step) const noexcept {
    using enum circuit_state;
    if (known_state_ == open && state == closed && !in_one_step) return half_open;  // recovered, not reset
    if (initiator_of(known_state_, state) != transition_initiator::none) return state;
    return known_state_ == closed ? open : closed;
  }

  /// When the next probe is due. In a half-open circuit at once, because the circuit waits for it.
  [[nodiscard]] time_point next_after(time_point started, time_point now) const noexcept {
    const auto circuit = dependency_.breaker().status();
    if (circuit.state == circuit_state::half_open) return now;
    if (circuit.state == circuit_state::open) return now + (std::min)(circuit.retry_after, interval_);
    return (std::max)(started + (suspected_ ? suspect_interval_ : interval_), now);
  }

  void note(circuit_state from, circuit_state to, time_point now, std::string_view reason) {
    ++counts_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
    if (from == circuit_state::closed && to == circuit_state::open) outage_began_ = now;
    if (outage_began_ && to != circuit_state::open && to != circuit_state::half_open) {
      end_outage(from, to, now - *outage_began_);
    }
    changes_.push_back({number_, from, to, now, std::string{to == circuit_state::open ? reason : ""}});
  }

  /// An outage ends by itself when probes close the circuit. An outage that ends in another way was cut
  /// short: its full length is unknown.
  void end_outage(circuit_state from, circuit_state to, duration lasted) noexcept {
    outage_began_.reset();
    if (from == circuit_state::half_open && to == circuit_state::closed) {
      ++outages_;
      outage_time_ += lasted;
      durations_.note_ended(lasted);
    } else {
      durations_.note_cut_short(lasted);
    }
  }

  std::size_t number_;
  duration interval_;
  duration suspect_interval_;
  duration timeout_;
  bool probed_;
  dependency_type dependency_;
  call_window calls_;
  std::uint64_t calls_at_step_ = 0;

  time_point next_probe_;
  std::uint64_t tickets_ = 0;
  std::optional<running> running_{};
  bool answered_ = false;
  bool suspected_ = false;  // its last probe failed
  std::optional<time_point> last_probe_at_{};
  duration last_probe_latency_{};
  std::string last_error_{};

  circuit_state known_state_ = circuit_state::closed;
  std::uint64_t known_epoch_ = 0;
  std::vector<circuit_change> changes_{};
  circuit_change_counts counts_{};
  std::optional<time_point> outage_began_{};
  std::uint64_t outages_ = 0;
  duration outage_time_{};
  recovery_predictor durations_;
  measurement measured_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
