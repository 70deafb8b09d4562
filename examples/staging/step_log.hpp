// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "config/dependency.hpp"
#include "http/json_log.hpp"
#include "service/staging_system.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace staging {

/// Logs what the steps of the supervisor decide: the start and what it waits for, changes of the level, and
/// of each outage one line when it begins and one when it ends. What happens in between, each attempt to
/// close a circuit, is logged at debug. Not thread-safe: for the thread that steps.
class step_log {
 public:
  step_log(staging_system& system, json_log& log) : system_{system}, log_{log} {}

  void note(const supervisor::plan_type& plan);

 private:
  struct outage {
    brownout::time_point began;
    std::string reason;
    std::uint32_t tries = 0;  // how often the circuit was half-open
  };

  void note_start(brownout::time_point now);
  void note_circuit(const brownout::circuit_change& change, brownout::time_point now);

  staging_system& system_;
  json_log& log_;
  std::optional<brownout::time_point> starting_since_;
  bool started_ = false;
  bool told_ = false;  // which dependencies a long start waits for
  std::array<std::optional<outage>, dependency_count> outages_;
};

}  // namespace staging
