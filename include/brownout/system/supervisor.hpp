// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/degradation/controller.hpp"
#include "brownout/degradation/dependency_set.hpp"
#include "brownout/degradation/feature_matrix.hpp"
#include "brownout/degradation/feature_view.hpp"
#include "brownout/health/scorer.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/system/supervisor_options.hpp"
#include "brownout/system/watched_dependency.hpp"

#include <boost/circular_buffer.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace brownout {

/// What one step decided.
template <degradation_level Level>
struct step_plan {
  std::vector<probe_order> probes{};  ///< to be run now, each on a thread of its own, and reported
  time_point next{};                  ///< when to step again, if no probe is reported before
  std::vector<circuit_change> circuit_changes{};         ///< since the last step, oldest first
  std::vector<level_transition<Level>> level_changes{};  ///< since the last step, oldest first
};

/// Which features still work, and why: watches the dependencies, scores their health, sets the level.
///
/// Deterministic core: `step` and `report` do all the deciding, at the time they are given; `supervision`
/// calls them from threads, tests call them with a manual clock. The circuits read the clock themselves, so
/// the time given must be that clock's: pass `now()`. Thread-safe: features and calls are
/// lock-free reads and never wait for a step; `step`, `report`, `snapshot` and the overrides share one lock,
/// and no user code runs under it.
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
      : options_{validated(std::move(options), matrix)},
        matrix_{matrix},
        clock_{clock},
        scorer_{weights_of(options_), options_.latency},
        controller_{options_.levels},
        level_changes_(options_.levels.ladder.size(),
                       std::vector<std::uint64_t>(options_.levels.ladder.size())) {
    for (std::size_t i = 0; i < options_.dependencies.size(); ++i) {
      watched_.push_back(std::make_unique<watched>(i, options_.dependencies[i], options_.probe_interval,
                                                   clock_, clock_.now()));
    }
    publish();
  }

  /// What a request may offer now: one acquire load. Take it once a request.
  [[nodiscard]] feature_view<Matrix> features() const noexcept {
    return {matrix_, published_.load(std::memory_order_acquire)};  // (1) synchronizes-with (2)
  }

  /// A dependency by its number or by a user's enum with those values. Precondition: there is one.
  template <class D>
  [[nodiscard]] brownout::dependency<Clock>& at(D number) noexcept {
    BROWNOUT_PRECONDITION(static_cast<std::size_t>(number) < watched_.size(),
                          "supervisor::at(): no such dependency");
    return watched_[static_cast<std::size_t>(number)]->dependency();
  }

  /// Decides everything that is due at `now`. The plan's probes must be run and reported.
  [[nodiscard]] plan_type step(time_point now) {
    const std::lock_guard lock{mutex_};
    plan_type plan;
    plan.next = now + options_.refresh;
    for (auto& one : watched_) {
      if (auto order = one->step(now)) plan.probes.push_back(*order);
      plan.next = std::min(plan.next, one->next_step());
    }
    assess(now);
    if (const auto change = controller_.next_change()) plan.next = std::min(plan.next, *change);
    plan.circuit_changes = std::exchange(new_circuit_changes_, {});
    plan.level_changes = std::exchange(new_level_changes_, {});
    return plan;
  }

  /// Takes the answer of a probe that a step ordered. A late one changes nothing.
  void report(const probe_order& order, const probe_result& found, time_point now) {
    BROWNOUT_PRECONDITION(order.dependency < watched_.size(),
                          "supervisor::report(): an order of no dependency of this supervisor");
    const std::lock_guard lock{mutex_};
    watched_[order.dependency]->report(order.ticket, found, now);
    assess(now);
  }

  /// The probe of a dependency; empty when it has none. Precondition: there is such a dependency.
  [[nodiscard]] const probe& probe_of(std::size_t number) const noexcept {
    BROWNOUT_PRECONDITION(number < options_.dependencies.size(),
                          "supervisor::probe_of(): no such dependency");
    return options_.dependencies[number].check;
  }

  /// Pins a level. Throws `std::invalid_argument` naming field, value and what is allowed.
  void set_override(level_override<level_type> pin, time_point now) {
    const std::lock_guard lock{mutex_};
    note(controller_.set_override(std::move(pin), score_, now));
    publish();
  }
  /// Lets health decide again.
  void clear_override(time_point now) {
    const std::lock_guard lock{mutex_};
    note(controller_.clear_override(score_, now));
    publish();
  }

  /// Looks at the circuits now rather than at the next step: after an operator changed one.
  void refresh(time_point now) {
    const std::lock_guard lock{mutex_};
    assess(now);
  }

  /// Everything there is to show. Allocates.
  [[nodiscard]] system_snapshot<level_type> snapshot(time_point now) const {
    const std::lock_guard lock{mutex_};
    system_snapshot<level_type> shown;
    shown.at = now;
    shown.level = controller_.level();
    shown.health_level = controller_.health_level();
    shown.assessed = controller_.assessed();
    shown.score = score_;
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      auto& component = shown.components.emplace_back(watched_[i]->snapshot());
      component.configured_weight = scorer_.weights()[i];
      if (i < contributions_.size()) component.health = contributions_[i];
    }
    shown.active_override = controller_.active_override();
    shown.transitions.assign(transitions_.begin(), transitions_.end());
    shown.circuit_changes.assign(circuit_changes_.begin(), circuit_changes_.end());
    shown.level_changes = level_changes_;
    shown.current_dwell = controller_.current_dwell();
    return shown;
  }

  [[nodiscard]] const Matrix& matrix() const noexcept { return matrix_; }
  [[nodiscard]] const supervisor_options<level_type>& options() const noexcept { return options_; }
  [[nodiscard]] time_point now() const noexcept { return clock_.now(); }

 private:
  using watched = detail::watched_dependency<Clock>;

  static supervisor_options<level_type> validated(supervisor_options<level_type> options,
                                                  const Matrix& matrix) {
    options.validate();
    for (std::size_t i = 0; i < Matrix::size; ++i) {
      const auto& rule = matrix.rule(static_cast<feature_type>(i));
      const auto known = (std::uint64_t{1} << options.dependencies.size()) - 1;
      if ((rule.needs.bits() & ~known) != 0) {
        detail::invalid_option("feature_rule.needs of feature " + std::to_string(i),
                               std::to_string(rule.needs.bits()), "bits of the dependencies there are");
      }
      if (!options.levels.ladder.holds(rule.last)) {
        detail::invalid_option("feature_rule.last of feature " + std::to_string(i),
                               std::to_string(static_cast<std::size_t>(rule.last)), "a level of the ladder");
      }
    }
    return options;
  }

  static std::vector<double> weights_of(const supervisor_options<level_type>& options) {
    std::vector<double> weights;
    for (const auto& one : options.dependencies) weights.push_back(one.weight);
    return weights;
  }

  /// Circuits -> score -> level -> what requests see. Called under the lock.
  void assess(time_point now) {
    std::vector<component_evidence> evidence;
    bool all_answered = true;
    for (auto& one : watched_) {
      one->note_changes(now, {});
      for (auto& change : one->take_changes()) {
        circuit_changes_.push_back(change);
        new_circuit_changes_.push_back(std::move(change));
      }
      evidence.push_back(one->evidence());
      all_answered = all_answered && one->assessed();
    }
    auto report = scorer_.score(evidence);
    contributions_ = std::move(report.components);
    score_ = report.score;
    // The first score waits for every probe: half of the evidence would be as good as a guess.
    note(controller_.update(all_answered || controller_.assessed() ? score_ : std::nullopt, now));
    publish();
  }

  void note(std::optional<level_transition<level_type>> change) {
    if (!change) return;
    ++level_changes_[static_cast<std::size_t>(change->from)][static_cast<std::size_t>(change->to)];
    transitions_.push_back(*change);
    new_level_changes_.push_back(*std::move(change));
  }

  void publish() {
    auto next = last_published_;
    next.level = static_cast<std::uint8_t>(controller_.level());
    next.refusing = 0;
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      // Not the state but whether a call would be refused now. Open with its time over, the next call passes:
      // were its features still off, nobody might make it. Half-open with all probes taken, none passes.
      if (watched_[i]->dependency().breaker().snapshot().retry_after > duration::zero()) {
        next.refusing |= std::uint32_t{1} << i;
      }
    }
    if (next.level == last_published_.level && next.refusing == last_published_.refusing) return;
    next.epoch = (next.epoch + 1) & 0xffffff;
    last_published_ = next;
    published_.store(next, std::memory_order_release);  // (2) publishes the whole snapshot: it is the word
  }

  static_assert(std::has_unique_object_representations_v<degradation_word>);
  static_assert(std::atomic<degradation_word>::is_always_lock_free);

  const supervisor_options<level_type> options_;
  const Matrix matrix_;
  [[no_unique_address]] Clock clock_;
  const scorer scorer_;
  std::vector<std::unique_ptr<watched>> watched_;

  // Written by assess and the overrides under the lock (2), read by every request (1).
  std::atomic<degradation_word> published_{};

  mutable std::mutex mutex_;  // guards everything below, and the probe schedules in watched_
  degradation_word last_published_{};
  controller<level_type> controller_;
  std::optional<double> score_;
  std::vector<contribution> contributions_;
  boost::circular_buffer<level_transition<level_type>> transitions_{remembered_transitions};
  boost::circular_buffer<circuit_change> circuit_changes_{remembered_transitions};
  std::vector<std::vector<std::uint64_t>> level_changes_;
  std::vector<circuit_change> new_circuit_changes_;
  std::vector<level_transition<level_type>> new_level_changes_;
};

}  // namespace brownout
