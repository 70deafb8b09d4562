// SPDX-License-Identifier: BSL-1.0
#include "brownout/observe/guard_metrics.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/hedge.hpp"
#include "brownout/guard/keyed.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/rate_limiter.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/sliding_window.hpp"
#include "brownout/observe/prometheus_text.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"

#include <chrono>
#include <stdexcept>

TEST_CASE("a bulkhead shows its limit, its calls in flight, and the calls it admitted and refused",
          "[observe][guard][U8]") {
  brownout::bulkhead connections{{.name = "connections", .limit = 1}};
  static_cast<void>(connections.try_acquire());
  const auto held = connections.try_acquire();
  REQUIRE(held);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(connections.try_acquire());
  brownout::prometheus_text page;
  write_metrics(page, connections.name(), connections.snapshot(), {{"region", "eu"}});
  CHECK(page.text() ==
        "# HELP brownout_bulkhead_limit Calls that may be in flight at a time.\n"
        "# TYPE brownout_bulkhead_limit gauge\n"
        "brownout_bulkhead_limit{region=\"eu\",guard=\"connections\"} 1\n"
        "# HELP brownout_bulkhead_in_flight Calls that are in flight.\n"
        "# TYPE brownout_bulkhead_in_flight gauge\n"
        "brownout_bulkhead_in_flight{region=\"eu\",guard=\"connections\"} 1\n"
        "# HELP brownout_bulkhead_calls_total Calls that the bulkhead admitted and refused.\n"
        "# TYPE brownout_bulkhead_calls_total counter\n"
        "brownout_bulkhead_calls_total{region=\"eu\",guard=\"connections\",kind=\"admitted\"} 2\n"
        "brownout_bulkhead_calls_total{region=\"eu\",guard=\"connections\",kind=\"refused\"} 3\n");
}

TEST_CASE("a hedge shows its delay, its calls and its further attempts", "[observe][guard][Hd8]") {
  brownout::retry_budget budget{{.least = 1}};
  brownout::hedge searches{
      {.name = "searches", .after = std::chrono::milliseconds{40}, .budget = &budget, .idempotent = true}};
  static_cast<void>(searches.begin());
  CHECK(searches.try_extra());
  CHECK_FALSE(searches.try_extra());
  searches.note_winner(std::chrono::milliseconds{50}, true);
  brownout::prometheus_text page;
  write_metrics(page, searches.name(), searches.snapshot());
  CHECK(page.text() ==
        "# HELP brownout_hedge_delay_seconds Time until a further attempt starts.\n"
        "# TYPE brownout_hedge_delay_seconds gauge\n"
        "brownout_hedge_delay_seconds{guard=\"searches\"} 0.04\n"
        "# HELP brownout_hedge_calls_total Hedged calls that were started.\n"
        "# TYPE brownout_hedge_calls_total counter\n"
        "brownout_hedge_calls_total{guard=\"searches\"} 1\n"
        "# HELP brownout_hedge_won_total Calls whose answer came from a further attempt.\n"
        "# TYPE brownout_hedge_won_total counter\n"
        "brownout_hedge_won_total{guard=\"searches\"} 1\n"
        "# HELP brownout_hedge_attempts_total Further attempts that were started, and that an empty budget "
        "suppressed.\n"
        "# TYPE brownout_hedge_attempts_total counter\n"
        "brownout_hedge_attempts_total{guard=\"searches\",kind=\"extra\"} 1\n"
        "brownout_hedge_attempts_total{guard=\"searches\",kind=\"suppressed\"} 1\n");
}

TEST_CASE("a rate limiter shows its rate, its burst, its tokens, and the calls it refused",
          "[observe][guard][L12]") {
  const brownout::manual_clock clock;
  brownout::rate_limiter quota{{.name = "quota", .rate = brownout::per_minute(90), .burst = 5}, clock};
  CHECK(quota.try_acquire(3));
  CHECK_FALSE(quota.try_acquire(3));
  brownout::prometheus_text page;
  write_metrics(page, quota.name(), quota.snapshot());
  CHECK(page.text() ==
        "# HELP brownout_rate_limiter_rate Tokens that come back in a second.\n"
        "# TYPE brownout_rate_limiter_rate gauge\n"
        "brownout_rate_limiter_rate{guard=\"quota\"} 1.5\n"
        "# HELP brownout_rate_limiter_burst Tokens in a full bucket.\n"
        "# TYPE brownout_rate_limiter_burst gauge\n"
        "brownout_rate_limiter_burst{guard=\"quota\"} 5\n"
        "# HELP brownout_rate_limiter_tokens Tokens that are there.\n"
        "# TYPE brownout_rate_limiter_tokens gauge\n"
        "brownout_rate_limiter_tokens{guard=\"quota\"} 2\n"
        "# HELP brownout_rate_limiter_refused_total Calls that were refused.\n"
        "# TYPE brownout_rate_limiter_refused_total counter\n"
        "brownout_rate_limiter_refused_total{guard=\"quota\"} 1\n");
}

TEST_CASE("rate limiters by key show what they admit, and whether there are enough buckets",
          "[observe][guard][L10g]") {
  brownout::manual_clock clock;
  brownout::keyed<brownout::rate_limiter<brownout::manual_clock>> quotas{
      {.name = "quotas", .rate = brownout::per_minute(90), .burst = 3, .capacity = 1}, clock};
  CHECK(quotas.at("first").try_acquire());
  clock.advance(std::chrono::seconds{1});
  CHECK(quotas.at("second").try_acquire());
  CHECK(quotas.at("third").try_acquire(2));
  CHECK(quotas.at("fourth").try_acquire());
  for (const auto* const key : {"third", "fourth", "fifth"}) CHECK_FALSE(quotas.at(key).try_acquire());
  brownout::prometheus_text page;
  write_metrics(page, quotas.name(), quotas.snapshot());
  CHECK(
      page.text() ==
      "# HELP brownout_keyed_rate_limiter_rate Tokens that come back to a key in a second.\n"
      "# TYPE brownout_keyed_rate_limiter_rate gauge\n"
      "brownout_keyed_rate_limiter_rate{guard=\"quotas\"} 1.5\n"
      "# HELP brownout_keyed_rate_limiter_burst Tokens in a full bucket.\n"
      "# TYPE brownout_keyed_rate_limiter_burst gauge\n"
      "brownout_keyed_rate_limiter_burst{guard=\"quotas\"} 3\n"
      "# HELP brownout_keyed_rate_limiter_capacity Keys that can have a bucket.\n"
      "# TYPE brownout_keyed_rate_limiter_capacity gauge\n"
      "brownout_keyed_rate_limiter_capacity{guard=\"quotas\"} 1\n"
      "# HELP brownout_keyed_rate_limiter_keys Keys whose bucket is not full.\n"
      "# TYPE brownout_keyed_rate_limiter_keys gauge\n"
      "brownout_keyed_rate_limiter_keys{guard=\"quotas\"} 1\n"
      "# HELP brownout_keyed_rate_limiter_refused_total Calls that were refused.\n"
      "# TYPE brownout_keyed_rate_limiter_refused_total counter\n"
      "brownout_keyed_rate_limiter_refused_total{guard=\"quotas\"} 3\n"
      "# HELP brownout_keyed_rate_limiter_evicted_total Full buckets that were given to another key.\n"
      "# TYPE brownout_keyed_rate_limiter_evicted_total counter\n"
      "brownout_keyed_rate_limiter_evicted_total{guard=\"quotas\"} 1\n"
      "# HELP brownout_keyed_rate_limiter_bucketless_total Calls that were admitted of keys for which there "
      "was no place.\n"
      "# TYPE brownout_keyed_rate_limiter_bucketless_total counter\n"
      "brownout_keyed_rate_limiter_bucketless_total{guard=\"quotas\"} 2\n");
}

TEST_CASE("a sliding window shows its limit, its period, the calls that count, and the calls it refused",
          "[observe][guard][L13]") {
  const brownout::manual_clock clock;
  brownout::sliding_window quota{{.name = "quota", .rate = brownout::per_minute(60)}, clock};
  CHECK(quota.try_acquire(50));
  CHECK_FALSE(quota.try_acquire(11));
  brownout::prometheus_text page;
  write_metrics(page, quota.name(), quota.snapshot());
  CHECK(page.text() ==
        "# HELP brownout_sliding_window_limit Calls that may be made in a period.\n"
        "# TYPE brownout_sliding_window_limit gauge\n"
        "brownout_sliding_window_limit{guard=\"quota\"} 60\n"
        "# HELP brownout_sliding_window_period_seconds Length of a period.\n"
        "# TYPE brownout_sliding_window_period_seconds gauge\n"
        "brownout_sliding_window_period_seconds{guard=\"quota\"} 60\n"
        "# HELP brownout_sliding_window_calls Calls that count now.\n"
        "# TYPE brownout_sliding_window_calls gauge\n"
        "brownout_sliding_window_calls{guard=\"quota\"} 50\n"
        "# HELP brownout_sliding_window_refused_total Calls that were refused.\n"
        "# TYPE brownout_sliding_window_refused_total counter\n"
        "brownout_sliding_window_refused_total{guard=\"quota\"} 1\n");
}

TEST_CASE("a fallback shows how many calls it answered, and for how many it had no answer",
          "[observe][guard][F3]") {
  const brownout::fallback front_page{[](const brownout::failure& why) -> int {
    if (why.exception() != nullptr) throw std::runtime_error{"no answer"};
    return -1;
  }};
  const brownout::pipeline guarded{front_page};
  for (int i = 0; i < 2; ++i) {
    static_cast<void>(guarded.try_call([]() -> brownout::result<int> { return brownout::rejection{}; }));
  }
  CHECK_THROWS_AS(guarded.call([]() -> int { throw std::runtime_error{"reset"}; }), std::runtime_error);
  brownout::prometheus_text page;
  write_metrics(page, "front_page", front_page.snapshot(), {{"region", "eu"}});
  CHECK(page.text() ==
        "# HELP brownout_fallback_calls_total Calls that failed, and for which the fallback had an answer or "
        "none.\n"
        "# TYPE brownout_fallback_calls_total counter\n"
        "brownout_fallback_calls_total{region=\"eu\",guard=\"front_page\",kind=\"answered\"} 2\n"
        "brownout_fallback_calls_total{region=\"eu\",guard=\"front_page\",kind=\"unanswered\"} 1\n");
}
