// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/deferred_delivery.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/any_detector.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/dimmer.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/feature/feature_view.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/level/level_override.hpp"
#include "brownout/recovery/outage_history.hpp"
#include "brownout/system/claim.hpp"
#include "brownout/system/component.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/system/detail/system_core.hpp"
#include "brownout/system/detail/system_rules.hpp"
#include "brownout/system/detail/watched_component.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/system/step_plan.hpp"
#include "brownout/system/supervisor_options.hpp"
#include "brownout/version.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
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
  /// The type of the features.
  using feature_type = typename Matrix::feature_type;
  /// The type of the levels.
  using level_type = typename Matrix::level_type;
  /// The type of the options.
  using options_type = supervisor_options<level_type>;
  /// What a step returns.
  using plan_type = step_plan<level_type>;
  /// A dependency that the supervisor builds from a description.
  using described_dependency = dependency<any_detector, Clock>;

  /// How many past transitions a snapshot shows.
  static constexpr std::size_t remembered_transitions = 64;

  /// `claims` say which dependency each enumerator means. Each number from 0 on must be claimed once, and
  /// each that `matrix` names. The first assessment of the level waits for the first answers of the probes.
  ///
  /// Throws `std::invalid_argument` naming dependency or feature, field, value and range.
  supervisor(const Matrix& matrix, options_type options, std::vector<claim<Clock>> claims,
             Clock clock = Clock{})
      : matrix_{matrix},
        clock_{std::move(clock)},
        core_{validated(std::move(options), matrix_), built(claims = detail::validated(std::move(claims))),
              remembered_transitions, clock_.now()},
        enumeration_{detail::enumeration_of(claims)} {
    detail::validate_needs(matrix_, claims.size(),
                           [&](std::size_t number) { return claims.front().shown(number); });
  }

  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  /// What a request may offer now. Take it once at the start of each request. One acquire load.
  [[nodiscard]] feature_view<Matrix> features() const noexcept {
    return {matrix_, core_.published(), dimmers_.data()};
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
    return core_.at(number_of(which));
  }
  /// As above, for display alone.
  template <class D>
  [[nodiscard]] const component& at(D which) const noexcept {
    return core_.at(number_of(which));
  }
  /// A dependency that the supervisor built from a description. Precondition: it exists and was described.
  template <class D>
  [[nodiscard]] described_dependency& described(D which) noexcept {
    const auto& found = described_[number_of(which)];
    BROWNOUT_PRECONDITION(found != nullptr, "supervisor::described(): that dependency is an object of yours");
    return *found;
  }
  /// How many dependencies there are. Their numbers are 0 to this number less one.
  [[nodiscard]] std::size_t size() const noexcept { return core_.size(); }

  /// Whether the instance wants requests now, for the readiness check of a load balancer: true when the level
  /// in force is no worse than `ready_until`. Before the first assessment the level is the worst one, except
  /// in a dry run; with `level_policy::until_assessed` the answer is false until then. Two acquire loads.
  [[nodiscard]] bool ready() const noexcept { return core_.ready(); }

  /// Decides everything that is due at `now`. The caller must run the probes of the plan and report them.
  [[nodiscard]] plan_type step(time_point now) {
    const auto measured = measure();
    const detail::deferred_delivery listeners;
    const std::lock_guard lock{mutex_};
    return core_.step({measured.data(), size()}, now);
  }

  /// Takes the answer of a probe that a step ordered. A late answer changes nothing.
  void report(const probe_order& order, const probe_result& found, time_point now) {
    BROWNOUT_PRECONDITION(order.dependency < size(),
                          "supervisor::report(): an order of no dependency of this supervisor");
    const detail::deferred_delivery listeners;
    const std::lock_guard lock{mutex_};
    core_.report(order, found, now);
  }

  /// The probe of a dependency; empty when it has none. Precondition: the dependency exists.
  [[nodiscard]] const probe& probe_of(std::size_t number) const noexcept {
    BROWNOUT_PRECONDITION(number < size(), "supervisor::probe_of(): no such dependency");
    return core_.at(number).described().probe;
  }

  /// Pins, caps or freezes the level. Throws `std::invalid_argument` naming field, value and what is allowed.
  void set_override(level_override<level_type> wanted, time_point now) {
    const std::lock_guard lock{mutex_};
    core_.set_override(std::move(wanted), now);
  }
  /// Ends an override: health decides again.
  void clear_override(time_point now) {
    const std::lock_guard lock{mutex_};
    core_.clear_override(now);
  }

  /// Replaces the options while the system runs: thresholds, dwell, dry run, intervals of probes, evidence.
  /// Level, relapses, evidence, outages and an override are kept. The number of levels must stay. All options
  /// are replaced, so begin with `options()`.
  ///
  /// A new threshold takes effect at once, as if the score had just arrived: a worse level after
  /// `confirm_for`, a better one after the dwell. Throws `std::invalid_argument` naming field, value and
  /// range; then nothing has changed.
  void reconfigure(options_type options, time_point now) {
    auto next = validated(std::move(options), matrix_);  // its message may have names from code of the user
    const std::lock_guard lock{mutex_};
    core_.reconfigure(std::move(next), now);
  }

  /// Changes the share of a dependency in the score while the system runs: 0 to 1e9, as
  /// `dependency_options::weight`. Throws as above. Precondition: the dependency exists.
  template <class D>
  void set_weight(D which, double weight, time_point now) {
    detail::require_within("dependency_options.weight of " + std::string{at(which).name()}, weight, 0.0,
                           scorer::most_weight);
    const std::lock_guard lock{mutex_};
    core_.change_role(number_of(which), now, [&](dependency_options& one) { one.weight = weight; });
  }
  /// Changes whether the service can do without a dependency. Throws as above. Precondition: the dependency
  /// exists.
  template <class D>
  void set_criticality(D which, criticality wanted, time_point now) {
    const std::lock_guard lock{mutex_};
    core_.change_role(number_of(which), now, [&](dependency_options& one) { one.criticality = wanted; });
  }

  /// How long one refused caller should stay away: until the level is likely to be the best again. Each
  /// answer differs, so that callers do not all come back together. For an HTTP Retry-After, round up to
  /// seconds.
  [[nodiscard]] duration retry_after(time_point now) const {
    const std::lock_guard lock{mutex_};
    return core_.retry_after(core_.options().levels.ladder.best(), {}, now);
  }

  /// How long a caller of this feature should stay away: until the circuits that the feature needs admit
  /// calls, and the level is likely to allow it. Zero while the feature is offered.
  ///
  /// Without a prediction the answer is the rest of the open periods and the dwells on the way, and up to a
  /// quarter more, so that callers do not come back together. While the feature returns (`return_over`), it
  /// is the rest of the return and up to a quarter more. Only if no end is known, for example because an
  /// operator holds a circuit, it is `retry_after_policy::fallback`. Precondition: the feature exists.
  [[nodiscard]] duration retry_after(feature_type feature, time_point now) const {
    if (features().mode(feature) != feature_mode::off) return duration::zero();
    const std::lock_guard lock{mutex_};
    const auto& rule = matrix_.rule(feature);
    if (core_.allows(rule.last, rule.needs)) return core_.retry_after_return(now);
    return core_.retry_after(rule.last, rule.needs, now);
  }

  /// Reads the circuits now instead of at the next step. Call it after an operator changed a circuit.
  void refresh(time_point now) {
    const std::lock_guard lock{mutex_};
    core_.assess(now);
  }

  /// The lengths of the outages that are remembered, for `restore_outages` after a restart.
  [[nodiscard]] std::vector<outage_history> outages() const {
    const std::lock_guard lock{mutex_};
    return core_.outages();
  }
  /// Remembers outages that an earlier process saw, in the order in which they were noted. Dependencies are
  /// found by name; those that no longer exist are left out. Returns how many outages were taken. Throws
  /// `std::invalid_argument` for a negative length; then nothing was taken.
  std::size_t restore_outages(std::span<const outage_history> seen) {
    for (const auto& one : seen) {
      for (const auto& [length, ended] : one.outages)
        detail::require_within("outage.length of " + one.dependency, length, duration{}, (duration::max)());
    }
    const std::lock_guard lock{mutex_};
    return core_.restore_outages(seen);
  }

  /// The whole system for display. Allocates.
  [[nodiscard]] system_snapshot<level_type> snapshot(time_point now) const {
    std::unique_lock lock{mutex_};
    auto shown = core_.snapshot(now);
    const auto offered = features();
    lock.unlock();  // the names of features come from code of the user
    for (std::size_t i = 0; i < Matrix::size; ++i) {
      const auto feature = static_cast<feature_type>(i);
      const auto verdict = offered.explain(feature);
      shown.feature_modes.push_back({detail::name_of_enumerator<feature_type>(i), verdict.mode,
                                     verdict.allowed_by_level, matrix_.rule(feature).needs,
                                     verdict.blocked_by});
    }
    return shown;
  }

  /// @name At the time of the clock
  /// @{

  /// As the function above with this name, at the time of the clock.
  void set_override(level_override<level_type> wanted) { set_override(std::move(wanted), now()); }
  void clear_override() { clear_override(now()); }
  void reconfigure(options_type options) { reconfigure(std::move(options), now()); }
  template <class D>
  void set_weight(D which, double weight) {
    set_weight(which, weight, now());
  }
  template <class D>
  void set_criticality(D which, criticality wanted) {
    set_criticality(which, wanted, now());
  }
  [[nodiscard]] duration retry_after() const { return retry_after(now()); }
  [[nodiscard]] duration retry_after(feature_type feature) const { return retry_after(feature, now()); }
  void refresh() { refresh(now()); }
  [[nodiscard]] system_snapshot<level_type> snapshot() const { return snapshot(now()); }
  /// @}

  /// The table of features.
  [[nodiscard]] const Matrix& matrix() const noexcept { return matrix_; }
  /// The options in force. A copy.
  [[nodiscard]] options_type options() const {
    const std::lock_guard lock{mutex_};
    return core_.options();
  }
  /// The time of the clock.
  [[nodiscard]] time_point now() const noexcept { return clock_.now(); }

 private:
  static options_type validated(options_type options, const Matrix& matrix) {
    options.validate();
    detail::validate_levels(matrix, options.levels.ladder);
    return options;
  }

  /// The components of the claims, in their order. Those that are described are built here.
  [[nodiscard]] std::vector<component*> built(const std::vector<claim<Clock>>& claims) {
    std::vector<component*> all;
    for (const auto& one : claims) {
      auto& own = described_.emplace_back();
      if (const auto& described = one.description()) {
        own = std::make_unique<described_dependency>(described->detector, described->options, clock_);
      }
      all.push_back(own ? own.get() : one.object());
    }
    return all;
  }

  template <class D>
  [[nodiscard]] std::size_t number_of(D which) const noexcept {
    const auto number = static_cast<std::size_t>(which);
    BROWNOUT_PRECONDITION(number < size(), "supervisor: no dependency has this number");
    BROWNOUT_PRECONDITION(enumeration_.empty() || detail::name_of_enum<D>().empty() ||
                              detail::name_of_enum<D>() == enumeration_,
                          "supervisor: an enumerator of another enum than that of the claims");
    return number;
  }

  /// What is measured of each dependency apart from its calls. Calls user code, so no lock is held.
  [[nodiscard]] std::array<measurement, dependency_set::most> measure() const {
    std::array<measurement, dependency_set::most> all{};
    for (std::size_t i = 0; i < size(); ++i) all[i] = detail::watched_component::measured_of(core_.at(i));
    return all;
  }

  /// One dimmer for each feature, with the salts that `feature_view` uses.
  template <std::size_t... Feature>
  static std::array<dimmer, Matrix::size> make_dimmers(std::index_sequence<Feature...>) {
    return {dimmer{{.salt = Feature}}...};
  }

  const Matrix matrix_;
  BROWNOUT_NO_UNIQUE_ADDRESS Clock clock_;
  std::array<dimmer, Matrix::size> dimmers_ = make_dimmers(std::make_index_sequence<Matrix::size>{});
  std::vector<std::unique_ptr<described_dependency>> described_{};  // null: an object of the user's

  mutable std::mutex mutex_{};  // guards the core, apart from what it says that needs no lock
  detail::system_core<level_type> core_;
  std::string_view enumeration_;  // of the claims; never changes
};

/// The type of a supervisor, for a member of a class: `supervisor_for<features>`. `Features`: a `constexpr`
/// feature matrix at namespace scope.
template <const auto& Features, clock_source Clock = monotonic_clock>
using supervisor_for = supervisor<std::remove_cvref_t<decltype(Features)>, Clock>;

}  // namespace brownout::inline BROWNOUT_ABI
