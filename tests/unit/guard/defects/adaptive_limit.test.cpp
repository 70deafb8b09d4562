// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/guard/limit_scene.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

using namespace limit_test;

// Each test shows a defect in a small limit that is written as the library does it, and then ours.

namespace {

/// Vegas of Netflix's concurrency-limits: the fastest call ever is taken for a call without load.
struct vegas {
  double limit = 20;
  double fastest = 0;
  void sample(double latency) {
    if (fastest == 0 || latency < fastest) {
      fastest = latency;
      return;
    }
    const double waiting = std::ceil(limit * (1 - fastest / latency));
    const double step = (std::max)(1.0, std::floor(std::log10(limit)));
    if (waiting <= step) {
      limit += 6 * step;
    } else if (waiting > 6 * step) {
      limit -= step;
    }
    limit = std::clamp(limit, 1.0, 1000.0);
  }
};

/// Gradient2 of Netflix's concurrency-limits: compares with a long average of the latency.
struct gradient {
  double limit = 20;
  double average = 0;
  void sample(double latency) {
    average = average == 0 ? latency : average + (latency - average) / 60;
    const double by = std::clamp(1.5 * average / latency, 0.5, 1.0);
    limit = std::clamp(limit * 0.8 + (limit * by + 4) * 0.2, 1.0, 1000.0);
  }
};

}  // namespace

TEST_CASE("one fast call does not press the limit down to one", "[guard][defect-31]") {
  // concurrency-limits#37, #98; go-concurrency-limits#117.
  vegas twin;
  twin.sample(0.001);
  for (int i = 0; i < 1'000; ++i) twin.sample(0.030);
  CHECK(twin.limit < 7);  // for 30 ms are usual, and the dependency is idle

  scene<> here;
  here.complete(1, 1ms);
  for (int window = 0; window < 100; ++window) {
    auto running = here.fill();
    for (auto& one : running) one.started();
    here.clock.advance(30ms);
    running.clear();
    here.clock.advance(70ms);
    here.start(1, 0ms);
  }
  CHECK(here.value() == 1000);
}

TEST_CASE("lasting overload does not become the new normal", "[guard][defect-32]") {
  // envoy#11579, concurrency-limits#165: the baseline follows the latency under load.
  gradient twin;
  for (int i = 0; i < 100; ++i) twin.sample(0.030);
  const double before = twin.limit;
  for (int i = 0; i < 1'000; ++i) twin.sample(10);
  CHECK(twin.limit > before);

  scene<> here;
  for (int window = 0; window < 1'000; ++window) here.too_slow();
  CHECK(here.value() == 1);
}

TEST_CASE("the limit does not rise for ever without demand", "[guard][defect-33]") {
  // concurrency-limits#134: each good sample raised it, although few calls were in flight.
  double twin = 20;
  for (int i = 0; i < 10'000; ++i) twin += 1;
  CHECK(twin > 1'000);

  scene<> here;
  for (int window = 0; window < 1'000; ++window) {
    here.start(9, 0ms);
    here.end_window();
  }
  CHECK(here.value() == 20);
}

TEST_CASE("a limit that fell to its least rises again", "[guard][defect-34]") {
  // brpc#1006: below one no call was admitted, so there was no sample that could raise it.
  double twin = 1;
  twin *= 0.9;
  CHECK_FALSE(0 < static_cast<int>(twin));

  scene<> here;
  for (int window = 0; window < 100; ++window) here.too_slow();
  REQUIRE(here.value() == 1);
  for (int window = 0; window < 100; ++window) here.in_demand();
  CHECK(here.value() > 500);
}

TEST_CASE("no call is refused in order to measure", "[guard][defect-35]") {
  // envoy#8337: all instances lower the limit at the same moments, to measure the latency without load.
  // envoy#46532, #38338: the least limit is also the limit while it measures.
  const auto twin = [](int second) { return second % 30 == 0 ? 3 : 100; };
  CHECK(twin(30) < 50);  // calls in flight

  scene<> here{{.target_delay = 5ms, .first = 100, .least = 1}};
  const auto held = here.take(50);
  for (int second = 0; second < 3'600; ++second) {
    here.clock.advance(1s);
    auto place = here.limit.try_acquire();
    REQUIRE(place);
    place->started();
  }
}

TEST_CASE("calls that were refused or failed fast are not taken for fast calls", "[guard][defect-36]") {
  // concurrency-limits#176: a dropped call entered the statistics with its short latency.
  double twin = 0;
  for (const double latency : {1.0, 0.001, 0.001, 0.001}) twin += latency / 4;
  CHECK(twin < 0.3);  // on budget, it seems

  scene<> here{{.latency_budget = 300ms}};
  here.complete(10, 1s);
  CHECK(here.value() == 18);
  here.complete(500, 1ms, outcome::failure);
  for (int i = 0; i < 500; ++i) static_cast<void>(here.fill());
  here.complete(10, 1s);
  CHECK(here.value() == 16);
}

TEST_CASE("whether the limit was in use is judged when a call begins", "[guard][defect-37]") {
  // concurrency-limits#213: the calls in flight of one moment were compared with the limit of another.
  scene<> here;
  auto held = here.take(18);
  held.back().started();
  held.clear();  // nothing is in flight any more when the window ends
  here.start(8, 0ms);
  here.end_window();
  CHECK(here.value() == 22);
}

TEST_CASE("no part of the limit is idle while a class is refused", "[guard][defect-38]") {
  // Partitions of Netflix's concurrency-limits: a class is refused above its percentage when the limit is
  // nearly used up, although the other classes do not come.
  const std::array<double, 4> percent{40, 30, 20, 10};
  const auto twin = [&](std::size_t number, int in_flight, int of_class) {
    return of_class < percent[number] || in_flight < 95;
  };
  CHECK_FALSE(twin(0, 95, 95));  // only the highest class is there, and 5 places are idle for ever

  scene<> here{{.target_delay = 5ms, .first = 100}};
  CHECK(here.fill(call_priority::critical_plus).size() == 100);
}
