// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/guard/limit_scene.hpp"

#include "brownout/guard/retry_budget.hpp"
#include "brownout/observe/guard_explanation.hpp"
#include "brownout/observe/guard_metrics.hpp"
#include "brownout/observe/prometheus_text.hpp"

#include <string>

using namespace limit_test;

TEST_CASE("a retry budget shows its tokens and what it allowed", "[observe][guard][K9]") {
  brownout::retry_budget budget{{.name = "orders", .ratio = 0.5, .least = 2}, manual_clock{}};
  budget.deposit();
  CHECK(budget.try_withdraw());
  CHECK(budget.try_withdraw());
  CHECK_FALSE(budget.try_withdraw());
  budget.give_back();
  brownout::prometheus_text page;
  write_metrics(page, budget.name(), budget.snapshot(), {{"region", "eu"}});
  const auto text = page.text();
  const auto has = [&](const std::string& line) { return text.find(line + "\n") != std::string::npos; };
  CHECK(has("brownout_retry_budget_tokens{region=\"eu\",guard=\"orders\"} 1.5"));
  CHECK(has("brownout_retry_budget_successes_total{region=\"eu\",guard=\"orders\"} 1"));
  CHECK(has("brownout_retry_budget_retries_total{region=\"eu\",guard=\"orders\",kind=\"allowed\"} 2"));
  CHECK(has("brownout_retry_budget_retries_total{region=\"eu\",guard=\"orders\",kind=\"given_back\"} 1"));
  CHECK(has("brownout_retry_budget_retries_total{region=\"eu\",guard=\"orders\",kind=\"refused\"} 1"));
}

TEST_CASE("an adaptive limit shows its limit and whom it refused", "[observe][guard][A11]") {
  scene<> here{{.name = "server", .target_delay = 5ms}};
  here.too_slow();
  {
    auto held = here.take(13);
    CHECK_FALSE(here.limit.try_acquire(call_priority::sheddable));
    const auto rest = here.fill();
  }
  brownout::prometheus_text page;
  write_metrics(page, here.limit.name(), here.limit.snapshot());
  const auto text = page.text();
  const auto has = [&](const std::string& line) { return text.find(line + "\n") != std::string::npos; };
  CHECK(has("brownout_adaptive_limit_limit{guard=\"server\"} 18"));
  CHECK(has("brownout_adaptive_limit_in_flight{guard=\"server\"} 0"));
  CHECK(has("brownout_adaptive_limit_changes_total{guard=\"server\"} 1"));
  CHECK(has("brownout_adaptive_limit_calls_total{guard=\"server\",kind=\"admitted\"} 28"));
  CHECK(has("brownout_adaptive_limit_calls_total{guard=\"server\",kind=\"limit_reached\"} 1"));
  CHECK(has("brownout_adaptive_limit_shed_total{guard=\"server\",priority=\"sheddable\"} 1"));
  CHECK(has("brownout_adaptive_limit_shed_total{guard=\"server\",priority=\"critical\"} 0"));
}

TEST_CASE("a change of a limit explains itself in one line", "[observe][guard][A10]") {
  CHECK(explain(limit_change{}) == "limit never changed");
  CHECK(explain(limit_change{
            .number = 1, .from = 20, .to = 18, .cause = limit_change_cause::delay, .samples = 10}) ==
        "limit lowered from 20 to 18: all of 10 calls waited longer than the target");
  CHECK(explain(limit_change{.number = 2,
                             .from = 20,
                             .to = 18,
                             .cause = limit_change_cause::latency,
                             .samples = 40,
                             .above = 9}) ==
        "limit lowered from 20 to 18: 9 of 40 calls took longer than the budget");
  CHECK(explain(limit_change{.number = 3, .from = 20, .to = 22, .cause = limit_change_cause::demand}) ==
        "limit raised from 20 to 22: work was on target, and calls needed more room");
  CHECK(explain(limit_change{.number = 4, .from = 20, .to = 10, .cause = limit_change_cause::options}) ==
        "limit lowered from 20 to 10: its options were replaced");
}
