// SPDX-License-Identifier: BSL-1.0
#include "studies/guards/retries/entrants.hpp"

#include "studies/guards/retries/peers.hpp"
#include "studies/guards/retries/shipped.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace studies::guards {

namespace {

using make_budget = std::function<std::unique_ptr<budget>()>;

template <class Budget, class... Arguments>
make_budget with(Arguments... arguments) {
  return [=] { return std::make_unique<Budget>(arguments...); };
}

make_client a_peer(int tries, waits wait, make_budget allowed) {
  return [=](timeline& line, brownout::duration limit, std::uint64_t seed) {
    return std::make_unique<peer>(line, limit, seed, tries, wait, allowed());
  };
}

make_client ours(const brownout::retry_budget_options& options) {
  return [=](timeline& line, brownout::duration limit, std::uint64_t) {
    return std::make_unique<shipped_retry>(line, limit, options);
  };
}
make_client ours_with_breaker(const brownout::retry_budget_options& options) {
  return [=](timeline& line, brownout::duration limit, std::uint64_t seed) {
    return std::make_unique<shipped_retry_and_breaker>(line, limit, options, seed);
  };
}

}  // namespace

std::vector<retry_policy> retry_policies() {
  using kind = retry_entrant;
  const auto jitter = full_jitter(0.1, 20);
  const auto our_waits = half_jitter(0.25, 2);
  const auto no_wait = constant_wait(0);
  const brownout::retry_budget_options without_end{.ratio = 1, .least = 1'000'000};
  return {
      {"no retry", kind::none, a_peer(1, no_wait, with<budget>())},
      {"failsafe-go", kind::peer, a_peer(3, no_wait, with<budget>())},
      {"failsafe-go, budget", kind::peer, a_peer(3, no_wait, with<budget_in_flight>())},
      {"resilience4j", kind::peer, a_peer(3, constant_wait(0.5), with<budget>())},
      {"Polly", kind::peer, a_peer(4, constant_wait(2), with<budget>())},
      {"jitter", kind::peer, a_peer(3, jitter, with<budget>())},
      {"jitter, gRPC", kind::peer, a_peer(3, jitter, with<grpc_throttle>(10.0, 0.1))},
      {"jitter, userver", kind::peer, a_peer(3, jitter, with<grpc_throttle>(100.0, 0.1))},
      {"jitter, Finagle", kind::peer, a_peer(3, jitter, with<finagle_budget>())},
      {"jitter, SRE", kind::peer, a_peer(3, jitter, with<sre_budget>())},
      {"jitter, Envoy", kind::peer, a_peer(3, jitter, with<budget_in_flight>())},
      {"jitter, AWS SDK", kind::peer, a_peer(3, jitter, with<aws_bucket>())},
      {"our waits, gRPC", kind::other_budget, a_peer(3, our_waits, with<grpc_throttle>(10.0, 0.1))},
      {"our waits, userver", kind::other_budget, a_peer(3, our_waits, with<grpc_throttle>(100.0, 0.1))},
      {"our waits, Finagle", kind::other_budget, a_peer(3, our_waits, with<finagle_budget>())},
      {"our waits, SRE", kind::other_budget, a_peer(3, our_waits, with<sre_budget>())},
      {"our waits, Envoy", kind::other_budget, a_peer(3, our_waits, with<budget_in_flight>())},
      {"our waits, AWS SDK", kind::other_budget, a_peer(3, our_waits, with<aws_bucket>())},
      {"ours, no budget", kind::variant, ours(without_end)},
      {"ours, no budget, breaker", kind::variant, ours_with_breaker(without_end)},
      {"ours", kind::ours, ours({})},
      {"ours, breaker", kind::ours_with_breaker, ours_with_breaker({})},
      {"restless", kind::planted,
       [](timeline& line, brownout::duration limit, std::uint64_t) {
         return std::make_unique<restless>(line, limit);
       }},
  };
}

}  // namespace studies::guards
