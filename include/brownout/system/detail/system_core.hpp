// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/chance.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/detail/degradation_word.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/health_report.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/level/level_controller.hpp"
#include "brownout/level/level_override.hpp"
#include "brownout/level/level_transition.hpp"
#include "brownout/recovery/outage_history.hpp"
#include "brownout/recovery/recovery_estimate.hpp"
#include "brownout/system/claim.hpp"
#include "brownout/system/component.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/system/detail/published_view.hpp"
#include "brownout/system/detail/recovery_outlook.hpp"
#include "brownout/system/detail/system_rules.hpp"
#include "brownout/system/detail/transition_log.hpp"
#include "brownout/system/detail/watched_component.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/system/step_plan.hpp"
#include "brownout/system/supervisor_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What a supervisor decides by, and how: circuits -> score -> level -> what requests see.
///
/// Deterministic: time is an argument. Not thread-safe: the supervisor calls it under its lock. It runs no
/// code of the user.
template <degradation_level Level>
class system_core {
 public:
  using options_type = supervisor_options<Level>;
  using plan_type = step_plan<Level>;

  /// Preconditions: options and components are valid. Throws `std::invalid_argument` if they do not fit
  /// together, or if another supervisor watches a component.
  system_core(options_type options, std::span<component* const> components, std::size_t remembered,
              time_point now)
      : options_{std::move(options)},
        dependencies_{described(components)},
        scorer_{roles_of(dependencies_), scoring_of(options_, dependencies_)},
        controller_{options_.levels},
        published_{options_.return_over},
        states_(components.size()),
        evidence_(components.size()),
        transitions_{options_.levels.ladder.size(), remembered},
        remembered_{remembered} {
    for (std::size_t i = 0; i < components.size(); ++i) {
      watched_.push_back(std::make_unique<watched_component>(
          i, *components[i], watching_of(options_, scorer_.options(), dependencies_[i]), mixed(seed_ + i),
          now));
    }
    publish(now);
  }

  /// The word that requests decide by. Thread-safe and wait-free, as nothing else here.
  [[nodiscard]] degradation_word published() const noexcept { return published_.read(); }
  /// Whether the instance wants requests now. Thread-safe and wait-free.
  [[nodiscard]] bool ready() const noexcept {
    return is_ready_.load(std::memory_order_acquire);  // (1) synchronizes-with (2)
  }

  /// `measured`: by number, or empty if nothing is measured.
  [[nodiscard]] plan_type step(std::span<const measurement> measured, time_point now) {
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
    plan.circuit_changes.swap(new_circuit_changes_);
    plan.level_changes = transitions_.take_new();
    return plan;
  }

  void report(const probe_order& order, const probe_result& found, time_point now) {
    watched_[order.dependency]->report(order.ticket, found, now);
    assess(now);
  }

  void set_override(level_override<Level> wanted, time_point now) {
    const auto change = controller_.set_override(std::move(wanted), health_.score, now);
    last_override_ = controller_.active_override();
    note(change);
    publish(now);
    assess(now);
  }
  void clear_override(time_point now) {
    note(controller_.clear_override(health_.score, now));
    publish(now);
    assess(now);
  }

  /// Precondition: the options are valid. Throws as the constructor; then nothing has changed.
  void reconfigure(options_type next, time_point now) {
    scorer changed{roles_of(dependencies_), scoring_of(next, dependencies_)};
    note(controller_.reconfigure(next.levels, health_.score, now));
    published_.reconfigure(next.return_over);
    options_ = std::move(next);
    scorer_ = std::move(changed);
    for (std::size_t i = 0; i < watched_.size(); ++i)
      watched_[i]->reconfigure(watching_of(options_, scorer_.options(), dependencies_[i]), now);
    publish(now);
    assess(now);
  }

  /// Changes the part of a dependency in the score. Throws as the constructor; then nothing has changed.
  template <class Change>
  void change_role(std::size_t which, time_point now, const Change& change) {
    auto next = dependencies_;
    change(next[which]);
    scorer_ = scorer{roles_of(next), scorer_.options()};
    dependencies_ = std::move(next);
    assess(now);
  }

  /// Circuits -> score -> level -> what requests see.
  void assess(time_point now) {
    bool all_answered = true;
    refusing_ = {};
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      auto& one = *watched_[i];
      const auto circuit = one.observe(now);
      for (auto& change : one.history().take_changes()) {
        if (circuit_changes_.size() == remembered_) circuit_changes_.erase(circuit_changes_.begin());
        circuit_changes_.push_back(change);
        if (new_circuit_changes_.size() < most_new) new_circuit_changes_.push_back(std::move(change));
      }
      states_[i] = circuit.state;
      evidence_[i] = one.evidence(circuit, now);
      all_answered = all_answered && one.assessed(circuit, now);
      // Whether a call would be refused now, which the state does not say. When an open period is over, the
      // next call passes, so the features that make it must be on. Half-open with all probes taken, no call
      // passes.
      if (circuit.retry_after > duration::zero()) refusing_.insert(i);
    }
    scorer_.score({evidence_.data(), evidence_.size()}, health_);
    // The first score waits for every probe: half of the evidence could give a wrong level.
    const bool known = all_answered || controller_.assessed();
    note(known ? controller_.update(health_.score, now, health_.at_most) : controller_.wait(now));
    publish(now);
  }

  /// How long a caller stays away who needs this level, or a better one, and these dependencies.
  [[nodiscard]] duration retry_after(Level level, dependency_set needed, time_point now) const {
    const auto refusing = needed & refusing_;
    const auto what = outlook(now).awaited(level, refusing);
    return told(what.predicted, what.known);
  }
  /// The same if the circuits admit calls and the level is allowed: the feature is returning.
  [[nodiscard]] duration retry_after_return(time_point now) const {
    const auto rest = published_.rest_of_return(now);
    return rest == duration::zero() ? rest : told({.not_before = rest}, rest);
  }
  /// Whether these circuits admit calls and the level is allowed, so that a feature which is off returns.
  [[nodiscard]] bool allows(Level level, dependency_set needed) const noexcept {
    return controller_.level() <= level && (needed & refusing_).empty();
  }

  [[nodiscard]] std::vector<outage_history> outages() const {
    std::vector<outage_history> all;
    for (const auto& one : watched_) {
      all.push_back({std::string{one->watched().name()}, one->history().outages()});
    }
    return all;
  }
  std::size_t restore_outages(std::span<const outage_history> seen) {
    std::size_t taken = 0;
    for (const auto& one : seen) {
      for (const auto& watched : watched_) {
        if (watched->watched().name() != one.dependency) continue;
        watched->history().restore(one.outages);
        taken += one.outages.size();
      }
    }
    return taken;
  }

  /// All but what depends on the features.
  [[nodiscard]] system_snapshot<Level> snapshot(time_point now) const {
    system_snapshot<Level> shown;
    shown.at = now;
    shown.level = controller_.level();
    shown.health_level = controller_.health_level();
    shown.assessed = controller_.assessed();
    shown.ready = wants_requests();
    shown.dry_run = options_.levels.dry_run;
    if (shown.assessed) {  // before that, half of the evidence would be shown as the whole
      shown.score = health_.score;
      shown.before_limits = health_.before_limits;
    }
    shown.limit = health_.limit;
    shown.at_most = health_.at_most;
    shown.limited_by = health_.limited_by;
    shown.known_share = health_.known_share;
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      auto& component = shown.components.emplace_back(watched_[i]->snapshot(now));
      component.configured_weight = scorer_.weight(i);
      component.criticality = dependencies_[i].criticality;
      if (i < health_.components.size()) component.health = health_.components[i];
    }
    shown.active_override = controller_.active_override();
    shown.outlook = controller_.outlook(now);
    shown.recovery = outlook(now).to_best();
    shown.transitions = transitions_.last();
    shown.circuit_changes = circuit_changes_;
    shown.level_changes = transitions_.counts();
    shown.current_dwell = controller_.current_dwell();
    return shown;
  }

  [[nodiscard]] const options_type& options() const noexcept { return options_; }
  [[nodiscard]] std::size_t size() const noexcept { return watched_.size(); }
  /// Never changes, so it needs no lock.
  [[nodiscard]] component& at(std::size_t number) const noexcept { return watched_[number]->watched(); }

 private:
  static constexpr std::size_t most_new = 1000;  // circuit changes that no step has taken yet

  static std::vector<dependency_options> described(std::span<component* const> components) {
    std::vector<dependency_options> all;
    for (const auto* one : components) {
      auto& copy = all.emplace_back(one->described());
      // The component keeps the user's functions. A copy of them would be destroyed under the lock.
      copy.measure = nullptr;
      if (copy.probe) copy.probe = [](const probe_context&) { return probe_result{}; };
    }
    return all;
  }

  /// Differs in each process, so that the instances of a fleet do not send their callers back together.
  static std::uint64_t random_seed() {
    std::random_device source;
    return std::uint64_t{source()} << 32 | source();
  }

  void note(const std::optional<level_transition<Level>>& change) {
    if (!change) return;
    gradual_ = change->cause == level_cause::health_recovered || change->cause == level_cause::health_fell ||
               change->cause == level_cause::evidence_lost;
    transitions_.note(*change, health_, states_, last_override_);
  }

  /// Whether the instance wants requests at the level in force. Not at one that is only assumed.
  [[nodiscard]] bool wants_requests() const noexcept {
    return !controller_.assumed() && controller_.level() <= options_.last_ready();
  }

  /// Publishes what was decided to requests. No instance is ready at a level that does not allow it, not even
  /// between two stores: it stops being ready before the level is published, and is ready again after that.
  void publish(time_point now) noexcept {
    const bool ready = wants_requests();
    if (!ready) is_ready_.store(false, std::memory_order_release);
    published_.publish(static_cast<std::size_t>(controller_.level()), refusing_, gradual_, now);
    // (2) release: a thread that finds the instance ready also sees the level published before.
    if (ready) is_ready_.store(true, std::memory_order_release);
  }

  /// What one refused caller is told. Each answer differs.
  [[nodiscard]] duration told(const recovery_estimate& predicted, duration known) const {
    const auto chance = chance_of(seed_, turned_away_++);
    return options_.retry_after.retry_after(predicted, chance, known);
  }

  [[nodiscard]] recovery_outlook<Level> outlook(time_point now) const noexcept {
    return {watched_, scorer_, health_, controller_, now};
  }

  options_type options_;
  const std::uint64_t seed_ = options_.seed != 0 ? options_.seed : random_seed();
  std::vector<dependency_options> dependencies_;  // by number, with the weights in force
  scorer scorer_;
  level_controller<Level> controller_;
  published_view<> published_;
  std::atomic<bool> is_ready_{false};  // written by `publish` (2), read by `ready` (1)
  bool gradual_ = false;               // health caused the last change of the level
  std::vector<circuit_state> states_;  // at the last look, as the next two
  std::vector<component_evidence> evidence_;
  dependency_set refusing_{};
  health_report health_{};
  mutable std::uint64_t turned_away_ = 0;  // answers so far; guarded by the lock as everything here
  std::optional<level_override<Level>> last_override_{};  // in force or not
  transition_log<Level> transitions_;
  std::size_t remembered_;
  std::vector<circuit_change> circuit_changes_{};
  std::vector<circuit_change> new_circuit_changes_{};
  std::vector<std::unique_ptr<watched_component>> watched_{};  // by number
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
