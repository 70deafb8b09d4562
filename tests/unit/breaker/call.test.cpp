// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

using namespace breaker_test;

namespace {

int free_function() {
  return 7;
}

}  // namespace

TEST_CASE("call returns what the function returns, and counts a success", "[breaker][B14][B14c]") {
  bench bench;
  bench.fail(2);
  SECTION("a value") {
    static_assert(std::is_same_v<decltype(bench.circuit.call([] { return 3; })), int>);
    CHECK(bench.circuit.call([] { return 3; }) == 3);
  }
  SECTION("nothing") {
    bool called = false;
    static_assert(std::is_void_v<decltype(bench.circuit.call([] {}))>);
    bench.circuit.call([&] { called = true; });
    CHECK(called);
  }
  SECTION("a reference, not a copy") {
    int value = 1;
    auto& same = bench.circuit.call([&]() -> int& { return value; });
    static_assert(std::is_same_v<decltype(same), int&>);
    CHECK(&same == &value);
  }
  SECTION("a move-only value") {
    auto pointer = bench.circuit.call([] { return std::make_unique<int>(5); });
    CHECK(*pointer == 5);
  }
  SECTION("of a function pointer") {
    CHECK(bench.circuit.call(&free_function) == 7);
  }
  SECTION("of a function object that may be called once, as an rvalue") {
    struct once {
      int operator()() && { return 9; }
    };
    CHECK(bench.circuit.call(once{}) == 9);
  }
  SECTION("of a function object that is no copy") {
    struct counter {
      counter() = default;
      counter(const counter&) = delete;
      counter& operator=(const counter&) = delete;
      int operator()() { return ++calls; }
      int calls = 0;
    } function;
    CHECK(bench.circuit.call(function) == 1);
    CHECK(function.calls == 1);
  }
  CHECK(bench.circuit.snapshot().consecutive_failures == 0);
}

TEST_CASE("what the function throws passes through, and counts as one failure", "[breaker][B14][B14b]") {
  bench bench;
  const bool by_value = GENERATE(false, true);
  const auto through = [&](auto&& function) {
    if (by_value) {
      static_cast<void>(bench.circuit.try_call(function));
    } else {
      bench.circuit.call(function);
    }
  };
  SECTION("an exception, the same object") {
    CHECK_THROWS_WITH(through([]() -> void { throw std::runtime_error{"no connection"}; }), "no connection");
  }
  SECTION("anything else") {
    CHECK_THROWS_AS(through([]() -> void { throw 17; }), int);
  }
  CHECK(bench.circuit.snapshot().consecutive_failures == 1);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("a throwing probe opens the circuit and leaves no place taken", "[breaker][B5][B14]") {
  bench bench{{.open_for = 5s, .probes = 1}};
  bench.trip();
  bench.clock.advance(5s);
  CHECK_THROWS_AS(bench.circuit.call([] { throw std::runtime_error{"still down"}; }), std::runtime_error);
  CHECK(bench.state() == circuit_state::open);
  bench.clock.advance(5s);
  CHECK(bench.circuit.call([] { return 1; }) == 1);
  CHECK(bench.state() == circuit_state::closed);
}

TEST_CASE("a refused function is not called", "[breaker][B7][B7d]") {
  bench bench;
  bench.trip();
  bool called = false;
  SECTION("call throws why") {
    try {
      bench.circuit.call([&] { called = true; });
      FAIL("call returned although the circuit is open");
    } catch (const brownout::call_rejected& rejected) {
      CHECK(rejected.why() == rejection{rejection_reason::circuit_open, 5s});
      CHECK(std::string{rejected.what()} == "brownout: call to bench rejected: circuit open, retry in 5s");
    }
  }
  SECTION("try_call says why") {
    const auto refused = bench.circuit.try_call([&] { called = true; });
    REQUIRE_FALSE(refused);
    CHECK(refused.rejection() == rejection{rejection_reason::circuit_open, 5s});
  }
  SECTION("try_call of something that returns a value") {
    const auto refused = bench.circuit.try_call([&]() -> std::string {
      called = true;
      return "text";
    });
    CHECK_FALSE(refused.has_value());
    CHECK(refused.value_or("fallback") == "fallback");
    CHECK_THROWS_AS(refused.value(), brownout::call_rejected);
  }
  CHECK_FALSE(called);
  CHECK(bench.circuit.snapshot().rejections == 1);
  CHECK(bench.circuit.snapshot().late_results == 0);
}

TEST_CASE("try_call gives what the function returned", "[breaker][B14]") {
  bench bench;
  bench.fail(1);
  SECTION("a value") {
    CHECK(*bench.circuit.try_call([] { return 3; }) == 3);
  }
  SECTION("nothing") {
    CHECK(bench.circuit.try_call([] {}).has_value());
  }
  SECTION("a reference, not a copy") {
    int value = 1;
    auto same = bench.circuit.try_call([&]() -> int& { return value; });
    CHECK(&*same == &value);
  }
  SECTION("a move-only value") {
    auto pointer = *bench.circuit.try_call([] { return std::make_unique<int>(5); });
    CHECK(*pointer == 5);
  }
  CHECK(bench.circuit.snapshot().consecutive_failures == 0);
}

TEST_CASE("a call may use the circuit it runs on", "[breaker][B10]") {
  bench bench;
  SECTION("call it again") {
    CHECK(bench.circuit.call([&] { return bench.circuit.call([] { return 1; }) + 1; }) == 2);
  }
  SECTION("open it, and come late") {
    bench.circuit.call([&] { bench.circuit.force_open(); });
    CHECK(bench.circuit.snapshot().late_results == 1);
    CHECK(bench.state() == circuit_state::forced_open);
  }
}
