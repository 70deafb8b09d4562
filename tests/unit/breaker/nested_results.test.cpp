// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/core/result.hpp"
#include "brownout/core/rules.hpp"

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

using namespace breaker_test;
using brownout::result;

namespace {

struct response {
  int status = 200;
  [[nodiscard]] bool failed() const { return status >= 500; }
};
constexpr auto server_error = [](const response& seen) { return seen.status >= 500; };

/// Three breakers, one around the other.
struct layers {
  bench outer{bench::defaults(), 9};
  bench middle{bench::defaults(), 9};
  bench inner{bench::defaults(), 9};

  layers() {
    outer.fail();
    middle.fail();
  }
  /// Failures in a row, each.
  [[nodiscard]] std::string failures() const {
    std::string all;
    for (const auto* one : {&outer, &middle, &inner}) {
      all += std::to_string(one->circuit.snapshot().consecutive_failures);
    }
    return all;
  }
};

}  // namespace

TEST_CASE("try_call of a try_call gives one result", "[breaker][B7][B7i]") {
  layers all;
  const auto asked = [&](auto function) {
    return all.outer.circuit.try_call([&] { return all.inner.circuit.try_call(function); });
  };
  SECTION("of a value") {
    const auto answer = asked([] { return 42; });
    static_assert(std::is_same_v<decltype(answer), const result<int>>);
    CHECK(answer == 42);
  }
  SECTION("of nothing") {
    const auto answer = asked([] {});
    static_assert(std::is_same_v<decltype(answer), const result<void>>);
    CHECK(answer.has_value());
  }
  SECTION("of a reference") {
    int value = 1;
    const auto same = asked([&]() -> int& { return value; });
    static_assert(std::is_same_v<decltype(same), const result<int&>>);
    CHECK(&*same == &value);
  }
  SECTION("of what can only be moved") {
    auto owner = asked([] { return std::make_unique<int>(7); });
    CHECK(**owner == 7);
  }
  CHECK(all.failures() == "010");  // a success at both; the one between them was not asked
}

TEST_CASE("try_call of a try_call of a try_call gives one result too", "[breaker][B7]") {
  layers all;
  const auto ask = [&] {
    return all.outer.circuit.try_call([&] {
      return all.middle.circuit.try_call([&] { return all.inner.circuit.try_call([] { return 42; }); });
    });
  };
  static_assert(std::is_same_v<decltype(ask()), result<int>>);
  CHECK(ask() == 42);
  CHECK(all.failures() == "000");
  all.outer.fail();
  SECTION("and the refusal of any of them") {
    all.inner.circuit.force_open();
    CHECK(ask().rejection().reason == rejection_reason::forced_open);
    CHECK(all.failures() == "100");
    CHECK(all.middle.circuit.snapshot().failed_results == 1);
    all.outer.circuit.force_open_for(3s);
    CHECK(ask() == rejection{rejection_reason::forced_open, 3s});
    CHECK(all.middle.circuit.snapshot().rejections == 0);
  }
}

TEST_CASE("call passes an inner result on as it is, and a rejection in it counts as nothing",
          "[breaker][B7]") {
  layers all;
  const auto ask = [&] {
    return all.outer.circuit.call([&] { return all.inner.circuit.try_call([] { return 42; }); });
  };
  static_assert(std::is_same_v<decltype(ask()), result<int>>);
  all.inner.circuit.force_open();
  CHECK_FALSE(ask().has_value());
  CHECK(all.failures() == "110");
  all.inner.circuit.reset();
  CHECK(ask() == 42);
  CHECK(all.failures() == "010");
}

TEST_CASE("a function that hands out a result of its own gives that result", "[breaker][B7]") {
  layers all;
  const auto from_cache = [](bool there) -> result<std::string> {
    if (!there) return rejection{rejection_reason::circuit_open, 5s};
    return "page";
  };
  CHECK(all.outer.circuit.try_call([&] { return from_cache(true); }) == "page");
  CHECK(all.outer.circuit.try_call([&] { return from_cache(false); }) ==
        rejection{rejection_reason::circuit_open, 5s});
  SECTION("one that it refers to is referred to") {
    auto kept = from_cache(true);
    auto same = all.outer.circuit.try_call([&]() -> result<std::string>& { return kept; });
    static_assert(std::is_same_v<decltype(same), result<result<std::string>&>>);
    CHECK(&*same == &kept);
  }
  SECTION("a constant one is a value") {
    const auto constant = [&]() -> const result<std::string> { return from_cache(true); };
    static_assert(std::is_same_v<decltype(all.outer.circuit.try_call(constant)), result<std::string>>);
    CHECK(all.outer.circuit.try_call(constant) == "page");
  }
}

TEST_CASE("what judges the value of a call judges it inside of a result too", "[breaker][B7]") {
  layers all;
  const auto ask = [&](int status, const auto& classify) {
    const auto fetch = [&] { return all.inner.circuit.try_call([&] { return response{status}; }, classify); };
    static_cast<void>(all.outer.circuit.try_call(fetch, classify));
    static_cast<void>(all.middle.circuit.call(fetch, classify));
  };
  SECTION("a rule") {
    ask(503, brownout::failure_if(server_error));
    CHECK(all.failures() == "222");
    ask(200, brownout::failure_if(server_error));
    CHECK(all.failures() == "000");
  }
  SECTION("several rules, of which one takes anything") {
    const brownout::first_match rules{brownout::failure_if(server_error), brownout::ignore_exceptions<int>()};
    ask(503, rules);
    CHECK(all.failures() == "222");
  }
  SECTION("a function of the value") {
    ask(404, [](const response& seen) { return seen.status == 404 ? outcome::ignored : outcome::success; });
    CHECK(all.failures() == "110");
  }
  SECTION("a rejection is not shown to it") {
    all.inner.circuit.force_open();
    ask(503, brownout::failure_if(server_error));
    CHECK(all.failures() == "110");
  }
  SECTION("nor to a rule about a member of the value") {
    const auto failed = brownout::failure_if(&response::failed);
    ask(503, failed);
    CHECK(all.failures() == "222");
    all.inner.circuit.force_open();
    ask(503, failed);
    CHECK(all.failures() == "220");  // as before, and the inner one begins anew
  }
  SECTION("unless it takes the result") {
    all.inner.circuit.force_open();
    const auto whole = [](const result<response>& seen) {
      return seen.has_value() ? outcome::success : outcome::failure;
    };
    const auto fetch = [&] { return all.inner.circuit.try_call([] { return response{}; }); };
    static_cast<void>(all.outer.circuit.try_call(fetch, whole));
    CHECK(all.failures() == "210");
  }
  SECTION("of a call that returns nothing") {
    const auto fetch = [&] { return all.inner.circuit.try_call([] {}); };
    static_cast<void>(all.outer.circuit.try_call(fetch, [] { return outcome::failure; }));
    CHECK(all.failures() == "210");
  }
}

TEST_CASE("a Retry-After is read from what is inside of a result", "[breaker][B7][B12]") {
  struct busy {
    duration retry_after;
  };
  const auto always = [](const busy&) { return true; };
  const brownout::first_match classify{brownout::failure_if(always),
                                       brownout::retry_after_from(&busy::retry_after)};
  bench inner{bench::defaults(), 1};
  bench outer{bench::defaults(), 1};
  static_cast<void>(outer.circuit.try_call(
      [&] { return inner.circuit.try_call([] { return busy{30s}; }, classify); }, classify));
  CHECK(inner.circuit.try_acquire().rejection().retry_after == 30s);
  CHECK(outer.circuit.try_acquire().rejection().retry_after == 30s);

  SECTION("and by a classifier of its own") {
    struct own_rule {
      outcome operator()(const busy&) const { return outcome::failure; }
      duration retry_after(const busy& seen) const { return seen.retry_after; }
    };
    bench around{bench::defaults(), 1};
    const auto ask = [] { return result<busy>{busy{40s}}; };
    static_cast<void>(around.circuit.call(ask, own_rule{}));
    CHECK(around.circuit.try_acquire().rejection().retry_after == 40s);
  }
  SECTION("of a rejection nothing") {
    bench around{bench::defaults(), 1};
    const auto ask = []() -> result<busy> { return rejection{rejection_reason::circuit_open, 9s}; };
    const auto failure = [](const result<busy>&) { return outcome::failure; };
    const brownout::first_match fails{brownout::retry_after_from(&busy::retry_after), failure};
    static_cast<void>(around.circuit.call(ask, fails));
    CHECK(around.circuit.try_acquire().rejection().retry_after == 5s);
  }
}

TEST_CASE("what is called is moved, invoked once and as what it is", "[breaker][B14]") {
  bench bench;
  SECTION("only movable") {
    auto owner = std::make_unique<int>(3);
    auto task = [owner = std::move(owner)] { return *owner; };
    CHECK(bench.circuit.call(std::move(task)) == 3);
    std::packaged_task<int()> packaged{[] { return 4; }};
    auto promised = packaged.get_future();
    bench.circuit.call(std::move(packaged));
    CHECK(promised.get() == 4);
  }
  SECTION("only callable as a temporary") {
    struct once {
      std::unique_ptr<int> operator()() && { return std::move(content); }
      std::unique_ptr<int> content = std::make_unique<int>(5);
    };
    CHECK(*bench.circuit.call(once{}) == 5);
    CHECK(**bench.circuit.try_call(once{}) == 5);
  }
  SECTION("changing itself") {
    int calls = 0;
    auto counts = [&calls, own = 0]() mutable { return ++calls, ++own; };
    CHECK(bench.circuit.call(counts) == 1);
    CHECK(bench.circuit.try_call(counts) == 2);
    CHECK(calls == 2);
  }
  SECTION("with a constant value") {
    const auto constant = []() -> const std::string { return "text"; };
    CHECK(bench.circuit.call(constant) == "text");
    CHECK(bench.circuit.try_call(constant) == "text");
  }
}

TEST_CASE("what a call returns is moved at most once on its way through the breaker", "[breaker][B14]") {
  struct traveller {
    explicit traveller(int* counted) : moves{counted} {}
    traveller(traveller&& other) noexcept : moves{other.moves} { ++*moves; }
    int* moves;
  };
  bench bench;
  int moves = 0;
  static_cast<void>(bench.circuit.call([&] { return traveller{&moves}; }));
  CHECK(moves <= 1);
  moves = 0;
  static_cast<void>(bench.circuit.try_call([&] { return traveller{&moves}; }));
  CHECK(moves <= 2);  // and once into the result
}
