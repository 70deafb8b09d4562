// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include <algorithm>

using namespace system_test;

namespace {

constexpr auto two_features = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::read_only_access, .last = level::emergency},
     {.feature = feature::inventory_management, .last = level::degraded, .needs = needs(1)}});

/// A shop whose second dependency says how long to wait.
struct shop {
  explicit shop(double weight)
      : payments{
            {1}, {.name = "payments", .weight = weight, .breaker = {.open_on_retry_after = true}}, clock} {
    static_cast<void>(watched.step(clock.now()));
    for (int i = 0; i < 20; ++i) {
      database.call([] {});
      payments.call([] {});
    }
    static_cast<void>(watched.step(clock.now()));
    REQUIRE(watched.features().level() == level::optimal);
  }

  static brownout::supervisor_options<level> options() {
    brownout::supervisor_options<level> given{.levels = {.ladder = ladder, .dwell = 3s}};
    given.levels.confirm_for = 0s;
    return given;
  }
  [[nodiscard]] duration wait() { return watched.retry_after(feature::inventory_management, clock.now()); }

  manual_clock clock{time_point{1h}};
  brownout::dependency<brownout::consecutive_failures, manual_clock> database{
      {3}, {.name = "database", .weight = 0.5}, clock};
  brownout::dependency<brownout::consecutive_failures, manual_clock> payments;
  brownout::supervisor<std::remove_const_t<decltype(two_features)>, manual_clock> watched{
      two_features, options(), {{0, database}, {1, payments}}, clock};
};

}  // namespace

TEST_CASE("a caller of a feature is told to wait for what its circuits wait for", "[system][S9][S9a][S9b]") {
  shop shop{0.01};  // too light to change the level
  CHECK(shop.wait() == 0s);
  static_cast<void>(shop.payments.try_acquire()->complete(outcome::failure, 12s));
  static_cast<void>(shop.watched.step(shop.clock.now()));
  REQUIRE(shop.watched.features().level() == level::optimal);
  REQUIRE_FALSE(shop.watched.features().available(feature::inventory_management));
  for (int i = 0; i < 100; ++i) {
    const auto told = shop.wait();
    CHECK(told >= 12s);
    CHECK(told < 15s);
  }
  shop.clock.advance(10s);
  CHECK(shop.wait() >= 2s);
  CHECK(shop.wait() < 3s);
  CHECK(shop.watched.retry_after(feature::read_only_access, shop.clock.now()) == 0s);
}

TEST_CASE("and for the dwells to the level that allows the feature", "[system][S9][S9c]") {
  shop shop{0.5};
  static_cast<void>(shop.payments.try_acquire()->complete(outcome::failure, 12s));
  static_cast<void>(shop.watched.step(shop.clock.now()));
  REQUIRE(shop.watched.features().level() == level::minimal);
  for (int i = 0; i < 100; ++i) {
    const auto told = shop.wait();
    CHECK(told >= 18s);  // 12 s, and two dwells up to `degraded`
    CHECK(told < 22500ms);
  }
}

TEST_CASE("while an operator holds a circuit, its end is not known", "[system][S9][S9d][S9e]") {
  shop shop{0.01};
  shop.payments.force_open();
  shop.watched.refresh(shop.clock.now());
  CHECK(shop.wait() >= 30s);
  CHECK(shop.wait() < 60s);
  shop.payments.force_open_for(20s);
  shop.watched.refresh(shop.clock.now());
  CHECK(shop.wait() >= 20s);
  CHECK(shop.wait() < 25s);
  shop.payments.force_open_for(120s);  // longer than the fallback
  shop.watched.refresh(shop.clock.now());
  CHECK(shop.wait() >= 120s);
  CHECK(shop.wait() < 150s);
}

TEST_CASE("an override that keeps a feature off ends when it expires", "[system][S9][S9f]") {
  shop shop{0.5};
  shop.watched.set_override({level::emergency, "drill", "ann", shop.clock.now() + 40s}, shop.clock.now());
  CHECK(shop.wait() >= 40s);
  CHECK(shop.wait() < 50s);
}

TEST_CASE("an override that is not what keeps a feature off does not say when it returns",
          "[system][S9][S9j]") {
  shop shop{0.5};
  static_cast<void>(shop.payments.try_acquire()->complete(outcome::failure, 12s));
  static_cast<void>(shop.watched.step(shop.clock.now()));
  const auto kind = GENERATE(brownout::override_kind::cap, brownout::override_kind::pin);
  const auto capped = kind == brownout::override_kind::cap ? level::degraded : level::minimal;
  SECTION("one that ends sooner than what failed") {
    shop.watched.set_override({capped, "drill", "ann", shop.clock.now() + 2s, kind}, shop.clock.now());
    CHECK(shop.wait() >= 18s);  // 12 s, and two dwells
  }
  SECTION("a cap that allows the feature, and ends later") {
    shop.watched.set_override(
        {level::degraded, "drill", "ann", shop.clock.now() + 10min, brownout::override_kind::cap},
        shop.clock.now());
    CHECK(shop.wait() < 30s);
  }
}

TEST_CASE("an adaptive open period is waited for up to its longest time, and not for the fallback",
          "[system][S9][S9g]") {
  shop shop{0.01};
  shop.payments.reconfigure(brownout::breaker_options{.open_for = brownout::adaptive_period{.most = 10s}});
  static_cast<void>(shop.payments.try_acquire()->complete(outcome::failure));
  shop.watched.refresh(shop.clock.now());
  duration longest{};
  for (int i = 0; i < 100; ++i) longest = std::max(longest, shop.wait());
  CHECK(longest > 10s);
  CHECK(longest < 15s);  // 12 s with the jitter, and a quarter
}

TEST_CASE("an answer is never longer than the longest of the options", "[system][S9][S9h]") {
  shop shop{0.01};
  shop.payments.force_open_for(10min);
  shop.watched.refresh(shop.clock.now());
  CHECK(shop.wait() >= 290s);
  CHECK(shop.wait() <= 300s);
}

TEST_CASE("a cap at a level that allows the feature does not keep it off", "[system][S9][S9c][S9f]") {
  shop shop{0.5};
  static_cast<void>(shop.payments.try_acquire()->complete(outcome::failure, 12s));
  static_cast<void>(shop.watched.step(shop.clock.now()));
  REQUIRE(shop.watched.features().level() == level::minimal);
  shop.watched.set_override({.level = level::degraded,
                             .reason = "spare the database",
                             .actor = "ann",
                             .expires = shop.clock.now() + 4h,
                             .kind = brownout::override_kind::cap},
                            shop.clock.now());
  CHECK(shop.wait() >= 18s);  // as without the cap
  CHECK(shop.wait() < 22500ms);
}
