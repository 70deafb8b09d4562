// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/observe/explanation.hpp"
#include "brownout/system/call_limit.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

using namespace system_test;
using brownout::adaptive_limit;
using brownout::bulkhead;
using brownout::call_limit;
using brownout::call_priority;

static_assert(std::is_constructible_v<call_limit, bulkhead<>&>);
static_assert(std::is_constructible_v<call_limit, adaptive_limit<manual_clock>&>);
static_assert(std::is_copy_constructible_v<call_limit>);
static_assert(!std::is_constructible_v<call_limit, bulkhead<>>);  // it would refer to what is gone
static_assert(!std::is_constructible_v<call_limit, manual_clock&>);

namespace {

constexpr auto database = dependency::database;

/// The staging system; the database has a bulkhead.
struct guarded_staging {
  explicit guarded_staging(duration refresh = 100ms) : system{limited(connections, refresh)} { run(1s); }

  static options limited(bulkhead<>& connections, duration refresh) {
    auto given = staging_options();
    given.refresh = refresh;
    given.dependencies[number(database)].limited_by = connections;
    return given;
  }

  void admit(int calls) {
    for (int i = 0; i < calls; ++i) CHECK(connections.try_acquire());
  }
  void refuse(int calls) {
    const auto place = connections.try_acquire();
    int refused = 0;
    while (refused < calls && !connections.try_acquire()) ++refused;
    CHECK(refused == calls);
  }
  /// Seconds in each of which the bulkhead refuses so many of ten calls.
  void run_refusing(int refused, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      if (refused > 0) refuse(refused);
      admit(10 - refused - (refused > 0 ? 1 : 0));
      run(1s);
    }
  }
  void run(duration time) { system.run(time); }

  [[nodiscard]] std::optional<double> score() const { return system.component(database).health.score; }

  bulkhead<> connections{{.name = "connections", .limit = 1}};
  staging system;
};

/// Shows what it is told to.
struct shown_bulkhead {
  static constexpr auto kind = brownout::guard_kind::bulkhead;
  [[nodiscard]] brownout::bulkhead_snapshot snapshot() const noexcept { return now; }
  brownout::bulkhead_snapshot now;
};

}  // namespace

TEST_CASE("calls that a full bulkhead refuses cost health as failures do", "[system][H1h]") {
  guarded_staging one;
  CHECK(one.score() == 100);
  one.run_refusing(4, 10);
  CHECK(one.score() == Approx(60));
  CHECK(one.system.snapshot().score == Approx(100 - 0.3 * 40));
  CHECK(one.system.component(database).refused == Approx(0.4));

  SECTION("other dependencies have no limit, and lose nothing") {
    CHECK(one.system.component(dependency::openai).health.score == 100);
    CHECK_FALSE(one.system.component(dependency::openai).refused);
  }
  SECTION("calls that fail and calls that are refused are not added up: the lower score counts") {
    for (int i = 0; i < 8; ++i) {
      if (i % 4 == 0) one.system.fail_call(database);
      static_cast<void>(one.system.watched.described(database).try_acquire()->complete(outcome::success));
    }
    one.run(0s);
    const auto& seen = one.system.component(database);
    REQUIRE(seen.recent.successes < seen.recent.calls);
    CHECK(seen.health.score == Approx(60));
  }
}

TEST_CASE("a limit that is full and refuses no call costs nothing", "[system][H1i]") {
  guarded_staging one;
  const auto place = one.connections.try_acquire();
  one.run(1min);
  REQUIRE(one.connections.snapshot().in_flight == one.connections.snapshot().limit);
  CHECK(one.score() == 100);
  CHECK(one.system.component(database).refused == 0);
}

TEST_CASE("refusals alone are evidence, and their absence is none", "[system][H1i]") {
  bulkhead<> connections{{.limit = 1}};
  auto given = guarded_staging::limited(connections, 100ms);
  given.dependencies[number(database)].probe = {};
  staging system{given};
  system.run(1s);
  {
    const auto admitted = connections.try_acquire();
    system.run(1s);
    CHECK_FALSE(system.component(database).health.score);
    CHECK_FALSE(connections.try_acquire());
  }
  system.run(1s);
  CHECK(system.component(database).health.score == Approx(90));
}

TEST_CASE("each second of the latest ten counts alike, so a burst costs little", "[system][H1j]") {
  guarded_staging one;
  one.run_refusing(0, 10);
  one.refuse(10'000);
  one.run(1s);
  CHECK(one.score() == Approx(100 - 10 * 10'000. / 10'001));
  CHECK(one.system.level_changes.size() == 1);  // the first assessment

  SECTION("and it is forgotten after ten seconds") {
    one.run_refusing(0, 9);
    CHECK(one.score() < 91);
    one.run_refusing(0, 1);
    CHECK(one.score() == 100);
  }
  SECTION("without calls too") {
    one.run(9s);
    CHECK(one.score() < 91);
    one.run(1s);
    CHECK(one.score() == 100);
  }
  SECTION("each further second costs as much") {
    one.run_refusing(9, 9);
    CHECK(one.score() == Approx(100 - 10 * 10'000. / 10'001 - 81));
    one.run_refusing(9, 20);
    CHECK(one.score() == Approx(10));
  }
}

TEST_CASE("if steps are rare, what was refused counts for all the time between them", "[system][H1j]") {
  // An answer of the probe is a look too, so that the probe must be rare as well.
  bulkhead<> connections{{.limit = 1}};
  auto given = guarded_staging::limited(connections, 20s);
  given.probe_interval = given.suspect_interval = 1h;
  staging system{given};
  system.run(0s);
  {
    const auto place = connections.try_acquire();
    CHECK_FALSE(connections.try_acquire());
  }
  system.run(20s);
  CHECK(system.component(database).refused == Approx(0.5));
  system.run(20s);
  CHECK(system.component(database).refused == 0);
}

TEST_CASE("what was refused before an outage is forgotten", "[system][H1k]") {
  guarded_staging one;
  one.run_refusing(5, 10);
  REQUIRE(one.score() == Approx(50));
  auto& circuit = one.system.watched.described(database);
  circuit.force_open();
  one.run(0s);
  CHECK(one.score() == 0);
  CHECK(one.system.component(database).refused == 0);
  one.refuse(3);
  circuit.reset();
  one.run(1s);
  CHECK(one.system.component(database).refused == 0);
  one.run_refusing(5, 10);
  CHECK(one.system.component(database).refused == Approx(0.5));
}

TEST_CASE("an adaptive limit's refusals count, except of the classes that may be shed", "[system][H1l]") {
  manual_clock clock;
  adaptive_limit<manual_clock> server{{.target_delay = 5ms, .first = 10}, clock};
  auto given = staging_options();
  given.dependencies[number(database)].limited_by = server;
  staging system{given};
  system.run(1s);
  {
    std::vector<adaptive_limit<manual_clock>::permit> all;
    while (auto admitted = server.try_acquire(call_priority::sheddable)) all.push_back(*std::move(admitted));
    REQUIRE(all.size() == 6);
    CHECK_FALSE(server.try_acquire(call_priority::sheddable));
    system.run(1s);
    CHECK(system.component(database).refused == 0);

    while (auto admitted = server.try_acquire(call_priority::critical)) all.push_back(*std::move(admitted));
    REQUIRE(all.size() == 9);  // one call is refused, three more are admitted: a quarter of this second
    system.run(1s);
    CHECK(system.component(database).refused == Approx(1. / 40));

    while (auto admitted = server.try_acquire(call_priority::critical_plus))
      all.push_back(*std::move(admitted));
    CHECK_FALSE(server.try_acquire(call_priority::sheddable));  // at the limit itself: it counts
    system.run(1s);
    CHECK(system.component(database).refused == Approx(1. / 40 + 2. / 30));
  }
}

TEST_CASE("a report and a change of the level say what share of calls was refused", "[system][H4c]") {
  guarded_staging one;
  one.run_refusing(5, 10);
  CHECK(one.system.component(database).health.refused == Approx(0.5));
  CHECK(one.system.component(dependency::openai).health.refused == 0);
  const auto& fell = one.system.level_changes.back();
  const auto said = explain(fell, [&](std::size_t number) { return one.system.watched.at(number).name(); });
  INFO(said);
  CHECK(said.find(" database loses 10.5 points (closed, its limit refused 35 % of calls).") !=
        std::string::npos);
}

TEST_CASE("a report does not name refusals if something else costs more", "[system][H4c]") {
  guarded_staging one;
  one.run_refusing(1, 10);
  REQUIRE(one.system.component(database).health.refused == Approx(0.1));
  for (int i = 0; i < 2; ++i) one.system.fail_call(database);
  one.run(0s);
  REQUIRE(one.score() < 89);
  CHECK(one.system.component(database).health.refused == 0);
  CHECK(one.system.component(database).refused == Approx(0.1));
}

TEST_CASE("the count of admissions of a bulkhead may begin again at 0", "[system]") {
  shown_bulkhead limit{{.admitted = brownout::detail::limit_totals::modulus - 5}};
  brownout::detail::refused_share share;
  share.note(limit, circuit_state::closed, time_point{1h});
  limit.now = {.admitted = 5, .refused = 10};
  share.note(limit, circuit_state::closed, time_point{1h + 10s});
  CHECK(share.value() == 0.5);
}
