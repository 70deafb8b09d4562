// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "simulation/circuit_rules.hpp"
#include "simulation/dice.hpp"
#include "simulation/trace.hpp"
#include "simulation/upstream_server.hpp"

#include "brownout/brownout.hpp"
#include "brownout/guard/detail/jitter.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulation {

enum class level { normal, reduced, degraded, emergency };
constexpr std::string_view to_string(level at) {
  constexpr std::array<std::string_view, 4> names{"normal", "reduced", "degraded", "emergency"};
  return names[static_cast<std::size_t>(at)];
}
enum class upstream { database, cache, storage, search };
enum class feature { read, write, images, find };

inline constexpr auto features = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::read, .last = level::emergency},
    {.feature = feature::write, .last = level::degraded, .needs = brownout::needs(upstream::database)},
    {.feature = feature::images,
     .last = level::reduced,
     .needs = brownout::needs(upstream::storage, upstream::cache)},
    {.feature = feature::find, .last = level::normal, .needs = brownout::needs(upstream::search)},
});

using clock = brownout::manual_clock;
using dependency = brownout::dependency<brownout::any_detector, clock>;

inline auto guards_around(dependency& one, brownout::retry_budget& budget, brownout::bulkhead<>& places,
                          const clock& time) {
  using namespace std::chrono_literals;
  return brownout::pipeline{time,
                            brownout::timeout{.limit = 5s},
                            brownout::retry{.tries = 3, .budget = &budget, .idempotent = true},
                            one,
                            places,
                            brownout::timeout{.limit = 2s}};
}

/// A service with four dependencies under virtual time. One seed decides everything: options, outages,
/// latencies, calls, permits that are kept or dropped, probes that hang, listeners that throw, operators, and
/// a clock that jumps. After each action the rules of docs/semantics.md are checked.
class simulated_service {
 public:
  explicit simulated_service(std::uint64_t seed) : chance_{seed} {
    brownout::detail::thread_jitter().seed(chance_.number());
    for (std::size_t i = 0; i < count; ++i) {
      auto& one = *dependencies_[i];
      rules_.push_back(std::make_unique<circuit_rules>(seen_));
      subscriptions_.push_back(one.subscribe([this, i](const auto& event) { rules_[i]->transition(event); },
                                             brownout::announcements::every_transition));
    }
  }

  void run(int actions) {
    for (int i = 0; i < actions; ++i) {
      act();
      check();
    }
    end();
  }

  [[nodiscard]] const trace& seen() const { return seen_; }

 private:
  static constexpr std::size_t count = 4;
  using permit = dependency::permit;
  using supervisor = brownout::supervisor_for<features, clock>;

  struct kept_permit {
    std::size_t of;
    permit held;
  };

  // How it is made.

  brownout::any_detector some_detector() {
    using namespace std::chrono_literals;
    switch (chance_.below(6)) {
      case 0:
        return brownout::consecutive_failures{chance_.between(1, 5)};
      case 1:
        return brownout::failure_rate<>{.threshold = 0.5, .minimum_calls = 5, .window = {.size = 20}};
      case 2:
        return brownout::failure_rate<brownout::time_window>{
            .threshold = 0.5, .minimum_calls = 5, .window = {.length = 10s}};
      case 3:
        return brownout::failures_within{.threshold = chance_.between(2, 6), .period = 10s};
      case 4:
        return brownout::slow_call_rate<>{.threshold = 0.5, .slower_than = 1s, .minimum_calls = 4};
      default:
        return brownout::standard_detector{};
    }
  }

  brownout::dependency_options some_options(std::size_t number) {
    using namespace std::chrono_literals;
    static constexpr std::array names{"database", "cache", "storage", "search"};
    brownout::dependency_options made;
    made.name = names[number];
    made.weight = 0.1 * chance_.between(1, 5);
    made.criticality = static_cast<brownout::criticality>(chance_.below(3));
    made.breaker.seed = chance_.number() | 1;
    made.breaker.probes = chance_.between(1, 3);
    if (chance_.percent(50)) made.breaker.open_for = std::chrono::milliseconds{chance_.between(100, 20'000)};
    if (chance_.percent(50)) made.breaker.ramp.first = chance_.between(1, 4);
    if (chance_.percent(50)) made.breaker.lease = std::chrono::milliseconds{chance_.between(500, 30'000)};
    if (chance_.percent(30)) made.breaker.probe_rate.calls = chance_.between(1, 6);
    made.timeout = 2s;
    if (chance_.percent(80)) made.probe = brownout::probed_elsewhere;
    return made;
  }

  std::unique_ptr<dependency> some_dependency(std::size_t number) {
    auto detector = some_detector();
    return std::make_unique<dependency>(std::move(detector), some_options(number), clock_);
  }

  brownout::supervisor_options<level> some_supervision() {
    using namespace std::chrono_literals;
    brownout::supervisor_options<level> made{.levels = {.ladder = {{level::normal, 90},
                                                                   {level::reduced, 70},
                                                                   {level::degraded, 40},
                                                                   {level::emergency, 0}}}};
    made.levels.dwell = dwell_;
    made.levels.confirm_for = std::chrono::milliseconds{chance_.between(0, 2'000)};
    made.probe_interval = std::chrono::milliseconds{chance_.between(200, 5'000)};
    made.seed = chance_.number() | 1;
    return made;
  }

  // What happens.

  void act() {
    const auto which = chance_.below(100);
    if (which < 30) return call(chance_.below(count));
    if (which < 45) return step();
    if (which < 55) return guarded_call();
    if (which < 63) return keep_a_permit(chance_.below(count));
    if (which < 71) return settle_a_permit();
    if (which < 79) return pass_time();
    if (which < 89) return change_a_server();
    if (which < 93) return report_a_probe();
    if (which < 96) return command(chance_.below(count));
    if (which < 98) return override_the_level();
    return annoy();
  }

  void call(std::size_t of) { call(of, chance_.percent(5)); }
  void call(std::size_t of, bool throws) {
    auto& one = *dependencies_[of];
    try {
      const auto answer = one.try_call([&] {
        const auto result = servers_[of].ask(chance_, clock_);
        if (throws) throw std::runtime_error{"connection reset"};
        return result;
      });
      seen_.note(answer ? 1 : static_cast<std::uint64_t>(answer.rejection().reason) + 2);
    } catch (const std::runtime_error&) {
      seen_.note(std::uint64_t{0});
    }
  }

  void guarded_call() {
    using namespace std::chrono_literals;
    brownout::call_report report;
    const auto answer = guarded_.try_call(
        [&](const brownout::call_context& context) {
          const auto began = clock_.now();
          require_rule(context.deadline >= began, "T: a call is not begun after its deadline");
          require_rule(places_.snapshot().in_flight == 1, "L: a call in flight has one place");
          return servers_[0].ask(chance_, clock_);
        },
        report);
    require_rule(report.attempts <= 3, "R: no more attempts than tries");
    require_rule(places_.snapshot().in_flight == 0, "L: a call that ended has no place");
    seen_.note(answer ? 1 : 2);
    seen_.note(report.attempts);
  }

  void keep_a_permit(std::size_t of) {
    auto admitted = dependencies_[of]->try_acquire();
    seen_.note(static_cast<bool>(admitted));
    if (admitted) kept_.push_back({of, *std::move(admitted)});
  }
  void settle_a_permit() {
    if (kept_.empty()) return;
    const auto place = chance_.below(kept_.size());
    auto one = std::move(kept_[place]);
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(place));
    if (chance_.percent(20)) return;  // dropped
    const auto before = dependencies_[one.of]->snapshot();
    const bool is_current = one.held.epoch() == before.epoch;
    const auto result = static_cast<brownout::outcome>(chance_.below(4));
    const auto became = one.held.complete(result);
    const auto after = dependencies_[one.of]->snapshot();
    seen_.note(static_cast<std::uint64_t>(became));
    if (is_current) return;
    require_rule(became != brownout::disposition::counted, "B6: a result of an older epoch is not counted");
    require_rule(after.epoch == before.epoch && after.consecutive_failures == before.consecutive_failures &&
                     after.calls == before.calls && after.probes_succeeded == before.probes_succeeded,
                 "B6: a late result changes nothing");
  }

  void pass_time() {
    using namespace std::chrono_literals;
    clock_.set_coarse_lag(std::chrono::milliseconds{chance_.between(0, 10)});
    if (chance_.percent(3)) return clock_.advance(1h);  // the machine slept
    if (chance_.percent(3)) {
      is_disturbed_ = true;
      return clock_.advance(-std::chrono::milliseconds{chance_.between(1, 1'000)});
    }
    clock_.advance(std::chrono::milliseconds{chance_.between(1, 3'000)});
  }

  void change_a_server() {
    auto& one = servers_[chance_.below(count)];
    chance_.percent(50) ? one.repair() : one.change(chance_);
  }

  /// A plan may ask for the next step at once, for each level once at most.
  void step() {
    const auto now = clock_.now();
    for (int again = 0;; ++again) {
      const auto plan = service_.step(now);
      for (const auto& order : plan.probes) orders_.push_back(order);
      for (const auto& change : plan.level_changes) take(change);
      if (plan.next > now || !plan.probes.empty()) return;
      require_rule(again < 4, "S2: steps without an end");
    }
  }

  /// A probe ends, perhaps after its deadline, or hangs.
  void report_a_probe() {
    if (orders_.empty()) return;
    const auto order = orders_.front();
    orders_.erase(orders_.begin());
    if (chance_.percent(10)) return hanging_.push_back(order);
    end_probe(order);
  }
  void end_probe(const brownout::probe_order& order) {
    const auto result = servers_[order.dependency].ask(chance_, clock_);
    service_.report(order, {result, "connection refused"}, clock_.now());
  }

  void take(const brownout::explained_transition<level>& change) {
    using enum brownout::level_cause;
    require_rule(change.from == level_, "D2: a change begins where the last one ended");
    require_rule(change.from != change.to, "D2: a change is to another level");
    if (change.cause == health_recovered) {
      require_rule(static_cast<int>(change.to) == static_cast<int>(change.from) - 1,
                   "D2: better by one step at a time");
      require_rule(is_disturbed_ || change.at - changed_at_ >= dwell_, "D2: better after the dwell");
    }
    if (change.cause == health_fell) require_rule(change.to > change.from, "D2: worse when health falls");
    if (change.score) require_rule(*change.score >= 0 && *change.score <= 100, "H1: a score is 0 to 100");
    level_ = change.to;
    changed_at_ = change.at;
    is_disturbed_ =
        change.at < overridden_until_ || change.cause == override_set || change.cause == override_ended;
    seen_.note(static_cast<std::uint64_t>(change.to) << 8 | static_cast<std::uint64_t>(change.cause));
  }

  void command(std::size_t of) {
    using namespace std::chrono_literals;
    auto& one = *dependencies_[of];
    switch (chance_.below(6)) {
      case 0:
        return one.force_open();
      case 1:
        return one.force_open_for(std::chrono::milliseconds{chance_.between(100, 10'000)});
      case 2:
        return one.disable_for(5s);
      case 3:
        return one.measure_only();
      default:
        return one.reset();
    }
  }

  void override_the_level() {
    using namespace std::chrono_literals;
    is_disturbed_ = true;  // health changes its level unseen
    if (chance_.percent(40)) return service_.clear_override(clock_.now());
    const auto kind = static_cast<brownout::override_kind>(chance_.below(3));
    overridden_until_ = clock_.now() + 30s;
    service_.set_override({static_cast<level>(chance_.below(4)), "a drill", "ann", overridden_until_, kind},
                          clock_.now());
  }

  /// A listener that throws, one that calls back, and one that is gone soon.
  void annoy() {
    auto& one = *dependencies_[chance_.below(count)];
    switch (chance_.below(3)) {
      case 0:
        subscriptions_.push_back(
            one.subscribe([](const auto&) { throw std::runtime_error{"a listener of a user"}; }));
        break;
      case 1:
        subscriptions_.push_back(one.subscribe([&one](const auto& event) {
          if (event.to == brownout::circuit_state::open && event.cycle > 3) one.reset();
        }));
        break;
      default: {
        const auto gone = std::make_shared<bool>(false);
        {
          const auto soon = one.subscribe(
              [this, gone](const auto&) { is_called_after_its_end_ = is_called_after_its_end_ || *gone; });
        }
        *gone = true;
      }
    }
  }

  // What must hold.

  void check() {
    require_rule(!is_called_after_its_end_, "B10: no listener runs after it was unsubscribed");
    for (std::size_t i = 0; i < count; ++i) {
      const auto epoch = rules_[i]->epoch();
      const auto out = std::count_if(kept_.begin(), kept_.end(), [&](const kept_permit& one) {
        return one.of == i && one.held.epoch() == epoch && one.held.is_probe();
      });
      rules_[i]->check(dependencies_[i]->snapshot(), static_cast<std::uint64_t>(out));
    }
    const auto offered = service_.features();
    for (std::size_t i = 0; i < features.size; ++i) {
      const auto one = static_cast<feature>(i);
      if (!offered.available(one)) continue;
      const auto why = offered.explain(one);
      require_rule(why.allowed_by_level, "D4: a feature beyond its last level");
      require_rule(why.blocked_by.bits() == 0, "D4: a feature without what it needs");
      require_rule(service_.retry_after(one, clock_.now()) == brownout::duration::zero(),
                   "S9: no wait for a feature that is on");
    }
    require_rule(service_.retry_after(clock_.now()) >= brownout::duration::zero(), "D6: no negative wait");
  }

  void check_thoroughly() {
    const auto shown = service_.snapshot(clock_.now());
    if (shown.score) require_rule(*shown.score >= 0 && *shown.score <= 100, "H1: a score is 0 to 100");
    for (const auto& one : shown.components) {
      if (one.health.score) {
        require_rule(*one.health.score >= 0 && *one.health.score <= 100, "H1: a score is 0 to 100");
      }
      require_rule(one.health.lost >= 0 && one.health.lost <= 100, "H4: a loss is 0 to 100 points");
    }
    seen_.note(shown.score ? static_cast<std::uint64_t>(*shown.score * 1000) : 0);
    seen_.note(static_cast<std::uint64_t>(shown.level));
  }

  void end() {
    check_thoroughly();
    kept_.clear();
    for (std::size_t i = 0; i < count; ++i) rules_[i]->check(dependencies_[i]->snapshot(), 0);
    if (chance_.percent(2)) recover();
  }

  /// Everything recovers when its servers do and operators let go, whatever was before.
  void recover() {
    using namespace std::chrono_literals;
    for (auto& one : servers_) one.repair();
    for (const auto& one : dependencies_) {
      if (one->snapshot().state != brownout::circuit_state::open) one->reset();
    }
    service_.clear_override(clock_.now());
    for (const auto& one : std::exchange(hanging_, {})) end_probe(one);
    const auto until = clock_.now() + 20min;
    while (clock_.now() < until && level_ != level::normal) {
      for (std::size_t i = 0; i < count; ++i) call(i, false);
      clock_.advance(500ms);
      step();
      for (const auto& one : std::exchange(orders_, {})) end_probe(one);
    }
    require_rule(level_ == level::normal, "D2: the level is the best again when all are well");
  }

  dice chance_;
  const brownout::duration dwell_ = std::chrono::milliseconds{chance_.between(0, 10'000)};
  clock clock_{};
  trace seen_{};
  std::array<upstream_server, count> servers_{};
  std::array<std::unique_ptr<dependency>, count> dependencies_{some_dependency(0), some_dependency(1),
                                                               some_dependency(2), some_dependency(3)};
  supervisor service_{features,
                      some_supervision(),
                      {{upstream::database, *dependencies_[0]},
                       {upstream::cache, *dependencies_[1]},
                       {upstream::storage, *dependencies_[2]},
                       {upstream::search, *dependencies_[3]}},
                      clock_};
  brownout::retry_budget budget_{{}, clock_};
  brownout::bulkhead<> places_{{.name = "places", .limit = 2}};
  decltype(guards_around(std::declval<dependency&>(), std::declval<brownout::retry_budget&>(),
                         std::declval<brownout::bulkhead<>&>(), std::declval<const clock&>())) guarded_ =
      guards_around(*dependencies_[0], budget_, places_, clock_);
  std::vector<kept_permit> kept_{};
  std::vector<brownout::probe_order> orders_{};
  std::vector<brownout::probe_order> hanging_{};
  level level_ = level::emergency;
  brownout::time_point changed_at_{};
  bool is_disturbed_ = true;  // by an operator or the clock, since the level changed
  brownout::time_point overridden_until_{};
  bool is_called_after_its_end_ = false;
  std::vector<std::unique_ptr<circuit_rules>> rules_{};
  std::vector<brownout::subscription> subscriptions_{};
};

}  // namespace simulation
