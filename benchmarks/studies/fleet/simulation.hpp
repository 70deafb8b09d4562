// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/fleet/history.hpp"
#include "studies/fleet/shared_dependency.hpp"
#include "studies/shared/policy.hpp"
#include "studies/shared/simulation.hpp"
#include "studies/shared/traffic.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace studies::fleet {

/// One of the clients, with a policy and connections of its own.
template <decision_policy P>
struct client {
  explicit client(std::unique_ptr<P> decides) : policy{std::move(decides)} {}

  /// Hears of all that has ended until now. Nobody else needs to know it sooner.
  void catch_up(nanoseconds now) {
    while (running.any_ends_until(now)) {
      const auto then = running.next_end();
      auto ended = running.end_next();
      policy->report(*std::move(ended.permit), then, ended.fails);
    }
  }

  std::unique_ptr<P> policy;
  calls_in_flight<typename P::permit> running{};
  bool has_refused = false;  ///< the last call
};

/// Lets each client decide about its share of the calls: any client makes any call. `make(i)` makes the
/// policy of the i-th.
template <class Make>
tally simulate(const trace& told, const truth& what_happens, const traffic& calls, std::uint64_t seed,
               Make make) {
  using policy = typename decltype(make(std::size_t{}))::element_type;
  std::vector<std::unique_ptr<client<policy>>> clients;
  for (std::size_t i = 0; i < told.clients; ++i) clients.push_back(std::make_unique<client<policy>>(make(i)));
  std::mt19937_64 random{seed};
  std::uniform_int_distribution<std::size_t> any{0, told.clients - 1};
  shared_dependency dependency{told.excess};
  history seen;
  studies::tally decided;
  for (const auto& wanted : calls.calls) {
    auto& one = *clients[any(random)];
    auto& now = seen.at(wanted.at);
    one.catch_up(wanted.at);
    ++now.wanted;
    ++(wanted.while_bad ? decided.calls_while_bad : decided.calls_while_good);
    if (one.running.is_full()) continue;
    if (auto permit = one.policy->admit(wanted.at)) {
      const auto [fails, took] = dependency.ask(wanted);
      ++now.reached;
      now.succeeded += fails ? 0U : 1U;
      now.probing += std::exchange(one.has_refused, false) ? 1U : 0U;
      decided.failures_let_through += wanted.while_bad && fails ? 1 : 0;
      one.running.begin(wanted.at + took, {std::move(permit), fails});
    } else {
      one.has_refused = true;
      decided.refused_while_good += wanted.while_bad ? 0 : 1;
    }
  }
  auto found = measure(seen, what_happens, told.clients);
  found.decided = decided;
  return found;
}

}  // namespace studies::fleet
