// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/refusal_of.hpp"

#include "brownout/guard/hedge.hpp"
#include "brownout/guard/retry_budget.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::hedge;
using brownout::hedge_options;
using brownout::retry_budget;

namespace {

struct bench {
  retry_budget budget{{.least = 1000}};
  hedge hedging;

  explicit bench(double percentile = 0.95)
      : hedging{{.percentile = percentile, .budget = &budget, .idempotent = true}} {}
};

}  // namespace

TEST_CASE("no call is hedged before 100 attempts have ended", "[guard][Hd6]") {
  bench on;
  for (int i = 0; i < 99; ++i) on.hedging.note_winner(10ms, false);
  CHECK(!on.hedging.delay());
  on.hedging.note_winner(10ms, false);
  CHECK(on.hedging.delay() >= 10ms);
  CHECK(on.hedging.delay() <= 10.7ms);
}

TEST_CASE("the delay of a hedge is a percentile of the latest attempts", "[guard][Hd6]") {
  const double percentile = GENERATE(0.5, 0.9, 0.95, 0.99);
  bench on{percentile};
  std::mt19937_64 random{5};
  std::lognormal_distribution<double> latency{std::log(20.0), 0.7};
  std::vector<duration> seen;
  for (int i = 0; i < 1900; ++i) {
    seen.emplace_back(
        std::chrono::duration_cast<duration>(std::chrono::duration<double, std::milli>{latency(random)}));
    on.hedging.note_winner(seen.back(), false);
  }
  // An estimate is at most 15 attempts old.
  std::sort(seen.begin(), seen.end());
  const auto exact = seen[static_cast<std::size_t>(percentile * 1900)];
  CHECK(*on.hedging.delay() >= exact * 0.97);
  CHECK(*on.hedging.delay() <= exact * 1.1);
}

TEST_CASE("an attempt that lost counts as longer than it ran", "[guard][Hd6]") {
  // Every second attempt takes 100 ms, and is cut off after 20 ms by a hedge that wins. The median of the
  // attempts is at the end of the fast ones, and no percentile above it is as short as 20 ms.
  bench on{0.9};
  for (int i = 0; i < 500; ++i) {
    on.hedging.note_winner(10ms, false);
    on.hedging.note_loser(20ms);
    on.hedging.note_winner(100ms, false);
  }
  CHECK(*on.hedging.delay() >= 100ms);
}

TEST_CASE("a hedge forgets what is thousands of attempts ago", "[guard][Hd6]") {
  bench on;
  for (int i = 0; i < 5000; ++i) on.hedging.note_winner(1s, false);
  for (int i = 0; i < 10000; ++i) on.hedging.note_winner(10ms, false);
  CHECK(*on.hedging.delay() <= 10.7ms);
}

TEST_CASE("a hedge takes times of any length", "[guard][Hd6]") {
  bench on;
  for (const auto took : {duration::min(), duration{-1}, duration{0}, duration{1}, duration{1h},
                          duration{500h}, duration::max()}) {
    for (int i = 0; i < 200; ++i) on.hedging.note_winner(took, false);
  }
  CHECK(*on.hedging.delay() >= 1h);
}

TEST_CASE("a hedge counts its attempts", "[guard][Hd4]") {
  retry_budget budget{{.least = 1}};
  hedge hedging{{.name = "search", .after = 40ms, .budget = &budget, .idempotent = true}};
  CHECK(hedging.begin() == 40ms);
  CHECK(hedging.try_extra());
  CHECK(!hedging.try_extra());
  hedging.note_winner(50ms, true);
  const auto shown = hedging.snapshot();
  CHECK(shown.calls == 1);
  CHECK(shown.extra == 1);
  CHECK(shown.suppressed == 1);
  CHECK(shown.won == 1);
  CHECK(hedging.name() == "search");
  CHECK(budget.snapshot().deposited == 1);
}

TEST_CASE("options of a hedge that are out of range are refused", "[guard][Hd1]") {
  retry_budget budget;
  const auto refused = [&](auto change) {
    hedge_options tried{.budget = &budget, .idempotent = true};
    change(tried);
    return refusal_of(tried);
  };
  CHECK(refused([](auto&) {}).empty());
  CHECK(refused([](auto& one) { one.percentile = 0.4; }) ==
        "hedge_options.percentile = 0.4: allowed is 0.5 to 0.999");
  CHECK(refused([](auto& one) { one.after = 0ms; }) == "hedge_options.after = 0s: allowed is 1ms to 1h");
  CHECK(refused([](auto& one) { one.extra = 4; }) == "hedge_options.extra = 4: allowed is 1 to 3");
  CHECK(refused([](auto& one) { one.budget = nullptr; }) ==
        "hedge_options.budget = null: allowed is the address of a retry_budget");
  CHECK(refused([](auto& one) { one.idempotent = false; }) ==
        "hedge_options.idempotent = false: allowed is true");
}
