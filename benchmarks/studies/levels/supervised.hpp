// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/world.hpp"

#include "brownout/core/outcome.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/system/claim.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/supervisor.hpp"
#include "brownout/system/supervisor_options.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace studies::levels {

/// Everything that a user of the library writes about a system.
template <class Detector = brownout::standard_detector>
struct system_options {
  std::array<brownout::dependency_options, dependency_count> dependencies{};
  std::array<Detector, dependency_count> detectors{};
  brownout::supervisor_options<level> system{.levels = {.ladder = ladder}};
};

/// The options of a user who gives names, weights, probes and thresholds, and leaves out the rest.
template <class Detector = brownout::standard_detector>
[[nodiscard]] system_options<Detector> default_options() {
  system_options<Detector> given;
  for (const auto which : all_dependencies) {
    auto& one = given.dependencies[index(which)];
    one.name = to_string(which);
    one.weight = weight[index(which)];
  }
  return given;
}

/// The dependencies of a run, in virtual time.
template <class Detector>
class simulated_dependencies {
 public:
  using one_dependency = brownout::dependency<Detector, brownout::manual_clock>;
  using permit = typename one_dependency::permit;

  simulated_dependencies(const system_options<Detector>& given, const world& what_happens,
                         std::uint64_t seed) {
    for (std::size_t i = 0; i < dependency_count; ++i) {
      auto one = given.dependencies[i];
      one.breaker.seed = seed + i;
      // Never called: the simulation answers for it.
      if (what_happens.probed[i]) one.probe = [](const auto&) { return brownout::probe_result{}; };
      all_[i] = std::make_unique<one_dependency>(given.detectors[i], std::move(one), clock_);
    }
  }

  void set(nanoseconds now) { clock_.set(start + now); }
  [[nodiscard]] brownout::time_point now() const { return clock_.now(); }
  [[nodiscard]] const brownout::manual_clock& clock() const { return clock_; }
  [[nodiscard]] static nanoseconds passed_until(brownout::time_point when) { return when - start; }

  [[nodiscard]] one_dependency& at(dependency which) const { return *all_[index(which)]; }
  [[nodiscard]] std::optional<permit> admit(dependency which, nanoseconds now) {
    set(now);
    if (auto admitted = at(which).try_acquire()) return *std::move(admitted);
    return std::nullopt;
  }
  void report(permit ended, nanoseconds now, bool failed) {
    set(now);
    ended.complete(result_of(failed));
  }
  [[nodiscard]] static brownout::outcome result_of(bool failed) {
    return failed ? brownout::outcome::failure : brownout::outcome::success;
  }

 private:
  static constexpr brownout::time_point start{std::chrono::hours{1}};

  brownout::manual_clock clock_{start};
  std::array<std::unique_ptr<one_dependency>, dependency_count> all_;
};

/// The supervisor as it is shipped, in virtual time.
template <class Detector>
class supervised {
 public:
  using permit = typename simulated_dependencies<Detector>::permit;

  supervised(const system_options<Detector>& given, const world& what_happens, std::uint64_t seed)
      : dependencies_{given, what_happens, seed},
        supervisor_{features, seeded(given.system, seed), claims(), dependencies_.clock()} {}

  nanoseconds step(nanoseconds now, std::vector<dependency>& to_probe) {
    dependencies_.set(now);
    const auto plan = supervisor_.step(dependencies_.now());
    for (const auto& order : plan.probes) {
      to_probe.push_back(static_cast<dependency>(order.dependency));
      orders_[order.dependency] = order;
    }
    return dependencies_.passed_until(plan.next);
  }
  void answer(dependency which, nanoseconds now, bool failed) {
    dependencies_.set(now);
    supervisor_.report(orders_[index(which)], {dependencies_.result_of(failed), ""}, dependencies_.now());
  }
  std::optional<permit> admit(dependency which, nanoseconds now) { return dependencies_.admit(which, now); }
  void report(permit ended, dependency /*which*/, nanoseconds now, bool failed) {
    dependencies_.report(std::move(ended), now, failed);
  }
  [[nodiscard]] offer offered() const {
    const auto seen = supervisor_.features();
    return {seen.level(), seen.refusing()};
  }

 private:
  static brownout::supervisor_options<level> seeded(brownout::supervisor_options<level> given,
                                                    std::uint64_t seed) {
    given.seed = seed;
    return given;
  }
  [[nodiscard]] std::vector<brownout::claim<brownout::manual_clock>> claims() const {
    std::vector<brownout::claim<brownout::manual_clock>> all;
    for (const auto which : all_dependencies) all.emplace_back(which, dependencies_.at(which));
    return all;
  }

  simulated_dependencies<Detector> dependencies_;
  brownout::supervisor_for<features, brownout::manual_clock> supervisor_;
  std::array<brownout::probe_order, dependency_count> orders_{};
};
static_assert(governor<supervised<brownout::standard_detector>>);

}  // namespace studies::levels
