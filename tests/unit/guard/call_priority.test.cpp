// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/guard/limit_scene.hpp"

#include "brownout/guard/pipeline.hpp"

#include "brownout/core/caller_place.hpp"

#include <algorithm>
#include <array>
#include <set>

using namespace limit_test;
using brownout::caller_place;
using brownout::detail::class_lines;

namespace {

constexpr std::array classes{call_priority::critical_plus, call_priority::critical,
                             call_priority::sheddable_plus, call_priority::sheddable};

/// Whether a call of this class, without a key or with one, is admitted now.
bool admits(scene<>& here, call_priority priority, std::uint64_t caller = 0) {
  return static_cast<bool>(here.limit.try_acquire(priority, caller));
}

}  // namespace

TEST_CASE("a class is admitted below its share of the limit", "[guard][Q1]") {
  scene<> here{{.target_delay = 5ms, .first = 100}};
  const std::array<std::size_t, 4> places{100, 85, 70, 55};
  for (std::size_t i = 0; i < classes.size(); ++i) CHECK(here.fill(classes[i]).size() == places[i]);

  SECTION("with shares of your own") {
    here.limit.reconfigure({.target_delay = 5ms, .shares = {0.5, 0.5, 0.25, 0.01}});
    CHECK(here.fill(classes[0]).size() == 50);
    CHECK(here.fill(classes[1]).size() == 50);
    CHECK(here.fill(classes[2]).size() == 25);
    CHECK(here.fill(classes[3]).size() == 1);
  }
  SECTION("a class that does not exist is the lowest") {
    CHECK(here.fill(static_cast<call_priority>(200)).size() == 55);
    const auto held = here.take(55);
    CHECK_FALSE(here.limit.try_acquire(static_cast<call_priority>(200)));
    CHECK(here.limit.snapshot().shed[3] > 0);
  }
}

TEST_CASE("whenever a class is admitted, every higher class is", "[guard][Q2]") {
  for (const std::uint32_t limit : {1U, 2U, 7U, 20U, 100U}) {
    scene<> here{{.target_delay = 5ms, .first = limit}};
    std::vector<scene<>::permit> held;
    for (std::uint32_t in_flight = 0; in_flight < limit; ++in_flight) {
      CHECK(here.limit.snapshot().in_flight == in_flight);
      for (std::size_t lower = 1; lower < classes.size(); ++lower) {
        for (std::uint64_t caller = 0; caller < 20; ++caller) {
          if (!admits(here, classes[lower], caller)) continue;
          for (std::uint64_t other = 0; other < 20; ++other) {
            CHECK(admits(here, classes[lower - 1], other));
          }
        }
      }
      CHECK(admits(here, classes[0]));  // no place is kept from the highest class
      held.push_back(*here.limit.try_acquire(classes[0]));
    }
  }
}

TEST_CASE("within a class the same callers are refused first, in the order of their places", "[guard][Q3]") {
  scene<> here{{.target_delay = 5ms, .first = 1000}};
  std::vector<std::uint64_t> callers;
  for (std::uint64_t caller = 1; caller <= 200; ++caller) callers.push_back(caller * 7919);
  std::sort(callers.begin(), callers.end(),
            [](auto one, auto other) { return caller_place(one) < caller_place(other); });
  for (const auto priority : classes) {
    auto held = here.take(400);
    std::size_t served_before = callers.size();
    std::set<std::size_t> counts;
    for (; held.size() < 1000; held.push_back(*here.limit.try_acquire(classes[0]))) {
      std::size_t served = 0;
      while (served < callers.size() && admits(here, priority, callers[served])) ++served;
      for (auto i = served; i < callers.size(); ++i) REQUIRE_FALSE(admits(here, priority, callers[i]));
      REQUIRE(served <= served_before);
      served_before = served;
      counts.insert(served);
      if (!admits(here, classes[0])) break;
    }
    CHECK(counts.size() > 30);  // one after the other, and not all at once
  }
}

TEST_CASE("a caller with a key has a line in the upper half of the way to the next class", "[guard][Q3]") {
  constexpr auto lines = class_lines::of({1, 0.9, 0.8, 0.7});
  for (std::size_t i = 0; i < classes.size(); ++i) {
    std::uint32_t lowest = class_lines::whole;
    std::uint32_t highest = 0;
    for (std::uint64_t caller = 1; caller < 2'000; ++caller) {
      const auto line = lines.line(classes[i], caller);
      lowest = (std::min)(lowest, line);
      highest = (std::max)(highest, line);
    }
    const auto share = static_cast<double>(lines.share(i));
    CHECK(highest == Approx(share).margin(5));
    CHECK(lowest == Approx(share - 0.05 * class_lines::whole).margin(5));
    CHECK(lines.line(classes[i], 0) == lines.share(i));
  }
  constexpr auto equal = class_lines::of({1, 1, 1, 1});
  for (const auto priority : classes) CHECK(equal.line(priority, 12'345) == class_lines::whole);
  constexpr auto steep = class_lines::of({1, 1, 1, 0.01});
  for (std::uint64_t caller = 1; caller < 2'000; ++caller) CHECK(steep.line(classes[3], caller) > 0);
}

TEST_CASE("with calls of the lowest class only, the limit rises until they have the room they need",
          "[guard][Q4]") {
  scene<> here;
  for (int window = 0; window < 100; ++window) {
    auto running = here.fill(call_priority::sheddable);
    for (auto& one : running) one.started();
    CHECK(running.size() * 10 < std::size_t{here.value()} * 9);  // in flight never shows the demand
    running.clear();
    here.clock.advance(100ms);
    auto last = here.limit.try_acquire(call_priority::sheddable);
    last->started();
  }
  CHECK(here.value() == 1000);
  CHECK(here.fill(call_priority::sheddable).size() == 550);
}

TEST_CASE("a call that is shed is told so, and to wait for a time that differs from call to call",
          "[guard][Q5]") {
  scene<> here{{.name = "server", .target_delay = 5ms, .shed_for = 2s}};
  const auto held = here.take(16);
  std::set<std::int64_t> waits;
  for (int i = 0; i < 100; ++i) {
    const auto refused = here.limit.try_acquire(call_priority::sheddable_plus);
    REQUIRE_FALSE(refused);
    const auto why = refused.rejection();
    CHECK(why.reason == rejection_reason::shed);
    CHECK(why.retry_after >= 2s);
    CHECK(why.retry_after <= 4s);
    CHECK(why.guard == "server");
    CHECK_FALSE(why.began);
    waits.insert(why.retry_after.count());
  }
  CHECK(waits.size() > 90);
  CHECK(*waits.rbegin() - *waits.begin() > 1'800'000'000);
  CHECK(here.limit.snapshot().shed == std::array<std::uint64_t, 4>{0, 0, 100, 0});
  CHECK(here.limit.snapshot().limit_reached == 0);

  SECTION("a call at the limit is told so, and no time") {
    const auto rest = here.fill();
    const auto refused = here.limit.try_acquire(call_priority::sheddable);
    CHECK(refused.rejection().reason == rejection_reason::limit_reached);
    CHECK(refused.rejection().retry_after == brownout::rejection::unknown);
    CHECK(refused.rejection().guard == "server");
  }
}

TEST_CASE("the class and the caller of a call travel in its context", "[guard][Q6]") {
  scene<> here{{.target_delay = 5ms, .first = 100}};
  const auto admitted = [&](const brownout::call_context& call) {
    return brownout::pipeline{here.limit}.try_call(call, [] {}).has_value();
  };
  CHECK(brownout::call_context{}.priority == call_priority::critical);
  auto held = here.take(84);
  CHECK(admitted({}));
  held.push_back(*here.limit.try_acquire());
  CHECK_FALSE(admitted({}));
  CHECK_FALSE(admitted({.priority = call_priority::sheddable}));
  CHECK(admitted({.priority = call_priority::critical_plus}));
  held.erase(held.end() - 2, held.end());
  std::uint64_t late = 1;
  while (caller_place(late) < 0.9) ++late;
  CHECK(admitted({}));
  CHECK_FALSE(admitted({.caller = late}));
}

TEST_CASE("the time of a call in its context saves a reading of the clock", "[guard][Q6]") {
  scene<> here{{.latency_budget = 300ms}};
  for (int i = 0; i < 10; ++i) {
    here.clock.advance(10ms);
    // The call has been on its way for a second.
    static_cast<void>(
        brownout::pipeline{here.clock, here.limit}.try_call({.now = here.clock.now() - 1s}, [] {}));
  }
  CHECK(here.value() == 18);
}
