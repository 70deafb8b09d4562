// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/health/recent_calls.hpp"

#include <chrono>
#include <deque>
#include <random>
#include <utility>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::recent_calls;

TEST_CASE("an empty window knows nothing", "[detector]") {
  const recent_calls<5> window;
  const auto seen = window.statistics(0);
  CHECK(seen.calls == 0);
  CHECK(seen.successes == 0);
  CHECK(seen.mean_latency == 0s);
}

TEST_CASE("a window counts calls and successes, and averages over the successes", "[detector]") {
  recent_calls<5> window;
  window.record(0, true, 10ms, {});
  window.record(0, false, 5s, {});
  window.record(0, true, 30ms, {});
  const auto seen = window.statistics(0);
  CHECK(seen.calls == 3);
  CHECK(seen.successes == 2);
  CHECK(seen.mean_latency == 20ms);
}

TEST_CASE("of failures alone there is no latency", "[detector]") {
  recent_calls<5> window;
  window.record(0, false, 5s, {});
  CHECK(window.statistics(0).calls == 1);
  CHECK(window.statistics(0).mean_latency == 0s);
}

TEST_CASE("a window belongs to one epoch", "[detector][B8][B8d]") {
  recent_calls<5> window;
  for (int i = 0; i < 7; ++i) window.record(3, false, 1ms, {});
  CHECK(window.statistics(3).calls == 5);
  CHECK(window.statistics(2).calls == 0);
  CHECK(window.statistics(4).calls == 0);

  window.record(4, true, 1ms, {});  // a newer one empties it
  CHECK(window.statistics(3).calls == 0);
  CHECK(window.statistics(4).calls == 1);
  CHECK(window.statistics(4).successes == 1);

  window.record(3, false, 1ms, {});  // an older one's call is dropped
  CHECK(window.statistics(4).calls == 1);
}

TEST_CASE("a silence empties a window: what was long ago is no evidence of what is", "[detector][H2]") {
  const auto at = [](duration since_start) { return brownout::time_point{} + since_start; };
  recent_calls<5> window{60s};
  window.record(0, false, 1s, at(10s));
  window.record(0, false, 1s, at(20s));
  CHECK(window.statistics(0).last == at(20s));
  window.record(0, true, 1s, at(81s));  // it began 60 s after the last one had ended
  CHECK(window.statistics(0).calls == 3);
  window.record(0, true, 1s, at(142s + 1ns));
  CHECK(window.statistics(0).calls == 1);
  CHECK(window.statistics(0).successes == 1);

  window.record(0, false, 5min, at(450s));  // a call that lasts is no silence
  CHECK(window.statistics(0).calls == 2);
  window.record(0, false, 1s, at(440s));  // results may come out of order
  CHECK(window.statistics(0).last == at(450s));
}

TEST_CASE("a window agrees with a naive twin, however it is used", "[detector]") {
  const auto seed = GENERATE(1u, 2u, 3u);
  INFO("seed " << seed);
  std::mt19937 random{seed};
  recent_calls<7> window;
  std::deque<std::pair<bool, duration>> twin;
  std::uint64_t epoch = 0;
  for (int i = 0; i < 2000; ++i) {
    if (random() % 50 == 0) {
      ++epoch;
      if (random() % 2 == 0) CHECK(window.statistics(epoch).calls == 0);
      twin.clear();
    }
    const bool success = random() % 3 != 0;
    const duration latency = std::chrono::microseconds{random() % 10000};
    window.record(epoch, success, latency, {});
    twin.emplace_back(success, latency);
    if (twin.size() > 7) twin.pop_front();

    std::uint32_t successes = 0;
    duration sum{};
    for (const auto& [succeeded, took] : twin) {
      if (!succeeded) continue;
      ++successes;
      sum += took;
    }
    const auto seen = window.statistics(epoch);
    REQUIRE(seen.calls == twin.size());
    REQUIRE(seen.successes == successes);
    REQUIRE(seen.mean_latency == (successes == 0 ? duration{} : sum / std::int64_t{successes}));
  }
}
