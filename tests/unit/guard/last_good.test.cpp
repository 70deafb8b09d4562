// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/last_good.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"
#include "unit/refusal_of.hpp"

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brownout::call_context;
using brownout::call_report;
using brownout::duration;
using brownout::fallback;
using brownout::last_good;
using brownout::manual_clock;
using brownout::pipeline;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;

namespace {

std::string fail() {
  throw std::runtime_error{"reset"};
}

struct bench {
  manual_clock clock{};
  fallback<last_good> front_page{last_good{.max_age = 5min}};
  pipeline<manual_clock, fallback<last_good>> guarded{clock, front_page};

  void succeed(std::string answer) const {
    guarded.call([&] { return answer; });
  }
  /// The answer to a call that fails; empty if it has none.
  [[nodiscard]] std::string shown() const {
    try {
      return guarded.call(fail);
    } catch (const std::runtime_error&) {
      return "";
    }
  }
};

}  // namespace

TEST_CASE("the last good answer is given for calls that fail, up to its greatest age", "[guard][F7]") {
  bench on;
  CHECK(on.shown().empty());
  on.succeed("first");
  on.succeed("second");
  CHECK(on.shown() == "second");
  on.clock.advance(5min);
  CHECK(on.shown() == "second");
  on.clock.advance(1ns);
  CHECK(on.shown().empty());
  SECTION("a call that was rejected gets its rejection then") {
    const rejection why{rejection_reason::rate_limited, 3s, true};
    CHECK(on.guarded.try_call([&]() -> result<std::string> { return why; }) == why);
  }
  SECTION("and a value that is a failure stays what it is") {
    CHECK(on.guarded.call([] { return std::string{"503"}; },
                          brownout::failure_if([](const std::string& seen) { return seen == "503"; })) ==
          "503");
  }
  CHECK(on.front_page.snapshot().answered == 2);
  CHECK(on.front_page.snapshot().unanswered >= 2);
}

TEST_CASE("a report has the age of the answer", "[guard][F7]") {
  bench on;
  on.succeed("page");
  on.clock.advance(90s);
  call_report report;
  CHECK(on.guarded.call(fail, report) == "page");
  CHECK(report.age == 90s);
  CHECK(report.ended_by == brownout::guard_kind::fallback);
  SECTION("not if it is too old") {
    on.clock.advance(5min);
    call_report late;
    CHECK_THROWS_AS(on.guarded.call(fail, late), std::runtime_error);
    CHECK(late.age == 0s);
    CHECK(late.ended_by == brownout::guard_kind::none);
  }
}

TEST_CASE("the age counts from the beginning of the call that had the answer", "[guard][F7]") {
  bench on;
  on.guarded.call([&] {
    on.clock.advance(1min);
    return std::string{"page"};
  });
  call_report report;
  CHECK(on.guarded.call(fail, report) == "page");
  CHECK(report.age == 1min);
  SECTION("of two calls, the answer of the one that began later is kept") {
    on.guarded.call([&] {
      on.clock.advance(1s);
      on.succeed("newer");
      return std::string{"older"};
    });
    CHECK(on.shown() == "newer");
  }
}

TEST_CASE("only a success is kept, also one that came late", "[guard][F7]") {
  manual_clock clock;
  const pipeline guarded{clock, fallback{last_good{.max_age = 1min}}, brownout::timeout{.limit = 100ms}};
  const auto down = [](const call_context&) { return 503; };
  const auto call = [&](auto function) {
    return guarded.call(function,
                        brownout::first_match{brownout::failure_if([](int got) { return got == 503; }),
                                              brownout::ignore_if([](int got) { return got == 400; })});
  };
  CHECK(call(down) == 503);
  CHECK(call([](const call_context&) { return 400; }) == 400);
  CHECK(call(down) == 503);
  CHECK(call([](const call_context&) { return 1; }) == 1);
  CHECK(call(down) == 1);
  CHECK(call([&](const call_context&) { return clock.advance(1s), 2; }) == 2);
  CHECK(call(down) == 2);
}

TEST_CASE("an answer that was invalidated does not come back", "[guard][F7]") {
  bench on;
  on.succeed("old price");
  on.front_page.invalidate();
  CHECK(on.shown().empty());
  SECTION("nor by a call that had begun before") {
    on.guarded.call([&] {
      on.front_page.invalidate();
      return std::string{"old price"};
    });
    CHECK(on.shown().empty());
    on.succeed("new price");
    CHECK(on.shown() == "new price");
  }
}

TEST_CASE("an answer that was too old once is not young again", "[guard][F7]") {
  bench on;
  on.clock.advance(1h);
  on.succeed("page");
  on.clock.advance(5min + 1ns);
  CHECK(on.shown().empty());
  SECTION("after the clock was set back") {
    on.clock.advance(-5min);
  }
  SECTION("and an answer of the future has no age") {
    on.succeed("page");
    on.clock.advance(-1ns);
    CHECK(on.shown().empty());
    on.clock.advance(1ns);
  }
  CHECK(on.shown().empty());
  on.succeed("another");
  CHECK(on.shown() == "another");
}

TEST_CASE("copies of a pipeline share the answer, and other pipelines have their own", "[guard][F7]") {
  bench on;
  const auto copy = on.guarded;
  copy.call([] { return std::string{"page"}; });
  CHECK(on.shown() == "page");
  const last_good policy{.max_age = 5min};
  const pipeline users{on.clock, fallback{policy}};
  const pipeline orders{on.clock, fallback{policy}};
  users.call([] { return std::string{"user"}; });
  CHECK_THROWS_AS(orders.call(fail), std::runtime_error);
}

TEST_CASE("of calls with several types, the latest answer is kept", "[guard][F7]") {
  bench on;
  const auto number = [&] { return on.guarded.try_call([]() -> result<int> { return rejection{}; }); };
  on.succeed("page");
  CHECK_FALSE(number());
  CHECK(on.shown() == "page");
  on.guarded.call([] { return 7; });
  CHECK(number().value() == 7);
  CHECK(on.shown().empty());
}

TEST_CASE("an answer that cannot be copied leaves the earlier one", "[guard][F7]") {
  struct fragile {
    explicit fragile(int given) : value{given} {}
    fragile(const fragile& other) : value{other.value} {
      if (value < 0) throw std::runtime_error{"copy failed"};
    }
    fragile(fragile&&) = default;
    fragile& operator=(const fragile&) = default;
    fragile& operator=(fragile&&) = default;
    ~fragile() = default;
    int value;
  };
  manual_clock clock;
  const pipeline guarded{clock, fallback{last_good{.max_age = 1min}}};
  CHECK(guarded.call([] { return fragile{1}; }).value == 1);
  CHECK(guarded.call([] { return fragile{-1}; }).value == -1);
  CHECK(guarded.call([]() -> fragile { throw std::logic_error{"reset"}; }).value == 1);
}

TEST_CASE("many threads keep, read and invalidate one answer", "[guard][F7]") {
  const fallback numbers{last_good{.max_age = 1h}};
  const pipeline guarded{numbers};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 1000; ++i) {
        guarded.call([&] { return std::string(static_cast<std::size_t>(50 + thread), 'x'); });
        const auto got = guarded.try_call([]() -> result<std::string> { return rejection{}; });
        if (got && (got->size() < 50 || got->size() > 53)) ++wrong;
        if (i % 100 == 0) numbers.invalidate();
      }
    });
  }
  for (auto& one : threads) one.join();
  CHECK(wrong == 0);
  CHECK(numbers.snapshot().answered + numbers.snapshot().unanswered == 4000);
}

TEST_CASE("the greatest age of an answer must be said, within its range", "[guard][F7]") {
  static_assert(!std::default_initializable<decltype(last_good::max_age)>);
  CHECK(refusal_of(last_good{.max_age = 1ms}).empty());
  CHECK(refusal_of(last_good{.max_age = 720h}).empty());
  CHECK(refusal_of(last_good{.max_age = 0s}) == "last_good.max_age = 0s: allowed is 1ms to 720h");
  CHECK(refusal_of(last_good{.max_age = -1s}) == "last_good.max_age = -1s: allowed is 1ms to 720h");
  CHECK(refusal_of(last_good{.max_age = (duration::max)()}) ==
        "last_good.max_age = over 100 years: allowed is 1ms to 720h");
  CHECK_THROWS_WITH((pipeline{fallback{last_good{.max_age = 0s}}}),
                    "pipeline: last_good.max_age = 0s: allowed is 1ms to 720h");
}
