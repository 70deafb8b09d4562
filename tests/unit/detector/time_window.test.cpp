// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/core/atomics.hpp"
#include "brownout/detector/time_window.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::time_window;
using brownout::detail::window_counts;

namespace {

using tested_history = time_window::history<brownout::std_atomics>;
static_assert(!std::is_copy_constructible_v<tested_history> && !std::is_copy_assignable_v<tested_history>);
static_assert(time_window::reads_clock && time_window{}.length == 10s);

constexpr time_window shortest{100ms};
constexpr std::int64_t turn = std::int64_t{1} << 32;  // of the bucket numbers

/// The window as anyone would write it.
class twin {
 public:
  explicit twin(duration bucket) : bucket_{bucket} {}

  bool record(std::uint32_t epoch, bool bad, duration now) {
    if (static_cast<std::int32_t>(epoch - epoch_) < 0) return false;
    if (epoch != epoch_) calls_.clear();
    epoch_ = epoch;
    calls_.push_back({now / bucket_, bad});
    while (calls_.front().bucket <= now / bucket_ - 10) calls_.pop_front();
    return true;
  }
  [[nodiscard]] window_counts read(std::uint32_t epoch, duration now) const {
    window_counts sum;
    if (epoch != epoch_) return sum;
    for (const auto& one : calls_) {
      if (one.bucket <= now / bucket_ - 10) continue;
      ++sum.calls;
      sum.bad += one.bad ? 1 : 0;
    }
    return sum;
  }

 private:
  struct call {
    std::int64_t bucket;
    bool bad;
  };
  duration bucket_;
  std::uint32_t epoch_ = 0;
  std::deque<call> calls_;
};

bool agree_for_long(duration length, duration start, int calls, unsigned seed) {
  std::mt19937 random{seed};
  const auto below = [&](std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>{0, limit - 1}(random);
  };
  tested_history history{time_window{length}};
  const auto bucket = length / 10;
  twin plain{bucket};
  std::uint32_t epoch = 0;
  duration now = start;
  for (int i = 0; i < calls; ++i) {
    const auto pace = below(1000);
    if (pace < 200) now += duration{below(bucket.count() / 10)};
    if (pace >= 200 && pace < 260) now += duration{below(3 * bucket.count())};
    if (pace >= 260 && pace < 270) now += bucket * below(40);
    if (pace >= 270 && pace < 273) now = bucket * (now / bucket + 1 + below(2)) - 1ns;
    if (pace == 273) now += bucket * below(1'000'000);
    if (below(200) == 0) epoch += below(10) == 0 ? 1000U : 1U;
    const auto of = below(40) == 0 ? epoch - 1 : epoch;
    const bool bad = below(3) == 0;

    const auto seen = history.record(of, bad, now);
    const bool current = plain.record(of, bad, now);
    const auto expected = plain.read(of, now);
    if (seen != (bad && current ? expected : window_counts{})) return false;
    if (history.read(epoch, now) != plain.read(epoch, now)) return false;
    const auto later = now + bucket * below(12);
    if (history.read(epoch, later) != plain.read(epoch, later)) return false;
  }
  return true;
}

/// Runs `action(number)` on as many threads, at the same time as far as that can be had.
template <class Action>
void on_threads(int count, Action action) {
  std::atomic<int> missing{count};
  std::vector<std::thread> threads;
  for (int number = 0; number < count; ++number) {
    threads.emplace_back([&, number] {
      for (missing.fetch_sub(1); missing.load() > 0;) std::this_thread::yield();
      action(number);
    });
  }
  for (auto& thread : threads) thread.join();
}

std::string refusal(duration length) {
  try {
    time_window{length}.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a time window says what is wrong with its length", "[detector][time]") {
  CHECK(refusal(10s) == "");
  CHECK(refusal(100ms) == "");
  CHECK(refusal(1h) == "");
  CHECK(refusal(0s) == "time_window.length = 0s: allowed is 100ms to 1h");
  CHECK(refusal(-1s) == "time_window.length = -1s: allowed is 100ms to 1h");
  CHECK(refusal(100ms - 1ns) == "time_window.length = 99.999999ms: allowed is 100ms to 1h");
  CHECK(refusal(1h + 1s) == "time_window.length = 1h1s: allowed is 100ms to 1h");
}

TEST_CASE("a time window without calls holds nothing", "[detector][time]") {
  const tested_history history{time_window{}};
  CHECK(history.read(0, 0s) == window_counts{});
  CHECK(history.read(0, 5s) == window_counts{});
  CHECK(history.read(1, 5s) == window_counts{});
}

TEST_CASE("a call leaves a time window to the nanosecond when the tenth bucket after its own begins",
          "[detector][time]") {
  for (const duration length : {duration{100ms}, duration{10s}, duration{1h}, duration{123'456'790ns}}) {
    const auto bucket = length / 10;
    CAPTURE(length.count());
    tested_history history{time_window{length}};
    REQUIRE(history.record(0, true, bucket * 7) == window_counts{1, 1});        // its first nanosecond
    REQUIRE(history.record(0, true, bucket * 8 - 1ns) == window_counts{2, 2});  // its last
    REQUIRE(history.record(0, true, bucket * 8) == window_counts{3, 3});
    CHECK(history.read(0, bucket * 17 - 1ns) == window_counts{3, 3});
    CHECK(history.read(0, bucket * 17) == window_counts{1, 1});
    CHECK(history.read(0, bucket * 18 - 1ns) == window_counts{1, 1});
    CHECK(history.read(0, bucket * 18) == window_counts{});
  }
}

TEST_CASE("a time window slides by one bucket at a time", "[detector][time]") {
  tested_history history{time_window{}};
  for (std::uint32_t second = 0; second < 100; ++second) {
    for (std::uint32_t i = 0; i < second; ++i) (void)history.record(0, false, second * 1s);
    const auto seen = history.record(0, true, second * 1s + 500ms);
    std::uint32_t expected = 0;
    for (std::uint32_t held = second < 9 ? 0 : second - 9; held <= second; ++held) expected += held + 1;
    REQUIRE(seen == window_counts{expected, std::min(second + 1, 10U)});
  }
}

TEST_CASE("a good call's record counts nothing and never settles", "[detector][time]") {
  tested_history history{time_window{}};
  for (int i = 0; i < 1'000; ++i) REQUIRE(history.record(0, false, 1s) == window_counts{});
  CHECK(history.read(0, 1s) == window_counts{1'000, 0});
}

TEST_CASE("a time window counts on while its clock stands still", "[detector][time]") {
  tested_history history{shortest};
  for (std::uint32_t i = 1; i <= 5'000; ++i) REQUIRE(history.record(0, true, 0s) == window_counts{i, i});
}

TEST_CASE("a time window that was idle for long is empty and counts again", "[detector][time]") {
  const auto bucket = shortest.length / 10;
  // In the same cell as before, when a turn of the numbers is almost over.
  for (const std::int64_t idle :
       {std::int64_t{16}, std::int64_t{160}, std::int64_t{1} << 20, turn / 2 - 16, turn / 2, turn / 2 + 16,
        turn - (1 << 17), turn + 16, 3 * turn + 32, std::int64_t{365} * 24 * 3600 * 100}) {
    CAPTURE(idle);
    tested_history history{shortest};
    for (int i = 0; i < 16; ++i) (void)history.record(0, true, bucket * i);
    const auto now = bucket * (15 + idle);
    REQUIRE(history.read(0, now) == window_counts{});
    for (std::uint32_t i = 0; i < 10; ++i) {
      REQUIRE(history.record(0, true, now + bucket * i) == window_counts{i + 1, i + 1});
    }
  }
}

TEST_CASE("a time window empties for a later epoch and refuses an earlier one's calls", "[detector][time]") {
  tested_history history{time_window{}};
  for (int i = 0; i < 30; ++i) (void)history.record(3, true, i * 500ms);
  REQUIRE(history.read(3, 15s - 1ns) == window_counts{20, 20});
  CHECK(history.read(2, 15s - 1ns) == window_counts{});
  CHECK(history.read(4, 15s - 1ns) == window_counts{});

  CHECK(history.record(4, true, 15s - 1ns) == window_counts{1, 1});  // within the last call's bucket
  CHECK(history.read(3, 15s - 1ns) == window_counts{});
  CHECK(history.record(3, true, 15s - 1ns) == window_counts{});
  CHECK(history.record(3, false, 15s - 1ns) == window_counts{});
  CHECK(history.record(3, true, 60s) == window_counts{});
  CHECK(history.read(4, 15s - 1ns) == window_counts{1, 1});
  CHECK(history.read(4, 24s - 1ns) == window_counts{1, 1});
  CHECK(history.read(4, 24s) == window_counts{});
}

TEST_CASE("no call of an old epoch counts in a new one, however late the new one's clock was read",
          "[detector][time]") {
  for (int apart = -40; apart <= 40; ++apart) {
    for (std::uint64_t epochs = 1; epochs <= 5; ++epochs) {
      CAPTURE(apart, epochs);
      tested_history history{time_window{}};
      for (int i = 0; i < 16; ++i) (void)history.record(1, true, (50 + i) * 1s);
      const auto now = (50 + apart) * 1s;
      REQUIRE(history.record(1 + epochs, true, now) == window_counts{1, 1});
      for (int i = 0; i < 10; ++i) REQUIRE(history.read(1 + epochs, now + i * 1s) == window_counts{1, 1});
      REQUIRE(history.read(1 + epochs, now + 10s) == window_counts{});
    }
  }
}

TEST_CASE("epochs that begin at the same moment do not see each other's calls", "[detector][time]") {
  tested_history history{shortest};
  for (std::uint64_t epoch = 1; epoch <= 20'000; ++epoch) {
    if (history.record(epoch, true, 5ms) != window_counts{1, 1}) FAIL("in epoch " << epoch);
  }
}

TEST_CASE("a time window knows the later of two epochs when their low 32 bits wrap", "[detector][time]") {
  tested_history history{time_window{}};
  for (const std::uint64_t epoch : {0x7000'0000ULL, 0xe000'0000ULL, 0xffff'ffffULL}) {
    REQUIRE(history.record(epoch, true, 1s) == window_counts{1, 1});
  }
  CHECK(history.record(0x1'0000'0000, true, 1s) == window_counts{1, 1});
  CHECK(history.record(0xffff'ffff, true, 1s) == window_counts{});
  CHECK(history.read(0xffff'ffff, 1s) == window_counts{});
  CHECK(history.record(0x1'0000'0000, true, 1s) == window_counts{2, 2});
  CHECK(history.record(0x1'0000'0001, true, 1s) == window_counts{1, 1});
}

TEST_CASE("a call that comes late counts in its own bucket, or with the latest when that is gone",
          "[detector][time]") {
  tested_history history{time_window{}};
  REQUIRE(history.record(0, true, 40s) == window_counts{1, 1});
  SECTION("a little late: in its own") {
    CHECK(history.record(0, true, 38s) == window_counts{1, 1});  // as of 38 s
    CHECK(history.read(0, 40s) == window_counts{2, 2});
    CHECK(history.read(0, 48s) == window_counts{1, 1});
  }
  SECTION("later than the window is long: out of it") {
    CHECK(history.record(0, true, 30s) == window_counts{1, 1});
    CHECK(history.read(0, 40s) == window_counts{1, 1});
  }
  SECTION("later than a turn of the cells: with the latest in its cell") {
    CHECK(history.record(0, true, 24s) == window_counts{2, 2});
    CHECK(history.record(0, true, 8s) == window_counts{3, 3});
    CHECK(history.read(0, 40s) == window_counts{3, 3});
    CHECK(history.read(0, 49s) == window_counts{3, 3});
    CHECK(history.read(0, 50s) == window_counts{});
  }
}

TEST_CASE("a bucket that is about to overflow halves its counts and keeps the share",
          "[detector][exhaustive][time]") {
  tested_history history{time_window{}};
  for (std::uint32_t i = 1; i <= 65'534; ++i) (void)history.record(0, i % 4 == 0, 1s);
  REQUIRE(history.read(0, 1s) == window_counts{65'534, 16'383});
  CHECK(history.record(0, true, 1s) == window_counts{32'768, 8'192});
  CHECK(history.read(0, 2s) == window_counts{32'768, 8'192});

  for (std::uint32_t i = 0; i < 200'000; ++i) {
    (void)history.record(0, i % 4 == 0, 1s);
    if (i % 1000 != 0) continue;
    const auto seen = history.read(0, 1s);
    if (seen.calls >= 65'535 || seen.calls < 32'768) FAIL("calls " << seen.calls);
    if (std::max(seen.bad * 4, seen.calls) - std::min(seen.bad * 4, seen.calls) > 16)
      FAIL("bad " << seen.bad);
  }

  tested_history all_bad{time_window{}};
  for (int i = 0; i < 200'000; ++i) {
    const auto seen = all_bad.record(0, true, 1s);
    if (seen.calls == 0 || seen.bad != seen.calls) FAIL("call " << i);
  }
}

TEST_CASE("a time window agrees with a queue over long random histories", "[detector][exhaustive][time]") {
  for (const duration length : {duration{100ms}, duration{10s}, duration{1h}}) {
    CAPTURE(length.count());
    REQUIRE(agree_for_long(length, 0s, 20'000, 1));
    REQUIRE(agree_for_long(length, 365 * 24h + 1ns, 20'000, 2));
  }
}

TEST_CASE("a time window agrees with a queue while its bucket numbers wrap", "[detector][time]") {
  for (const int before : {0, 5, 50, 500}) {
    REQUIRE(agree_for_long(100ms, 10ms * (turn - before), 3'000, static_cast<unsigned>(before)));
  }
}

TEST_CASE("what threads record one after another adds up in a time window", "[detector][time]") {
  tested_history history{time_window{}};
  for (std::uint32_t i = 1; i <= 20; ++i) {
    std::thread{[&] {
      (void)history.record(0, false, 1s);
      (void)history.record(0, true, 2s);
    }}.join();
    REQUIRE(history.read(0, 2s) == window_counts{2 * i, i});
  }
  // A later epoch empties the cells of all of them.
  CHECK(history.record(1, true, 2s) == window_counts{1, 1});
}

TEST_CASE("threads lose no call of a time window, and bring none of an earlier epoch into it",
          "[detector][time]") {
  constexpr int threads = 4;
  constexpr std::uint32_t each = 2'000;
  tested_history history{shortest};
  std::atomic<int> wrong{0};
  for (std::uint64_t epoch = 1; epoch <= 60; ++epoch) {
    const auto start = 20ms * static_cast<int>(epoch);
    std::atomic<std::int64_t> passed{0};  // never more than nine buckets, so that nothing goes out of date
    on_threads(threads, [&](int number) {
      for (std::uint32_t i = 0; i < each; ++i) {
        const auto now = start + duration{passed.fetch_add(10'000)};
        const bool bad = (i + static_cast<std::uint32_t>(number)) % 5 == 0;
        const auto seen = history.record(epoch, bad, now);
        if (seen.bad > seen.calls || (bad && seen.bad == 0)) wrong.fetch_add(1);
        if (i % 16 == 0) (void)history.record(epoch - 1, true, now);
      }
    });
    const auto end = start + duration{passed.load()};
    REQUIRE(end - start < 90ms);
    REQUIRE(history.read(epoch, end) == window_counts{threads * each, threads * each / 5});
  }
  CHECK(wrong.load() == 0);
}

TEST_CASE("a time window counts exactly the calls of the epoch that threads go on to", "[detector][time]") {
  tested_history history{shortest};
  for (std::uint64_t epoch = 1; epoch <= 300; ++epoch) {
    std::atomic<std::uint32_t> bad_ones{0};
    on_threads(3, [&](int number) {
      for (int i = 0; i < 40; ++i) {
        const bool current = i >= 10 * (number + 1);  // each goes on at another time
        const bool bad = i % 2 == 0;
        (void)history.record(current ? epoch : epoch - 1, bad, 5ms);
        if (current && bad) bad_ones.fetch_add(1);
      }
    });
    REQUIRE(history.read(epoch, 5ms) == window_counts{60, bad_ones.load()});
  }
}
