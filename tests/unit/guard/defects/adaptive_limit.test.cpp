// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/guard/limit_scene.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

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

/// The first AIMD of Netflix's concurrency-limits: every call that was not dropped raises the limit.
struct first_aimd {
  double limit = 20;
  void sample(bool dropped) { limit = dropped ? (std::max)(1.0, limit * 0.75) : limit + 1; }
};

/// The later AIMD: the limit must have been half used. The calls in flight are those at the beginning of the
/// call, the limit is that at its end.
struct aimd {
  int limit = 100;
  void sample(int in_flight, bool dropped) {
    if (dropped) {
      limit = (std::max)(1, (std::min)(limit - 1, static_cast<int>(limit * 0.9)));
    } else if (in_flight * 2 >= limit) {
      ++limit;
    }
  }
};

/// The automatic limit of brpc before it had a minimum: if all calls of a window have failed, the limit is
/// halved. A call that is refused is no sample.
struct brpc_auto {
  int limit = 40;
  int succeeded = 0;
  int failed = 0;
  bool call(bool succeeds) {
    if (limit <= 0) return false;
    ++(succeeds ? succeeded : failed);
    if (succeeded + failed == 100) {
      limit = succeeded > 0 ? 40 : limit / 2;  // 40 stands for the product of latency and throughput
      succeeded = failed = 0;
    }
    return true;
  }
};

/// The gradient controller of Envoy: every 60 s the limit is the least one, until 50 calls have shown the
/// latency without load.
struct envoy_gradient {
  std::uint32_t limit = 100;
  int samples_left = 0;
  void begin_second(int second) {
    if (second % 60 == 0) samples_left = 50;
  }
  bool admits(std::uint32_t in_flight) const { return in_flight < (samples_left > 0 ? 3U : limit); }
  void sample() { samples_left = (std::max)(0, samples_left - 1); }
};

/// Partitions of Netflix's concurrency-limits: below the limit any class is admitted. At the limit, a class
/// is admitted that has less than its percentage in flight.
struct partitions {
  int limit = 100;
  std::array<int, 4> percent{40, 30, 20, 10};
  std::array<int, 4> in_flight{};
  [[nodiscard]] int total() const { return std::accumulate(in_flight.begin(), in_flight.end(), 0); }
  bool try_acquire(call_priority priority) {
    const auto number = static_cast<std::size_t>(priority);
    if (total() >= limit && in_flight[number] * 100 >= percent[number] * limit) return false;
    ++in_flight[number];
    return true;
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
  first_aimd twin;
  for (int i = 0; i < 10'000; ++i) twin.sample(false);
  CHECK(twin.limit > 10'000);

  scene<> here;
  for (int window = 0; window < 1'000; ++window) {
    here.start(9, 0ms);
    here.end_window();
  }
  CHECK(here.value() == 20);
}

TEST_CASE("a limit that fell to its least rises again", "[guard][defect-34]") {
  // brpc#1006.
  brpc_auto twin;
  for (int i = 0; i < 600; ++i) twin.call(false);
  int admitted = 0;
  for (int i = 0; i < 10'000; ++i) admitted += twin.call(true) ? 1 : 0;
  CHECK(admitted == 0);  // the dependency is well again, and no call can show it

  scene<> here;
  for (int window = 0; window < 100; ++window) here.too_slow();
  REQUIRE(here.value() == 1);
  for (int window = 0; window < 100; ++window) here.in_demand();
  CHECK(here.value() > 500);
}

TEST_CASE("no call is refused in order to measure", "[guard][defect-35]") {
  // envoy#8337: all instances lower the limit at the same moments, to measure the latency without load.
  // envoy#46532, #38338: the least limit is also the limit while it measures.
  envoy_gradient twin;
  envoy_gradient another;
  int refused_by_both = 0;
  for (int second = 0; second < 3'600; ++second) {
    for (auto* one : {&twin, &another}) one->begin_second(second);
    if (twin.admits(50)) {
      twin.sample();
      another.sample();
    } else {
      refused_by_both += another.admits(50) ? 0 : 1;
    }
  }
  CHECK(refused_by_both > 50);

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
  // concurrency-limits#176: the average of a window has the short latencies of dropped calls in it.
  gradient twin;
  for (int i = 0; i < 100; ++i) twin.sample(0.3);
  const double before = twin.limit;
  // Now calls take 1 s, and three of four are dropped after 1 ms.
  for (int window = 0; window < 20; ++window) twin.sample((1 + 3 * 0.001) / 4);
  CHECK(twin.limit > before);

  scene<> here{{.latency_budget = 300ms}};
  here.complete(10, 1s);
  CHECK(here.value() == 18);
  here.complete(500, 1ms, outcome::failure);
  for (int i = 0; i < 500; ++i) static_cast<void>(here.fill());
  here.complete(10, 1s);
  CHECK(here.value() == 16);
}

TEST_CASE("whether the limit was in use is judged when a call begins", "[guard][defect-37]") {
  // concurrency-limits#213.
  aimd twin;
  for (int i = 0; i < 3; ++i) twin.sample(1, true);
  REQUIRE(twin.limit == 72);
  for (int i = 0; i < 40; ++i)
    twin.sample(40, false);  // they began when the limit was 100, less than half used
  CHECK(twin.limit > 72);

  SECTION("calls that began under another limit do not raise it") {
    scene<> here{{.target_delay = 5ms, .first = 100}};
    auto held = here.take(68);
    for (int i = 0; i < 3; ++i) here.too_slow();
    REQUIRE(here.value() == 72);  // nine tenths of it are 65
    for (auto& one : held) one.started();
    held.clear();
    here.start(9, 0ms);
    here.end_window();
    CHECK(here.value() == 72);
  }
  SECTION("calls that have ended when the window does raise it") {
    scene<> here;
    auto held = here.take(18);
    held.back().started();
    held.clear();
    here.start(8, 0ms);
    here.end_window();
    CHECK(here.value() == 22);
  }
}

TEST_CASE("no class is admitted while a higher one is refused, nor beyond the limit", "[guard][defect-38]") {
  partitions twin;
  while (twin.try_acquire(call_priority::critical_plus)) continue;
  CHECK(twin.try_acquire(call_priority::sheddable));
  CHECK_FALSE(twin.try_acquire(call_priority::critical_plus));
  for (const auto lower :
       {call_priority::critical, call_priority::sheddable_plus, call_priority::sheddable}) {
    while (twin.try_acquire(lower)) continue;
  }
  CHECK(twin.total() == 160);  // the limit is 100

  scene<> here{{.target_delay = 5ms, .first = 100}};
  const auto held = here.fill(call_priority::critical_plus);
  CHECK(held.size() == 100);
  for (const auto lower :
       {call_priority::critical, call_priority::sheddable_plus, call_priority::sheddable}) {
    CHECK_FALSE(here.limit.try_acquire(lower));
  }
}
