// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using namespace registry_test;

namespace {

/// A registry of which every breaker but those in somebody's hands goes with the next new key.
struct tight_bench : bench {
  tight_bench() : bench{1} {}
  void push_out() {
    for (int i = 0; i < 10; ++i) use("other");
    erased = breakers.erase("other");
  }
  bool erased = false;
};

}  // namespace

TEST_CASE("a temporary handle does what its breaker does", "[registry][S3]") {
  bench bench{10};
  auto& hosts = bench.breakers;
  hosts.at("y").force_open();
  CHECK(hosts.at("y").observed_state() == circuit_state::forced_open);
  hosts.at("y").reset();
  hosts.at("y").disable();
  CHECK(hosts.at("y").status().state == circuit_state::disabled);
  hosts.at("y").measure_only();
  CHECK(hosts.at("y").observed_state() == circuit_state::metrics_only);
  hosts.at("y").force_open_for(3s);
  CHECK(hosts.at("y").snapshot().retry_after == 3s);
  hosts.at("y").disable_for(3s);
  bench.clock.advance(3s);
  CHECK(hosts.at("y").call([] { return 1; }) == 1);
  CHECK(hosts.at("y").observed_state() == circuit_state::closed);
  CHECK(hosts.at("y").trip("told from outside", 30s));
  CHECK(hosts.at("y").snapshot().retry_after == 30s);
  hosts.at("y").reset();
  hosts.at("y").reconfigure({.open_for = 77s});
  hosts.at("y").reconfigure(consecutive_failures{1});
  CHECK(hosts.at("y").options().open_for.least(1, 0s, 0) == 77s);
  CHECK(hosts.at("y").detector().threshold == 1);
}

TEST_CASE("an arrow does what a dot does, of a temporary handle too", "[registry][S3]") {
  bench bench{10};
  bench.breakers.at("y")->force_open();
  CHECK(bench.breakers.at("y")->observed_state() == circuit_state::forced_open);
  CHECK(bench.breakers.at("y")->try_acquire().rejection().reason == rejection_reason::forced_open);
  bench.breakers.at("y")->reset();
  CHECK(bench.breakers.at("y")->call([] { return 2; }) == 2);
  CHECK(bench.breakers.at("y")->name() == "y");
}

TEST_CASE("a permit keeps its breaker, however it was got from a temporary handle", "[registry][S3]") {
  tight_bench bench;
  const auto by_arrow = GENERATE(true, false);
  CAPTURE(by_arrow);
  auto admitted = by_arrow ? bench.breakers.at("y")->try_acquire() : bench.breakers.at("y").try_acquire();
  REQUIRE(admitted);
  bench.push_out();
  CHECK_FALSE(bench.erased);  // there was no room for another
  CHECK(bench.breakers.find("y").name() == "y");
  CHECK(admitted->complete(outcome::failure) == disposition::counted);
  CHECK(bench.breakers.find("y").snapshot().consecutive_failures == 1);
  bench.push_out();
  CHECK(bench.erased);
  CHECK_FALSE(bench.breakers.find("y"));
}

TEST_CASE("the breaker itself is had from a handle that is named", "[registry][S3]") {
  bench bench{10};
  const auto held = bench.breakers.at("y");
  tested_registry::breaker_type& breaker = *held;
  breaker.force_open();
  CHECK(held.observed_state() == circuit_state::forced_open);
  STATIC_REQUIRE(std::is_same_v<decltype(*held), tested_registry::breaker_type&>);
}

TEST_CASE("a subscription by a handle ends by itself, or with its breaker", "[registry][B10]") {
  tight_bench bench;
  int heard = 0;
  auto count = [&](const transition_event&) { ++heard; };
  SECTION("subscribe: as long as the subscription lives") {
    auto kept = bench.breakers.at("y").subscribe(count);
    bench.open("y");
    CHECK(heard == 1);
    kept.unsubscribe();
    bench.breakers.at("y").reset();
    CHECK(heard == 1);
  }
  SECTION("attach: as long as the breaker lives") {
    const auto captured = std::make_shared<int>();
    bench.breakers.at("y").attach([&, captured](const transition_event&) { ++heard; });
    bench.open("y");
    CHECK(heard == 1);
    bench.clock.advance(10s);
    static_cast<void>(bench.breakers.at("y").call([] { return 1; }));
    CHECK(heard == 2);
    bench.breakers.at("y").attach([&](const transition_event&) { ++heard; }, announcements::every_transition);
    bench.open("y");
    CHECK(heard == 4);
    CHECK(captured.use_count() == 2);
    CHECK(bench.breakers.erase("y"));
    CHECK(captured.use_count() == 1);
  }
  SECTION("attach: an empty listener is refused") {
    CHECK_THROWS_AS(bench.breakers.at("y").attach({}), std::invalid_argument);
  }
}
