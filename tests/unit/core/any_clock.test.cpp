// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/any_clock.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/registry/registry.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <concepts>
#include <stdexcept>
#include <type_traits>
#include <utility>

using namespace std::chrono_literals;
using brownout::any_clock;
using brownout::circuit_state;
using brownout::manual_clock;
using brownout::monotonic_clock;
using brownout::time_point;

namespace {

struct precise_clock {
  time_point at{7s};
  [[nodiscard]] time_point now() const noexcept { return at; }
};
struct not_a_clock {
  [[nodiscard]] int now() const noexcept { return 0; }
};

static_assert(brownout::clock_source<any_clock>);
static_assert(std::convertible_to<manual_clock, any_clock> && std::convertible_to<precise_clock, any_clock>);
static_assert(std::convertible_to<monotonic_clock, any_clock>);
static_assert(!std::constructible_from<any_clock, not_a_clock> && !std::constructible_from<any_clock, int>);
static_assert(std::is_nothrow_default_constructible_v<any_clock>);
static_assert(std::is_nothrow_copy_constructible_v<any_clock> &&
              std::is_nothrow_copy_assignable_v<any_clock>);

/// A class of a user, and not a template.
class prices {
 public:
  explicit prices(any_clock clock = {})
      : server_{brownout::consecutive_failures{2}, {.open_for = 20s}, clock} {}

  int ask(bool fails) {
    return server_.call([&] { return fails ? throw std::runtime_error{"no answer"} : 42; });
  }
  [[nodiscard]] circuit_state state() const { return server_.observed_state(); }

 private:
  brownout::circuit_breaker<brownout::consecutive_failures, any_clock> server_;
};

}  // namespace

TEST_CASE("any_clock that is given no clock tells the monotonic time", "[core]") {
  const any_clock clock;
  const monotonic_clock monotonic;
  const auto before = monotonic.now();
  const auto now = clock.now();
  CHECK(before <= now);
  CHECK(now <= monotonic.now());

  const auto coarse_before = monotonic.coarse_now();
  const auto coarse = clock.coarse_now();
  CHECK(coarse_before <= coarse);
  CHECK(coarse <= monotonic.now());
}

TEST_CASE("any_clock tells both times of the clock in it", "[core][B19]") {
  manual_clock moved{time_point{1h}};
  const any_clock clock = moved;
  CHECK(clock.now() == time_point{1h});
  moved.set_coarse_lag(4ms);
  moved.advance(1s);
  CHECK(clock.now() == time_point{1h + 1s});
  CHECK(clock.coarse_now() == time_point{1h + 1s - 4ms});
}

TEST_CASE("any_clock tells the precise time twice for a clock without a coarse one", "[core][B19]") {
  const any_clock clock{precise_clock{time_point{9s}}};
  CHECK(clock.now() == time_point{9s});
  CHECK(clock.coarse_now() == time_point{9s});
}

TEST_CASE("copies of any_clock tell the same time, and so does one that was moved from", "[core]") {
  manual_clock moved{time_point{1h}};
  any_clock first = moved;
  const any_clock copy{first};
  const any_clock taken{std::move(first)};
  any_clock assigned;
  assigned = copy;
  moved.advance(1s);
  CHECK(copy.now() == time_point{1h + 1s});
  CHECK(taken.now() == time_point{1h + 1s});
  CHECK(assigned.now() == time_point{1h + 1s});
  CHECK(first.now() == time_point{1h + 1s});  // NOLINT(bugprone-use-after-move): that is what it promises

  assigned = precise_clock{};
  CHECK(assigned.now() == time_point{7s});
  CHECK(copy.now() == time_point{1h + 1s});
}

TEST_CASE("any_clock keeps a clock alive as long as one of its copies", "[core]") {
  manual_clock moved{time_point{1h}};
  auto copy = any_clock{precise_clock{}};
  {
    const any_clock only = moved;
    copy = only;
  }
  moved.advance(1s);
  CHECK(copy.now() == time_point{1h + 1s});
}

TEST_CASE("a registry with any_clock takes any clock", "[core][registry]") {
  manual_clock clock;
  brownout::registry<brownout::consecutive_failures, any_clock> hosts{
      {.detector = {1}, .breaker = {.open_for = 20s}}, clock};
  static_cast<void>(hosts.at("host").try_acquire()->complete(brownout::outcome::failure));
  CHECK_FALSE(hosts.at("host").try_acquire());
  clock.advance(20s + 1us);
  CHECK(hosts.at("host").try_acquire());
}

TEST_CASE("a class with a breaker is tested by a manual clock without being a template", "[core][B9]") {
  manual_clock clock;
  prices shop{clock};
  for (int i = 0; i < 2; ++i) CHECK_THROWS_AS(shop.ask(true), std::runtime_error);
  REQUIRE(shop.state() == circuit_state::open);
  clock.advance(20s - 1ns);
  CHECK_THROWS_AS(shop.ask(false), brownout::call_rejected);
  clock.advance(1us);
  CHECK(shop.ask(false) == 42);
  CHECK(shop.state() == circuit_state::half_open);

  prices real;  // with the time of the machine
  CHECK(real.ask(false) == 42);
}
