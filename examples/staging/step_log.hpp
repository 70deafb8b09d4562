// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "config/dependency.hpp"
#include "http/json_log.hpp"
#include "service/staging_system.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace staging {

/// Logs what the steps of the supervisor decide: the start and what it waits for, changes of the level, and
/// of each outage one line when it begins and one when it ends. What happens in between, each attempt to
/// close a circuit, is logged at debug.
///
/// A dependency that is slow or fails now and then, and whose circuit stays closed, has two lines as well:
/// `trouble began` and `trouble ended`.
///
/// Not thread-safe: for the thread that steps.
class step_log {
 public:
  step_log(staging_system& system, json_log& log) : system_{system}, log_{log} {}

  /// `seen`: the system after the step.
  void note(const supervisor::plan_type& plan, const system_snapshot& seen);

 private:
  struct outage {
    brownout::time_point began;
    std::string reason;
    std::uint32_t tries = 0;  // how often the circuit was half-open
  };

  /// A dependency whose score is low while its circuit lets calls pass.
  struct spell {
    brownout::time_point began;
    std::string_view kind;  // empty: not logged yet
    double lowest = 100;
  };

  void note_start(const system_snapshot& seen);
  void note_circuit(const brownout::circuit_change& change, const system_snapshot& seen);
  void note_first_call(std::size_t which, const system_snapshot& seen);
  void note_trouble(std::size_t which, const system_snapshot& seen);

  staging_system& system_;
  json_log& log_;
  std::optional<brownout::time_point> starting_since_;
  bool started_ = false;
  bool told_ = false;  // which dependencies a long start waits for
  std::array<std::optional<outage>, dependency_count> outages_;
  std::array<std::uint32_t, dependency_count> outages_below_optimal_{};  // since OPTIMAL was last in force
  std::array<std::optional<brownout::time_point>, dependency_count> unproven_since_;
  std::array<std::optional<spell>, dependency_count> spells_;
};

}  // namespace staging
