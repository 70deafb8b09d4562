// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include "brownout/feature/dimmer.hpp"

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

using brownout::caller_place;
using brownout::dimmer;
using brownout::dimmer_options;

namespace {

constexpr std::uint64_t callers = 20'000;

int admitted(const dimmer& dimmed) {
  int count = 0;
  for (std::uint64_t caller = 0; caller < callers; ++caller) count += dimmed.admits(caller) ? 1 : 0;
  return count;
}

std::string refusal(const dimmer_options& tried) {
  try {
    static_cast<void>(dimmer{tried});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

// Before main, without code that runs: a dimmer may be a global that other globals use.
constinit dimmer global{{.share = 0.25, .salt = 3}};

}  // namespace

TEST_CASE("a dimmer at 0 serves nobody and at 1 everybody, exactly", "[feature][D4]") {
  dimmer dimmed;
  CHECK(dimmed.share() == 1);
  CHECK(admitted(dimmed) == callers);
  dimmed.set(0);
  CHECK(dimmed.share() == 0);
  CHECK(admitted(dimmed) == 0);
  dimmed.set(1);
  CHECK(admitted(dimmed) == callers);
}

TEST_CASE("a dimmer serves about its share of callers", "[feature][D4]") {
  for (const double share : {0.01, 0.1, 0.5, 0.9}) {
    const dimmer dimmed{{.share = share}};
    const double deviation = std::sqrt(share * (1 - share) * callers);
    CHECK(std::abs(admitted(dimmed) - share * callers) < 4 * deviation);
  }
}

TEST_CASE("who is served at a share is served at every greater one", "[feature][D4][D4c]") {
  dimmer dimmed{{.share = 0}};
  std::uint64_t answers_changed = 0;
  for (std::uint64_t caller = 0; caller < 1000; ++caller) {
    bool served = false;
    for (int percent = 0; percent <= 100; ++percent) {
      dimmed.set(percent / 100.0);
      const bool now = dimmed.admits(caller);
      REQUIRE((now || !served));
      if (now != served) ++answers_changed;
      served = now;
    }
  }
  CHECK(answers_changed == 1000);  // each caller's once on the way from 0 to 1
}

TEST_CASE("a caller is served exactly while its place is below the share", "[feature][D4]") {
  dimmer dimmed{{.salt = 9}};
  const double place = caller_place("customer-42", 9);
  dimmed.set(place);
  CHECK_FALSE(dimmed.admits("customer-42"));
  dimmed.set(std::nextafter(place, 1.0));
  CHECK(dimmed.admits("customer-42"));
  const double number = caller_place(std::uint64_t{42}, 9);
  dimmed.set(number);
  CHECK_FALSE(dimmed.admits(std::uint64_t{42}));
  dimmed.set(std::nextafter(number, 1.0));
  CHECK(dimmed.admits(std::uint64_t{42}));
}

TEST_CASE("dimmers with different salts serve different callers, with one salt the same", "[feature][D4]") {
  const dimmer one{{.share = 0.5, .salt = 1}};
  const dimmer same{{.share = 0.5, .salt = 1}};
  const dimmer other{{.share = 0.5, .salt = 2}};
  int both = 0;
  for (std::uint64_t caller = 0; caller < callers; ++caller) {
    REQUIRE(one.admits(caller) == same.admits(caller));
    both += one.admits(caller) && other.admits(caller) ? 1 : 0;
  }
  CHECK(std::abs(both - 0.25 * callers) < 4 * std::sqrt(0.25 * 0.75 * callers));
  CHECK(other.salt() == 2);
}

TEST_CASE("a dimmer can be a global", "[feature][D4]") {
  CHECK(global.share() == 0.25);
  CHECK(global.salt() == 3);
  STATIC_REQUIRE(sizeof(dimmer) == 16);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<dimmer>);
}

TEST_CASE("requests on one thread see a share that another sets", "[feature][D4]") {
  dimmer dimmed{{.share = 0}};
  std::atomic<bool> seen{false};
  std::thread request{[&] {
    while (!dimmed.admits(std::uint64_t{7})) std::this_thread::yield();
    seen.store(true, std::memory_order_relaxed);
  }};
  CHECK_FALSE(seen.load(std::memory_order_relaxed));
  dimmed.set(1);
  request.join();
  CHECK(seen.load(std::memory_order_relaxed));
}

TEST_CASE("a share that is none is a broken precondition", "[feature][D4]") {
  const auto aborts = [](double share) {
    return core_test::in_child([&] {
             dimmer dimmed;
             dimmed.set(share);
           }).signal == SIGABRT;
  };
  CHECK(aborts(-0.001));
  CHECK(aborts(1.001));
  CHECK(aborts(std::numeric_limits<double>::quiet_NaN()));
}

TEST_CASE("a dimmer's options have the documented defaults and refuse a share that is none by name",
          "[feature][options]") {
  CHECK(dimmer_options{}.share == 1);
  CHECK(dimmer_options{}.salt == 0);
  CHECK(refusal({.share = 0}) == "");
  CHECK(refusal({.share = 1}) == "");
  CHECK(refusal({.share = -0.5}) == "dimmer_options.share = -0.5: allowed is 0 to 1");
  CHECK(refusal({.share = 1.5}) == "dimmer_options.share = 1.5: allowed is 0 to 1");
  CHECK(refusal({.share = std::numeric_limits<double>::quiet_NaN()}) != "");
}
