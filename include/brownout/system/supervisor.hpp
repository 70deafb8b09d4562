// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/deferred_delivery.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/chance.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/any_detector.hpp"
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
#include "brownout/recovery/recovery_predictor.hpp"
#include "brownout/system/claim.hpp"
#include "brownout/system/component.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/system/detail/level_recovery.hpp"
#include "brownout/system/detail/published_view.hpp"
#include "brownout/system/detail/system_rules.hpp"
#include "brownout/system/detail/transition_log.hpp"
#include "brownout/system/detail/watched_component.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/system/step_plan.hpp"
#include "brownout/system/supervisor_options.hpp"
#include "brownout/version.hpp"

#include <boost/circular_buffer.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Says which features work, and why. It watches the dependencies, scores their health and sets the level.
///
///     brownout::supervisor shop{features,
///                               {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 0}}}},
///                               {{upstream::database, database}, {upstream::payments, payments}}};
///     if (shop.features().available(feature::checkout)) ...
///
/// Deterministic core: `step` and `report` decide everything, at the time that they are given. `supervision`
/// calls them from threads; tests call them with a manual clock. The circuits read the clock themselves, so
/// pass `now()` of that clock.
///
/// Thread-safe. `features` is lock-free and never waits for a step. The other functions share one lock. No
/// code of the user runs under it: listeners of circuits that a step changes run when the lock is released,
/// on the thread of the step. They may call the supervisor.
///
/// The dependencies must outlive it: declare it after them.
template <class Matrix, clock_source Clock = monotonic_clock>
class supervisor {
 public:
  using feature_type = typename Matrix::feature_type;
  using level_type = typename Matrix::level_type;
  using options_type = supervisor_options<level_type>;
  using plan_type = step_plan<level_type>;
  /// A dependency that the supervisor builds from a description.
  using described_dependency = dependency<any_detector, Clock>;

  /// How many past transitions a snapshot shows.
  static constexpr std::size_t remembered_transitions = 64;

  /// `claims` say which dependency each enumerator means. Each number from 0 on must be claimed once, and each
  /// that `matrix` names. The first assessment of the level waits for the first answers of the probes.
  ///
  /// Throws `std::invalid_argument` naming dependency or feature, field, value and range.
  supervisor(const Matrix& matrix, options_type options, std::vector<claim<Clock>> claims,
             Clock clock = Clock{})
      : matrix_{matrix},
        clock_{std::move(clock)},
        options_{validated(std::move(options))},
        controller_{options_.levels},
        published_{options_.return_over},
        transitions_{options_.levels.ladder.size(), remembered_transitions} {
    claims = detail::validated(std::move(claims));
    detail::validate_matrix(matrix_, options_.levels.ladder, claims.size(),
                            [&](std::size_t number) { return claims.front().shown(number); });
    std::vector<component*> objects;
    for (const auto& one : claims) {
      auto& built = described_.emplace_back();
      if (const auto& described = one.description()) {
        built = std::make_unique<described_dependency>(described->detector, described->options, clock_);
      }
      objects.push_back(built ? built.get() : one.object());
      dependencies_.push_back(objects.back()->described());
      measured_ = measured_ || dependencies_.back().measure;
    }
    scorer_.emplace(detail::roles_of(dependencies_), detail::scoring_of(options_, dependencies_));
    const auto now = clock_.now();
    for (std::size_t i = 0; i < objects.size(); ++i) {
      watched_.push_back(std::make_unique<detail::watched_component>(
          i, *objects[i], detail::watching_of(options_, scorer_->options(), dependencies_[i]),
          detail::mixed(seed_ + i), now));
    }
    states_.resize(objects.size());
    evidence_.resize(objects.size());
    set_last_ready();
    publish(now);
  }

  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

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

  /// A dependency, for display and for operators' commands. `which`: the enumerator that claimed it, or its
  /// number. Precondition: it exists.
  template <class D>
  [[nodiscard]] component& at(D which) noexcept {
    return watched_at(which).watched();
  }
  /// A dependency that the supervisor built from a description. Precondition: it exists and was described.
  template <class D>
  [[nodiscard]] described_dependency& described(D which) noexcept {
    static_cast<void>(watched_at(which));
    auto& found = described_[static_cast<std::size_t>(which)];
    BROWNOUT_PRECONDITION(found != nullptr, "supervisor::described(): that dependency is an object of yours");
    return *found;
  }
  /// How many dependencies there are. Their numbers are 0 to this number less one.
  [[nodiscard]] std::size_t size() const noexcept { return watched_.size(); }

  /// Whether the instance wants requests now, for the readiness check of a load balancer: true when the level
  /// in force is no worse than `ready_until`. Before the first assessment the level is the worst one, except
  /// in a dry run. Two acquire loads.
  [[nodiscard]] bool ready() const noexcept {
    // (1) acquire: synchronizes-with (2).
    return static_cast<std::size_t>(features().level()) <= last_ready_.load(std::memory_order_acquire);
  }

  /// Decides everything that is due at `now`. The caller must run the probes of the plan and report them.
  [[nodiscard]] plan_type step(time_point now) {
    const auto measured = measure();
    plan_type plan;
    const detail::deferred_delivery listeners;
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < measured.size(); ++i) watched_[i]->take(measured[i]);
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
    const detail::deferred_delivery listeners;
    const std::lock_guard lock{mutex_};
    watched_[order.dependency]->report(order.ticket, found, now);
    assess(now);
  }

  /// The probe of a dependency; empty when it has none. Precondition: the dependency exists.
  [[nodiscard]] const probe& probe_of(std::size_t number) const noexcept {
    BROWNOUT_PRECONDITION(number < watched_.size(), "supervisor::probe_of(): no such dependency");
    return watched_[number]->watched().described().probe;
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

  /// Replaces the options while the system runs: thresholds, dwell, dry run, intervals of probes, evidence.
  /// Level, relapses, evidence, outages and an override are kept. The number of levels must stay. All options
  /// are replaced, so begin with `options()`.
  ///
  /// A new threshold takes effect at once, as if the score had just arrived: a worse level after
  /// `confirm_for`, a better one after the dwell. Throws `std::invalid_argument` naming field, value and
  /// range; then nothing has changed.
  void reconfigure(options_type options, time_point now) {
    const std::lock_guard lock{mutex_};
    auto next = validated(std::move(options));
    detail::validate_matrix(matrix_, next.levels.ladder, watched_.size(),
                            [](std::size_t number) { return std::to_string(number); });
    scorer changed{detail::roles_of(dependencies_), detail::scoring_of(next, dependencies_)};
    note(controller_.reconfigure(next.levels, health_.score, now));
    published_.reconfigure(next.return_over);
    options_ = std::move(next);
    scorer_ = std::move(changed);
    watch_by_options(now);
    set_last_ready();
    publish(now);
    assess(now);
  }

  /// Changes the share of a dependency in the score while the system runs: 0 to 1e9, as
  /// `dependency_options::weight`. Throws as above. Precondition: the dependency exists.
  template <class D>
  void set_weight(D which, double weight, time_point now) {
    static_cast<void>(watched_at(which));
    detail::require_within("dependency_options.weight", weight, 0.0, scorer::most_weight);
    rescore(which, now, [&](dependency_options& one) { one.weight = weight; });
  }
  /// Changes whether the service can do without a dependency. Throws as above. Precondition: the dependency
  /// exists.
  template <class D>
  void set_criticality(D which, criticality wanted, time_point now) {
    static_cast<void>(watched_at(which));
    rescore(which, now, [&](dependency_options& one) { one.criticality = wanted; });
  }

  /// How long one refused caller should stay away: until the level is likely to be the best again. Each
  /// answer differs, so that callers do not all come back together. For an HTTP Retry-After, round up to
  /// seconds.
  [[nodiscard]] duration retry_after(time_point now) {
    const std::lock_guard lock{mutex_};
    return answer(awaited_for(options_.levels.ladder.best(), {}, now));
  }

  /// How long a caller of this feature should stay away: until the circuits that the feature needs admit
  /// calls, and the level is likely to allow it. Zero while the feature is offered.
  ///
  /// Without a prediction the answer is the rest of the open periods and the dwells on the way, and up to a
  /// quarter more, so that callers do not come back together. Only if no end is known, for example because an
  /// operator holds a circuit, it is `retry_after_policy::fallback`. Precondition: the feature exists.
  [[nodiscard]] duration retry_after(feature_type feature, time_point now) {
    if (features().mode(feature) != feature_mode::off) return duration::zero();
    const std::lock_guard lock{mutex_};
    const auto& rule = matrix_.rule(feature);
    const auto refusing = rule.needs & refusing_;
    if (refusing.empty() && controller_.level() <= rule.last) return options_.return_over;  // it is returning
    return answer(awaited_for(rule.last, refusing, now));
  }

  /// Reads the circuits now instead of at the next step. Call it after an operator changed a circuit.
  void refresh(time_point now) {
    const std::lock_guard lock{mutex_};
    assess(now);
  }

  /// The lengths of the outages that are remembered, for `restore_outages` after a restart.
  [[nodiscard]] std::vector<outage_history> outages() const {
    const std::lock_guard lock{mutex_};
    std::vector<outage_history> all;
    for (const auto& one : watched_) {
      all.push_back({std::string{one->watched().name()}, one->durations().history()});
    }
    return all;
  }
  /// Remembers outages that an earlier process saw, in the order in which they were noted. Dependencies are
  /// found by name; those that no longer exist are left out. Returns how many outages were taken. Throws
  /// `std::invalid_argument` for a negative length; then nothing was taken.
  std::size_t restore_outages(std::span<const outage_history> seen) {
    for (const auto& one : seen) {
      for (const auto& outage : one.outages) {
        detail::require_within("outage.length of " + one.dependency, outage.length, duration{},
                               (duration::max)());
      }
    }
    const std::lock_guard lock{mutex_};
    std::size_t taken = 0;
    for (const auto& one : seen) {
      for (const auto& watched : watched_) {
        if (watched->watched().name() != one.dependency) continue;
        watched->durations().remember(one.outages);
        taken += one.outages.size();
      }
    }
    return taken;
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
      component.configured_weight = scorer_->weight(i);
      component.criticality = dependencies_[i].criticality;
      if (i < health_.components.size()) component.health = health_.components[i];
    }
    const auto offered = features();
    for (std::size_t i = 0; i < Matrix::size; ++i) {
      const auto feature = static_cast<feature_type>(i);
      shown.features.push_back({detail::name_of_enumerator<feature_type>(i), offered.mode(feature)});
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
  /// The options in force. A copy.
  [[nodiscard]] options_type options() const {
    const std::lock_guard lock{mutex_};
    return options_;
  }
  [[nodiscard]] time_point now() const noexcept { return clock_.now(); }

 private:
  /// What a caller waits for.
  struct awaited {
    recovery_estimate recovery{};
    duration known = (duration::max)();  // when it is over at the latest, if what is known comes true
  };

  static options_type validated(options_type options) {
    options.validate();
    return options;
  }

  template <class D>
  [[nodiscard]] detail::watched_component& watched_at(D which) noexcept {
    BROWNOUT_PRECONDITION(static_cast<std::size_t>(which) < watched_.size(),
                          "supervisor: no dependency has this number");
    return *watched_[static_cast<std::size_t>(which)];
  }

  /// What the service measures itself. Calls user code, so no lock is held. One that throws measures nothing.
  [[nodiscard]] std::vector<measurement> measure() const {
    std::vector<measurement> all(measured_ ? watched_.size() : 0);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& measure_one = watched_[i]->watched().described().measure;
      if (measure_one) all[i] = detail::contained(measure_one, measurement{});
    }
    return all;
  }

  // The functions below are called under the lock.

  /// Circuits -> score -> level -> what requests see.
  void assess(time_point now) {
    bool all_answered = true;
    refusing_ = {};
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      auto& one = *watched_[i];
      const auto circuit = one.observe(now);
      for (auto& change : one.take_changes()) {
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
    scorer_->score(evidence_, health_);
    // The first score waits for every probe: half of the evidence could give a wrong level.
    const bool known = all_answered || controller_.assessed();
    note(known ? controller_.update(health_.score, now, health_.at_most) : controller_.wait(now));
    publish(now);
  }

  template <class D, class Change>
  void rescore(D which, time_point now, const Change& change) {
    const std::lock_guard lock{mutex_};
    auto next = dependencies_;
    change(next[static_cast<std::size_t>(which)]);
    scorer_ = scorer{detail::roles_of(next), scorer_->options()};
    dependencies_ = std::move(next);
    assess(now);
  }

  void watch_by_options(time_point now) {
    for (std::size_t i = 0; i < watched_.size(); ++i)
      watched_[i]->reconfigure(detail::watching_of(options_, scorer_->options(), dependencies_[i]), now);
  }

  void set_last_ready() noexcept {
    // (2) release: pairs with (1).
    last_ready_.store(static_cast<std::size_t>(options_.last_ready()), std::memory_order_release);
  }

  void note(const std::optional<level_transition<level_type>>& change) {
    if (!change) return;
    gradual_ = change->cause == level_cause::health_recovered || change->cause == level_cause::health_fell ||
               change->cause == level_cause::evidence_lost;
    transitions_.note(*change, health_, states_, controller_.active_override());
  }

  /// How long a caller that was told nothing else waits.
  [[nodiscard]] duration answer(const awaited& what) noexcept {
    const auto chance = detail::chance_of(seed_, turned_away_++);
    return options_.retry_after.retry_after(what.recovery, chance, what.known);
  }

  /// What a caller waits for who needs `level` or a better one, and these dependencies.
  [[nodiscard]] awaited awaited_for(level_type level, dependency_set refusing, time_point now) const {
    const bool awaits_level = controller_.level() > level;
    if (refusing.empty()) return awaits_level ? awaited_level(level, now) : awaited{};
    auto all = awaited_circuits(refusing, now);
    if (!awaits_level) return all;
    const auto above = awaited_level(level, now);
    all.recovery = recovery_estimate::later_of(all.recovery, above.recovery);
    all.known = (std::max)(all.known, above.known);
    return all;
  }

  [[nodiscard]] awaited awaited_circuits(dependency_set refusing, time_point now) const {
    awaited all{.known = duration::zero()};
    std::vector<ongoing_outage> outages;
    bool predictable = true;
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      if (!refusing.contains(i)) continue;
      all.known = (std::max)(all.known, watched_[i]->refuses_for(now));
      const auto outage = watched_[i]->outage(now);
      if (outage) outages.push_back(*outage);
      predictable = predictable && outage;
    }
    all.recovery = recovery_of_all({outages.data(), outages.size()});
    if (!predictable) all.recovery.p50 = all.recovery.p90 = std::nullopt;
    return all;
  }

  [[nodiscard]] awaited awaited_level(level_type level, time_point now) const {
    if (const auto held = controller_.active_override()) {  // it lasts until its end
      const auto rest = held->expires - now;
      return {.recovery = {.not_before = rest}, .known = rest};
    }
    return {.recovery = recovery_to(level, now).value_or(recovery_estimate{}),
            .known = known_climb(level, now)};
  }

  /// How long it takes to climb from the level of health to `level`, once the score allows it.
  [[nodiscard]] duration climb_to(level_type level, time_point now) const noexcept {
    const auto steps = static_cast<duration::rep>(controller_.health_level()) - static_cast<duration::rep>(level);
    if (steps <= 0) return duration::zero();
    const auto dwell = controller_.current_dwell();
    return controller_.outlook(now).better_in.value_or(dwell) + (steps - 1) * dwell;
  }

  /// The same from the end of the open periods of the circuits that refuse calls, if these are why the level
  /// is worse; otherwise the longest duration.
  [[nodiscard]] duration known_climb(level_type level, time_point now) const {
    const auto slack = 100 - options_.levels.needed_for(level);
    if (!health_.score || !detail::is_by_outages(burdens(now), slack)) return (duration::max)();
    duration open{};
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      if (refuses_calls(states_[i])) open = (std::max)(open, watched_[i]->refuses_for(now));
    }
    const auto climb = climb_to(level, now);
    return open > (duration::max)() - climb ? (duration::max)() : open + climb;
  }

  /// What each dependency takes from the level, and its outage.
  [[nodiscard]] std::vector<detail::level_burden> burdens(time_point now) const {
    auto all = detail::burdens_of(health_, scorer_->roles());
    for (std::size_t i = 0; i < all.size(); ++i) all[i].outage = watched_[i]->outage(now);
    return all;
  }

  /// When health is predicted to reach `level`. Empty if it has.
  [[nodiscard]] std::optional<recovery_estimate> recovery_to(level_type level, time_point now) const {
    if (!controller_.assessed() || controller_.health_level() <= level) return std::nullopt;
    const auto slack = 100 - options_.levels.needed_for(level);
    auto found = detail::level_recovery(burdens(now), slack, climb_to(level, now));
    if (!health_.score) found.p50 = found.p90 = std::nullopt;
    return found;
  }

  /// When the level is predicted to be the best again. Empty at the best level, and while health does not
  /// decide.
  [[nodiscard]] std::optional<recovery_estimate> recovery(time_point now) const {
    if (controller_.overridden()) return std::nullopt;
    return recovery_to(options_.levels.ladder.best(), now);
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

  static constexpr std::size_t most_new = 1000;  // circuit changes that no step has taken yet

  const Matrix matrix_;
  BROWNOUT_NO_UNIQUE_ADDRESS Clock clock_;
  std::array<dimmer, Matrix::size> dimmers_ = make_dimmers(std::make_index_sequence<Matrix::size>{});
  std::vector<std::unique_ptr<described_dependency>> described_{};  // by number; null: an object of the user's
  std::vector<std::unique_ptr<detail::watched_component>> watched_{};  // by number
  bool measured_ = false;  // some dependency is measured by the service itself

  // The index of the worst level at which the instance is ready. Written under the lock (2), read by `ready`
  // (1). Publishes nothing else.
  std::atomic<std::size_t> last_ready_{0};

  mutable std::mutex mutex_{};  // guards everything below, and what is in watched_
  options_type options_;
  const std::uint64_t seed_ = options_.seed != 0 ? options_.seed : random_seed();
  std::vector<dependency_options> dependencies_{};  // by number, with weights in force
  std::optional<scorer> scorer_{};
  level_controller<level_type> controller_;
  detail::published_view published_;   // its reading needs no lock
  bool gradual_ = false;               // health caused the last change of the level
  std::vector<circuit_state> states_{};  // at the last look, as the next two
  std::vector<component_evidence> evidence_{};
  dependency_set refusing_{};
  health_report health_{};
  std::uint64_t turned_away_ = 0;
  detail::transition_log<level_type> transitions_;
  boost::circular_buffer<circuit_change> circuit_changes_{remembered_transitions};
  std::vector<circuit_change> new_circuit_changes_{};
};

/// The type of a supervisor, for a member of a class: `supervisor_for<features>`. `Features`: a `constexpr`
/// feature matrix at namespace scope.
template <const auto& Features, clock_source Clock = monotonic_clock>
using supervisor_for = supervisor<std::remove_cvref_t<decltype(Features)>, Clock>;

}  // namespace brownout::inline BROWNOUT_ABI
