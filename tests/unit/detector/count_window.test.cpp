// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/core/atomics.hpp"
#include "brownout/detector/count_window.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using brownout::count_window;
using brownout::detail::window_counts;

namespace {

using tested_history = count_window::history<brownout::std_atomics>;
static_assert(!std::is_copy_constructible_v<tested_history> && !std::is_copy_assignable_v<tested_history>);
static_assert(!count_window::reads_clock && count_window{}.size == 100);

constexpr std::uint32_t page = 27;
constexpr std::array<std::uint32_t, 11> sizes{1, 2, 26, 27, 28, 53, 54, 55, 100, 999, 1000};

/// Atomics that start as if nearly all page numbers were used up: each word's number moved by the same.
struct worn_atomics {
  static constexpr std::uint32_t used = 0xffff'ffff - 30;

  template <class T>
  class atomic : public std::atomic<T> {
   public:
    explicit atomic(T value)
        : std::atomic<T>{value == 0 ? T{used} << 32 : static_cast<std::uint32_t>(value + used)} {}
  };
};

/// The window as anyone would write it.
class twin {
 public:
  explicit twin(std::uint32_t size) : size_{size} {}

  bool record(std::uint32_t epoch, bool bad) {
    if (static_cast<std::int32_t>(epoch - epoch_) < 0) return false;
    if (epoch != epoch_) calls_.clear();
    epoch_ = epoch;
    calls_.push_back(bad);
    if (calls_.size() > size_) calls_.pop_front();
    return true;
  }
  [[nodiscard]] window_counts read(std::uint32_t epoch) const {
    if (epoch != epoch_) return {};
    const auto calls = static_cast<std::uint32_t>(calls_.size());
    const auto bad = static_cast<std::uint32_t>(std::count(calls_.begin(), calls_.end(), true));
    return {calls, bad};
  }

 private:
  std::uint32_t size_;
  std::uint32_t epoch_ = 0;
  std::deque<bool> calls_;
};

/// Records the same in both and says whether the history's answer was right.
template <class History>
bool agree(History& history, twin& plain, std::uint64_t epoch, bool bad) {
  const auto seen = history.record(epoch, bad, 0s);
  const auto low = static_cast<std::uint32_t>(epoch);
  const bool current = plain.record(low, bad);
  const auto expected = plain.read(low);
  if (seen != expected && (bad || seen != window_counts{})) return false;
  if (!current && seen != window_counts{}) return false;
  return history.read(epoch, 0s) == expected;
}

template <class History>
bool agree_for_long(History& history, std::uint32_t size, std::uint32_t first_epoch, int calls,
                    unsigned seed) {
  std::mt19937 random{seed};
  const auto one_in = [&](std::uint32_t n) {
    return std::uniform_int_distribution<std::uint32_t>{0, n - 1}(random) == 0;
  };
  twin plain{size};
  std::uint32_t epoch = 0;
  if (first_epoch != 0) {
    for (const auto next : {first_epoch / 2, first_epoch}) {
      if (!agree(history, plain, next, false)) return false;
    }
    epoch = first_epoch;
  }
  std::uint32_t rareness = 2;
  for (int i = 0; i < calls; ++i) {
    if (one_in(size * 4)) epoch += one_in(10) ? 1000U : 1U;
    if (one_in(size * 2)) rareness = one_in(2) ? 2 : one_in(2) ? 50 : 100'000;
    const auto of = one_in(40) ? epoch - 1 : epoch;
    if (!agree(history, plain, of, one_in(rareness))) return false;
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

std::string refusal(count_window window) {
  try {
    window.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a count window says what is wrong with its size", "[detector][count]") {
  CHECK(refusal({}) == "");
  CHECK(refusal({.size = 1}) == "");
  CHECK(refusal({.size = 1000}) == "");
  CHECK(refusal({.size = 0}) == "count_window.size = 0: allowed is 1 to 1000");
  CHECK(refusal({.size = 1001}) == "count_window.size = 1001: allowed is 1 to 1000");
}

TEST_CASE("a count window without calls holds nothing", "[detector][count]") {
  for (const auto size : sizes) {
    const tested_history history{count_window{size}};
    CHECK(history.read(0, 0s) == window_counts{});
    CHECK(history.read(1, 0s) == window_counts{});
  }
}

TEST_CASE("a bad call leaves a count window with exactly the size-th call after it", "[detector][count]") {
  for (const auto size : sizes) {
    for (std::uint32_t lead = 0; lead < page; ++lead) {
      CAPTURE(size, lead);
      tested_history history{count_window{size}};
      for (std::uint32_t i = 0; i < lead; ++i) (void)history.record(0, false, 0s);
      const auto first = history.record(0, true, 0s);
      REQUIRE(first == window_counts{std::min(lead + 1, size), 1});
      for (std::uint32_t i = 1; i < size; ++i) {
        (void)history.record(0, false, 0s);
        if (history.read(0, 0s) != window_counts{std::min(lead + i + 1, size), 1}) FAIL("after " << i);
      }
      (void)history.record(0, false, 0s);
      REQUIRE(history.read(0, 0s) == window_counts{size, 0});
    }
  }
}

TEST_CASE("a good call says that a count window is settled within 27 calls of its becoming so",
          "[detector][count]") {
  for (const auto size : sizes) {
    for (std::uint32_t lead = 0; lead < page; ++lead) {
      CAPTURE(size, lead);
      const count_window window{size};
      tested_history history{window};
      for (std::uint32_t i = 0; i < lead; ++i) (void)history.record(0, false, 0s);
      REQUIRE_FALSE(window.is_settled(history.record(0, true, 0s)));
      std::uint32_t successes = 1;
      while (!window.is_settled(history.record(0, false, 0s)) && successes < size + 2 * page) ++successes;
      REQUIRE(successes >= size);
      REQUIRE(successes < size + page);
    }
  }
}

TEST_CASE("a count window that is clean but not full is not settled", "[detector][count]") {
  constexpr count_window window{54};
  tested_history history{window};
  for (int i = 0; i < 53; ++i) REQUIRE_FALSE(window.is_settled(history.record(0, false, 0s)));
  CHECK(history.read(0, 0s) == window_counts{53, 0});
  CHECK(history.record(0, false, 0s) == window_counts{54, 0});
  CHECK(window.is_settled(history.read(0, 0s)));
}

TEST_CASE("a count window empties for a later epoch and refuses an earlier one's calls",
          "[detector][count]") {
  for (const auto size : sizes) {
    for (const std::uint32_t lead : {1U, 26U, 27U, 28U, 100U, 2000U}) {
      CAPTURE(size, lead);
      tested_history history{count_window{size}};
      for (std::uint32_t i = 0; i < lead; ++i) (void)history.record(3, true, 0s);
      const auto held = std::min(lead, size);
      REQUIRE(history.read(3, 0s) == window_counts{held, held});
      REQUIRE(history.read(2, 0s) == window_counts{});
      REQUIRE(history.read(4, 0s) == window_counts{});

      REQUIRE(history.record(4, true, 0s) == window_counts{1, 1});
      REQUIRE(history.read(3, 0s) == window_counts{});
      REQUIRE(history.record(3, true, 0s) == window_counts{});
      REQUIRE(history.record(3, false, 0s) == window_counts{});
      REQUIRE(history.read(4, 0s) == window_counts{1, 1});
      for (std::uint32_t i = 1; i < size; ++i) (void)history.record(4, true, 0s);
      REQUIRE(history.read(4, 0s) == window_counts{size, size});
    }
  }
}

TEST_CASE("a count window knows the later of two epochs when their low 32 bits wrap", "[detector][count]") {
  tested_history history{count_window{10}};
  for (const std::uint64_t epoch : {0x7000'0000ULL, 0xe000'0000ULL, 0xffff'ffffULL}) {
    REQUIRE(history.record(epoch, true, 0s) == window_counts{1, 1});
  }
  CHECK(history.record(0x1'0000'0000, true, 0s) == window_counts{1, 1});
  CHECK(history.record(0xffff'ffff, true, 0s) == window_counts{});
  CHECK(history.read(0xffff'ffff, 0s) == window_counts{});
  CHECK(history.record(0x1'0000'0000, true, 0s) == window_counts{2, 2});
  CHECK(history.record(0x1'0000'0001, true, 0s) == window_counts{1, 1});
}

TEST_CASE("a count window agrees with a queue over long random histories", "[detector][exhaustive][count]") {
  for (const auto size : sizes) {
    for (const std::uint32_t first_epoch : {0U, 0xffff'ff00U}) {
      CAPTURE(size, first_epoch);
      const int calls = size < 500 ? 50'000 : 10'000;
      tested_history history{count_window{size}};
      REQUIRE(agree_for_long(history, size, first_epoch, calls, size));
    }
  }
}

TEST_CASE("a count window agrees with a queue while its page numbers wrap", "[detector][count]") {
  for (const std::uint32_t size : {1U, 28U, 54U, 100U, 200U}) {
    CAPTURE(size);
    count_window::history<worn_atomics> history{count_window{size}};
    REQUIRE(history.read(0, 0s) == window_counts{});
    REQUIRE(agree_for_long(history, size, 0, 4'000, size));
  }
}

TEST_CASE("threads lose no call of a count window, and bring none of an earlier epoch into it",
          "[detector][count]") {
  constexpr int threads = 4;
  constexpr std::uint32_t each = 250;
  tested_history history{count_window{threads * each}};
  std::atomic<int> wrong{0};
  for (std::uint64_t epoch = 1; epoch <= 300; ++epoch) {
    on_threads(threads, [&](int number) {
      for (std::uint32_t i = 0; i < each; ++i) {
        const bool bad = (i + static_cast<std::uint32_t>(number)) % 5 == 0;
        const auto seen = history.record(epoch, bad, 0s);
        if (seen.bad > seen.calls || (bad && seen.bad == 0)) wrong.fetch_add(1);
        if (i % 16 == 0) (void)history.record(epoch - 1, true, 0s);
        if (i % 32 == 0) {
          const auto looked = history.read(epoch, 0s);
          if (looked.calls < i + 1 || looked.bad > looked.calls) wrong.fetch_add(1);
        }
      }
    });
    REQUIRE(history.read(epoch, 0s) == window_counts{threads * each, threads * each / 5});
  }
  CHECK(wrong.load() == 0);
}

TEST_CASE("a count window that is full stays exactly full whatever threads do", "[detector][count]") {
  for (const std::uint32_t size : {1U, 27U, 30U, 100U}) {
    CAPTURE(size);
    tested_history history{count_window{size}};
    for (std::uint32_t i = 0; i < size; ++i) (void)history.record(0, true, 0s);
    std::atomic<int> wrong{0};
    on_threads(3, [&](int number) {
      for (int i = 0; i < 5'000; ++i) {
        const auto seen = number == 0 ? history.read(0, 0s) : history.record(0, true, 0s);
        if (seen != window_counts{size, size}) wrong.fetch_add(1);
      }
    });
    CHECK(wrong.load() == 0);
  }
}
