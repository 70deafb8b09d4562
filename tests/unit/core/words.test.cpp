// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <set>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brownout::circuit_state;
using brownout::duration;
using brownout::to_string;

static_assert(brownout::refuses_calls(circuit_state::open));
static_assert(brownout::refuses_calls(circuit_state::forced_open));
static_assert(!brownout::refuses_calls(circuit_state::closed));
static_assert(!brownout::refuses_calls(circuit_state::half_open));
static_assert(!brownout::refuses_calls(circuit_state::disabled));
static_assert(!brownout::refuses_calls(circuit_state::metrics_only));

TEST_CASE("every word has a name of its own", "[core]") {
  using enum circuit_state;
  std::set<std::string_view> states;
  for (const auto state : {closed, half_open, open, forced_open, disabled, metrics_only}) {
    states.insert(to_string(state));
  }
  CHECK(states.size() == brownout::circuit_state_count);
  CHECK(to_string(half_open) == "half_open");
  CHECK(to_string(static_cast<circuit_state>(99)) == "invalid");

  CHECK(to_string(brownout::outcome::success) == "success");
  CHECK(to_string(brownout::outcome::failure) == "failure");
  CHECK(to_string(brownout::outcome::ignored) == "ignored");
  CHECK(to_string(brownout::outcome::cancelled) == "cancelled");
  CHECK(to_string(static_cast<brownout::outcome>(99)) == "invalid");
  CHECK(to_string(brownout::disposition::counted) == "counted");
  CHECK(to_string(brownout::disposition::late) == "late");
  CHECK(to_string(brownout::disposition::released) == "released");
  CHECK(to_string(static_cast<brownout::disposition>(99)) == "invalid");
  CHECK(to_string(brownout::rejection_reason::circuit_open) == "circuit open");
  CHECK(to_string(brownout::rejection_reason::probes_in_flight) ==
        "circuit half open, its probes are in flight");
  CHECK(to_string(brownout::rejection_reason::forced_open) == "circuit held open by an operator");
  CHECK(to_string(static_cast<brownout::rejection_reason>(99)) == "invalid");
}

TEST_CASE("messages write times as people do", "[core]") {
  using brownout::detail::to_text;
  CHECK(to_text(0s) == "0s");
  CHECK(to_text(1ns) == "1ns");
  CHECK(to_text(5us) == "5us");
  CHECK(to_text(1001ns) == "1.001us");
  CHECK(to_text(1500us) == "1.5ms");
  CHECK(to_text(20ms) == "20ms");
  CHECK(to_text(999'999ns) == "999.999us");
  CHECK(to_text(1500ms) == "1.5s");
  CHECK(to_text(1s + 1ns) == "1.000000001s");
  CHECK(to_text(-3s) == "-3s");
  CHECK(to_text(90s) == "1m30s");
  CHECK(to_text(1h) == "1h");
  CHECK(to_text(24h) == "24h");
  CHECK(to_text(-24h - 1ms) == "-24h1ms");
  CHECK(to_text(1h + 2min + 3050ms) == "1h2m3.05s");
  CHECK(to_text((duration::max)()) == "over 100 years");
  CHECK(to_text((duration::min)()) == "below -100 years");
}

TEST_CASE("messages write numbers in the fewest digits that tell them apart", "[core]") {
  using brownout::detail::to_text;
  CHECK(to_text(0.0) == "0");
  CHECK(to_text(1.0) == "1");
  CHECK(to_text(0.6) == "0.6");
  CHECK(to_text(-0.25) == "-0.25");
  CHECK(to_text(static_cast<double>(0.6F)) == "0.6000000238418579");
  CHECK(to_text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(to_text(1e9) == "1000000000");
  CHECK(to_text(1e-9) == "1e-09");
  CHECK(to_text(1e300) == "1e+300");
  CHECK(to_text(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(to_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(to_text(std::uint32_t{1'000'000}) == "1000000");
  CHECK(to_text(-7) == "-7");
}

TEST_CASE("a range takes its ends and nothing beyond", "[core]") {
  using brownout::detail::require_within;
  CHECK_NOTHROW(require_within("x", 1, 1, 3));
  CHECK_NOTHROW(require_within("x", 3, 1, 3));
  CHECK_THROWS_WITH(require_within("x", 0, 1, 3), "x = 0: allowed is 1 to 3");
  CHECK_THROWS_WITH(require_within("x", 4, 1, 3), "x = 4: allowed is 1 to 3");
  CHECK_THROWS_AS(require_within("x", std::numeric_limits<double>::quiet_NaN(), 0.0, 1.0),
                  std::invalid_argument);
  CHECK_THROWS_AS(require_within("x", std::numeric_limits<double>::infinity(), 0.0, 1.0),
                  std::invalid_argument);
  CHECK_NOTHROW(require_within("d", duration{1ms}, 1ms, 1s));
  CHECK_NOTHROW(require_within("d", duration{1s}, 1ms, 1s));
  CHECK_THROWS_WITH(require_within("d", duration{1s + 1ns}, 1ms, 1s),
                    "d = 1.000000001s: allowed is 1ms to 1s");
}

TEST_CASE("the default clock does not go back", "[core]") {
  const brownout::monotonic_clock clock;
  auto last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const auto now = clock.now();
    REQUIRE(now >= last);
    last = now;
  }
}

TEST_CASE("a duration of any unit becomes one of the library's", "[core]") {
  using brownout::detail::saturated;
  using std::chrono::duration;  // of any unit
  constexpr auto longest = brownout::duration::max();
  constexpr auto shortest = brownout::duration::min();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  SECTION("exactly, within a century") {
    static_assert(saturated(3s) == 3s);
    static_assert(saturated(std::chrono::hours{24 * 36525}) == std::chrono::hours{24 * 36525});
    static_assert(saturated(duration<unsigned char>{250}) == 250s);
    static_assert(saturated(duration<std::uint64_t>{3'000'000'000}) == 3'000'000'000s);
    static_assert(saturated(-1ns) == -1ns);
  }
  SECTION("by floating, or in units that are no whole number of nanoseconds") {
    static_assert(saturated(duration<double>{20.5}) == 20500ms);
    static_assert(saturated(duration<float, std::ratio<60>>{0.5F}) == 30s);
    static_assert(saturated(duration<long double, std::milli>{0.25L}) == 250us);
    static_assert(saturated(duration<int, std::ratio<1, 3>>{60}) == 20s);
    // 97 years of frames: the product of the integers would be too large.
    static_assert(saturated(duration<std::int64_t, std::ratio<1, 60>>{183'500'000'000}) > 3'058'333'333s);
    static_assert(saturated(duration<std::int64_t, std::ratio<1, 1'000'003>>{std::int64_t{1} << 51}) >
                  2'251'793'000s);
  }
  SECTION("what is longer than a century is as long as can be") {
    static_assert(saturated(std::chrono::hours::max()) == longest);
    static_assert(saturated(std::chrono::hours::min()) == shortest);
    static_assert(saturated(duration<std::uint64_t>::max()) == longest);
    static_assert(saturated(duration<std::int64_t, std::giga>::max()) == longest);
    static_assert(saturated(duration<double>{infinity}) == longest);
    static_assert(saturated(duration<double>{-infinity}) == shortest);
    static_assert(saturated(duration<double>{1e300}) == longest);
  }
  SECTION("what is no number is zero") {
    CHECK(saturated(duration<double>{std::numeric_limits<double>::quiet_NaN()}) == 0s);
    CHECK(saturated(duration<float, std::nano>{std::numeric_limits<float>::quiet_NaN()}) == 0s);
  }
}
