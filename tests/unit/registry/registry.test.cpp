// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace registry_test;

TEST_CASE("a key has one breaker, built on first use and named after it", "[registry][S3]") {
  bench bench{10};
  const auto first = bench.breakers.at("eu-1");
  CHECK(first.name() == "eu-1");
  CHECK(first.was_registered());
  CHECK(bench.breakers.at("eu-1") == first);
  CHECK_FALSE(bench.breakers.at("eu-2") == first);
  fail(first);
  CHECK(bench.breakers.at("eu-1").snapshot().consecutive_failures == 1);
  CHECK(bench.breakers.at("eu-2").snapshot().consecutive_failures == 0);
  CHECK(bench.breakers.snapshot().size == 2);
}

TEST_CASE("find does not build", "[registry][S3]") {
  bench bench{10};
  CHECK_FALSE(bench.breakers.find("a"));
  CHECK(bench.breakers.snapshot().size == 0);
  const auto built = bench.breakers.at("a");
  CHECK(bench.breakers.find("a") == built);
}

TEST_CASE("the rule that names a key goes before the longest prefix, and that before the shorter",
          "[registry][S3][S3i]") {
  const tested_registry::options_type rules{
      .detector = {1},
      .keys = {{.match = "eu/db", .detector = {2}}, {.match = "b", .detector = {7}}},
      .prefixes = {{.match = "e", .detector = {3}},
                   {.match = "eu/d", .detector = {4}},
                   {.match = "eu/", .detector = {5}},
                   {.match = "eu/db/replica", .detector = {6}}},
  };
  tested_registry breakers{rules, manual_clock{}};
  CHECK(trip(breakers.at("eu/db")) == 2);
  CHECK(trip(breakers.at("b")) == 7);
  CHECK(trip(breakers.at("e")) == 3);
  CHECK(trip(breakers.at("eu")) == 3);
  CHECK(trip(breakers.at("eu/cache")) == 5);
  CHECK(trip(breakers.at("eu/d")) == 4);
  CHECK(trip(breakers.at("eu/db2")) == 4);
  CHECK(trip(breakers.at("eu/db/replica")) == 6);
  CHECK(trip(breakers.at("eu/db/replica/1")) == 6);
  CHECK(trip(breakers.at("bb")) == 1);
  CHECK(trip(breakers.at("")) == 1);
  CHECK(trip(breakers.at("us/eu/db")) == 1);
}

TEST_CASE("a rule sets everything about its breakers but the name", "[registry][S3]") {
  manual_clock clock;
  tested_registry breakers{
      {.prefixes = {{.match = "slow/", .detector = {1}, .breaker = {.open_for = 7s, .successes = 3}}}},
      clock};
  const auto slow = breakers.at("slow/x");
  trip(slow);
  CHECK(slow.snapshot().retry_after == 7s);
  CHECK(slow.snapshot().probes_needed == 3);
  CHECK(slow.name() == "slow/x");
}

TEST_CASE("any bytes are a key", "[registry][S3]") {
  bench bench{100};
  using namespace std::string_view_literals;
  const std::vector<std::string> keys{
      "",
      std::string("\0"sv),
      std::string("\0\0"sv),
      "a",
      std::string("a\0"sv),
      std::string("a\0b"sv),
      "\xff\xfe",
      std::string(8, '\0'),
      std::string(9, '\0'),
      std::string(126, 'k'),
      std::string(127, 'k'),
      std::string(126, 'k') + 'l',
      "../../etc/passwd",
      "{}%n%s\r\n",
  };
  std::vector<handle> breakers;
  for (const auto& key : keys) breakers.push_back(bench.breakers.at(key));
  CHECK(bench.breakers.snapshot().size == keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    CAPTURE(i);
    CHECK(breakers[i].name() == keys[i]);
    CHECK(bench.breakers.at(keys[i]) == breakers[i]);
    CHECK(breakers[i].was_registered());
  }
}

TEST_CASE("a handle calls as its breaker does", "[registry][S3]") {
  bench bench{10};
  const auto one = bench.breakers.at("a");
  CHECK(one.call([] { return 1; }) == 1);
  CHECK(one.try_call([] { return 2; }).value() == 2);
  CHECK_THROWS_AS(one.call([]() -> int { throw std::runtime_error{"down"}; }), std::runtime_error);
  fail(one);
  CHECK_THROWS_AS(one.call([] {}), call_rejected);
  CHECK(one.try_call([] {}).rejection().retry_after == 10s);
  const auto refused = one.try_acquire();
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection() == rejection{rejection_reason::circuit_open, 10s});
  bench.clock.advance(10s);
  auto probing = one.try_acquire();
  REQUIRE(probing);
  CHECK(probing->is_probe());
  CHECK(probing->epoch() == 2);
  CHECK(probing->complete(outcome::success) == disposition::counted);
  CHECK(probing->settled());
  CHECK(one.observed_state() == circuit_state::closed);
}

TEST_CASE("a permit that is dropped is given back, also when another takes its place", "[registry][S3]") {
  bench bench{10};
  for (const auto* key : {"a", "b"}) bench.open(key);
  bench.clock.advance(10s);
  const auto probes_of = [&](std::string_view key) {
    return bench.breakers.find(key).snapshot().probes_in_flight;
  };
  {
    auto of_a = *bench.breakers.at("a").try_acquire();
    auto of_b = *bench.breakers.at("b").try_acquire();
    CHECK(probes_of("a") == 1);
    bench.breakers.erase("a");  // so that the permit alone keeps it
    of_a = std::move(of_b);
    CHECK(probes_of("b") == 1);
  }
  CHECK(probes_of("b") == 0);
}

TEST_CASE("an empty handle holds nothing; copies and moves hold the same", "[registry][S3]") {
  bench bench{10};
  handle empty;
  CHECK_FALSE(empty);
  CHECK(empty == handle{});
  auto one = bench.breakers.at("a");
  auto copy = one;
  CHECK(copy == one);
  const auto moved = std::move(one);
  CHECK(moved == copy);
  empty = copy;
  CHECK(empty == moved);
  auto& itself = empty;
  empty = itself;
  CHECK(empty.name() == "a");
}

TEST_CASE("a handle and a permit outlive the erasure of their key, and the registry", "[registry][S3][S3h]") {
  std::optional<bench> bench{std::in_place, std::size_t{3}};
  const auto clock = bench->clock;
  const auto erased = bench->breakers.at("erased");
  bench->open("erased");
  auto kept = bench->breakers.at("kept");
  auto permit = *bench->breakers.at("called").try_acquire();
  auto alone = bench->breakers.at("no room");
  CHECK_FALSE(alone.was_registered());
  CHECK(bench->breakers.erase("erased"));
  CHECK_FALSE(bench->breakers.erase("erased"));
  CHECK_FALSE(bench->breakers.erase("never seen"));
  CHECK(bench->breakers.snapshot().size == 2);
  CHECK(bench->breakers.snapshot().erased == 1);

  const auto fresh = bench->breakers.at("erased");
  CHECK_FALSE(fresh == erased);
  CHECK(fresh.observed_state() == circuit_state::closed);
  CHECK(erased.observed_state() == circuit_state::open);

  bench.reset();
  CHECK(erased.snapshot().retry_after == 10s);
  CHECK(trip(fresh) == 2);
  CHECK(kept.call([] { return 1; }) == 1);
  CHECK(alone.call([] { return 1; }) == 1);
  CHECK(permit.complete(outcome::success) == disposition::counted);
  kept = {};
}

TEST_CASE("a breaker is erased by its handle, but no other breaker of its key", "[registry][S3]") {
  bench bench{1};
  const std::string long_key(300, 'k');
  for (const auto& key : {std::string{"a"}, long_key}) {
    const auto one = bench.breakers.at(key);
    CHECK(bench.breakers.erase(one));
    CHECK_FALSE(bench.breakers.erase(one));
    const auto next = bench.breakers.at(key);
    CHECK_FALSE(next == one);
    CHECK_FALSE(bench.breakers.erase(one));
    CHECK_FALSE(bench.breakers.erase(bench.breakers.at("no room")));
    CHECK(bench.breakers.find(key) == next);
    CHECK(bench.breakers.erase(next));
  }
}

TEST_CASE("breakers that were erased and are still held take places, but none of the capacity",
          "[registry][S3]") {
  bench bench{100};
  std::vector<handle> held;
  int registered = 0;
  for (int i = 0; i < 1000; ++i) {
    held.push_back(bench.breakers.at(std::to_string(i)));
    registered += held.back().was_registered() ? 1 : 0;
    REQUIRE(held.back().name() == std::to_string(i));
    bench.breakers.erase(std::to_string(i));
  }
  CHECK(registered >= 100);
  CHECK(registered < 1000);
  CHECK(bench.breakers.snapshot().size == 0);
  held.clear();
  for (int i = 0; i < 100; ++i) CHECK(bench.breakers.at(std::to_string(i)).was_registered());
  CHECK(bench.breakers.snapshot().size == 100);
}

TEST_CASE("visit shows each breaker once, without a lock, and is no use", "[registry][S3]") {
  bench bench{500};  // several shards and rows
  for (int i = 0; i < 400; ++i) bench.use(std::to_string(i));
  std::multiset<std::string> seen;
  bench.breakers.visit([&](const handle& one) { seen.emplace(one.name()); });
  CHECK(seen.size() == 400);
  CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 400);

  SECTION("what it calls may change the registry") {
    int shown = 0;
    bench.breakers.visit([&](const handle& one) {
      ++shown;
      CHECK(bench.breakers.erase(one.name()));
      bench.use("new " + std::string{one.name()});
      CHECK(bench.breakers.snapshot().size == 400);
      if (shown == 1000) throw std::runtime_error{"shown for ever"};
    });
    CHECK(shown >= 400);
  }
  SECTION("what it calls may throw") {
    CHECK_THROWS_AS(bench.breakers.visit([](const handle&) { throw std::runtime_error{"enough"}; }),
                    std::runtime_error);
    CHECK(bench.breakers.erase("1"));
  }
}

TEST_CASE("being shown does not keep a breaker", "[registry][S3]") {
  bench bench{2};
  bench.use("a");
  bench.use("b");
  CHECK(bench.keys() == "a b");  // shows both, a perhaps last
  bench.use("c");
  CHECK(bench.keys() == "b c");
}

TEST_CASE("as many keys are registered as the capacity says, before any is evicted", "[registry][S3][S3b]") {
  constexpr std::size_t capacity = 3000;  // several shards, filled unevenly
  bench bench{capacity};
  for (std::size_t i = 0; i < capacity; ++i) bench.use("host-" + std::to_string(i));
  CHECK(bench.breakers.snapshot().size == capacity);
  CHECK(bench.breakers.snapshot().evicted == 0);
  for (std::size_t i = 0; i < capacity; ++i) {
    const auto found = bench.breakers.find("host-" + std::to_string(i));
    REQUIRE(found);
    REQUIRE(found.name() == "host-" + std::to_string(i));
  }
  for (std::size_t i = 0; i < capacity; ++i) bench.use("other-" + std::to_string(i));
  CHECK(bench.breakers.snapshot().size == capacity);
  // One look at some breakers can find none that may go, about once in a million times: the shards are filled
  // as a secret hash has it.
  CHECK(bench.breakers.snapshot().evicted + bench.breakers.snapshot().unregistered == capacity);
  CHECK(bench.breakers.snapshot().unregistered < 10);
}

TEST_CASE("a breaker costs its registry a cache line at most beside itself", "[registry][S3]") {
  CHECK(sizeof(detail::registered_breaker<tested_registry::breaker_type>) <=
        sizeof(tested_registry::breaker_type) + 64);
}

TEST_CASE("a breaker that is reconfigured leaves the others of its rule alone", "[registry][registry][B13]") {
  bench bench{8};
  const auto one = bench.breakers.at("one");
  const auto other = bench.breakers.at("other");
  one->reconfigure(consecutive_failures{1});
  CHECK(trip(one) == 1);
  CHECK(trip(other) == 2);
  one->reconfigure({.open_for = 77s});
  CHECK(one->options().open_for.least(1, 0s, 0) == 77s);
  CHECK(other->options().open_for.least(1, 0s, 0) == 10s);
  CHECK(trip(bench.breakers.at("newcomer")) == 2);
}
