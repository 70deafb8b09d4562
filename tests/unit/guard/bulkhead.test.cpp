// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/bulkhead.hpp"
#include "brownout/core/result.hpp"
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/counted_atomics.hpp"
#include "unit/interrupted_atomics.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using breaker_test::counted_atomics;
using breaker_test::interrupted_atomics;
using breaker_test::interruption;
using breaker_test::loads_and_writes;
using brownout::bulkhead;
using brownout::bulkhead_options;
using brownout::call_context;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;
using counted_bulkhead = bulkhead<counted_atomics>;
using interrupted_bulkhead = bulkhead<interrupted_atomics>;

namespace {

template <class Bulkhead>
std::vector<typename Bulkhead::permit> take(Bulkhead& from, std::size_t count) {
  std::vector<typename Bulkhead::permit> taken;
  for (std::size_t i = 0; i < count; ++i) {
    auto admitted = from.try_acquire();
    REQUIRE(admitted);
    taken.push_back(*std::move(admitted));
  }
  return taken;
}

}  // namespace

static_assert(!std::is_copy_constructible_v<bulkhead<>> && !std::is_move_constructible_v<bulkhead<>>);
static_assert(!std::is_copy_constructible_v<bulkhead<>::permit>);
static_assert(std::is_nothrow_move_constructible_v<bulkhead<>::permit>);
static_assert(std::is_nothrow_move_assignable_v<bulkhead<>::permit>);
static_assert(noexcept(std::declval<bulkhead<>&>().try_acquire()));

TEST_CASE("a bulkhead admits as many calls as its limit and refuses the next one", "[guard][bulkhead][U1]") {
  bulkhead places{{.name = "places", .limit = 3}};
  const auto held = take(places, 3);
  const auto refused = places.try_acquire();
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection() ==
        rejection{rejection_reason::bulkhead_full, rejection::unknown, false, "places"});
  CHECK(places.snapshot().in_flight == 3);
  CHECK(places.snapshot().admitted == 3);
  CHECK(places.snapshot().refused == 1);
}

TEST_CASE("a caller that a bulkhead refuses writes only the count of refusals", "[guard][bulkhead][U1][U4]") {
  counted_bulkhead places{{.limit = 1}};
  const auto held = take(places, 1);
  // The word and the limit, and one stripe of the count.
  CHECK(counted_atomics::of([&] { CHECK_FALSE(places.try_acquire()); }) == loads_and_writes{2, 1});
  CHECK(places.snapshot().in_flight == 1);
  CHECK(places.snapshot().admitted == 1);
}

TEST_CASE("an admission of a bulkhead is one write, and so is its end", "[guard][bulkhead][U1]") {
  counted_bulkhead places{{.limit = 1}};
  CHECK(counted_atomics::of([&] { CHECK(places.try_acquire()); }) == loads_and_writes{2, 2});
}

TEST_CASE("no interleaving of two callers takes the last place of a bulkhead twice",
          "[guard][bulkhead][U1]") {
  for (int n = 0; n < 6; ++n) {
    for (int spurious = 0; spurious < 2; ++spurious) {
      INFO("the other caller before access " << n << ", spurious failures: " << spurious);
      interrupted_bulkhead places{{.limit = 1}};
      std::optional<interrupted_bulkhead::admission> other;
      interruption::action = [&] { other.emplace(places.try_acquire()); };
      interruption::accesses_left = n;
      interruption::spurious_failures = spurious;
      auto one = places.try_acquire();
      interruption::accesses_left = -1;
      interruption::spurious_failures = 0;
      if (!other) other.emplace(places.try_acquire());
      CHECK(one.operator bool() != other->operator bool());
      CHECK(places.snapshot().in_flight == 1);
      CHECK(places.snapshot().admitted == 1);
      CHECK(places.snapshot().refused == 1);
    }
  }
}

TEST_CASE("a refused caller never makes a bulkhead refuse another one", "[guard][bulkhead][U1]") {
  // The place is given back at any moment of a refusal, and the next caller gets it at once.
  for (int n = 0; n < 6; ++n) {
    INFO("given back before access " << n);
    interrupted_bulkhead places{{.limit = 1}};
    auto held = take(places, 1);
    bool next_admitted = false;
    interruption::action = [&] {
      held.clear();
      next_admitted = places.try_acquire().operator bool();
    };
    interruption::accesses_left = n;
    static_cast<void>(places.try_acquire());
    interruption::accesses_left = -1;
    CHECK((next_admitted || !held.empty()));
  }
}

TEST_CASE("threads never hold more permits of a bulkhead than its limit", "[guard][bulkhead][U1][U2]") {
  constexpr int threads = 4;
  constexpr int rounds = 20'000;
  bulkhead places{{.limit = 3}};
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<std::uint64_t> admitted{0};
  // Written by the calls that hold a permit. With a limit of one, a race of these writes would be reported by
  // the thread sanitizer.
  bulkhead single{{.limit = 1}};
  std::uint64_t unguarded = 0;
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        if (auto place = places.try_acquire()) {
          const auto now = inside.fetch_add(1) + 1;
          for (auto seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          inside.fetch_sub(1);
          admitted.fetch_add(1);
        }
        if (auto place = single.try_acquire()) ++unguarded;
      }
    });
  }
  for (auto& one : running) one.join();
  CHECK(most <= 3);
  const auto shown = places.snapshot();
  CHECK(shown.in_flight == 0);
  CHECK(shown.admitted == admitted);
  CHECK(shown.admitted + shown.refused == std::uint64_t{threads} * rounds);
  CHECK(unguarded == single.snapshot().admitted);
}

TEST_CASE("a permit of a bulkhead gives its place back once", "[guard][bulkhead][U2]") {
  bulkhead places{{.limit = 2}};
  auto held = take(places, 2);
  SECTION("when it is destroyed") {
    held.pop_back();
    CHECK(places.snapshot().in_flight == 1);
  }
  SECTION("when it is released, and not again when it is destroyed") {
    held.back().release();
    CHECK(held.back().settled());
    CHECK(places.snapshot().in_flight == 1);
    held.back().release();
    held.pop_back();
    CHECK(places.snapshot().in_flight == 1);
  }
  SECTION("after it was moved, only by its new owner") {
    {
      auto moved = std::move(held.back());
      held.pop_back();
      CHECK(places.snapshot().in_flight == 2);
      CHECK_FALSE(moved.settled());
    }
    CHECK(places.snapshot().in_flight == 1);
  }
  SECTION("when another one is assigned to it") {
    held[0] = std::move(held[1]);
    CHECK(places.snapshot().in_flight == 1);
    CHECK(held[1].settled());
  }
  SECTION("not when it is assigned to itself") {
    auto& itself = held[0];
    held[0] = std::move(itself);
    CHECK(places.snapshot().in_flight == 2);
  }
  SECTION("on another thread") {
    std::thread{[moved = std::move(held.back())]() mutable { moved.release(); }}.join();
    CHECK(places.snapshot().in_flight == 1);
  }
  const bool one_is_free = places.snapshot().in_flight < 2;
  CHECK(places.try_acquire().operator bool() == one_is_free);
}

TEST_CASE("an admission of a bulkhead knows a refused call from a settled one", "[guard][bulkhead][U2]") {
  bulkhead places{{.limit = 1}};
  auto admitted = places.try_acquire();
  REQUIRE(admitted);
  CHECK_FALSE(places.try_acquire());
  admitted->release();
  CHECK_FALSE(admitted);
  CHECK(places.try_acquire());
}

TEST_CASE("an exception of the call gives its place of a bulkhead back", "[guard][bulkhead][U2]") {
  bulkhead places{{.limit = 1}};
  const auto fails = [](const call_context&) -> result<int> { throw std::runtime_error{"no"}; };
  CHECK_THROWS_WITH(places.around<int>({}, fails), "no");
  CHECK(places.snapshot().in_flight == 0);
}

TEST_CASE("the limit of a bulkhead changes while calls are in flight", "[guard][bulkhead][U3]") {
  bulkhead places{{.name = "places", .limit = 4}};
  auto held = take(places, 4);
  SECTION("raised: further calls pass at once") {
    places.reconfigure({.limit = 5});
    CHECK(places.try_acquire());
  }
  SECTION("lowered: refuses until enough calls have ended, and takes nothing away") {
    places.reconfigure({.limit = 2});
    CHECK(places.snapshot().in_flight == 4);
    for (int ended = 0; ended < 2; ++ended) {
      CHECK_FALSE(places.try_acquire());
      CHECK_FALSE(held.back().settled());
      held.pop_back();
    }
    CHECK_FALSE(places.try_acquire());
    held.pop_back();
    CHECK(places.try_acquire());
  }
  SECTION("to 0: every call is refused, until it is raised again") {
    places.reconfigure({.limit = 0});
    CHECK_FALSE(places.try_acquire());
    held.clear();
    CHECK_FALSE(places.try_acquire());
    places.reconfigure({.limit = 1});
    CHECK(places.try_acquire());
  }
  CHECK(places.options().name == "places");
}

TEST_CASE("a bulkhead with limit 0 refuses every call", "[guard][bulkhead][U3]") {
  bulkhead closed{{.limit = 0}};
  for (int i = 0; i < 3; ++i) CHECK_FALSE(closed.try_acquire());
  CHECK(closed.snapshot().refused == 3);
}

TEST_CASE("a bulkhead as a stage refuses at once or makes the call", "[guard][bulkhead][U4]") {
  bulkhead places{{.name = "places", .limit = 1}};
  const call_context given{.attempt = 2};
  std::uint32_t in_flight = 0;
  const auto call = [&](const call_context& context) -> result<std::unique_ptr<int>> {
    CHECK(&context == &given);
    in_flight = places.snapshot().in_flight;
    return std::make_unique<int>(7);
  };
  CHECK(**places.around<std::unique_ptr<int>>(given, call) == 7);
  CHECK(in_flight == 1);
  CHECK(places.snapshot().in_flight == 0);

  const auto held = take(places, 1);
  bool called = false;
  const auto refused = places.around<void>(given, [&](const call_context&) -> result<void> {
    called = true;
    return {};
  });
  REQUIRE_FALSE(refused);
  CHECK_FALSE(called);
  CHECK(refused.rejection().reason == rejection_reason::bulkhead_full);
  CHECK_FALSE(refused.rejection().began);
  CHECK(refused.rejection().guard.data() == places.name().data());
}

TEST_CASE("a full bulkhead does not guess when a place will be free", "[guard][bulkhead][U7]") {
  bulkhead places{{.limit = 1}};
  const auto held = take(places, 1);
  CHECK(places.try_acquire().rejection().retry_after == rejection::unknown);
}

TEST_CASE("by default a bulkhead admits 25 calls", "[guard][bulkhead]") {
  bulkhead<> places{{}};
  const auto held = take(places, 25);
  CHECK_FALSE(places.try_acquire());
  CHECK(places.name().empty());
}

TEST_CASE("options of a bulkhead are checked", "[guard][bulkhead]") {
  const std::string longest(128, 'n');
  CHECK(bulkhead{{.name = longest, .limit = bulkhead_options::most_calls}}.name() == longest);
  CHECK_THROWS_WITH((bulkhead{{.name = "db", .limit = bulkhead_options::most_calls + 1}}),
                    "bulkhead 'db': bulkhead_options.limit = 16777217: allowed is 0 to 16777216");
  CHECK_THROWS_WITH(
      (bulkhead{{.name = longest + "n"}}),
      "bulkhead '" + longest + "': bulkhead_options.name = " + longest + "...: allowed is up to 128 bytes");

  bulkhead places{{.name = "db", .limit = 1}};
  CHECK_THROWS_WITH(places.reconfigure({.name = "cache", .limit = 9}),
                    "bulkhead_options.name = 'cache': allowed is 'db'");
  CHECK_THROWS_AS(places.reconfigure({.limit = ~std::uint32_t{0}}), std::invalid_argument);
  CHECK(places.options().limit == 1);
  places.reconfigure({.name = "db", .limit = 2});
  CHECK(places.options().limit == 2);
}

TEST_CASE("a bulkhead that is destroyed before a permit is a broken precondition", "[guard][bulkhead][U2]") {
  const auto ended = core_test::in_child([] {
    std::optional<bulkhead<>> places{std::in_place, bulkhead_options{}};
    const auto held = take(*places, 1);
    places.reset();
  });
  CHECK(ended.signal == SIGABRT);
  CHECK(ended.output.find("a bulkhead is destroyed while calls hold its permits") != std::string::npos);
}
