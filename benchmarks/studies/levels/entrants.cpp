// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/entrants.hpp"

#include "studies/levels/peers/active_checks.hpp"
#include "studies/levels/peers/bounds.hpp"
#include "studies/levels/peers/breakers_only.hpp"
#include "studies/levels/peers/each_check.hpp"
#include "studies/levels/peers/enter_exit.hpp"
#include "studies/levels/peers/health_indicator.hpp"
#include "studies/levels/peers/restless.hpp"
#include "studies/levels/simulation.hpp"
#include "studies/levels/supervised.hpp"

#include "brownout/breaker/open_period.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/level/level_policy.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace studies::levels {

namespace {

using std::chrono::seconds;

template <class Make>
entrant made_by(entrant_kind kind, std::string name, std::string what_it_does, Make make) {
  return {std::move(name), std::move(what_it_does), kind,
          [make](const world& what_happens, const demand& wanted, std::uint64_t seed) {
            auto decides = make(what_happens, seed);
            return run{what_happens, wanted, seed, decides}.to_the_end();
          }};
}

/// A supervisor with some options changed.
template <class Detector = brownout::standard_detector, class Change>
entrant supervisor(entrant_kind kind, std::string name, std::string what_it_does, Change change) {
  return made_by(kind, std::move(name), std::move(what_it_does),
                 [change](const world& what_happens, std::uint64_t seed) {
                   auto options = default_options<Detector>();
                   change(options);
                   return supervised<Detector>{options, what_happens, seed};
                 });
}
template <class Change>
entrant varied(std::string name, std::string what_it_does, Change change) {
  return supervisor(entrant_kind::variant, std::move(name), std::move(what_it_does), change);
}

using in_a_row = brownout::consecutive_failures;

/// The figures of the staging server, `examples/staging`.
void become_staging(system_options<in_a_row>& options) {
  struct figures {
    std::uint32_t failures;
    seconds open_for;
    std::uint32_t probes;
    seconds timeout;
  };
  constexpr std::array<figures, dependency_count> given{{{5, seconds{30}, 2, seconds{10}},
                                                         {3, seconds{20}, 1, seconds{5}},
                                                         {5, seconds{15}, 2, seconds{2}},
                                                         {4, seconds{25}, 2, seconds{5}}}};
  for (std::size_t i = 0; i < dependency_count; ++i) {
    auto& one = options.dependencies[i];
    options.detectors[i].threshold = given[i].failures;
    one.breaker.open_for = given[i].open_for;
    one.breaker.probes = given[i].probes;
    one.timeout = given[i].timeout;
  }
  options.system.probe_interval = seconds{10};
  options.system.suspect_interval = seconds{10};
  options.system.health.component.evidence.minimum_calls = 1;
}
system_options<in_a_row> staging_options() {
  auto options = default_options<in_a_row>();
  become_staging(options);
  return options;
}

/// How the level followed the score before the defaults were tuned with these peers.
void follow_slowly(brownout::level_policy<level>& levels) {
  levels.hysteresis = 2;
  levels.dwell = seconds{3};
  levels.confirm_for = seconds{3};
  levels.dwell_limit = 8;
  levels.relapse_within = 6;
}

/// The defaults as they were before noise was among the worlds.
void become_earlier(system_options<in_a_row>& options) {
  for (auto& one : options.detectors) one.threshold = 10;
  for (auto& one : options.dependencies) {
    one.breaker.open_for = seconds{10};
    one.breaker.successes = 1;
  }
  follow_slowly(options.system.levels);
  options.system.levels.confirm_for = {};
  options.system.probe_interval = seconds{10};
  options.system.probe_jitter = 0;
  options.system.health.component.evidence.window = 20;
}

/// Circuits as those of `circuit_breaker{}`.
void become_adaptive(system_options<>& options) {
  for (auto& one : options.dependencies) {
    const brownout::breaker_options usual;
    one.breaker.open_for = brownout::adaptive_period{};
    one.breaker.successes = 5;
    one.breaker.ramp = {.first = 6, .successes = usual.ramp.successes};
  }
}

void open_for(system_options<>& options, brownout::open_period period) {
  for (auto& one : options.dependencies) one.breaker.open_for = period;
}
void close_after(system_options<>& options, std::uint32_t successes) {
  for (auto& one : options.dependencies) one.breaker.successes = successes;
}

/// The defaults before they were tuned with these peers.
void become_untuned(system_options<>& options) {
  follow_slowly(options.system.levels);
  open_for(options, brownout::adaptive_period{.most = seconds{10}});
  close_after(options, 3);
}

std::vector<entrant> bounds_and_peers() {
  using enum entrant_kind;
  return {
      made_by(bound, "omniscient", "knows the truth at once",
              [](const world& happens, auto) { return omniscient{happens}; }),
      made_by(peer, "none", "offers everything always", [](const world&, auto) { return no_governor{}; }),
      made_by(peer, "each check", "the score's level at every health check, 10 s; staging's breakers",
              [](const world& happens, auto seed) {
                return each_check{staging_options(), happens, seed};
              }),
      made_by(peer, "health indicator", "resilience4j: critical open, down; another open, degraded",
              [](const world& happens, auto) { return health_indicator{happens}; }),
      made_by(peer, "Kubernetes probes", "every 10 s, down after 3 failures, up after 1 success",
              [](const world& happens, auto) {
                return active_checks{active_checks::kubernetes, happens};
              }),
      made_by(peer, "active checks", "a balancer's: every 2 s, fall 3, rise 2",
              [](const world& happens, auto) {
                return active_checks{active_checks::balancer, happens};
              }),
      made_by(peer, "breakers only", "no levels: a feature is off while a circuit refuses; our breakers",
              [](const world& happens, auto seed) {
                return breakers_only{default_options(), happens, seed};
              }),
      made_by(peer, "enter/exit", "two thresholds 5 apart, held for 1 s and 12 s; our breakers and probes",
              [](const world& happens, auto seed) {
                return enter_exit{{}, default_options(), happens, seed};
              }),
      made_by(peer, "enter/exit 3 s", "the same, held for 1 s and 3 s",
              [](const world& happens, auto seed) {
                return enter_exit{{.exit_after = seconds{3}}, default_options(), happens, seed};
              }),
  };
}

std::vector<entrant> ours_and_configured() {
  using enum entrant_kind;
  return {
      supervisor(ours, "brownout", "a supervisor that is told nothing", [](system_options<>&) {}),
      supervisor<in_a_row>(configured, "staging", "the staging server's figures", become_staging),
      supervisor(configured, "adaptive", "circuits as those of circuit_breaker{}", become_adaptive),
      supervisor(configured, "plain", "neither hysteresis, dwell nor confirmation",
                 [](system_options<>& options) {
                   options.system.levels.hysteresis = 0;
                   options.system.levels.dwell = {};
                   options.system.levels.confirm_for = {};
                 }),
      supervisor<in_a_row>(configured, "earlier", "the defaults before noise was among the worlds",
                           become_earlier),
  };
}

std::vector<entrant> variants_of_levels() {
  return {
      made_by(entrant_kind::variant, "enter/exit 1 s",
              "held for 1 s either way: the best in the listed worlds",
              [](const world& happens, auto seed) {
                return enter_exit{{.exit_after = seconds{1}}, default_options(), happens, seed};
              }),
      varied("untuned", "confirm 3 s, dwell 3 s, hysteresis 2, open 10 s, 3 successes", become_untuned),
      varied("confirm 0", "worse at once",
             [](system_options<>& options) { options.system.levels.confirm_for = {}; }),
      varied("confirm 2 s", "",
             [](system_options<>& options) { options.system.levels.confirm_for = seconds{2}; }),
      varied("confirm 3 s", "",
             [](system_options<>& options) { options.system.levels.confirm_for = seconds{3}; }),
      varied("confirm 5 s", "",
             [](system_options<>& options) { options.system.levels.confirm_for = seconds{5}; }),
      varied("dwell 0", "better at once",
             [](system_options<>& options) { options.system.levels.dwell = {}; }),
      varied("dwell 2 s", "", [](system_options<>& options) { options.system.levels.dwell = seconds{2}; }),
      varied("dwell 3 s", "", [](system_options<>& options) { options.system.levels.dwell = seconds{3}; }),
      varied("dwell 10 s", "", [](system_options<>& options) { options.system.levels.dwell = seconds{10}; }),
      varied("dwell 30 s", "", [](system_options<>& options) { options.system.levels.dwell = seconds{30}; }),
      varied("no growth", "the dwell stays the same",
             [](system_options<>& options) { options.system.levels.dwell_growth = 1; }),
      varied("relapse 3", "a relapse is a fall within 3 dwells",
             [](system_options<>& options) { options.system.levels.relapse_within = 3; }),
      varied("hysteresis 0", "", [](system_options<>& options) { options.system.levels.hysteresis = 0; }),
      varied("hysteresis 2", "", [](system_options<>& options) { options.system.levels.hysteresis = 2; }),
      varied("hysteresis 5", "", [](system_options<>& options) { options.system.levels.hysteresis = 5; }),
      varied("holds", "an unknown score holds the level",
             [](system_options<>& options) { options.system.levels.panic_floor.reset(); }),
  };
}

std::vector<entrant> variants_of_evidence() {
  return {
      varied("window 20", "judged by 20 calls",
             [](system_options<>& options) { options.system.health.component.evidence.window = 20; }),
      varied("window 40", "",
             [](system_options<>& options) { options.system.health.component.evidence.window = 40; }),
      varied("window 100", "",
             [](system_options<>& options) { options.system.health.component.evidence.window = 100; }),
      varied("probes 1 s", "probed every second",
             [](system_options<>& options) { options.system.probe_interval = seconds{1}; }),
      varied("probes 5 s", "", [](system_options<>& options) { options.system.probe_interval = seconds{5}; }),
      varied("probes 10 s", "",
             [](system_options<>& options) { options.system.probe_interval = seconds{10}; }),
      varied(
          "no suspicion", "a failed probe is not repeated sooner",
          [](system_options<>& options) { options.system.suspect_interval = options.system.probe_interval; }),
      varied("plain share", "one call is evidence enough",
             [](system_options<>& options) { options.system.health.component.evidence.minimum_calls = 1; }),
      varied("10 calls", "a share is one of 10 calls at least",
             [](system_options<>& options) { options.system.health.component.evidence.minimum_calls = 10; }),
      varied("effect 2", "losses below 2 points cost nothing",
             [](system_options<>& options) { options.system.health.component.evidence.minimum_effect = 2; }),
      varied("open 1 s", "all circuits open for up to 1 s",
             [](system_options<>& options) {
               open_for(options, brownout::adaptive_period{.most = seconds{1}});
             }),
      varied("open 3 s", "also without a probe",
             [](system_options<>& options) {
               open_for(options, brownout::adaptive_period{.most = seconds{3}});
             }),
      varied("open 10 s", "",
             [](system_options<>& options) {
               open_for(options, brownout::adaptive_period{.most = seconds{10}});
             }),
      varied("open 30 s", "also with a probe",
             [](system_options<>& options) {
               open_for(options, brownout::adaptive_period{.most = seconds{30}});
             }),
      varied("1 success", "circuits close after one success",
             [](system_options<>& options) { close_after(options, 1); }),
      varied("3 successes", "also with a probe", [](system_options<>& options) { close_after(options, 3); }),
      varied("5 successes", "also without a probe",
             [](system_options<>& options) { close_after(options, 5); }),
  };
}

std::vector<entrant> everybody() {
  auto all = bounds_and_peers();
  for (auto group : {ours_and_configured(), variants_of_levels(), variants_of_evidence()}) {
    for (auto& one : group) all.push_back(std::move(one));
  }
  all.push_back(made_by(entrant_kind::planted, "restless", "all or nothing, in turn",
                        [](const world&, auto) { return restless{}; }));
  return all;
}

}  // namespace

const std::vector<entrant>& all_entrants() {
  static const auto all = everybody();
  return all;
}

}  // namespace studies::levels
