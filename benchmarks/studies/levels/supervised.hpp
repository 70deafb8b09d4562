// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/world.hpp"

#include "brownout/core/outcome.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/supervisor.hpp"
#include "brownout/system/supervisor_options.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace studies::levels {

using system_options = brownout::supervisor_options<level>;

/// What somebody writes who has names, weights, probes and thresholds, and leaves the rest as it is.
[[nodiscard]] inline system_options default_options() {
  system_options given{.dependencies = {}, .levels = {.ladder = ladder}};
  for (const auto which : all_dependencies) {
    brownout::dependency_options one;
    one.name = to_string(which);
    one.weight = weight[index(which)];
    given.dependencies.push_back(std::move(one));
  }
  return given;
}

/// The supervisor as it is shipped, in virtual time.
class supervised {
 public:
  using permit = brownout::dependency<brownout::manual_clock>::permit;

  supervised(system_options given, const world& what_happens, std::uint64_t seed)
      : supervisor_{prepared(std::move(given), what_happens, seed), features, clock_} {}

  nanoseconds step(nanoseconds now, std::vector<dependency>& to_probe) {
    set(now);
    const auto plan = supervisor_.step(clock_.now());
    for (const auto& order : plan.probes) {
      to_probe.push_back(static_cast<dependency>(order.dependency));
      orders_[order.dependency] = order;
    }
    return plan.next - start;
  }
  void answer(dependency which, nanoseconds now, bool failed) {
    set(now);
    supervisor_.report(orders_[index(which)], {result_of(failed), ""}, clock_.now());
  }
  std::optional<permit> admit(dependency which, nanoseconds now) {
    set(now);
    if (auto admitted = supervisor_.at(which).try_acquire()) return *std::move(admitted);
    return std::nullopt;
  }
  void report(permit ended, dependency /*which*/, nanoseconds now, bool failed) {
    set(now);
    ended.complete(result_of(failed));
  }
  [[nodiscard]] offer offered() const {
    const auto seen = supervisor_.features();
    return {seen.level(), seen.refusing()};
  }

 private:
  static constexpr brownout::time_point start{std::chrono::hours{1}};

  static system_options prepared(system_options given, const world& what_happens, std::uint64_t seed) {
    for (std::size_t i = 0; i < dependency_count; ++i) {
      auto& one = given.dependencies[i];
      one.breaker.seed = seed + i;
      // Never called: the simulation answers for it.
      if (what_happens.probed[i]) one.probe = [](const auto&) { return brownout::probe_result{}; };
    }
    return given;
  }
  static brownout::outcome result_of(bool failed) {
    return failed ? brownout::outcome::failure : brownout::outcome::success;
  }
  void set(nanoseconds now) { clock_.set(start + now); }

  brownout::manual_clock clock_{start};
  brownout::supervisor<std::remove_const_t<decltype(features)>, brownout::manual_clock> supervisor_;
  std::array<brownout::probe_order, dependency_count> orders_{};
};
static_assert(governor<supervised>);

}  // namespace studies::levels
