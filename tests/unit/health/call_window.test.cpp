// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/health/detail/call_counters.hpp"
#include "brownout/health/detail/call_window.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::detail::call_counters;
using brownout::detail::call_totals;
using brownout::detail::call_window;

namespace {

constexpr brownout::time_point at(duration since) {
  return brownout::time_point{} + 1h + since;
}

/// Counters and a window of `wanted` calls over them.
struct bench {
  explicit bench(std::uint32_t wanted = 5, duration forgets_after = 1min) : window{wanted, forgets_after} {}

  void succeed(std::uint64_t epoch, int times = 1) {
    for (int i = 0; i < times; ++i) calls.count_success(calls.own(epoch));
  }
  void fail(std::uint64_t epoch, int times = 1) {
    for (int i = 0; i < times; ++i) calls.count_failure(calls.own(epoch));
  }
  brownout::call_statistics look(std::uint64_t epoch, duration now) {
    window.note(epoch, at(now), [this](std::uint64_t each) { return calls.read(each); });
    return window.statistics(epoch);
  }

  call_counters<> calls{};
  call_window window;
};

}  // namespace

TEST_CASE("without a call a window knows nothing", "[health][S12]") {
  bench bench;
  CHECK(bench.look(0, 0s).calls == 0);
  CHECK(bench.look(7, 1s).calls == 0);
}

TEST_CASE("a window counts the calls of its epoch, and averages those that were timed", "[health][S12]") {
  bench bench;
  bench.succeed(0, 2);
  bench.calls.add_latency(bench.calls.own(0), 10ms);
  bench.calls.add_latency(bench.calls.own(0), 30ms);
  bench.fail(0);
  const auto seen = bench.look(0, 1s);
  CHECK(seen.calls == 3);
  CHECK(seen.successes == 2);
  CHECK(seen.mean_latency == 20ms);
  CHECK(seen.last == at(1s));
}

TEST_CASE("a window holds the calls of the latest looks, as many as are wanted and those of one look more",
          "[health][S12][S12a][S12b]") {
  bench bench{5};
  bench.fail(0);
  CHECK(bench.look(0, 1s).calls == 1);
  for (int second = 2; second < 20; ++second) {
    bench.succeed(0);
    const auto seen = bench.look(0, second * 1s);
    CHECK(seen.calls == static_cast<std::uint32_t>(std::min(second, 5)));
    CHECK(seen.successes == static_cast<std::uint32_t>(std::min(second - 1, 5)));
  }
  bench.succeed(0, 1000);
  CHECK(bench.look(0, 20s).calls == 1000);
  bench.fail(0, 2);
  CHECK(bench.look(0, 21s).calls == 1002);
  bench.fail(0, 3);
  const auto seen = bench.look(0, 22s);
  CHECK(seen.calls == 5);
  CHECK(seen.successes == 0);
}

TEST_CASE("a look at which nothing has changed changes nothing", "[health][S12]") {
  bench bench;
  bench.succeed(0, 3);
  static_cast<void>(bench.look(0, 1s));
  const auto seen = bench.look(0, 30s);
  CHECK(seen.calls == 3);
  CHECK(seen.last == at(1s));
}

TEST_CASE("a window begins anew after a long silence", "[health][S12][S12c]") {
  bench bench{5, 60s};
  bench.fail(0, 4);
  static_cast<void>(bench.look(0, 1s));
  bench.succeed(0);
  CHECK(bench.look(0, 61s).calls == 5);  // 60 s are not longer than 60 s
  bench.succeed(0);
  const auto seen = bench.look(0, 121s + 1ns);
  CHECK(seen.calls == 1);
  CHECK(seen.successes == 1);
}

TEST_CASE("the calls of another epoch are none of its own, with up to seven epochs from one look to the next",
          "[health][S12][B8][B8d]") {
  for (std::uint64_t epochs = 1; epochs < call_counters<>::epochs_apart; ++epochs) {
    CAPTURE(epochs);
    bench bench;
    std::uint64_t epoch = 0;
    for (int round = 0; round < 5; ++round) {
      bench.succeed(epoch, 3);
      bench.fail(epoch, 2);
      CHECK(bench.look(epoch, round * 1s).calls == 5);
      bench.fail(epoch, 4);  // after the look: what opens the circuit
      for (std::uint64_t i = 1; i < epochs; ++i) bench.fail(epoch + i);
      epoch += epochs;
      CHECK(bench.look(epoch, round * 1s).calls == 0);
    }
    CHECK(bench.window.statistics(epoch + 1).calls == 0);
  }
}

TEST_CASE("calls that a new epoch has counted before it is looked at are its own", "[health][S12][B8]") {
  bench bench;
  bench.fail(0, 3);
  static_cast<void>(bench.look(0, 1s));
  bench.succeed(2, 4);
  const auto seen = bench.look(2, 2s);
  CHECK(seen.calls == 4);
  CHECK(seen.successes == 4);
}

TEST_CASE("the first call of a thread is timed, and then one in so many that succeeded",
          "[health][S5][S5e]") {
  call_counters<> calls;
  std::vector<int> timed;
  for (int i = 0; i < 40; ++i) {
    if (calls.is_timed(calls.own(3))) timed.push_back(i);
    calls.count_success(calls.own(3));
  }
  CHECK(timed == std::vector<int>{0, 16, 32});
  calls.time_one_in(1);
  CHECK(calls.is_timed(calls.own(3)));
  calls.count_success(calls.own(3));
  CHECK(calls.is_timed(calls.own(3)));
  calls.time_one_in(0);
  CHECK_FALSE(calls.is_timed(calls.own(3)));
  CHECK_FALSE(calls.is_timed(calls.own(4)));
}

TEST_CASE("calls of many threads are counted, each once", "[health][S5][S5f]") {
  constexpr int threads = 12;
  constexpr int each = 2000;
  call_counters<> calls;
  calls.time_one_in(1);
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      for (int call = 0; call < each; ++call) {
        calls.count_success(calls.own(5));
        calls.add_latency(calls.own(5), 2us);
        if (call % 2 == 0) calls.count_failure(calls.own(6));
      }
    });
  }
  for (auto& one : running) one.join();
  CHECK(calls.read(5) == call_totals{threads * each, 0, threads * each, threads * each * 2});
  CHECK(calls.read(6) == call_totals{0, threads * each / 2, 0, 0});
  CHECK(calls.read_all().calls() == threads * each * 3 / 2);
}

TEST_CASE("the sum of latencies holds more than 300 years of calls", "[health][S5]") {
  call_counters<> calls;
  calls.time_one_in(65'536);
  constexpr std::uint64_t timed = 46;
  for (std::uint64_t i = 0; i < timed; ++i) calls.add_latency(calls.own(0), 1h);
  CHECK(calls.read_all().timed == timed * 65'536);
  CHECK(calls.read_all().microseconds == timed * 65'536 * 3'600'000'000);
}
