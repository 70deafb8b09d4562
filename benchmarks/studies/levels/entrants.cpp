// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/entrants.hpp"

#include "studies/levels/peers/bounds.hpp"
#include "studies/levels/peers/each_check.hpp"
#include "studies/levels/peers/enter_exit.hpp"
#include "studies/levels/peers/health_indicator.hpp"
#include "studies/levels/peers/restless.hpp"
#include "studies/levels/simulation.hpp"
#include "studies/levels/supervised.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

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

/// The supervisor with some options changed.
template <class Change>
entrant supervisor(entrant_kind kind, std::string name, std::string what_it_does, Change change) {
  return made_by(kind, std::move(name), std::move(what_it_does),
                 [change](const world& what_happens, std::uint64_t seed) {
                   auto options = default_options();
                   change(options);
                   return supervised{std::move(options), what_happens, seed};
                 });
}
template <class Change>
entrant varied(std::string name, std::string what_it_does, Change change) {
  return supervisor(entrant_kind::variant, std::move(name), std::move(what_it_does), change);
}

/// The figures of the staging server, `examples/staging`.
void become_staging(system_options& options) {
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
    one.detector.threshold = given[i].failures;
    one.breaker.open_for = given[i].open_for;
    one.breaker.probes = given[i].probes;
    one.timeout = given[i].timeout;
  }
}
system_options staging_options() {
  auto options = default_options();
  become_staging(options);
  return options;
}

/// Each circuit as `circuit_breaker{}` has it, as far as a dependency's options allow: it has no balance.
void become_adaptive(system_options& options) {
  for (auto& one : options.dependencies) {
    one.detector.threshold = 10;
    one.breaker = {};
  }
}

void open_for(system_options& options, seconds period) {
  for (auto& one : options.dependencies) one.breaker.open_for = period;
}

/// Slower in each way: what the defaults were before they were measured.
void become_slow(system_options& options) {
  options.levels.dwell = seconds{10};
  open_for(options, seconds{30});
  for (auto& one : options.dependencies) one.detector.threshold = 5;
}

std::vector<entrant> everybody() {
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
      made_by(peer, "enter/exit", "two thresholds 5 apart, held for 1 s and 3 s; our breakers",
              [](const world& happens, auto seed) {
                return enter_exit{{}, default_options(), happens, seed};
              }),
      supervisor(ours, "brownout", "what a supervisor does that is told nothing", [](system_options&) {}),
      supervisor(configured, "staging", "the staging server's figures", become_staging),
      supervisor(configured, "adaptive", "breakers as circuit_breaker{} has them", become_adaptive),
      supervisor(configured, "plain", "neither hysteresis nor dwell",
                 [](system_options& options) {
                   options.levels.hysteresis = 0;
                   options.levels.dwell = {};
                 }),
      supervisor(configured, "confirmed", "worse after 3 scores in a row",
                 [](system_options& options) { options.levels.confirmations = 3; }),
      varied("dwell 0", "better at once", [](system_options& options) { options.levels.dwell = {}; }),
      varied("dwell 10 s", "", [](system_options& options) { options.levels.dwell = seconds{10}; }),
      varied("dwell 30 s", "", [](system_options& options) { options.levels.dwell = seconds{30}; }),
      varied("no growth", "the dwell stays 3 s",
             [](system_options& options) { options.levels.dwell_growth = 1; }),
      varied("hysteresis 0", "", [](system_options& options) { options.levels.hysteresis = 0; }),
      varied("hysteresis 5", "", [](system_options& options) { options.levels.hysteresis = 5; }),
      varied("confirmed 30", "worse after 30 scores in a row",
             [](system_options& options) { options.levels.confirmations = 30; }),
      varied("open 5 s", "circuits open for 5 s",
             [](system_options& options) { open_for(options, seconds{5}); }),
      varied("open 30 s", "circuits open for 30 s",
             [](system_options& options) { open_for(options, seconds{30}); }),
      varied("3 successes", "circuits close after 3 successes",
             [](system_options& options) {
               for (auto& one : options.dependencies) one.breaker.successes = 3;
             }),
      varied("trips at 5", "circuits open at 5 in a row",
             [](system_options& options) {
               for (auto& one : options.dependencies) one.detector.threshold = 5;
             }),
      varied("probes 2 s", "probed every 2 s",
             [](system_options& options) { options.probe_interval = seconds{2}; }),
      varied("no suspicion", "a failed probe is not repeated sooner",
             [](system_options& options) { options.suspect_interval = options.probe_interval; }),
      varied("plain share", "one call is evidence enough",
             [](system_options& options) { options.health.component.evidence.minimum_calls = 1; }),
      varied("holds", "an unknown score holds the level",
             [](system_options& options) { options.levels.panic_floor.reset(); }),
      varied("slow", "dwell 10 s, open 30 s, trips at 5", become_slow),
      made_by(planted, "restless", "all or nothing, in turn", [](const world&, auto) { return restless{}; }),
  };
}

}  // namespace

const std::vector<entrant>& all_entrants() {
  static const auto all = everybody();
  return all;
}

}  // namespace studies::levels
