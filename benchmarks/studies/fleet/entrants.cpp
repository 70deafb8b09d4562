// SPDX-License-Identifier: BSL-1.0
#include "studies/fleet/entrants.hpp"

#include "studies/fleet/simulation.hpp"
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

#include "brownout/breaker/open_period.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/detector/standard_detector.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace studies::fleet {

namespace {

using std::chrono::seconds;

template <class Policy>
entrant peer(std::string name, std::string what_it_does, entrant_kind kind = entrant_kind::peer) {
  return {std::move(name), std::move(what_it_does), kind,
          [](const trace& told, const truth& what_happens, const traffic& calls, std::uint64_t seed) {
            return simulate(told, what_happens, calls, seed,
                            [](std::size_t) { return std::make_unique<Policy>(); });
          }};
}

template <class Detector>
entrant breaker(entrant_kind kind, std::string name, std::string what_it_does, Detector detector,
                const brownout::breaker_options& options) {
  return {std::move(name), std::move(what_it_does), kind,
          [detector, options](const trace& told, const truth& what_happens, const traffic& calls,
                              std::uint64_t seed) {
            return simulate(told, what_happens, calls, seed, [&](std::size_t client) {
              auto seeded = options;
              seeded.seed = seed * 1000 + client;
              return std::make_unique<shipped<Detector>>(detector, std::move(seeded));
            });
          }};
}

entrant variant(std::string name, std::string what_it_does, const brownout::breaker_options& options) {
  return breaker(entrant_kind::variant, std::move(name), std::move(what_it_does),
                 brownout::standard_detector{}, options);
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
      variant("no jitter", "periods that are not varied",
              {.open_for = brownout::adaptive_period{.jitter = 0}}),
      variant("no ramp", "closes after the probes", {.ramp = brownout::no_ramp}),
      variant("fixed 5 s", "open for 5 s each time", {.open_for = seconds{5}}),
      variant("jittered 5 s", "the same, each varied by a fifth",
              {.open_for = brownout::fixed_period{.length = seconds{5}, .jitter = 0.2}}),
      variant("exponential", "open for 1 s, then twice as long each time",
              {.open_for = brownout::exponential_period{}}),
      peer<restless>("restless", "lets every tenth call through", entrant_kind::planted),
  };
}

}  // namespace

const std::vector<entrant>& all_entrants() {
  static const auto all = everybody();
  return all;
}

}  // namespace studies::fleet
