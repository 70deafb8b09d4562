// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "catch2.hpp"
#include "unit/enum_texts.hpp"
#include "unit/level/levels.hpp"

#include "brownout/feature/feature_matrix.hpp"
#include "brownout/system/supervisor.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace system_test {

using namespace std::chrono_literals;
using brownout::circuit_state;
using brownout::duration;
using brownout::feature_mode;
using brownout::manual_clock;
using brownout::needs;
using brownout::outcome;
using brownout::probe_context;
using brownout::probe_order;
using brownout::probe_result;
using brownout::time_point;
using level_test::ladder;
using level_test::level;

enum class dependency : std::uint8_t { openai, database, redis, s3 };
inline constexpr std::size_t dependency_count = 4;
constexpr std::size_t number(dependency one) {
  return static_cast<std::size_t>(one);
}

enum class feature : std::uint8_t { read_only_access, inventory_management, redis_cache, full_ai_pipeline };

inline constexpr auto matrix = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::read_only_access, .last = level::minimal},
    {.feature = feature::inventory_management, .last = level::minimal, .needs = needs(dependency::database)},
    {.feature = feature::redis_cache, .last = level::degraded, .needs = needs(dependency::redis)},
    {.feature = feature::full_ai_pipeline,
     .last = level::optimal,
     .needs = needs(dependency::openai, dependency::s3)},
});

using supervisor = brownout::supervisor<decltype(matrix), manual_clock>;

/// A dependency that the supervisor builds.
struct described : brownout::dependency_options {
  brownout::consecutive_failures detector{10};
};

/// The options of a supervisor and its dependencies. What is random or has no round figure is off.
struct options : brownout::supervisor_options<level> {
  // NOLINTNEXTLINE(google-explicit-constructor): stands for what it is made of
  options(brownout::supervisor_options<level> given) : supervisor_options{std::move(given)} {
    levels.confirm_for = 0s;
    probe_interval = 10s;
    probe_jitter = 0;
    health.component.evidence.window = 20;
  }

  template <class Clock = manual_clock>
  [[nodiscard]] std::vector<brownout::claim<Clock>> claims() const {
    std::vector<brownout::claim<Clock>> all;
    for (const auto& one : dependencies) all.emplace_back(all.size(), one.detector, one);
    return all;
  }

  std::vector<described> dependencies{};
};

/// A dependency with a probe that is never called here: tests answer for it.
inline described probed(std::string name, double weight, std::uint32_t trips_after, duration open_for,
                        std::uint32_t probes) {
  system_test::described described;
  described.name = std::move(name);
  described.weight = weight;
  described.detector = {trips_after};
  described.breaker.open_for = open_for;
  described.breaker.probes = probes;
  described.breaker.successes = probes;
  described.probe = [](const probe_context&) { return probe_result{}; };
  return described;
}

/// The staging system's four dependencies, with hysteresis 0.
inline options staging_options() {
  options given{{.levels = {.ladder = ladder, .hysteresis = 0, .dwell = 10s}}};
  given.health.component.evidence.minimum_calls = 1;
  given.suspect_interval = given.probe_interval;
  given.dependencies.push_back(probed("openai", 0.50, 5, 30s, 2));
  given.dependencies.push_back(probed("database", 0.30, 3, 20s, 1));
  given.dependencies.push_back(probed("redis", 0.15, 5, 15s, 2));
  given.dependencies.push_back(probed("s3", 0.05, 4, 25s, 2));
  return given;
}

/// How a dependency answers its probes.
enum class health : std::uint8_t { up, down, hangs };

/// The staging system in virtual time. Probes are answered at once, unless their dependency hangs.
class staging {
 public:
  explicit staging(const options& given = staging_options()) : watched{matrix, given, given.claims(), clock} {
    answers.fill(health::up);
  }

  /// Does what is due now, answers included, until nothing is due any more.
  void settle() {
    for (int i = 0; i < 1000; ++i) {
      auto plan = watched.step(clock.now());
      collect(plan);
      next = plan.next;
      bool answered = false;
      for (const auto& order : plan.probes) {
        orders.push_back(order);
        if (answers[order.dependency] == health::hangs) continue;
        report(order, answers[order.dependency] == health::up);
        answered = true;
      }
      if (!answered) return;
    }
    FAIL("probes are due without end");
  }

  /// Lets `time` pass, doing everything when it is due.
  void run(duration time) {
    const auto until = clock.now() + time;
    for (;;) {
      settle();
      REQUIRE(next > clock.now());
      if (next > until) break;
      clock.set(next);
    }
    clock.set(until);
    settle();
  }

  void report(const probe_order& order, bool success) {
    watched.report(order,
                   success ? probe_result{outcome::success, ""} : probe_result{outcome::failure, "refused"},
                   clock.now());
  }

  void fail_call(dependency one) {
    static_cast<void>(watched.described(one).try_acquire()->complete(outcome::failure));
  }

  [[nodiscard]] auto snapshot() const { return watched.snapshot(clock.now()); }
  [[nodiscard]] auto component(dependency one) const { return snapshot().components[number(one)]; }
  [[nodiscard]] circuit_state state(dependency one) { return watched.described(one).observed_state(); }
  [[nodiscard]] std::size_t orders_of(dependency one) const {
    const auto is_of_it = [&](const probe_order& order) { return order.dependency == number(one); };
    return static_cast<std::size_t>(std::count_if(orders.begin(), orders.end(), is_of_it));
  }
  [[nodiscard]] probe_order last_order_of(dependency one) const {
    for (auto order = orders.rbegin(); order != orders.rend(); ++order) {
      if (order->dependency == number(one)) return *order;
    }
    FAIL("it was never probed");
    return {};
  }

  manual_clock clock{time_point{1h}};
  supervisor watched;
  std::array<health, dependency_count> answers{};
  time_point next{};
  std::vector<probe_order> orders;  ///< all that were given, oldest first
  std::vector<brownout::circuit_change> circuit_changes;
  std::vector<brownout::explained_transition<level>> level_changes;

 private:
  void collect(supervisor::plan_type& plan) {
    for (auto& change : plan.circuit_changes) circuit_changes.push_back(std::move(change));
    for (auto& change : plan.level_changes) level_changes.push_back(std::move(change));
  }
};

}  // namespace system_test
