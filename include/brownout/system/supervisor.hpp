// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/chance.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/dimmer.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/feature/feature_view.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/health_report.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/level/level_controller.hpp"
#include "brownout/level/level_override.hpp"
#include "brownout/level/level_transition.hpp"
#include "brownout/recovery/recovery_estimate.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/detail/guarded_mutex.hpp"
#include "brownout/system/detail/level_recovery.hpp"
#include "brownout/system/detail/published_view.hpp"
#include "brownout/system/detail/transition_log.hpp"
#include "brownout/system/detail/watched_dependency.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/system/step_plan.hpp"
#include "brownout/system/supervisor_options.hpp"
#include "brownout/version.hpp"

#include <boost/circular_buffer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Says which features work, and why. It watches the dependencies, scores their health and sets the level.
///
/// Deterministic core: `step` and `report` decide everything, at the time that they are given. `supervision`
/// calls them from threads; tests call them with a manual clock. The circuits read the clock themselves, so
/// pass `now()` of that clock.
///
/// Thread-safe. `features` and calls are lock-free and never wait for a step. `step`, `report`, `snapshot`
/// and the overrides share one lock. Listeners of supervised breakers run under it: they must return soon and
/// must not call the supervisor, which is a broken precondition.
template <class Matrix, clock_source Clock = monotonic_clock>
class supervisor {
 public:
  using feature_type = typename Matrix::feature_type;
  using level_type = typename Matrix::level_type;
  using plan_type = step_plan<level_type>;

  /// How many past transitions a snapshot shows.
  static constexpr std::size_t remembered_transitions = 64;

  /// Throws `std::invalid_argument` naming field, value and range.
  supervisor(supervisor_options<level_type> options, const Matrix& matrix, Clock clock = Clock{})
      : options_{detail::validated(std::move(options), matrix)},
        matrix_{matrix},
        clock_{clock},
        scorer_{options_.roles(), options_.scoring()},
        controller_{options_.levels},
        published_{options_.return_over},
        states_(options_.dependencies.size()),
        evidence_(options_.dependencies.size()),
        transitions_{options_.levels.ladder.size(), remembered_transitions} {
    for (std::size_t i = 0; i < options_.dependencies.size(); ++i) {
      watched_.push_back(std::make_unique<watched>(
          i, options_.dependencies[i], options_.probe_interval, options_.probe_again_after(),
          scorer_.options().component.evidence.stale_limit(), clock_, clock_.now()));
      measured_ = measured_ || options_.dependencies[i].measure;
    }
    publish(clock_.now());
  }

  /// What a request may offer now. Take it once at the start of each request. One acquire load.
  [[nodiscard]] feature_view<Matrix> features() const noexcept {
    return {matrix_, published_.read(), dimmers_.data()};
  }

  /// The dimmer of a feature, for `available(feature, caller)` and `mode(feature, caller)`. At first it
  /// serves every caller. Precondition: the feature exists.
  [[nodiscard]] dimmer& dimmer_of(feature_type feature) noexcept {
    BROWNOUT_PRECONDITION(static_cast<std::size_t>(feature) < Matrix::size,
                          "supervisor::dimmer_of(): no such feature");
    return dimmers_[static_cast<std::size_t>(feature)];
  }

  /// A dependency, by its number or by an enumerator of the user with that value. Precondition: it exists.
  template <class D>
  [[nodiscard]] brownout::dependency<Clock>& at(D number) noexcept {
    BROWNOUT_PRECONDITION(static_cast<std::size_t>(number) < watched_.size(),
                          "supervisor::at(): no such dependency");
    return watched_[static_cast<std::size_t>(number)]->dependency();
  }

  /// Whether the instance wants requests now, for the readiness check of a load balancer: true when the level
  /// in force is no worse than `ready_until`. Before the first assessment the level is the worst one, except
  /// in a dry run. One acquire load.
  [[nodiscard]] bool ready() const noexcept { return features().level() <= options_.last_ready(); }

  /// Decides everything that is due at `now`. The caller must run the probes of the plan and report them.
  [[nodiscard]] plan_type step(time_point now) {
    const auto measured = measure();
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < measured.size(); ++i) watched_[i]->take(measured[i]);
    plan_type plan;
    plan.next = now + options_.refresh;
    for (auto& one : watched_) {
      if (auto order = one->step(now)) plan.probes.push_back(*order);
      plan.next = (std::min)(plan.next, one->next_step());
    }
    assess(now);
    if (const auto change = controller_.next_change()) plan.next = (std::min)(plan.next, *change);
    if (const auto change = published_.next_change(now)) plan.next = (std::min)(plan.next, *change);
    plan.circuit_changes = std::exchange(new_circuit_changes_, {});
    plan.level_changes = transitions_.take_new();
    return plan;
  }

  /// Takes the answer of a probe that a step ordered. A late answer changes nothing.
  void report(const probe_order& order, const probe_result& found, time_point now) {
    BROWNOUT_PRECONDITION(order.dependency < watched_.size(),
                          "supervisor::report(): an order of no dependency of this supervisor");
    const std::lock_guard lock{mutex_};
    watched_[order.dependency]->report(order.ticket, found, now);
    assess(now);
  }

  /// The probe of a dependency; empty when it has none. Precondition: the dependency exists.
  [[nodiscard]] const probe& probe_of(std::size_t number) const noexcept {
    BROWNOUT_PRECONDITION(number < options_.dependencies.size(),
                          "supervisor::probe_of(): no such dependency");
    return options_.dependencies[number].probe;
  }

  /// Pins, caps or freezes the level. Throws `std::invalid_argument` naming field, value and what is allowed.
  void set_override(level_override<level_type> wanted, time_point now) {
    const std::lock_guard lock{mutex_};
    note(controller_.set_override(std::move(wanted), health_.score, now));
    publish(now);
    assess(now);
  }
  /// Ends an override: health decides again.
  void clear_override(time_point now) {
    const std::lock_guard lock{mutex_};
    note(controller_.clear_override(health_.score, now));
    publish(now);
    assess(now);
  }

  /// How long one refused caller should stay away: until the level is likely to be the best again. Each
  /// answer differs, so that callers do not all come back together. For an HTTP Retry-After, round up to
  /// seconds.
  [[nodiscard]] duration retry_after(time_point now) {
    const std::lock_guard lock{mutex_};
    const auto chance = detail::chance_of(seed_, turned_away_++);
    auto expected = recovery(now).value_or(recovery_estimate{});  // an override lasts until its end
    if (const auto held = controller_.active_override()) expected.not_before = held->expires - now;
    return options_.retry_after.retry_after(expected, chance);
  }

  /// Reads the circuits now instead of at the next step. Call it after an operator changed a circuit.
  void refresh(time_point now) {
    const std::lock_guard lock{mutex_};
    assess(now);
  }

  /// The whole system for display. Allocates.
  [[nodiscard]] system_snapshot<level_type> snapshot(time_point now) const {
    const std::lock_guard lock{mutex_};
    system_snapshot<level_type> shown;
    shown.at = now;
    shown.level = controller_.level();
    shown.health_level = controller_.health_level();
    shown.assessed = controller_.assessed();
    shown.ready = ready();
    shown.dry_run = options_.levels.dry_run;
    shown.score = health_.score;
    shown.before_limits = health_.before_limits;
    shown.limit = health_.limit;
    shown.at_most = health_.at_most;
    shown.limited_by = health_.limited_by;
    shown.known_share = health_.known_share;
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      auto& component = shown.components.emplace_back(watched_[i]->snapshot(now));
      component.configured_weight = scorer_.weight(i);
      component.criticality = options_.dependencies[i].criticality;
      if (i < health_.components.size()) component.health = health_.components[i];
    }
    shown.active_override = controller_.active_override();
    shown.outlook = controller_.outlook(now);
    shown.recovery = recovery(now);
    shown.transitions = transitions_.last();
    shown.circuit_changes.assign(circuit_changes_.begin(), circuit_changes_.end());
    shown.level_changes = transitions_.counts();
    shown.current_dwell = controller_.current_dwell();
    return shown;
  }

  [[nodiscard]] const Matrix& matrix() const noexcept { return matrix_; }
  [[nodiscard]] const supervisor_options<level_type>& options() const noexcept { return options_; }
  [[nodiscard]] time_point now() const noexcept { return clock_.now(); }

 private:
  using watched = detail::watched_dependency<Clock>;

  /// What the service measures itself. Calls user code, so no lock is held. One that throws measures nothing.
  [[nodiscard]] std::vector<measurement> measure() const {
    std::vector<measurement> all(measured_ ? options_.dependencies.size() : 0);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& measure_one = options_.dependencies[i].measure;
      if (measure_one) all[i] = detail::contained(measure_one, measurement{});
    }
    return all;
  }

  /// Circuits -> score -> level -> what requests see. Called under the lock.
  void assess(time_point now) {
    bool all_answered = true;
    refusing_ = {};
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      auto& one = *watched_[i];
      const auto circuit = one.observe(now);
      for (auto& change : one.take_changes()) {
        circuit_changes_.push_back(change);
        new_circuit_changes_.push_back(std::move(change));
      }
      states_[i] = circuit.state;
      evidence_[i] = one.evidence(circuit, now);
      all_answered = all_answered && one.assessed(circuit);
      // Whether a call would be refused now, which the state does not say. When an open period is over, the
      // next call passes, so the features that make it must be on. Half-open with all probes taken, no call
      // passes.
      if (circuit.retry_after > duration::zero()) refusing_.insert(i);
    }
    scorer_.score(evidence_, health_);
    // The first score waits for every probe: half of the evidence could give a wrong level.
    const bool known = all_answered || controller_.assessed();
    note(known ? controller_.update(health_.score, now, health_.at_most) : controller_.wait(now));
    publish(now);
  }

  void note(const std::optional<level_transition<level_type>>& change) {
    if (!change) return;
    gradual_ = change->cause == level_cause::health_recovered || change->cause == level_cause::health_fell ||
               change->cause == level_cause::evidence_lost;
    transitions_.note(*change, health_, states_, controller_.active_override());
  }

  /// When the level is predicted to be the best again. Empty at the best level, and while health does not
  /// decide.
  [[nodiscard]] std::optional<recovery_estimate> recovery(time_point now) const {
    const auto& levels = options_.levels;
    const auto level = controller_.health_level();
    if (controller_.overridden() || !controller_.assessed() || level == levels.ladder.best())
      return std::nullopt;
    auto burdens = detail::burdens_of(health_, scorer_.roles());
    for (std::size_t i = 0; i < burdens.size(); ++i) burdens[i].outage = watched_[i]->outage(now);
    const auto dwell = controller_.current_dwell();
    const auto first_step = controller_.outlook(now).better_in.value_or(dwell);
    const auto climb = first_step + (static_cast<duration::rep>(level) - 1) * dwell;
    const auto slack = 100 - levels.needed_for(levels.ladder.best());
    auto found = detail::level_recovery(std::move(burdens), slack, climb);
    if (!health_.score) found.p50 = found.p90 = std::nullopt;
    return found;
  }

  /// One dimmer for each feature, with the salts that `feature_view` uses.
  template <std::size_t... Feature>
  static std::array<dimmer, Matrix::size> make_dimmers(std::index_sequence<Feature...>) {
    return {dimmer{{.salt = Feature}}...};
  }

  /// Differs in each process, so that the instances of a fleet do not send their callers back together.
  static std::uint64_t random_seed() {
    std::random_device source;
    return std::uint64_t{source()} << 32 | source();
  }

  /// Publishes what was decided to requests.
  void publish(time_point now) noexcept {
    published_.publish(static_cast<std::size_t>(controller_.level()), refusing_, gradual_, now);
  }

  const supervisor_options<level_type> options_;
  const Matrix matrix_;
  BROWNOUT_NO_UNIQUE_ADDRESS Clock clock_;
  const scorer scorer_;
  std::vector<std::unique_ptr<watched>> watched_{};
  bool measured_ = false;  // some dependency is measured by the service itself

  std::array<dimmer, Matrix::size> dimmers_ = make_dimmers(std::make_index_sequence<Matrix::size>{});

  mutable detail::guarded_mutex mutex_{};  // guards everything below, and the probe schedules in watched_
  level_controller<level_type> controller_;
  detail::published_view published_;   // its reading needs no lock
  bool gradual_ = false;               // health caused the last change of the level
  std::vector<circuit_state> states_;  // at the last look, as the next two
  std::vector<component_evidence> evidence_;
  dependency_set refusing_{};
  health_report health_{};
  const std::uint64_t seed_ = random_seed();
  std::uint64_t turned_away_ = 0;
  detail::transition_log<level_type> transitions_;
  boost::circular_buffer<circuit_change> circuit_changes_{remembered_transitions};
  std::vector<circuit_change> new_circuit_changes_{};
};

}  // namespace brownout::inline BROWNOUT_ABI
