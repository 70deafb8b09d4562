// SPDX-License-Identifier: BSL-1.0
//
// The health of three dependencies becomes one level.
//
// A dependency is a circuit breaker that also keeps evidence of its calls. A supervisor watches dependencies
// and probes them from time to time. It adds their health up to a score from 0 to 100. The score decides on a
// level: soon when things get worse, step by step when they get better.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <string_view>

using namespace std::chrono_literals;

// Your levels, from the best to the worst.
enum class level { normal, degraded, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : at == level::degraded ? "degraded" : "emergency";
}

enum class upstream { database, cache, search };

// Features come in the next example; here there is one, to show the level.
enum class feature { shop };
constexpr auto features = brownout::make_feature_matrix<feature, level>({{feature::shop, level::degraded}});

// A probe asks a dependency whether it is well. This one asks a variable instead of a server.
brownout::probe probe_of(const bool& is_up) {
  return [&is_up](const brownout::probe_context&) -> brownout::probe_result {
    if (is_up) return {brownout::outcome::success, ""};
    return {brownout::outcome::failure, "connection refused"};
  };
}

int main() {
  brownout::manual_clock clock;
  bool database_is_up = true, cache_is_up = true, search_is_up = true;

  // One failure opens a circuit here, for exactly 5 seconds, to keep the example short and its times exact.
  const brownout::consecutive_failures one{1};
  const brownout::breaker_options short_period{.open_for = 5s};

  // Weights say how much each matters.
  brownout::dependency database{
      one,
      {.name = "database", .weight = 0.6, .breaker = short_period, .probe = probe_of(database_is_up)},
      clock};
  brownout::dependency cache{
      one, {.name = "cache", .weight = 0.3, .breaker = short_period, .probe = probe_of(cache_is_up)}, clock};
  brownout::dependency search{
      one,
      {.name = "search", .weight = 0.1, .breaker = short_period, .probe = probe_of(search_is_up)},
      clock};

  // The supervisor is told which dependency each enumerator means, and down to which score each level holds.
  // It is declared after the dependencies, because they must outlive it.
  brownout::supervisor system{
      features,
      {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 50}, {level::emergency, 0}},
                  .dwell = 10s},
       .probe_jitter = 0},
      {{upstream::database, database}, {upstream::cache, cache}, {upstream::search, search}},
      clock};

  // `step` decides everything, at the time that it is given. In a service `brownout::supervision` calls it on
  // threads of its own; here it is called by hand, once a second of the manual clock.
  const auto let_pass = [&](brownout::duration time, const char* what) {
    for (const auto until = clock.now() + time; clock.now() < until; clock.advance(1s)) {
      for (const auto& order : system.step(clock.now()).probes) {
        system.report(order, system.probe_of(order.dependency)({order.deadline, {}}), clock.now());
      }
    }
    const auto now = system.snapshot(clock.now());
    std::cout << what << ": score " << now.score.value_or(0) << ", " << to_string(now.level) << '\n';
  };

  let_pass(1s, "all is well");
  search_is_up = false;
  let_pass(15s, "search is down");  // 10 of 100 points gone: still normal, the threshold is 90
  cache_is_up = false;
  let_pass(15s, "the cache too");
  database_is_up = false;
  let_pass(15s, "and the database");
  database_is_up = cache_is_up = search_is_up = true;
  let_pass(60s, "all is well again");

  // Worse after 1 second (`confirm_for`), better one step at a time, each after a dwell: to promise too much
  // costs more than to promise too little.
  for (const auto& step : system.snapshot(clock.now()).transitions) {
    const auto at = std::chrono::floor<std::chrono::seconds>(step.at.time_since_epoch());
    std::cout << "  " << at.count() << " s: " << to_string(step.from) << " -> " << to_string(step.to) << '\n';
  }
}

// Output:
// all is well: score 100, normal
// search is down: score 90, normal
// the cache too: score 60, degraded
// and the database: score 0, emergency
// all is well again: score 100, normal
//   0 s: emergency -> normal
//   17 s: normal -> degraded
//   33 s: degraded -> emergency
//   59 s: emergency -> degraded
//   69 s: degraded -> normal
