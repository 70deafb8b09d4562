// SPDX-License-Identifier: BSL-1.0
//
// The health of three dependencies becomes one level.
//
// A supervisor owns a breaker for each dependency and probes it from time to time. It sums their health up to
// a score from 0 to 100, and the score decides on a level: at once when things get worse, step by step when
// they get better.
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

  // Weights say how much each matters. One failure opens a circuit here, to keep the example short.
  brownout::supervisor system{
      brownout::supervisor_options<level>{
          .dependencies =
              {{.name = "database", .weight = 0.6, .detector = {1}, .probe = probe_of(database_is_up)},
               {.name = "cache", .weight = 0.3, .detector = {1}, .probe = probe_of(cache_is_up)},
               {.name = "search", .weight = 0.1, .detector = {1}, .probe = probe_of(search_is_up)}},
          .levels = {.ladder = {{level::normal, 90}, {level::degraded, 50}, {level::emergency, 0}},
                     .dwell = 10s},
      },
      features, clock};

  // All deciding is done by `step`, at the time it is told. In a service `brownout::supervision` calls it, on
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

  // Worse at once, better one step at a time, each after a dwell: promising too much costs more.
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
//   20 s: normal -> degraded
//   40 s: degraded -> emergency
//   60 s: emergency -> degraded
//   70 s: degraded -> normal
