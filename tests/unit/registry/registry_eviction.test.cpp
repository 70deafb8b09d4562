// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace registry_test;

TEST_CASE("a full registry evicts the key used the longest ago", "[registry][S3][S3c]") {
  bench bench{3};
  for (const auto* key : {"a", "b", "c"}) bench.use(key);
  bench.use("a");
  bench.use("d");
  CHECK(bench.keys() == "a c d");
  static_cast<void>(bench.breakers.find("c"));
  bench.use("e");
  CHECK(bench.keys() == "c d e");
  bench.use("d");
  bench.use("f");
  bench.use("g");
  CHECK(bench.keys() == "d f g");
  CHECK(bench.breakers.snapshot().evicted == 4);
  CHECK(bench.breakers.snapshot().size == 3);
}

TEST_CASE("up to 16 breakers the order is exact, wherever the last look ended", "[registry][S3]") {
  bench bench{16};
  std::vector<std::string> order;
  for (int i = 0; i < 16; ++i) order.push_back(std::to_string(i));
  for (const auto& key : order) bench.use(key);
  for (int i = 16; i < 200; ++i) {
    // One use between two creations; the order of several is not kept.
    std::rotate(order.begin() + i % 15, order.begin() + i % 15 + 1, order.end());
    bench.use(order.back());
    order.push_back(std::to_string(i));
    bench.use(order.back());
    REQUIRE_FALSE(bench.registers(order.front()));
    order.erase(order.begin());
    for (const auto& key : order) REQUIRE(bench.registers(key));
  }
}

TEST_CASE("a key that comes back after its eviction has a fresh breaker", "[registry][S3]") {
  bench bench{1};
  fail(bench.breakers.at("a"));
  CHECK(bench.breakers.at("a").snapshot().consecutive_failures == 1);
  bench.use("b");
  CHECK(bench.breakers.at("a").snapshot().consecutive_failures == 0);
  CHECK(bench.breakers.at("a").name() == "a");
}

TEST_CASE("an open circuit is not evicted before a call may pass again", "[registry][S3][S3d]") {
  bench bench{2};
  bench.open("down");
  bench.use("a");
  for (int i = 0; i < 100; ++i) bench.use(std::to_string(i));
  CHECK(bench.keys() == "99 down");
  CHECK(bench.breakers.at("down").observed_state() == circuit_state::open);
  bench.clock.advance(10s - 1us);
  for (int i = 0; i < 100; ++i) bench.use(std::to_string(i));
  CHECK(bench.registers("down"));

  SECTION("then too only when every other is needed more") {
    bench.clock.advance(1us);
    bench.use("b");
    CHECK(bench.keys() == "b down");
    const auto held = bench.breakers.at("b");
    bench.use("c");
    CHECK(bench.keys() == "b c");
  }
}

TEST_CASE("of circuits whose time is over the one used the longest ago goes", "[registry][S3]") {
  bench bench{3};
  for (const auto* key : {"a", "b", "c"}) bench.open(key);
  bench.use("a");
  bench.clock.advance(10s);
  bench.use("d");
  CHECK(bench.keys() == "a c d");
}

TEST_CASE("a half-open circuit goes after closed ones, and not while a probe is out", "[registry][S3]") {
  bench bench{2};
  bench.open("recovering");
  bench.clock.advance(10s);
  auto probe = *bench.breakers.at("recovering").try_acquire();
  CHECK(bench.breakers.find("recovering").observed_state() == circuit_state::half_open);
  bench.use("a");
  bench.use("b");
  CHECK(bench.keys() == "b recovering");

  SECTION("not even when there is nothing else") {
    const auto held = bench.breakers.at("b");
    CHECK_FALSE(bench.breakers.at("c").was_registered());
  }
  SECTION("a probe that was given back frees it") {
    CHECK(probe.complete(outcome::cancelled) == disposition::released);
    bench.use("c");
    CHECK(bench.keys() == "c recovering");
  }
}

TEST_CASE("a circuit that an operator holds is not evicted", "[registry][S3][S3e]") {
  bench bench{4};
  bench.hold("forced", &tested_registry::breaker_type::force_open);
  bench.hold("disabled", &tested_registry::breaker_type::disable);
  bench.hold("measured", &tested_registry::breaker_type::measure_only);
  for (int i = 0; i < 50; ++i) bench.use(std::to_string(i));
  bench.clock.advance(24h);
  for (int i = 0; i < 50; ++i) bench.use(std::to_string(i));
  CHECK(bench.keys() == "49 disabled forced measured");

  bench.hold("forced", &tested_registry::breaker_type::reset);
  bench.use("a");
  bench.use("b");
  CHECK(bench.keys() == "a b disabled measured");
}

TEST_CASE("a circuit that an operator holds for a time may be evicted afterwards", "[registry][S3]") {
  bench bench{1};
  SECTION("forced open") {
    bench.breakers.at("held").force_open_for(3s);
  }
  SECTION("disabled") {
    bench.breakers.at("held").disable_for(3s);
  }
  bench.clock.advance(3s - 1us);
  bench.use("a");
  CHECK(bench.keys() == "held");
  bench.clock.advance(1us);
  bench.use("a");
  CHECK(bench.keys() == "a");
}

TEST_CASE("a breaker that somebody has a handle or a permit of is not evicted", "[registry][S3][S3f]") {
  bench bench{3};
  auto held = bench.breakers.at("held");
  auto permit = *bench.breakers.at("called").try_acquire();
  for (int i = 0; i < 50; ++i) bench.use(std::to_string(i));
  CHECK(bench.keys() == "49 called held");
  CHECK(bench.breakers.at("held") == held);
  held = {};
  bench.use("a");
  bench.use("b");
  bench.use("c");
  CHECK(bench.keys() == "b c called");
}

TEST_CASE("with no room a new key gets an unregistered breaker, which ends with its last handle",
          "[registry][S3][S3g]") {
  bench bench{2};
  bench.open("down");
  bench.open("out");
  const auto first = bench.breakers.at("new");
  const auto second = bench.breakers.at("new");
  CHECK_FALSE(first.was_registered());
  CHECK_FALSE(second.was_registered());
  CHECK_FALSE(first == second);
  CHECK(first.name() == "new");
  CHECK_FALSE(bench.breakers.find("new"));
  CHECK(bench.keys() == "down out");

  CHECK(trip(first) == 2);  // one bad key does not refuse another's calls, nor its own next ones
  CHECK(second.call([] { return 1; }) == 1);
  CHECK(bench.breakers.at("other").call([] { return 1; }) == 1);
  const auto shown = bench.breakers.snapshot();
  CHECK(shown.unregistered == 3);
  CHECK(shown.size == 2);
  CHECK(shown.evicted == 0);

  SECTION("as soon as there is room it is registered") {
    bench.clock.advance(10s);
    CHECK(bench.breakers.at("new").was_registered());
  }
  SECTION("also when the room comes from an erased key") {
    CHECK(bench.breakers.erase("down"));
    CHECK(bench.breakers.at("new").was_registered());
    CHECK(bench.keys() == "new out");
  }
}

TEST_CASE("a registry full of open circuits looks at a few of them a time, and finds any that may go",
          "[registry][S3]") {
  constexpr int capacity = 600;
  for (int round = 0; round < 20; ++round) {  // in whichever shards the two lie
    bench bench{capacity};
    for (int i = 0; i < capacity - 1; ++i) bench.open("down-" + std::to_string(i));
    bench.use("well");
    int unregistered = 0;
    while (!bench.breakers.at("new").was_registered()) {
      ++unregistered;
      REQUIRE(unregistered < capacity);
    }
    CHECK_FALSE(bench.registers("well"));
    CHECK(bench.breakers.snapshot().size == capacity);
    for (int i = 0; i < capacity - 1; ++i) {
      REQUIRE(bench.breakers.find("down-" + std::to_string(i)));
    }
  }
}

TEST_CASE("made-up keys push out neither open circuits nor keys in use", "[registry][S3]") {
  bench bench{1024};
  std::vector<std::string> used;
  for (int i = 0; i < 64; ++i) used.push_back("used-" + std::to_string(i));
  for (int i = 0; i < 64; ++i) bench.open("down-" + std::to_string(i));
  for (int i = 0; i < 30'000; ++i) {
    bench.use("made-up-" + std::to_string(i));
    if (i % 64 == 0) {
      for (const auto& key : used) bench.use(key);
    }
  }
  for (const auto& key : used) {
    fail(bench.breakers.at(key));
    CHECK(bench.registers(key));
  }
  for (int i = 0; i < 64; ++i) {
    CHECK(bench.breakers.at("down-" + std::to_string(i)).observed_state() == circuit_state::open);
  }
  CHECK(bench.breakers.snapshot().size == 1024);
}

TEST_CASE("a breaker that nobody looks up expires, not before its time to live nor after twice that",
          "[registry][S3]") {
  bench bench{100, 60s};
  bench.use("before");
  CHECK(bench.breakers.remove_expired() == 0);
  bench.clock.advance(60s - 1ns);
  bench.use("idle");
  CHECK(bench.breakers.remove_expired() == 0);
  bench.clock.advance(1ns);
  CHECK(bench.breakers.remove_expired() == 0);  // "before" was used in the period that has just ended
  bench.clock.advance(60s - 1ns);
  CHECK(bench.breakers.remove_expired() == 0);
  bench.use("before");
  bench.clock.advance(1ns);
  CHECK(bench.breakers.remove_expired() == 1);
  CHECK(bench.keys() == "before");
  CHECK(bench.breakers.snapshot().expired == 1);
  CHECK(bench.breakers.snapshot().size == 1);
}

TEST_CASE("a registry that is seldom changed sees at the second time that a breaker is idle",
          "[registry][S3]") {
  bench bench{100, 60s};
  bench.use("idle");
  bench.clock.advance(1h);
  CHECK(bench.breakers.remove_expired() == 0);  // it may have been looked up just now
  bench.clock.advance(60s);
  CHECK(bench.breakers.remove_expired() == 1);
}

TEST_CASE("idle circuits that refuse, are held or in somebody's hands stay", "[registry][S3]") {
  bench bench{100, 1s};
  bench.open("open");
  bench.hold("forced", &tested_registry::breaker_type::force_open);
  auto held = bench.breakers.at("held");
  bench.use("idle");
  const auto pass = [&](duration time) {
    for (duration passed{}; passed < time; passed += 1s) {
      bench.clock.advance(1s);
      bench.breakers.remove_expired();
    }
  };
  pass(5s);
  CHECK(bench.keys() == "forced held open");
  pass(5s);
  CHECK(bench.keys() == "forced held");  // its open period is over
  held = {};
  bench.breakers.remove_expired();
  CHECK(bench.keys() == "forced");
}

TEST_CASE("without a time to live nothing is idle", "[registry][S3]") {
  bench bench{10};
  bench.use("a");
  bench.clock.advance(24h * 365);
  CHECK(bench.breakers.remove_expired() == 0);
  bench.clock.advance(24h * 365);
  bench.use("b");
  CHECK(bench.breakers.remove_expired() == 0);
  CHECK(bench.keys() == "a b");
}

TEST_CASE("creating breakers clears idle ones away, with room left too", "[registry][S3]") {
  bench bench{1000, 60s};
  for (int i = 0; i < 499; ++i) bench.use("idle-" + std::to_string(i));
  bench.hold("held", &tested_registry::breaker_type::force_open);
  bench.clock.advance(60s);
  bench.use("a");
  bench.clock.advance(60s);
  for (int i = 0; i < 200; ++i) bench.use("new-" + std::to_string(i));
  CHECK(bench.breakers.snapshot().size == 202);
  CHECK(bench.breakers.snapshot().expired == 499);
  CHECK(bench.registers("held"));
  CHECK(bench.breakers.snapshot().evicted == 0);
}

TEST_CASE("a full registry makes room from idle breakers first", "[registry][S3]") {
  bench bench{4, 60s};
  for (const auto* key : {"a", "b", "c", "b"}) bench.use(key);
  bench.clock.advance(60s);
  bench.use("d");
  bench.clock.advance(60s);
  bench.use("e");
  CHECK(bench.keys() == "d e");
  CHECK(bench.breakers.snapshot().expired == 3);
  CHECK(bench.breakers.snapshot().evicted == 0);
  CHECK(bench.breakers.snapshot().size == 2);
}
