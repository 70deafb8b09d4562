// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include "brownout/registry/registry.hpp"
#include "brownout/system/registry_dependency.hpp"

#include <stdexcept>
#include <string>

using namespace system_test;

namespace {

constexpr auto one_feature = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::read_only_access, .last = level::degraded, .needs = needs(0)}});

struct shop {
  manual_clock clock{time_point{1h}};
  brownout::registry<brownout::consecutive_failures, manual_clock> merchants{
      {.capacity = 5000,
       .detector = {1},
       .breaker = {.open_for = 20s, .successes = 1, .ramp = brownout::no_ramp}},
      clock};
  brownout::registry_dependency<brownout::consecutive_failures, manual_clock> payments{merchants,
                                                                                       {.name = "merchants"}};
  brownout::supervisor<std::remove_const_t<decltype(one_feature)>, manual_clock> watched{
      one_feature, {.levels = {.ladder = ladder, .confirm_for = 0s}}, {{0, payments}}, clock};

  void add(int keys) {
    for (int i = 0; i < keys; ++i) merchants.at(std::to_string(i)).call([] {});
  }
  void fail(int keys) {
    for (int i = 0; i < keys; ++i)
      static_cast<void>(merchants.at(std::to_string(i)).try_acquire()->complete(outcome::failure));
  }
  auto look() {
    static_cast<void>(watched.step(clock.now()));
    return watched.snapshot(clock.now());
  }
};

}  // namespace

TEST_CASE("the keys of a registry reach the score by the share that admits calls",
          "[system][S11][S11a][S11b]") {
  shop shop;
  CHECK_FALSE(shop.look().score);  // no key: nothing is known
  shop.add(20);
  CHECK(shop.look().score == 100);
  shop.fail(5);
  auto seen = shop.look();
  CHECK(seen.score == 75);
  CHECK(seen.level == level::degraded);
  CHECK(shop.payments.last_seen().refusing == 5);
  CHECK(shop.payments.last_seen().keys == 20);

  shop.fail(0);
  shop.clock.advance(20s);
  seen = shop.look();  // their next calls pass
  CHECK(seen.score == 100);
}

TEST_CASE("a feature that needs a registry stays on while its keys refuse calls", "[system][S11][S11c]") {
  shop shop;
  shop.add(10);
  static_cast<void>(shop.look());
  shop.fail(1);
  static_cast<void>(shop.look());
  CHECK(shop.watched.features().available(feature::read_only_access));
  CHECK(shop.merchants.at("9").try_call([] { return 1; }));
  CHECK_FALSE(shop.merchants.at("0").try_call([] { return 1; }));
}

TEST_CASE("a registry of many keys is looked at in parts, and counts by complete rounds",
          "[system][S11][S11d]") {
  shop shop;
  shop.add(2500);
  shop.fail(1250);
  CHECK_FALSE(shop.look().score);
  CHECK_FALSE(shop.look().score);
  CHECK(shop.look().score == 50);
  CHECK(shop.payments.last_seen().keys == 2500);
}

TEST_CASE("an operator's command for a registry is for each key that it has", "[system][S11][S11e]") {
  shop shop;
  shop.add(3);
  shop.watched.at(0).force_open();
  CHECK(shop.look().score == 0);
  CHECK_FALSE(shop.merchants.at("1").try_call([] { return 1; }));
  shop.watched.at(0).reset();
  CHECK(shop.look().score == 100);
}

TEST_CASE("a registry has no probe", "[system][S11][S11f]") {
  shop shop;
  const auto probe = [](const probe_context&) { return probe_result{}; };
  CHECK_THROWS_AS((brownout::registry_dependency{shop.merchants, {.name = "x", .probe = probe}}),
                  std::invalid_argument);
}
