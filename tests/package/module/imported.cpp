// SPDX-License-Identifier: BSL-1.0
// Imports brownout instead of including it. INCLUDED_BEFORE and INCLUDED_AFTER include it too, as another
// header of the program may do.
#if defined(INCLUDED_BEFORE)
#include <brownout/brownout.hpp>
#endif

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

import brownout;

#if defined(INCLUDED_AFTER)
#include <brownout/brownout.hpp>
#endif

using namespace std::chrono_literals;

namespace {
enum class level { normal, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "emergency";
}
enum class upstream { database };
enum class feature { search, advice };

constexpr auto features = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::search, .last = level::emergency},
    {.feature = feature::advice, .last = level::normal, .needs = brownout::needs(upstream::database)},
});

void expect(bool condition, std::string_view what) {
  if (condition) return;
  std::cerr << "not so: " << what << '\n';
  std::exit(EXIT_FAILURE);
}

void a_breaker_opens_and_recovers() {
  brownout::manual_clock clock;
  brownout::circuit_breaker database{
      brownout::consecutive_failures{3}, {.name = "database", .open_for = 20s}, clock};
  expect(database.call([] { return 42; }) == 42, "a call returns what the function returns");
  for (int i = 0; i < 3; ++i) {
    try {
      database.call([]() -> int { throw std::runtime_error{"connection refused"}; });
    } catch (const std::runtime_error& error) {
      expect(error.what() == std::string_view{"connection refused"}, "an exception passes through");
    }
  }
  try {
    database.call([] {});
    expect(false, "an open circuit refuses a call");
  } catch (const brownout::call_rejected& rejected) {
    expect(rejected.why().reason == brownout::rejection_reason::circuit_open,
           "the reason is the open circuit");
  }
  expect(database.snapshot().state == brownout::circuit_state::open, "the snapshot says that it is open");
  clock.advance(1h);
  expect(database.try_call([] { return 42; }) == 42, "a result is compared with a value");
}

void presets_and_arguments_deduced() {
  const brownout::circuit_breaker plain;
  const brownout::circuit_breaker like{brownout::presets::hystrix()};
  expect(plain.snapshot().state == like.snapshot().state, "new circuits are closed");
  brownout::registry<> hosts{{.capacity = 10}};
  expect(hosts.at("a.example").call([] { return 1; }) == 1, "a registry makes a breaker for a key");
}

void a_retry_in_a_pipeline() {
  brownout::manual_clock clock;
  brownout::circuit_breaker database{brownout::consecutive_failures{3}, {.name = "database"}, clock};
  brownout::retry_budget budget{{}, clock};
  const brownout::pipeline guarded{clock, brownout::timeout{.limit = 2s},
                                   brownout::retry{.budget = &budget, .idempotent = true}, database};
  int attempts = 0;
  const auto answer = guarded.try_call([&](const brownout::call_context& call) {
    if (++attempts == 1) throw std::runtime_error{"connection reset"};
    return call.deadline > clock.now() ? attempts : 0;
  });
  expect(answer.value() == 2, "the second attempt succeeds");
  expect(!explain(guarded).empty(), "the pipeline explains itself");
}

void an_outage_takes_a_feature_away() {
  brownout::manual_clock clock;
  brownout::dependency database{{.name = "database"}, clock};
  brownout::supervisor watch{
      features,
      {.levels = {.ladder = {{level::normal, 50}, {level::emergency, 0}}, .confirm_for = 0s}},
      {{upstream::database, database}},
      clock};
  expect(watch.step(clock.now()).probes.empty(), "a dependency without a probe is not probed");
  expect(watch.features().available(feature::advice), "healthy: the feature is offered");
  database.force_open();
  watch.refresh(clock.now());
  expect(!watch.features().available(feature::advice), "an outage takes it away");
  expect(watch.features().available(feature::search), "but not the other feature");
  brownout::prometheus_text page;
  write_metrics(page, watch.snapshot(clock.now()));
  expect(page.text().find("brownout_health_score") != std::string::npos, "the metrics have the score");
}
}  // namespace

int main() {
  a_breaker_opens_and_recovers();
  presets_and_arguments_deduced();
  a_retry_in_a_pipeline();
  an_outage_takes_a_feature_away();
}
