// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace staging_chaos {

using wall_time = std::chrono::system_clock::time_point;
using seconds = std::chrono::duration<double>;

[[nodiscard]] inline wall_time now() {
  return std::chrono::system_clock::now();
}

/// A change of a circuit or of the level, as the log of the server told it.
struct change {
  wall_time at;
  std::string subject;  ///< the name of a dependency, or "level"
  std::string from;
  std::string to;
  std::string reason;
};

/// One request and its answer. Status 0: no answer.
struct request {
  wall_time at;
  std::string path;
  int status = 0;
  seconds took{};
};

/// A fault, from its beginning until it was ended.
struct fault_span {
  std::string dependency;
  std::string fault;
  wall_time began;
  wall_time ended{};
};

/// What one case showed.
struct case_result {
  std::string kind;  ///< such as "SIGKILL" or "two at once"
  std::string victims;
  std::optional<seconds> detection{};       ///< from the fault to the last circuit that opened
  std::optional<seconds> half_open_late{};  ///< the latest test call after the end of an open period
  std::optional<seconds> recovery{};        ///< from the end of the fault to the last circuit that closed
  std::size_t requests = 0;
  std::size_t refused = 0;  ///< 503 that were allowed: not ready, or EMERGENCY
  seconds slowest{};
  std::vector<std::string> complaints{};  ///< promises that were not kept
};

}  // namespace staging_chaos
