// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/time_window.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

using namespace breaker_test;
using brownout::circuit_breaker;
using brownout::failure_rate;
using brownout::preset;
using brownout::standard_detector;
using brownout::time_window;

namespace {

using default_breaker = circuit_breaker<standard_detector, manual_clock>;
using rate = failure_rate<time_window>;

/// Whether the breaker's time is this clock's.
bool goes_by(manual_clock& clock, auto& circuit) {
  circuit.force_open_for(1s);
  const auto before = circuit.snapshot().retry_after;
  clock.advance(1s);
  return before == 1s && circuit.snapshot().retry_after == duration::zero();
}

/// As in a class of a user's.
struct service {
  std::unique_ptr<circuit_breaker<>> database =
      std::make_unique<circuit_breaker<>>(breaker_options{.name = "database"});
  circuit_breaker<consecutive_failures> cache{{.threshold = 3}, {.name = "cache"}};
  circuit_breaker<> search{{.name = "search"}};
};

}  // namespace

TEST_CASE("a breaker is built from what its user has to say, in braces", "[breaker][construction]") {
  manual_clock clock;
  SECTION("detector, options and clock") {
    tested_breaker circuit{{.threshold = 7}, {.name = "shop", .open_for = 3s}, clock};
    CHECK(circuit.detector().threshold == 7);
    CHECK(circuit.name() == "shop");
    CHECK(goes_by(clock, circuit));
  }
  SECTION("a clock, and the rest by default") {
    tested_breaker in_braces{{}, {}, clock};
    CHECK(in_braces.detector().threshold == consecutive_failures{}.threshold);
    CHECK(in_braces.name().empty());
    CHECK(goes_by(clock, in_braces));
    default_breaker by_default{{}, {}, clock};
    CHECK(goes_by(clock, by_default));
    tested_breaker without_detector{{}, clock};
    CHECK(goes_by(clock, without_detector));
  }
  SECTION("options alone") {
    const tested_breaker circuit{{.name = "shop", .open_for = 3s}};
    CHECK(circuit.name() == "shop");
    CHECK(circuit.detector().threshold == consecutive_failures{}.threshold);
    default_breaker timed{{.name = "shop"}, clock};
    CHECK(timed.name() == "shop");
    CHECK(goes_by(clock, timed));
  }
  SECTION("nothing, said once more") {
    CHECK(tested_breaker{}.name().empty());
    CHECK(tested_breaker{{}}.name().empty());
    CHECK(tested_breaker{{}, {}}.name().empty());
  }
  SECTION("a preset, with a clock or without") {
    circuit_breaker timed{brownout::presets::gobreaker("shop"), clock};
    static_assert(std::is_same_v<decltype(timed), tested_breaker>);
    CHECK(timed.detector().threshold == 6);
    CHECK(goes_by(clock, timed));
    const auto own = preset<consecutive_failures>{{4}, {.name = "own"}};
    const circuit_breaker named{own};
    CHECK(named.detector().threshold == 4);
    CHECK(named.name() == "own");
  }
}

TEST_CASE("a breaker's type follows from what it is built of", "[breaker][construction]") {
  const manual_clock clock{};
  const circuit_breaker by_options{{.name = "shop"}};
  static_assert(std::is_same_v<decltype(by_options), const circuit_breaker<>>);
  const circuit_breaker by_detector{rate{.threshold = 0.2}, {.name = "shop"}};
  static_assert(std::is_same_v<decltype(by_detector), const circuit_breaker<rate>>);
  const circuit_breaker all{rate{}, {}, clock};
  static_assert(std::is_same_v<decltype(all), const circuit_breaker<rate, manual_clock>>);
  const circuit_breaker timed{{.name = "shop"}, clock};
  static_assert(std::is_same_v<decltype(timed), const default_breaker>);
  CHECK(timed.name() == "shop");
}

TEST_CASE("a breaker is built in place by what forwards arguments: types named, no braces alone",
          "[breaker][construction]") {
  const manual_clock clock{};
  CHECK(std::make_unique<tested_breaker>(consecutive_failures{3}, breaker_options{.name = "a"}, clock)
            ->name() == "a");
  CHECK(std::make_unique<tested_breaker>(breaker_options{.name = "b"}, clock)->name() == "b");
  CHECK(std::make_shared<circuit_breaker<>>(breaker_options{.name = "c"})->name() == "c");
  CHECK(std::make_unique<tested_breaker>(brownout::presets::gobreaker("d"), clock)->name() == "d");

  std::optional<tested_breaker> perhaps;
  CHECK(perhaps.emplace(consecutive_failures{3}, breaker_options{.name = "e"}).name() == "e");
  std::deque<tested_breaker> row;
  CHECK(row.emplace_back(breaker_options{.name = "f"}, clock).name() == "f");
  std::map<std::string, tested_breaker> by_name;
  CHECK(by_name.try_emplace("g", breaker_options{.name = "g"}).first->second.name() == "g");

  const auto make = [&] { return tested_breaker{{.threshold = 3}, {.name = "h"}, clock}; };
  CHECK(std::unique_ptr<tested_breaker> { new tested_breaker(make()) } -> name() == "h");

  const service built;
  CHECK(built.database->name() == "database");
  CHECK(built.cache.name() == "cache");
  CHECK(built.search.name() == "search");
}

// Only a registry shares one policy among its breakers.
static_assert(
    !std::is_constructible_v<tested_breaker, std::shared_ptr<brownout::detail::policy<consecutive_failures>>,
                             std::string, manual_clock>);
// A preset of another detector is none for this breaker.
static_assert(!std::is_constructible_v<tested_breaker, preset<rate>>);
static_assert(!std::is_convertible_v<breaker_options, tested_breaker>);
