// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/demand.hpp"
#include "studies/levels/governor.hpp"
#include "studies/levels/ledger.hpp"
#include "studies/levels/true_state.hpp"
#include "studies/shared/simulation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace studies::levels {

/// One run of one governor: what happens, who asks for what, and what the governor makes of it.
template <governor G>
class run {
 public:
  run(const world& what_happens, const demand& wanted, std::uint64_t seed, G& decides)
      : states_{true_states(what_happens)},
        probes_{what_happens, seed},
        wanted_{wanted},
        decides_{decides},
        ledger_{states_.front(), decides.offered()} {}

  [[nodiscard]] tally to_the_end() {
    step(nanoseconds{});
    for (auto now = next_event(); now < truth::length; now = next_event()) {
      if (next_state_ < states_.size() && states_[next_state_].begins == now) {
        ledger_.truth_becomes(states_[next_state_++], now);
      }
      while (in_flight_.any_ends_until(now)) end_call(now);
      for (const auto which : all_dependencies) answer_probe(which, now);
      if (next_step_ <= now) step(now);
      while (next_request_ < wanted_.size() && wanted_[next_request_].at == now) {
        make(wanted_[next_request_++]);
      }
    }
    return ledger_.finished(truth::length);
  }

 private:
  struct call {
    dependency which;
    typename G::permit permit;
  };
  struct probe {
    nanoseconds ends = nanoseconds::max();
    bool fails = false;
  };

  [[nodiscard]] nanoseconds next_event() const {
    auto next = next_step_;
    if (next_state_ < states_.size()) next = std::min(next, states_[next_state_].begins);
    if (next_request_ < wanted_.size()) next = std::min(next, wanted_[next_request_].at);
    if (in_flight_.any_ends_until(next)) next = in_flight_.next_end();
    for (const auto& one : running_probes_) next = std::min(next, one.ends);
    return next;
  }

  void step(nanoseconds now) {
    to_probe_.clear();
    next_step_ = decides_.step(now, to_probe_);
    for (const auto which : to_probe_) {
      const auto found = probes_.next(which, now);
      running_probes_[index(which)] = {now + found.took, found.fails};
    }
    ledger_.offer_becomes(decides_.offered(), now);
  }

  void answer_probe(dependency which, nanoseconds now) {
    auto& running = running_probes_[index(which)];
    if (running.ends > now) return;
    decides_.answer(which, now, std::exchange(running, {}).fails);
    step(now);
  }

  void end_call(nanoseconds now) {
    auto ended = in_flight_.end_next();
    auto& [which, permit] = *ended.permit;
    decides_.report(std::move(permit), which, now, ended.fails);
    ledger_.offer_becomes(decides_.offered(), now);
  }

  /// A feature that is off is not asked for. One that is on asks all that it needs, or none if one refuses.
  void make(const wanted_request& wanted) {
    const auto now = wanted.at;
    const auto [at, refusing] = decides_.offered();
    if (features.mode(wanted.what, at, refusing) == brownout::feature_mode::off) {
      return ledger_.count_request(answered::not_at_all, now);
    }
    std::array<std::optional<typename G::permit>, dependency_count> permits;
    bool fails = false;
    for (const auto which : all_dependencies) {
      if (!features.rule(wanted.what).needs.contains(which)) continue;
      auto& permit = permits[index(which)];
      permit = decides_.admit(which, now);
      if (!permit) return ledger_.count_request(answered::badly, now);
      fails = fails || wanted.answers[index(which)].fails;
    }
    ledger_.count_request(fails ? answered::badly : answered::well, now);
    for (const auto which : all_dependencies) {
      auto& permit = permits[index(which)];
      if (!permit || in_flight_.is_full()) continue;
      const auto& answer = wanted.answers[index(which)];
      in_flight_.begin(now + answer.took, {call{which, *std::move(permit)}, answer.fails});
    }
    ledger_.offer_becomes(decides_.offered(), now);
  }

  const std::vector<true_state> states_;
  probe_fates probes_;
  const demand& wanted_;
  G& decides_;
  ledger ledger_;

  std::size_t next_state_ = 1;
  std::size_t next_request_ = 0;
  nanoseconds next_step_{};
  calls_in_flight<call> in_flight_;
  std::array<probe, dependency_count> running_probes_{};
  std::vector<dependency> to_probe_;
};

}  // namespace studies::levels
