// SPDX-License-Identifier: BSL-1.0
// What the code of the user may do inside of a guarded call: throw, call again, change the guards.
#include "unit/guard/user_code.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace guard_test;

namespace {

/// Its `n`-th move or copy throws.
struct restless {
  static inline int moves_left = 0;
  static inline int living = 0;

  int value = 7;

  restless() { ++living; }
  restless(const restless& other) : restless{moved(other)} {}
  restless(restless&& other) : restless{moved(other)} {}
  restless& operator=(const restless&) = default;
  ~restless() { --living; }

 private:
  explicit restless(int given) : value{given} { ++living; }
  static int moved(const restless& other) {
    if (moves_left > 0 && --moves_left == 0) throw std::runtime_error{"it cannot be moved"};
    return other.value;
  }
};

}  // namespace

TEST_CASE("a result that throws when it is moved leaves no place taken", "[guard][P4][R3]") {
  guards all;
  const auto once = pipeline{all.clock, retry{.budget = &all.budget, .idempotent = false}, all.around(1)};
  const auto often = pipeline{all.clock, fallback{[] { return restless{}; }}, all.around(3)};
  const auto in_turn = [](int moves, auto call) {
    int calls = 0;
    restless::moves_left = moves;
    bool has_thrown = false;
    try {
      const auto answer = call([&](const call_context&) { return ++calls, restless{}; });
      CHECK(answer->value == 7);
    } catch (const std::runtime_error&) {
      has_thrown = true;
    }
    restless::moves_left = 0;
    CHECK(restless::living == 0);
    return std::pair{has_thrown, calls};
  };
  bool has_thrown = true;
  for (int moves = 1; has_thrown; ++moves) {
    const auto [thrown, calls] = in_turn(moves, [&](auto function) { return once.try_call(function); });
    has_thrown = thrown;
    CHECK(calls == 1);
    // To a retry of an idempotent call, such a result is a failed attempt.
    CHECK(in_turn(moves, [&](auto function) { return often.try_call(function); }).second <= 2);
    CHECK(all.nothing_in_flight());
  }
}

TEST_CASE("an exception of the user leaves no place taken, wherever it is thrown", "[guard][P4]") {
  guards all;
  const auto guarded = all.around();
  const function fails = [](const call_context&) -> int { throw std::runtime_error{"reset"}; };
  const function answers = [](const call_context&) { return 1; };
  SECTION("by the function") {
    CHECK_THROWS_WITH(guarded.call(fails), "reset");
  }
  SECTION("by the function, something that is no std::exception") {
    CHECK_THROWS_AS(guarded.call(function{[](const call_context&) -> int { throw 7; }}), int);
  }
  SECTION("by the function, a rejection of another guard") {
    const function refused = [](const call_context&) -> int {
      throw call_rejected{{rejection_reason::bulkhead_full}};
    };
    CHECK_THROWS_AS(guarded.call(refused), call_rejected);
  }
  SECTION("by the classifier, for an answer") {
    CHECK(guarded.call(answers, [](int) -> outcome { throw std::runtime_error{"classifier"}; }) == 1);
  }
  SECTION("by the classifier, for an exception") {
    CHECK_THROWS_WITH(guarded.call(fails, throwing_classifier{}), "reset");
  }
  SECTION("by the getter of the wait that the dependency asks for") {
    const brownout::first_match classify{
        brownout::failure_if([](int) { return true; }),
        brownout::retry_after_from([](int) -> std::chrono::seconds { throw std::runtime_error{"header"}; })};
    CHECK(guarded.call(answers, classify) == 1);
  }
  SECTION("by the fallback") {
    const auto bad = fallback{[]() -> int { throw std::runtime_error{"fallback"}; }};
    CHECK_THROWS_WITH((pipeline{all.clock, bad, guarded}.call(fails)), "fallback");
    CHECK(bad.snapshot().unanswered == 1);
  }
  SECTION("by a stage of the user that stands further in") {
    CHECK_THROWS_WITH((pipeline{all.clock, guarded, broken_stage{}}.call(answers)), "stage");
  }
  SECTION("by a stage of the user that stands further out") {
    CHECK_THROWS_WITH((pipeline{all.clock, broken_stage{}, guarded}.call(answers)), "stage");
  }
  CHECK(all.nothing_in_flight());
  CHECK(guarded.call(answers) == 1);
}

TEST_CASE("if the wait before a retry throws, the token goes back and the caller gets the exception",
          "[guard][R7][R11]") {
  struct breaking_clock {
    [[nodiscard]] static brownout::time_point now() noexcept { return {}; }
    static void wait_for(brownout::duration) { throw std::runtime_error{"interrupted"}; }
  };
  retry_budget budget;
  const auto before = budget.snapshot().tokens;
  const pipeline guarded{breaking_clock{}, retry{.budget = &budget, .idempotent = true}};
  CHECK_THROWS_WITH(guarded.call([]() -> int { throw std::runtime_error{"reset"}; }), "interrupted");
  CHECK(budget.snapshot().tokens == before);
}

TEST_CASE("a function may call through its own pipeline again", "[guard][P4]") {
  guards all;
  const auto guarded = all.around();
  int depth = 0;
  int refused = 0;
  const function calls_again = [&](const call_context&) -> int {
    ++depth;
    const auto inner = guarded.try_call(calls_again);
    if (!inner) {
      ++refused;
      CHECK(inner.rejection().reason == rejection_reason::bulkhead_full);
      return 0;
    }
    return *inner + 1;
  };
  // The bulkhead has three places.
  CHECK(guarded.call(calls_again) == 2);
  CHECK(depth == 3);
  CHECK(refused == 1);
  CHECK(all.nothing_in_flight());
}

TEST_CASE("a late call inside of a call does not make the outer one late", "[guard][O4]") {
  manual_clock clock;
  circuit_breaker database{consecutive_failures{1}, {.open_for = 1s}, clock};
  const pipeline guarded{clock, database, timeout{.limit = 1s}};
  const pipeline inner{clock, timeout{.limit = 1ms}};
  guarded.call([&](const call_context&) { inner.call([&](const call_context&) { clock.advance(10ms); }); });
  CHECK(database.observed_state() == circuit_state::closed);
}

TEST_CASE("an answer is late only if the last attempt was, also of a stage of the user that calls again",
          "[guard][O4][P7]") {
  manual_clock clock;
  circuit_breaker database{consecutive_failures{1}, {.open_for = 1s}, clock};
  const pipeline guarded{clock, database, calling_twice{}, timeout{.limit = 10ms}};
  auto takes = 20ms;
  guarded.call([&](const call_context&) {
    clock.advance(takes);
    takes = 0ms;
  });
  CHECK(database.observed_state() == circuit_state::closed);
}

TEST_CASE("a stage of the user may pass on a context without a time", "[guard][O3][P7]") {
  manual_clock clock{brownout::time_point{1h}};
  circuit_breaker database{consecutive_failures{1}, {.open_for = 1s}, clock};
  const pipeline guarded{clock, database, forgetting_context{}, timeout{.limit = 1s}};
  brownout::time_point told;
  guarded.call([&](const call_context& call) { told = call.deadline; });
  CHECK(told == clock.now() + 1s);
  CHECK(database.observed_state() == circuit_state::closed);
}

TEST_CASE("guards may be changed by the call that they guard", "[guard][U3][L7][A10]") {
  guards all;
  const auto guarded = all.around();
  const function change = [&](const call_context&) {
    all.places.reconfigure({.limit = 0});
    all.quota.reconfigure({.rate = per_second(0)});
    all.counted.reconfigure({.rate = per_second(0)});
    all.limit.reconfigure({.target_delay = 5ms, .first = 1, .most = 1});
    all.budget.reconfigure({.least = 0});
    all.database.reconfigure({.open_for = 1s});
    return 1;
  };
  CHECK(guarded.call(change) == 1);
  CHECK(all.nothing_in_flight());
  const auto refused = guarded.try_call(change);
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection().reason == rejection_reason::rate_limited);
  all.quota.reconfigure({.rate = per_second(1000)});
  all.counted.reconfigure({.rate = per_second(1000)});
  all.clock.advance(1s);
  CHECK(guarded.try_call(change).rejection().reason == rejection_reason::bulkhead_full);
  all.places.reconfigure({.limit = 1});
  CHECK(guarded.call(function{[](const call_context&) { return 2; }}) == 2);
  CHECK(all.nothing_in_flight());
}

TEST_CASE("the circuit of a call may be opened, reset and held by the call itself", "[guard][P4]") {
  guards all;
  const auto guarded = all.around();
  const function answers = [](const call_context&) { return 1; };
  CHECK(guarded.call(function{[&](const call_context&) {
    all.database.force_open();
    CHECK(guarded.try_call(answers).rejection().reason == rejection_reason::forced_open);
    all.database.reset();
    return 1;
  }}) == 1);
  CHECK(all.nothing_in_flight());
  CHECK(all.database.observed_state() == circuit_state::closed);
}

TEST_CASE("a listener of a limit may call through the pipeline of the call that changed it", "[guard][A10]") {
  guards all;
  const auto guarded = all.around();
  int heard = 0;
  const function answers = [](const call_context&) { return 1; };
  const function answers_late = [&](const call_context&) {
    all.clock.advance(2s);
    return 1;
  };
  all.limit.listen([&](const brownout::limit_change&) {
    ++heard;
    CHECK(guarded.call(answers) == 1);
    throw std::runtime_error{"listener"};
  });
  for (int i = 0; i < 30; ++i) {
    CHECK(guarded.call(answers_late) == 1);
  }
  CHECK(heard > 0);
  CHECK(all.limit.snapshot().listener_failures == static_cast<std::uint64_t>(heard));
  CHECK(all.nothing_in_flight());
}

TEST_CASE("last_good keeps the answer of a stage of the user that calls again", "[guard][F7][P7]") {
  manual_clock clock{brownout::time_point{1h}};
  const pipeline guarded{clock, calling_twice{}, fallback{last_good{.max_age = 10s}}};
  guarded.call([&] {
    clock.advance(8s);
    return 7;
  });
  clock.advance(1s);  // the first answer is too old, the second one is not
  CHECK(guarded.call([]() -> int { throw std::runtime_error{"reset"}; }) == 7);
}

TEST_CASE("an answer of last_good that cannot be copied is none", "[guard][F7]") {
  manual_clock clock;
  const pipeline guarded{clock, fallback{last_good{.max_age = 1h}}};
  CHECK(guarded.call([] { return restless{}; }).value == 7);
  restless::moves_left = 1;
  CHECK_THROWS_WITH(guarded.call([]() -> restless { throw std::runtime_error{"reset"}; }), "reset");
  restless::moves_left = 0;
  CHECK(guarded.call([]() -> restless { throw std::runtime_error{"reset"}; }).value == 7);
}

TEST_CASE("code of the answers that last_good keeps may use the same pipeline", "[guard][F7]") {
  manual_clock clock;
  const auto kept = fallback{last_good{.max_age = 1h}};
  struct curious {
    const pipeline<manual_clock, fallback<last_good>>* through;
    int depth = 0;
    curious(const pipeline<manual_clock, fallback<last_good>>* given, int at) : through{given}, depth{at} {}
    curious(curious&&) = default;
    curious(const curious& other) : through{other.through}, depth{other.depth + 1} {
      if (depth < 3) static_cast<void>(through->try_call([&] { return curious{through, depth}; }));
    }
    ~curious() {
      if (depth == 1) static_cast<void>(through->try_call([] { return 1; }));
    }
    curious& operator=(const curious&) = delete;
    curious& operator=(curious&&) = delete;
  };
  const pipeline guarded{clock, kept};
  for (int i = 0; i < 3; ++i) static_cast<void>(guarded.try_call([&] { return curious{&guarded, 0}; }));
  static_cast<void>(guarded.try_call([&]() -> curious { throw std::runtime_error{"reset"}; }));
  kept.invalidate();
}
