// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/guard/limit_scene.hpp"

#include "brownout/guard/pipeline.hpp"

#include <csignal>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

using namespace limit_test;

namespace {

std::string refusal(const adaptive_limit_options& tried) {
  try {
    const brownout::adaptive_limit limit{tried};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

constexpr adaptive_limit_options by_latency() {
  return {.latency_budget = 300ms};
}

}  // namespace

static_assert(!std::is_move_constructible_v<brownout::adaptive_limit<>>);
static_assert(std::is_nothrow_move_constructible_v<scene<>::permit> &&
              !std::is_copy_constructible_v<scene<>::permit>);

TEST_CASE("the signal of an adaptive limit must be said", "[guard][A1]") {
  CHECK(refusal({}) == "adaptive_limit '': adaptive_limit_options.target_delay = 0s: allowed is 100us to 1h");
  CHECK(refusal({.name = "server", .target_delay = 5ms, .latency_budget = 300ms}) ==
        "adaptive_limit 'server': adaptive_limit_options.latency_budget = 300ms: allowed is none beside a "
        "target_delay");
  CHECK(refusal({.target_delay = 5ms}).empty());
  CHECK(refusal({.latency_budget = 300ms}).empty());
}

TEST_CASE("the limit falls to nine tenths when every call of a window waited longer than the target",
          "[guard][A2]") {
  scene<> here;
  REQUIRE(here.value() == 20);
  here.too_slow();
  CHECK(here.value() == 18);
  here.too_slow();
  CHECK(here.value() == 16);

  SECTION("a wait of exactly the target is on target") {
    here.start(9, 6ms);
    here.end_window(5ms);
    CHECK(here.value() == 16);
  }
  SECTION("one late call on target is enough to keep it") {
    here.start(12, 6ms);
    here.start(1, 1ms);
    here.end_window(6ms);
    CHECK(here.value() == 16);
  }
  SECTION("one call on target is enough to keep it") {
    here.start(1, 1ms);
    here.start(9, 6ms);
    here.end_window(6ms);
    CHECK(here.value() == 16);
  }
}

TEST_CASE("a window lasts 100 ms and has 10 samples, at least", "[guard][A2]") {
  scene<> here;
  SECTION("nine samples decide nothing, however long it takes") {
    here.start(9, 50ms);
    CHECK(here.value() == 20);
    here.start(1, 50ms);
    CHECK(here.value() == 18);
  }
  SECTION("many samples decide nothing before 100 ms have passed") {
    here.start(14, 7ms);
    CHECK(here.value() == 20);
    here.start(1, 7ms);  // 105 ms
    CHECK(here.value() == 18);
  }
}

TEST_CASE("the limit rises by a twentieth and one when calls were refused", "[guard][A2]") {
  scene<> here;
  here.in_demand();
  CHECK(here.value() == 22);
  here.in_demand();
  CHECK(here.value() == 24);

  SECTION("but not when no call was") {
    here.start(20, 0ms);
    here.end_window();
    CHECK(here.value() == 24);
  }
}

TEST_CASE("the limit rises when calls in flight reached nine tenths of it", "[guard][A2]") {
  scene<> here;
  for (const int others : {16, 17}) {  // with the sampled call 17 and 18 of 20
    const auto held = here.take(others);
    here.start(9, 0ms);
    here.end_window();
    CHECK(here.value() == (others == 17 ? 22 : 20));
  }
}

TEST_CASE("with a latency budget the limit falls when more than a tenth of the calls took longer",
          "[guard][A2]") {
  scene<> here{by_latency()};
  SECTION("two of eleven") {
    here.complete(2, 301ms);
    here.complete(8, 10ms);  // ten samples and more than 100 ms
    CHECK(here.value() == 18);
  }
  SECTION("one of ten is not more than a tenth") {
    here.complete(1, 301ms);
    here.complete(9, 10ms);
    CHECK(here.value() == 20);
  }
  SECTION("on budget it rises when calls were refused") {
    static_cast<void>(here.fill());
    here.complete(10, 300ms);
    CHECK(here.value() == 22);
  }
}

TEST_CASE("a dependency that answers slowly does not lower the limit while no work waits", "[guard][A3]") {
  scene<> here;
  for (int window = 0; window < 20; ++window) {
    auto running = here.fill();
    for (auto& one : running) one.started();
    here.clock.advance(10s);  // the calls take this long
    for (auto& one : running) one.complete(outcome::success);
  }
  CHECK(here.value() > 20);
}

TEST_CASE("permits that do not say when they started give no sample", "[guard][A4]") {
  scene<> here;
  for (int window = 0; window < 20; ++window) {
    auto held = here.fill();
    here.clock.advance(1s);
    for (auto& one : held) one.complete(outcome::success);
  }
  CHECK(here.value() == 20);

  SECTION("nor does a second report of one permit") {
    auto place = here.limit.try_acquire();
    here.clock.advance(1s);
    for (int i = 0; i < 50; ++i) place->started();
    CHECK(here.value() == 20);
  }
  SECTION("with a latency budget the start of a call is no sample") {
    scene<> clients{by_latency()};
    clients.start(50, 1s);
    CHECK(clients.value() == 20);
  }
  SECTION("nor does a permit that is settled") {
    auto place = here.limit.try_acquire();
    place->complete(outcome::success);
    here.clock.advance(1s);
    for (int i = 0; i < 50; ++i) place->started();
    CHECK(here.value() == 20);
  }
}

TEST_CASE("a sample counts only under the limit under which its call began", "[guard][A5]") {
  scene<> here;
  auto older = here.take(12);
  here.start(9, 6ms);
  here.end_window(6ms);
  REQUIRE(here.value() == 18);
  for (auto& one : older) {
    here.clock.advance(50ms);
    one.started();
  }
  CHECK(here.value() == 18);
  here.too_slow();
  CHECK(here.value() == 16);
}

TEST_CASE("calls that fail, are ignored or are dropped give no sample of their latency", "[guard][A6]") {
  scene<> here{by_latency()};
  here.complete(20, 1s, outcome::failure);
  here.complete(20, 1s, outcome::ignored);
  here.complete(20, 1s, outcome::cancelled);
  for (int i = 0; i < 20; ++i) {
    const auto dropped = here.limit.try_acquire();
    here.clock.advance(1s);
  }
  CHECK(here.value() == 20);
  here.complete(10, 1s, outcome::success);
  CHECK(here.value() == 18);
}

TEST_CASE("as a stage it samples successes only", "[guard][A6]") {
  scene<> here{by_latency()};
  const auto answer = [&](auto next) {
    for (int i = 0; i < 10; ++i) {
      try {
        static_cast<void>(brownout::pipeline{here.limit}.try_call([&] {
          here.clock.advance(1s);
          return next();
        }));
      } catch (const std::runtime_error&) {
      }
    }
    return here.value();
  };
  using brownout::result;
  CHECK(answer([]() -> result<int> { return brownout::rejection{rejection_reason::rate_limited}; }) == 20);
  CHECK(answer([]() -> result<int> { return brownout::rejection{rejection_reason::timed_out}; }) == 20);
  CHECK(answer([]() -> result<int> { throw std::runtime_error{"refused"}; }) == 20);
  CHECK(here.limit.snapshot().in_flight == 0);
  CHECK(answer([]() -> result<int> { return 1; }) == 18);
}

TEST_CASE("the limit stays while there is no traffic", "[guard][A7]") {
  scene<> here;
  here.in_demand();
  here.clock.advance(24h);
  CHECK(here.value() == 22);
  here.start(9, 0ms);
  CHECK(here.value() == 22);
  here.clock.advance(24h);
  here.start(1, 0ms);
  CHECK(here.value() == 22);
}

TEST_CASE("the limit stays between the least and the most", "[guard][A8]") {
  scene<> here{{.target_delay = 5ms, .first = 8, .least = 3, .most = 11}};
  for (int i = 0; i < 50; ++i) {
    here.too_slow();
    CHECK(here.value() >= 3);
  }
  CHECK(here.value() == 3);
  CHECK(scene<>{{.target_delay = 5ms, .most = 10}}.value() == 10);  // `first` is 20
  CHECK(scene<>{{.target_delay = 5ms, .least = 30}}.value() == 30);
  for (int i = 0; i < 50; ++i) {
    here.in_demand();
    CHECK(here.value() <= 11);
  }
  CHECK(here.value() == 11);
}

TEST_CASE("at the lowest limit one call of every class is admitted, and the limit rises again",
          "[guard][A8]") {
  scene<> here{{.target_delay = 5ms, .first = 1}};
  here.too_slow();
  REQUIRE(here.value() == 1);
  for (std::size_t i = 0; i < brownout::call_priority_count; ++i) {
    for (std::uint64_t caller = 0; caller < 100; ++caller) {
      CHECK(here.limit.try_acquire(static_cast<call_priority>(i), caller));
    }
  }
  here.in_demand();
  CHECK(here.value() == 2);
}

TEST_CASE("the next limit is within its range for every limit and verdict", "[guard][A8]") {
  using brownout::detail::limit_verdict;
  using brownout::detail::next_limit;
  for (std::uint32_t limit = 1; limit <= 1'000'000; limit += limit / 50 + 1) {
    CHECK(next_limit(limit, limit_verdict::lower, 1, 1'000'000) == (limit == 1 ? 1 : limit * 9 / 10));
    CHECK(next_limit(limit, limit_verdict::raise, 1, 1'000'000) > limit - (limit == 1'000'000 ? 1 : 0));
    CHECK(next_limit(limit, limit_verdict::keep, 1, 1'000'000) == limit);
  }
  static_assert(next_limit(1'000'000, limit_verdict::raise, 1, 1'000'000) == 1'000'000);
}

TEST_CASE("every permit is one place, however it ends", "[guard][A9]") {
  scene<> here{{.target_delay = 5ms, .first = 3}};
  const auto in_flight = [&] { return here.limit.snapshot().in_flight; };
  auto held = here.fill();
  CHECK(held.size() == 3);
  CHECK(in_flight() == 3);
  held[0].complete(outcome::success);
  held[0].complete(outcome::success);
  CHECK(in_flight() == 2);
  held[0] = std::move(held[1]);
  CHECK(held[1].settled());
  CHECK(in_flight() == 2);
  held[0] = std::move(held[2]);  // the place that is replaced goes back
  CHECK(in_flight() == 1);
  held.clear();
  CHECK(in_flight() == 0);
  CHECK(here.limit.snapshot().admitted == 3);
  CHECK(here.limit.snapshot().limit_reached == 1);
}

TEST_CASE("a limit that falls takes no place away, and refuses until there is room", "[guard][A9]") {
  scene<> here;
  auto held = here.take(19);
  here.too_slow();
  REQUIRE(here.value() == 18);
  CHECK(here.limit.snapshot().in_flight == 19);
  CHECK_FALSE(here.limit.try_acquire());
  held.pop_back();
  CHECK_FALSE(here.limit.try_acquire(call_priority::critical_plus));
  held.pop_back();
  CHECK(here.limit.try_acquire(call_priority::critical_plus));
}

TEST_CASE("a clock that stands still or is set back changes no limit", "[guard][A2]") {
  scene<> here;
  here.clock.set(brownout::time_point{1h});
  auto held = here.take(15);
  here.clock.set(brownout::time_point{});
  for (auto& one : held) one.started();
  here.start(50, 0ms);
  CHECK(here.value() == 20);
  here.clock.set(brownout::time_point{2h});
  here.start(1, 0ms);
  CHECK(here.value() == 20);
}

TEST_CASE("an adaptive limit that is destroyed before its permits ends the program", "[guard][A9]") {
  const auto ended = core_test::in_child([] {
    manual_clock clock;
    std::vector<scene<>::permit> held;
    brownout::adaptive_limit limit{{.target_delay = 5ms}, clock};
    held.push_back(*limit.try_acquire());
  });
  CHECK(ended.signal == SIGABRT);
  CHECK(ended.output.find("an adaptive_limit is destroyed before its permits") != std::string::npos);
}

TEST_CASE("options of an adaptive limit that are out of range are refused by name, value and range",
          "[guard][A8]") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto with = [](auto change) {
    adaptive_limit_options options{.name = "x", .target_delay = 5ms};
    change(options);
    return refusal(options);
  };
  CHECK(with([](auto& o) { o.target_delay = 99us; }) ==
        "adaptive_limit 'x': adaptive_limit_options.target_delay = 99us: allowed is 100us to 1h");
  CHECK(with([](auto& o) { o.target_delay = -1s; }).find("= -1s") != std::string::npos);
  CHECK(with([](auto& o) { o.target_delay = (duration::max)(); }).find("over 100") != std::string::npos);
  const auto budget = [&](brownout::duration given) {
    return with([given](auto& o) { o.target_delay = 0s, o.latency_budget = given; });
  };
  CHECK(budget(99us) ==
        "adaptive_limit 'x': adaptive_limit_options.latency_budget = 99us: allowed is 100us to 1h");
  CHECK(budget(-1s).find("latency_budget = -1s") != std::string::npos);
  CHECK(budget((duration::max)()).find("latency_budget = over 100") != std::string::npos);
  CHECK(budget(1h).empty());
  CHECK(with([](auto& o) { o.least = 0; }) ==
        "adaptive_limit 'x': adaptive_limit_options.least = 0: allowed is 1 to 1000");
  CHECK(with([](auto& o) { o.least = 1001; }).find("least = 1001") != std::string::npos);
  CHECK(with([](auto& o) { o.most = 1'000'001; }).find("allowed is 1 to 1000000") != std::string::npos);
  CHECK(with([](auto& o) { o.first = 0; }).find("first = 0") != std::string::npos);
  CHECK(with([](auto& o) {
          o.shares = {1, 0.8, 0.9, 0.7};
        }) == "adaptive_limit 'x': adaptive_limit_options.shares[2] = 0.9: allowed is 0.01 to 0.8");
  CHECK(with([](auto& o) { o.shares[0] = 1.1; }).find("shares[0] = 1.1") != std::string::npos);
  CHECK(with([](auto& o) { o.shares[3] = 0; }).find("shares[3] = 0") != std::string::npos);
  CHECK(with([](auto& o) {
          o.shares[0] = std::numeric_limits<double>::infinity();
        }).find("shares[0] = inf") != std::string::npos);
  CHECK(with([](auto& o) { o.shares[1] = nan; }).find("shares[1] = nan") != std::string::npos);
  CHECK(with([](auto& o) { o.shed_for = (duration::max)(); }).find("over 100") != std::string::npos);
  CHECK(with([](auto& o) { o.shed_for = 0s; }).find("shed_for = 0s: allowed is 1ms to 5m") !=
        std::string::npos);
  CHECK(with([](auto& o) { o.name = std::string(129, 'n'); }).find("up to 128 bytes") != std::string::npos);
  CHECK(with([](auto& o) { o.shares = {1, 1, 1, 1}; }).empty());
  CHECK(with([](auto& o) { o.first = 1'000'000; }).empty());
}
