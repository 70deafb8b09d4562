// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/counted_atomics.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/guard/retry_budget.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using breaker_test::interruption;
using brownout::basic_retry_budget;
using brownout::manual_clock;
using brownout::retry_budget;
using brownout::retry_budget_options;

namespace {

template <class Budget>
int withdraw_all(Budget& from) {
  int taken = 0;
  while (from.try_withdraw()) ++taken;
  return taken;
}

template <class Budget>
void deposit(Budget& into, int successes) {
  for (int i = 0; i < successes; ++i) into.deposit();
}

std::string refusal(const retry_budget_options& tried) {
  try {
    const retry_budget budget{tried};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

static_assert(!std::is_copy_constructible_v<retry_budget> && !std::is_move_constructible_v<retry_budget>);

TEST_CASE("a budget allows as many retries as it has tokens", "[guard][K1]") {
  retry_budget budget{{.least = 3}, manual_clock{}};
  CHECK(withdraw_all(budget) == 3);
  CHECK_FALSE(budget.try_withdraw());
  CHECK(budget.snapshot().tokens == 0);
}

TEST_CASE("the last token is given to one of two callers, wherever one interrupts the other", "[guard][K1]") {
  int interrupted = 0;
  for (int access = 0; access < 40; ++access) {
    basic_retry_budget<breaker_test::interrupted_atomics> budget{{.least = 1}, manual_clock{}};
    int taken = 0;
    interruption::action = [&] { taken += budget.try_withdraw() ? 1 : 0; };
    interruption::accesses_left = access;
    taken += budget.try_withdraw() ? 1 : 0;
    interruption::accesses_left = -1;
    if (interruption::action != nullptr) break;  // there are no further accesses
    ++interrupted;
    CHECK(taken == 1);
    CHECK(budget.snapshot().tokens == 0);
  }
  CHECK(interrupted > 5);
  interruption::action = nullptr;
}

TEST_CASE("threads that withdraw at once get every token once", "[guard][K1]") {
  retry_budget budget{{.least = 1'000}, manual_clock{}};
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { taken += withdraw_all(budget); });
  for (auto& one : threads) one.join();
  CHECK(taken == 1'000);
  CHECK(budget.snapshot().withdrawn == 1'000);
  CHECK(budget.snapshot().refused == 4);
}

TEST_CASE("a first attempt takes no token: its success only adds some", "[guard][K2]") {
  retry_budget budget{{.ratio = 0.5, .least = 1}, manual_clock{}};
  auto before = budget.snapshot().tokens;
  for (int i = 0; i < 1'000; ++i) {
    budget.deposit();
    const auto after = budget.snapshot().tokens;
    CHECK(after >= before);
    before = after;
  }
  CHECK(budget.snapshot().withdrawn == 0);
}

TEST_CASE("a success pays for the share of a retry that the ratio says", "[guard][K3]") {
  retry_budget budget{{.ratio = 0.25, .least = 0}, manual_clock{}};
  deposit(budget, 3);
  CHECK_FALSE(budget.try_withdraw());
  budget.deposit();
  CHECK(budget.try_withdraw());
  CHECK_FALSE(budget.try_withdraw());
}

TEST_CASE("in a full outage retries stop, however many calls fail", "[guard][K3]") {
  manual_clock clock;
  retry_budget budget{{}, clock};
  deposit(budget, 1'000);
  const auto at_first = budget.snapshot().tokens;
  int retries = 0;
  for (int second = 0; second < 3'600; ++second) {
    for (int failed = 0; failed < 100; ++failed) retries += budget.try_withdraw() ? 1 : 0;
    clock.advance(1s);
  }
  CHECK(retries > 0);
  CHECK(retries <= at_first);
}

TEST_CASE("a tenth of the tokens is forgotten in each tenth of the memory", "[guard][K4]") {
  manual_clock clock;
  retry_budget budget{{.ratio = 1, .memory = 20s, .least = 3}, clock};
  deposit(budget, 3 + 14 + 64 * 15);
  REQUIRE(budget.snapshot().tokens == 20 + 960);
  clock.advance(1999ms);
  CHECK(budget.snapshot().tokens == 980);
  clock.advance(1ms);
  CHECK(budget.snapshot().tokens == Approx(882).epsilon(0.001));
  clock.advance(2s);
  CHECK(budget.snapshot().tokens == Approx(793.8).epsilon(0.001));

  SECTION("down to the least") {
    clock.advance(10min);
    CHECK(budget.snapshot().tokens == 3);
  }
  SECTION("although it is used meanwhile, more often than a tenth of the memory passes") {
    for (int i = 0; i < 20; ++i) {
      clock.advance(100ms);
      CHECK(budget.try_withdraw());
    }
    CHECK(budget.snapshot().tokens == Approx((793.8 - 19) * 0.9 - 1).epsilon(0.001));
  }
}

TEST_CASE("tokens that were spent come back by successes only", "[guard][K4]") {
  manual_clock clock;
  retry_budget budget{{.ratio = 0.5, .least = 3}, clock};
  CHECK(withdraw_all(budget) == 3);
  clock.advance(24h);
  CHECK_FALSE(budget.try_withdraw());
  deposit(budget, 2);
  CHECK(budget.try_withdraw());
}

TEST_CASE("with steady traffic the tokens follow its rate", "[guard][K4]") {
  for (const int rate : {10, 1'000}) {
    manual_clock clock;
    retry_budget budget{{.ratio = 0.2, .memory = 10s, .least = 0}, clock};
    for (int second = 0; second < 120; ++second) {
      deposit(budget, rate);
      clock.advance(1s);
    }
    // What is forgotten is what comes in: a tenth of the tokens = ratio x rate.
    CHECK(budget.snapshot().tokens == Approx(0.2 * rate * 9).margin(15));
  }
}

TEST_CASE("from 20 tokens on, every 64th success of a thread is deposited, for all 64", "[guard][K5]") {
  retry_budget budget{{.ratio = 0.5, .least = 20}, manual_clock{}};
  deposit(budget, 63);
  CHECK(budget.snapshot().tokens == 20);
  budget.deposit();
  CHECK(budget.snapshot().tokens == 52);
  CHECK(budget.snapshot().deposited == 64);
}

TEST_CASE("retries of an interval stay within its bound when tokens go up and down around 20",
          "[guard][K5]") {
  retry_budget budget{{.ratio = 1, .least = 20}, manual_clock{}};
  std::uint64_t successes = 0;
  std::uint64_t retries = 0;
  const auto within_bound = [&] { return retries <= 20 + successes + 64; };  // one thread has one stripe
  for (int round = 0; round < 2'000; ++round) {
    for (int i = 0; i < round % 67; ++i, ++successes) budget.deposit();
    for (int i = 0; i < round % 71; ++i) retries += budget.try_withdraw() ? 1U : 0U;
    REQUIRE(within_bound());
  }
  retries += static_cast<std::uint64_t>(withdraw_all(budget));
  CHECK(within_bound());
  CHECK(retries + 64 >= successes);  // nothing is lost either
}

TEST_CASE("retries of many threads stay within the bound", "[guard][K5]") {
  retry_budget budget{{.ratio = 0.3, .least = 10}, manual_clock{}};
  std::atomic<std::uint64_t> retries{0};
  constexpr int rounds = 20'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < rounds; ++round) {
        budget.deposit();
        if (round % (i + 2) == 0 && budget.try_withdraw()) retries.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (auto& one : threads) one.join();
  const auto left = withdraw_all(budget);
  const double all = static_cast<double>(retries.load()) + left;
  CHECK(all <= 10 + 0.3 * (4 * rounds + 8 * 64));
  CHECK(all >= 0.29 * (4 * rounds - 8 * 64));
  CHECK(budget.snapshot().deposited == 4 * rounds);
}

TEST_CASE("no deposit is lost when another call interrupts it", "[guard][K5]") {
  int interrupted = 0;
  for (int access = 0; access < 40; ++access) {
    basic_retry_budget<breaker_test::interrupted_atomics> budget{{.ratio = 1, .least = 1}, manual_clock{}};
    int taken = 0;
    interruption::action = [&] {
      budget.deposit();
      budget.deposit();
      taken += budget.try_withdraw() ? 1 : 0;
    };
    interruption::accesses_left = access;
    budget.deposit();
    interruption::accesses_left = -1;
    if (interruption::action != nullptr) break;
    ++interrupted;
    CHECK(taken == 1);
    CHECK(budget.snapshot().tokens == 3);
  }
  CHECK(interrupted > 5);
  interruption::action = nullptr;
}

TEST_CASE("retries and hedges draw from one budget", "[guard][K6]") {
  retry_budget budget{{.least = 2}, manual_clock{}};
  retry_budget* const of_retry = &budget;
  retry_budget* const of_hedge = &budget;
  CHECK(of_retry->try_withdraw());
  CHECK(of_hedge->try_withdraw());
  CHECK_FALSE(of_retry->try_withdraw());
  CHECK_FALSE(of_hedge->try_withdraw());
}

TEST_CASE("after a day without traffic a burst finds the least, at once", "[guard][K7]") {
  manual_clock clock;
  retry_budget budget{{.least = 5}, clock};
  deposit(budget, 100'000);
  clock.advance(24h);
  CHECK(withdraw_all(budget) == 5);

  SECTION("or what was left below the least") {
    deposit(budget, 10);  // 2 tokens, nearly
    clock.advance(24h);
    CHECK(withdraw_all(budget) == 1);
  }
}

TEST_CASE("the longest silence and the most tokens are forgotten in 200 steps", "[guard][K7]") {
  using word = brownout::detail::budget_word;
  constexpr brownout::detail::budget_rules rules{204, 13'107, 0, 1};
  static_assert(word::of(0, word::longest).at(word::longest, rules).tokens() == 0);
  static_assert(word::of(0, word::longest).at(199, rules).tokens() == 0);
  static_assert(word::of(0, word::longest).at(100, rules).tokens() > 0);
  static_assert(word::of(7, word::longest).plus(1).tokens() == word::longest);
  CHECK(word::of(5, 1'000).at(3, rules).bits == word::of(5, 1'000).bits);
}

TEST_CASE("several pipelines share the tokens of one budget", "[guard][K8]") {
  manual_clock clock;
  retry_budget budget{{.ratio = 1, .least = 0}, clock};
  const auto pipeline = [&budget](int successes, int wanted) {
    deposit(budget, successes);
    int got = 0;
    for (int i = 0; i < wanted; ++i) got += budget.try_withdraw() ? 1 : 0;
    return got;
  };
  CHECK(pipeline(5, 2) == 2);
  CHECK(pipeline(0, 9) == 3);
  CHECK(pipeline(1, 9) == 1);
}

TEST_CASE("a token whose retry never started goes back", "[guard][K1]") {
  retry_budget budget{{.least = 1}, manual_clock{}};
  REQUIRE(budget.try_withdraw());
  budget.give_back();
  CHECK(budget.snapshot().tokens == 1);
  CHECK(budget.try_withdraw());
  CHECK_FALSE(budget.try_withdraw());
  const auto shown = budget.snapshot();
  CHECK(shown.withdrawn == 2);
  CHECK(shown.given_back == 1);
  CHECK(shown.refused == 1);
}

TEST_CASE("a clock that is set back or stands still forgets nothing and freezes nothing", "[guard][K4]") {
  manual_clock clock{brownout::time_point{1h}};
  retry_budget budget{{.ratio = 1, .least = 3}, clock};
  deposit(budget, 17);
  clock.set(brownout::time_point{});
  CHECK(budget.snapshot().tokens == 20);
  deposit(budget, 64);
  CHECK(budget.snapshot().tokens == 84);
  CHECK(budget.try_withdraw());
  CHECK(budget.try_withdraw_at((brownout::time_point::min)()));
  clock.set(brownout::time_point{1h + 1s});
  CHECK(budget.snapshot().tokens == Approx(82 * 0.9).epsilon(0.001));
}

TEST_CASE("a caller that knows the time saves the reading of the clock", "[guard][K4]") {
  manual_clock clock;
  retry_budget budget{{.ratio = 1, .least = 3}, clock};
  for (int i = 0; i < 7; ++i) budget.deposit_at(clock.now());
  CHECK(budget.snapshot().tokens == 10);
  CHECK(budget.try_withdraw_at(clock.now() + 1s));
  CHECK(budget.snapshot().tokens == Approx(8).margin(0.01));
}

TEST_CASE("63 of 64 successes are one load and one addition when there are 20 tokens", "[guard][K5]") {
  using breaker_test::counted_atomics;
  basic_retry_budget<counted_atomics> budget{{.least = 20}, manual_clock{}};
  for (int i = 0; i < 63; ++i) {
    CHECK(counted_atomics::of([&] { budget.deposit(); }) == breaker_test::loads_and_writes{1, 1});
  }
  CHECK(counted_atomics::of([&] { budget.deposit(); }).second == 2);
}

TEST_CASE("options of a budget change while it is used", "[guard][K1]") {
  manual_clock clock;
  retry_budget budget{{.name = "orders", .ratio = 0.5, .least = 0}, clock};
  deposit(budget, 4);
  budget.reconfigure({.ratio = 1, .memory = 60s, .least = 1});
  CHECK(budget.snapshot().tokens == 2);
  budget.deposit();
  CHECK(budget.snapshot().tokens == 3);
  CHECK(budget.name() == "orders");
  CHECK(budget.options().name == "orders");
  CHECK(budget.options().memory == 60s);
  budget.reconfigure({.name = "orders"});
  CHECK(budget.options().ratio == 0.2);
  CHECK_THROWS_WITH(budget.reconfigure({.name = "others"}),
                    "retry_budget 'orders': retry_budget_options.name = 'others': allowed is 'orders'");
  CHECK_THROWS_WITH(budget.reconfigure({.ratio = 2}),
                    "retry_budget 'orders': retry_budget_options.ratio = 2: allowed is 0.001 to 1");
  CHECK(budget.options().ratio == 0.2);
}

TEST_CASE("options of a budget that are out of range are refused by name, value and range", "[guard][K1]") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(refusal({.name = "x", .ratio = 0}) ==
        "retry_budget 'x': retry_budget_options.ratio = 0: allowed is 0.001 to 1");
  CHECK(refusal({.ratio = nan}) ==
        "retry_budget '': retry_budget_options.ratio = nan: allowed is 0.001 to 1");
  CHECK(refusal({.ratio = -0.2}).find("= -0.2") != std::string::npos);
  CHECK(refusal({.ratio = 1.1}).find("= 1.1") != std::string::npos);
  CHECK(refusal({.memory = 0s}) == "retry_budget '': retry_budget_options.memory = 0s: allowed is 1s to 1h");
  CHECK(refusal({.memory = -1s}).find("= -1s") != std::string::npos);
  CHECK(refusal({.memory = (brownout::duration::max)()}).find("over 100 years") != std::string::npos);
  CHECK(refusal({.least = 1'000'001}) ==
        "retry_budget '': retry_budget_options.least = 1000001: allowed is 0 to 1000000");
  CHECK(refusal({.name = std::string(129, 'n')}).find("up to 128 bytes") != std::string::npos);
  CHECK(refusal({.name = std::string(128, 'n'), .ratio = 1, .memory = 1h, .least = 1'000'000}).empty());
  CHECK(refusal({.ratio = 0.001, .memory = 1s, .least = 0}).empty());
}
