// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/feature/dimmed_service.hpp"

#include "brownout/feature/dimmer_controller.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brownout::dimmer_controller;
using brownout::dimmer_controller_options;
using brownout::latency_target;
using brownout::score_target;
using level_test::demand;
using level_test::fluid_service;
using level_test::queued_service;

namespace {

using seconds = std::chrono::duration<double>;

constexpr latency_target target{100ms};
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// One period: what was measured as a share of the target, and the share that was in force.
struct period {
  double burden;
  double share;
};

/// Periods under one demand.
struct run {
  std::vector<period> periods;

  /// From which period on the burden stays within 10 % of the target; as many as there are: it does not.
  [[nodiscard]] std::size_t settled() const {
    std::size_t from = periods.size();
    while (from > 0 && std::abs(periods[from - 1].burden - 1) <= 0.1) --from;
    return from;
  }
  /// From which period on everybody is served.
  [[nodiscard]] std::size_t undimmed() const {
    std::size_t from = periods.size();
    while (from > 0 && periods[from - 1].share == 1) --from;
    return from;
  }
  [[nodiscard]] run after(std::size_t first) const {
    return {{periods.begin() + static_cast<std::ptrdiff_t>(first), periods.end()}};
  }
  [[nodiscard]] double mean_burden() const {
    return std::accumulate(periods.begin(), periods.end(), 0.0,
                           [](double sum, const period& one) { return sum + one.burden; }) /
           static_cast<double>(periods.size());
  }
  [[nodiscard]] double least_share() const {
    return std::min_element(periods.begin(), periods.end(), by_share)->share;
  }
  [[nodiscard]] double greatest_share() const {
    return std::max_element(periods.begin(), periods.end(), by_share)->share;
  }
  static bool by_share(const period& one, const period& other) { return one.share < other.share; }
};

/// A controller and the service that it dims.
struct loop {
  dimmer_controller<latency_target> controller;
  fluid_service service;

  run under(demand asked, int periods) {
    run seen;
    for (int i = 0; i < periods; ++i) {
      const double share = controller.share();
      const double latency = service.latency(asked, share);
      controller.update(seconds{latency});
      seen.periods.push_back({latency / 0.1, share});
    }
    return seen;
  }
};

loop usual() {
  return {dimmer_controller{target}, fluid_service{0.2, 0.01}};
}

run stall(dimmer_controller<latency_target>& controller, int periods) {
  run seen;
  for (int i = 0; i < periods; ++i) {
    seen.periods.push_back({600, controller.share()});
    controller.update(60s);
  }
  return seen;
}

std::string refusal(const dimmer_controller_options& tried) {
  try {
    static_cast<void>(dimmer_controller{target, tried});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("everybody is served while there is capacity to spare", "[feature][D4]") {
  auto tested = usual();
  const auto seen = tested.under({.load = 0.8}, 100);
  CHECK(seen.least_share() == 1);
  CHECK(seen.mean_burden() < 1);
}

TEST_CASE(
    "after a step of the load latency is within 10 % of the target in 40 periods, drained backlog "
    "included",
    "[feature][D4][D4d]") {
  for (const double service_time : {0.05, 0.02, 0.01}) {
    for (const double required : {0.05, 0.1, 0.2}) {
      for (const double load : {1.2, 1.5, 2.0, 3.0, 4.0}) {
        if (load * required >= 0.5) continue;  // little is left to dim then
        INFO("service time " << service_time << ", required " << required << ", load " << load);
        loop tested{dimmer_controller{target}, fluid_service{required, service_time}};
        CHECK(tested.under({.load = 0.3}, 50).undimmed() == 0);
        CHECK(tested.under({.load = load}, 200).settled() <= 50);
        // And back: the way down is the way up.
        CHECK(tested.under({.load = 0.3}, 50).undimmed() <= 35);
      }
    }
  }
}

TEST_CASE("a load five times as high is answered in a few periods", "[feature][D4]") {
  auto tested = usual();
  tested.under({.load = 0.7}, 50);
  const auto seen = tested.under({.load = 3.5}, 200);
  CHECK(seen.periods[8].share < 0.1);
  CHECK(seen.settled() <= 40);
  // Not from end to end, not even once: down to what the backlog needs, and up to what can be served.
  CHECK(seen.after(10).greatest_share() < 0.2);
}

TEST_CASE("capacity that is lost and comes back is followed", "[feature][D4]") {
  auto tested = usual();
  CHECK(tested.under({.load = 0.8}, 50).undimmed() == 0);
  const auto halved = tested.under({.load = 0.8, .capacity = 0.5}, 100);
  CHECK(halved.settled() <= 40);
  CHECK(halved.periods.back().share > 0.3);
  CHECK(tested.under({.load = 0.8}, 50).undimmed() <= 35);
}

TEST_CASE("what the controller holds it holds without swinging", "[feature][D4]") {
  for (const double load : {1.2, 2.0, 3.0}) {
    INFO("load " << load);
    auto tested = usual();
    tested.under({.load = load}, 100);
    const auto held = tested.under({.load = load}, 300);
    CHECK(held.greatest_share() - held.least_share() < 0.02);
    CHECK(held.mean_burden() == Approx(1).epsilon(0.02));
  }
}

TEST_CASE("a service that is far quicker than its target is held near it, though not as quietly",
          "[feature][D4]") {
  // Latency is fifty times the service time on target: there the queue is 98 % busy, and 1 % more doubles it.
  loop tested{dimmer_controller{target}, fluid_service{0.2, 0.002}};
  tested.under({.load = 0.7}, 50);
  for (const double load : {1.2, 3.5, 2.0}) {
    INFO("load " << load);
    tested.under({.load = load}, 60);
    const auto held = tested.under({.load = load}, 300);
    CHECK(held.mean_burden() > 0.8);
    CHECK(held.mean_burden() < 1.3);
    CHECK(held.least_share() > 0.04);
    CHECK(held.greatest_share() - held.least_share() < 0.4);
  }
}

TEST_CASE("the mean latency of a real queue is held on target through its noise",
          "[feature][exhaustive][D4]") {
  dimmer_controller controller{target};
  queued_service service{0.2, 0.01, 7};
  const auto under = [&](demand asked, int periods) {
    run seen;
    for (int i = 0; i < periods; ++i) {
      const double share = controller.share();
      const auto ended = service.latencies(asked, share);
      std::optional<seconds> mean;
      if (!ended.empty()) {
        mean = seconds{std::accumulate(ended.begin(), ended.end(), 0.0) / static_cast<double>(ended.size())};
        seen.periods.push_back({mean->count() / 0.1, share});
      }
      controller.update(mean);
    }
    return seen;
  };
  CHECK(under({.load = 0.5}, 100).after(50).least_share() == 1);
  for (const double load : {1.2, 2.0, 3.5}) {
    INFO("load " << load);
    under({.load = load}, 60);
    const auto held = under({.load = load}, 1000);
    CHECK(held.mean_burden() > 0.9);
    CHECK(held.mean_burden() < 1.15);
    CHECK(held.greatest_share() < 1);
  }
  CHECK(under({.load = 0.5}, 100).after(50).least_share() == 1);
}

TEST_CASE("a p95 is held like a mean", "[feature][D4]") {
  dimmer_controller controller{latency_target{300ms}};
  queued_service service{0.2, 0.01, 11};
  double sum = 0;
  int periods = 0;
  for (int i = 0; i < 1100; ++i) {
    const auto ended = service.latencies({.load = 2}, controller.share());
    if (ended.empty()) continue;
    const double p95 = ended[ended.size() * 95 / 100];
    controller.update(seconds{p95});
    if (i < 100) continue;
    sum += p95;
    ++periods;
  }
  CHECK(sum / periods > 0.27);
  CHECK(sum / periods < 0.36);
}

TEST_CASE("a score below its target dims, one above it does not", "[feature][D4]") {
  dimmer_controller controller{score_target{80}};
  // The score that optional code costs: 40 points if everybody is served.
  const auto score = [&] { return 90 - 40 * controller.share(); };
  for (int i = 0; i < 200; ++i) controller.update(score());
  CHECK(score() == Approx(80).epsilon(0.01));
  CHECK(controller.share() == Approx(0.25).epsilon(0.05));
  for (int i = 0; i < 100; ++i) controller.update(95);
  CHECK(controller.share() == 1);
}

TEST_CASE("nothing is wound up at either end", "[feature][D4]") {
  for (const int periods : {5, 50, 5000}) {
    INFO(periods << " periods at the end");
    auto tested = usual();
    tested.under({.load = 0.3}, periods);
    const auto dimmed = stall(tested.controller, periods);
    CHECK(dimmed.periods[4].share < 0.5);  // however long everybody was served
    if (periods >= 50) CHECK(dimmed.periods[4].share == 0);
    const auto recovered = tested.under({.load = 0.7}, 60);
    CHECK(recovered.undimmed() <= (periods >= 50 ? 16 : 30));  // however long nobody was served
  }
}

TEST_CASE("a stall leaves the controller able to hold the target", "[feature][D4]") {
  auto tested = usual();
  tested.under({.load = 3}, 100);
  stall(tested.controller, 5);
  CHECK(tested.under({.load = 3}, 200).settled() <= 50);
  auto idle = usual();
  idle.under({.load = 0.7}, 60);
  stall(idle.controller, 5);
  CHECK(idle.under({.load = 0.7}, 60).undimmed() == 32);  // what the documentation says
}

TEST_CASE("optional code that makes no difference is given up beyond the target and kept below it",
          "[feature][D4]") {
  dimmer_controller controller{target};
  for (int i = 0; i < 200; ++i) controller.update(150ms);
  CHECK(controller.share() == 0);
  double last = 0;
  for (int i = 0; i < 120; ++i) {
    controller.update(50ms);
    CHECK(controller.share() >= last);
    last = controller.share();
  }
  CHECK(controller.share() == 1);
}

TEST_CASE("on target the share stays", "[feature][D4]") {
  dimmer_controller controller{target, {.share = 0.5}};
  for (int i = 0; i < 100; ++i) controller.update(100ms);
  CHECK(controller.share() == Approx(0.5));
}

TEST_CASE("a period without a measurement, or with what is none, changes nothing and says so",
          "[feature][D4]") {
  dimmer_controller controller{target};
  dimmer_controller same{target};
  for (int i = 0; i < 50; ++i) {
    CHECK_FALSE(controller.update(std::nullopt));
    CHECK_FALSE(controller.update(seconds{not_a_number}));
    CHECK_FALSE(controller.update(seconds{infinity}));
    CHECK_FALSE(controller.update(-1ms));
    const seconds measured{i % 2 == 0 ? 0.2 : 0.12};
    CHECK(controller.update(measured));
    CHECK(same.update(measured));
    REQUIRE(controller.share() == same.share());
    REQUIRE(controller.effect() == same.effect());
  }
  CHECK(same.share() < 1);
  dimmer_controller scored{score_target{80}};
  CHECK_FALSE(scored.update(not_a_number));
  CHECK_FALSE(scored.update(101));
  CHECK(scored.update(0));
}

TEST_CASE("the share follows the published law", "[feature][D4]") {
  dimmer_controller controller{target, {.pole = 0.8, .forgetting = 0.9, .fastest_rise = 1, .share = 0.5}};
  // Burden 2 at share 0.5: (0.5 x 2 + 0.01) / (0.25 + 0.01), then 0.2 of the error over it.
  controller.update(200ms);
  CHECK(controller.effect() == Approx(1.01 / 0.26));
  const double first = 0.5 - 0.2 / (1.01 / 0.26);
  CHECK(controller.share() == Approx(first));
  // Burden 0.5 at that share.
  controller.update(50ms);
  const double effect = (0.9 * 1 + first * 0.5 + 0.01) / (0.9 * 0.25 + first * first + 0.01);
  CHECK(controller.effect() == Approx(effect));
  CHECK(controller.share() == Approx(first + 0.2 / effect * 0.5));
}

TEST_CASE("the estimate finds what a service with a straight line costs", "[feature][D4]") {
  dimmer_controller controller{target};
  for (int i = 0; i < 100; ++i) controller.update(seconds{0.1 * 2.5 * controller.share()});
  CHECK(controller.effect() == Approx(2.5).epsilon(0.05));
  CHECK(controller.share() == Approx(0.4).epsilon(0.01));
}

TEST_CASE("a burden beyond ten counts as ten, and no estimate is ever nothing", "[feature][D4]") {
  dimmer_controller stalled{target, {.share = 0.3}};
  dimmer_controller slow{target, {.share = 0.3}};
  stalled.update(1h);
  slow.update(1s);
  CHECK(stalled.effect() == slow.effect());
  CHECK(stalled.share() == slow.share());
  dimmer_controller idle{target};
  for (int i = 0; i < 100; ++i) idle.update(0s);
  CHECK(idle.effect() > 0);
  CHECK(idle.share() == 1);
}

TEST_CASE("the share rises by no more than it may", "[feature][D4]") {
  dimmer_controller controller{target, {.fastest_rise = 0.03, .share = 0}};
  double last = 0;
  for (int i = 0; i < 100; ++i) {
    controller.update(1ms);
    CHECK(controller.share() <= last + 0.03 + 1e-12);
    last = controller.share();
  }
  CHECK(last == 1);
}

TEST_CASE("the controller goes on from a share that someone else has set", "[feature][D4]") {
  dimmer_controller controller{target};
  controller.go_on_from(0.2);
  CHECK(controller.share() == 0.2);
  controller.update(100ms);
  CHECK(controller.share() == 0.2);
  const auto aborts = [&](double share) {
    return core_test::in_child([&] { controller.go_on_from(share); }).signal == SIGABRT;
  };
  CHECK(aborts(-0.1));
  CHECK(aborts(1.1));
  CHECK(aborts(not_a_number));
}

TEST_CASE("a dimmer controller's defaults are the documented ones", "[feature][options]") {
  const dimmer_controller_options defaults;
  CHECK(defaults.pole == 0.95);
  CHECK(defaults.forgetting == 0.9);
  CHECK(defaults.fastest_rise == 0.1);
  CHECK(defaults.share == 1);
  CHECK(refusal(defaults) == "");
}

TEST_CASE("a dimmer controller's options at their limits are accepted, beyond them refused by name",
          "[feature][options]") {
  CHECK(refusal({.pole = 0, .forgetting = 0.5, .fastest_rise = 0.001, .share = 0}) == "");
  CHECK(refusal({.pole = 0.99, .forgetting = 0.99, .fastest_rise = 1, .share = 1}) == "");
  CHECK(refusal({.pole = -0.1}) == "dimmer_controller_options.pole = -0.1: allowed is 0 to 0.99");
  CHECK(refusal({.pole = 1}) == "dimmer_controller_options.pole = 1: allowed is 0 to 0.99");
  CHECK(refusal({.forgetting = 0.4}) == "dimmer_controller_options.forgetting = 0.4: allowed is 0.5 to 0.99");
  CHECK(refusal({.forgetting = 1}) == "dimmer_controller_options.forgetting = 1: allowed is 0.5 to 0.99");
  CHECK(refusal({.fastest_rise = 0}) == "dimmer_controller_options.fastest_rise = 0: allowed is 0.001 to 1");
  CHECK(refusal({.fastest_rise = 1.1}) ==
        "dimmer_controller_options.fastest_rise = 1.1: allowed is 0.001 to 1");
  CHECK(refusal({.share = -0.1}) == "dimmer_controller_options.share = -0.1: allowed is 0 to 1");
  CHECK(refusal({.share = not_a_number}) != "");
  CHECK_THROWS_AS((dimmer_controller{latency_target{}}), std::invalid_argument);
}
