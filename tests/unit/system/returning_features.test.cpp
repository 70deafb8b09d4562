// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

using namespace system_test;

namespace {

/// Nothing but what a plan asks for wakes the system: no refresh and no probe comes in time.
options quiet(duration return_over) {
  auto given = staging_options();
  given.refresh = 1min;
  given.probe_interval = 10min;
  given.return_over = return_over;
  given.levels.dwell = std::max(given.levels.dwell, return_over);
  return given;
}

/// The database was out and answers again; the dwell has just passed, and the best level is back.
struct recovered : staging {
  explicit recovered(options given) : staging{std::move(given)} {
    run(1s);
    for (int i = 0; i < 3; ++i) fail_call(dependency::database);
    watched.refresh(clock.now());
    REQUIRE(watched.features().level() == level::degraded);
    settle();
    while (watched.features().level() != level::optimal) {
      clock.set(next);
      settle();
    }
    began = clock.now();
  }
  [[nodiscard]] bool offers_all() const { return watched.features().available(feature::full_ai_pipeline); }

  time_point began{};
};

/// When the last of these features is back, in 64ths of the time.
constexpr int share_of_full_ai_pipeline = 55;

}  // namespace

TEST_CASE("features return at their moment within the time, and each wakes the supervisor",
          "[system][D4][D4f]") {
  recovered system{quiet(64s)};
  REQUIRE(system.watched.features().is_returning());
  CHECK_FALSE(system.offers_all());
  CHECK(system.watched.features().available(feature::redis_cache));  // degraded allows it as well
  CHECK(system.watched.features().explain(feature::full_ai_pipeline).returning);
  for (int share = 1; share <= 64; ++share) {
    CHECK(system.next == system.began + share * 1s);
    system.clock.set(system.next);
    const auto epoch = system.watched.features().epoch();
    system.settle();
    CHECK(system.watched.features().epoch() != epoch);
    CHECK(system.offers_all() == (share >= share_of_full_ai_pipeline));
    CHECK(system.watched.features().is_returning() == (share < 64));
  }
  CHECK(system.next > system.clock.now() + 10s);  // nothing more is due
}

TEST_CASE("left out, features return at once", "[system][D4]") {
  recovered system{quiet(0s)};
  CHECK(system.offers_all());
  CHECK_FALSE(system.watched.features().is_returning());
}

TEST_CASE("when health falls while features return, those that it forbids are gone at once",
          "[system][D4][D4g]") {
  recovered system{quiet(64s)};
  system.run(60s);
  REQUIRE(system.offers_all());
  for (int i = 0; i < 3; ++i) system.fail_call(dependency::database);
  system.watched.refresh(system.clock.now());
  CHECK_FALSE(system.offers_all());
  CHECK_FALSE(system.watched.features().is_returning());
}

TEST_CASE("an operator's word brings features back at once, and so does its end", "[system][D4][D4g][D5]") {
  recovered system{quiet(64s)};
  system.run(1min + 4s);
  system.watched.set_override(
      {.level = level::minimal, .reason = "drill", .actor = "ada", .expires = system.clock.now() + 10s},
      system.clock.now());
  CHECK_FALSE(system.offers_all());
  SECTION("its end") {
    system.run(10s);
  }
  SECTION("its being taken back") {
    system.watched.clear_override(system.clock.now());
  }
  SECTION("another one") {
    system.watched.set_override(
        {.level = level::optimal, .reason = "done", .actor = "ada", .expires = system.clock.now() + 10s},
        system.clock.now());
  }
  CHECK(system.offers_all());
  CHECK_FALSE(system.watched.features().is_returning());
}

TEST_CASE("an operator's word ends a return of features", "[system][D4][D4g][D5]") {
  recovered system{quiet(64s)};
  system.run(10s);
  REQUIRE_FALSE(system.offers_all());
  for (const auto at : {level::minimal, level::optimal}) {
    system.watched.set_override(
        {.level = at, .reason = "drill", .actor = "ada", .expires = system.clock.now() + 10s},
        system.clock.now());
    CHECK(system.offers_all() == (at == level::optimal));
    CHECK_FALSE(system.watched.features().is_returning());
  }
}

TEST_CASE("a start is no return", "[system][D4]") {
  staging system{quiet(64s)};
  system.run(1s);
  CHECK(system.watched.features().level() == level::optimal);
  CHECK_FALSE(system.watched.features().is_returning());
}

TEST_CASE("a blind step up returns features gradually too", "[system][D4][H2]") {
  auto given = quiet(64s);
  for (auto& one : given.dependencies) one.probe = {};
  staging system{given};
  system.run(1s);
  for (int i = 0; i < 5; ++i) system.fail_call(dependency::openai);
  for (int i = 0; i < 3; ++i) system.fail_call(dependency::database);
  system.watched.refresh(system.clock.now());
  REQUIRE(system.watched.features().level() == level::emergency);
  // Known to nobody once the open periods are over, and a dwell later tried.
  while (system.watched.features().level() == level::emergency) {
    system.settle();
    system.clock.set(system.next);
  }
  CHECK(system.level_changes.back().cause == brownout::level_cause::evidence_lost);
  CHECK(system.watched.features().is_returning());
}

TEST_CASE("a caller of a feature that returns is told to wait for the rest of the return",
          "[system][S9][S9h][S9i][D4f]") {
  recovered system{quiet(1h)};
  const auto wait = [&] { return system.watched.retry_after(feature::full_ai_pipeline, system.clock.now()); };
  for (int i = 0; i < 10; ++i) CHECK(wait() <= 5min);
  CHECK(wait() != wait());
  system.run(50min);
  REQUIRE_FALSE(system.offers_all());
  system.run(1min);
  REQUIRE_FALSE(system.offers_all());
  system.clock.advance(8min);  // no step has seen it yet
  CHECK(wait() >= 1min);
  CHECK(wait() < 75s);
}

TEST_CASE("features that return keep their time when the time of later returns is replaced",
          "[system][S8][S8a][D4f]") {
  recovered system{quiet(64s)};
  system.run(60s);
  REQUIRE(system.offers_all());
  auto changed = system.watched.options();
  changed.levels.dwell = 1h;
  changed.return_over = 1h;
  system.watched.reconfigure(changed, system.clock.now());
  CHECK(system.offers_all());
  system.run(4s);
  CHECK_FALSE(system.watched.features().is_returning());
}
