// SPDX-License-Identifier: BSL-1.0
#include "studies/client/entrants.hpp"

#include "studies/peers/envoy.hpp"
#include "studies/peers/failsafe_go.hpp"
#include "studies/peers/gobreaker.hpp"
#include "studies/peers/hystrix.hpp"
#include "studies/peers/opossum.hpp"
#include "studies/peers/polly.hpp"
#include "studies/peers/resilience4j.hpp"
#include "studies/peers/restless.hpp"
#include "studies/shared/policy.hpp"
#include "studies/shared/shipped.hpp"
#include "studies/shared/simulation.hpp"

#include "brownout/breaker/open_period.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/detector/any_of.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/detector/failure_balance.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/detector/time_window.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/probe.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace studies {

namespace {

using std::chrono::seconds;

template <class Policy>
entrant peer(std::string name, std::string what_it_does, entrant_kind kind = entrant_kind::peer) {
  return {std::move(name), std::move(what_it_does), kind, [](const traffic& calls, std::uint64_t) {
            Policy policy;
            return simulate(calls, policy);
          }};
}

template <class Detector>
entrant breaker(entrant_kind kind, std::string name, std::string what_it_does, Detector detector,
                brownout::breaker_options options) {
  return {std::move(name), std::move(what_it_does), kind,
          [detector, options](const traffic& calls, std::uint64_t seed) {
            auto seeded = options;
            seeded.seed = seed;
            shipped<Detector> policy{detector, std::move(seeded)};
            return simulate(calls, policy);
          }};
}

/// What `circuit_breaker{}` does, with other options.
entrant variant(std::string name, std::string what_it_does, brownout::breaker_options options) {
  return breaker(entrant_kind::variant, std::move(name), std::move(what_it_does),
                 brownout::standard_detector{}, std::move(options));
}

/// How a dependency of a supervisor recovers by default: the options that it really has. No probe is called
/// here.
brownout::breaker_options of_dependency(const brownout::probe& probe) {
  auto options = brownout::dependency{{.name = "default", .probe = probe}}.options();
  options.name.clear();
  return options;
}

std::vector<entrant> everybody() {
  using brownout::standard_detector;
  return {
      peer<no_policy>("none", "lets every call through"),
      peer<resilience4j>("resilience4j", "50 % of 100 calls, 60 s, 10 probes"),
      peer<polly>("Polly", "10 % of 100 or more in 30 s, 5 s, 1 probe"),
      peer<gobreaker>("gobreaker", "6 in a row, 60 s, 1 probe"),
      peer<failsafe_go>("failsafe-go", "1 failure, 60 s, 1 probe"),
      peer<hystrix>("Hystrix", "50 % of 20 or more in 10 s, 5 s, 1 probe"),
      peer<opossum>("opossum", "50 % in 10 s, 30 s, 1 probe"),
      peer<envoy>("5 in a row, 30 s x n", "as Envoy's outlier detection"),
      breaker(entrant_kind::peer, "staging", "3 in a row, 20 s, 1 probe", brownout::consecutive_failures{3},
              {.open_for = seconds{20}, .successes = 1, .ramp = brownout::no_ramp}),
      breaker(entrant_kind::ours, "brownout", "what circuit_breaker{} does", standard_detector{}, {}),
      breaker(entrant_kind::dependency, "dependency", "what a dependency does that has no probe",
              standard_detector{}, of_dependency(nullptr)),
      breaker(entrant_kind::dependency, "probed dependency", "what one does that has a probe",
              standard_detector{}, of_dependency([](const auto&) { return brownout::probe_result{}; })),
      variant("fixed 30 s", "open for 30 s each time", {.open_for = seconds{30}}),
      variant("fixed 5 s", "open for 5 s each time", {.open_for = seconds{5}}),
      variant("fixed 1 s", "open for 1 s each time", {.open_for = seconds{1}}),
      variant("exponential", "open for 1 s, then twice as long each time",
              {.open_for = brownout::exponential_period{}}),
      variant("30 s at most", "open for 30 s at most",
              {.open_for = brownout::adaptive_period{.most = seconds{30}}}),
      variant("2 min at most", "open for 2 min at most",
              {.open_for = brownout::adaptive_period{.most = seconds{120}}}),
      variant("one success", "closes after one probe", {.successes = 1}),
      variant("five successes", "closes after five probes", {.successes = 5}),
      variant("two probes", "two probes at a time", {.probes = 2}),
      variant("no ramp", "closes after the probes", {.ramp = brownout::no_ramp}),
      // In an any_of there is no room for a time.
      breaker(entrant_kind::variant, "no time", "opens at 10 in a row or 30 ahead, in whatever time",
              brownout::any_of{standard_detector{}, brownout::failure_balance{30}}, {}),
      breaker(entrant_kind::variant, "only a row", "opens only at 10 in a row",
              brownout::consecutive_failures{10}, {}),
      breaker(entrant_kind::variant, "only a balance", "opens only when 30 failures are ahead",
              brownout::failure_balance{30}, {}),
      breaker(entrant_kind::variant, "a window", "opens at 10 in a row, or 50 % of 20 or more in 10 s",
              brownout::any_of{brownout::consecutive_failures{10},
                               brownout::failure_rate<brownout::time_window>{.window = {seconds{10}}}},
              {}),
      peer<restless>("restless", "lets every tenth call through", entrant_kind::planted),
  };
}

}  // namespace

const std::vector<entrant>& all_entrants() {
  static const auto all = everybody();
  return all;
}

}  // namespace studies
