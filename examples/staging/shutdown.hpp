// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/system/supervision.hpp"
#include "http/json_log.hpp"
#include "http/server.hpp"
#include "service/staging_system.hpp"

#include <csignal>

namespace staging {

/// SIGTERM and SIGINT, blocked in the thread that makes this and in every thread it starts later, so that
/// they are waited for instead of interrupting.
class shutdown_signals {
 public:
  shutdown_signals();

  /// Returns the first signal that arrives. From then on a further one ends the process at once, with status
  /// 128 + its number.
  [[nodiscard]] int wait() const;

 private:
  sigset_t signals_{};
};

/// How long a shutdown may take.
struct shutdown_limits {
  brownout::duration drain{};  ///< `/readyz` says 503 while everything is still accepted and served
  brownout::duration grace{};  ///< for running requests to end, after the port is closed
};

/// Drains, takes no more connections, lets the requests under way end, then the probes. Requests that exceed
/// the grace are cancelled and have 0.5 s to notice, as have the probes. True when everything ended; false
/// when something was left behind, and then nothing it may use must be destroyed.
[[nodiscard]] bool shut_down(http_server& server, staging_system& system,
                             brownout::supervision<supervisor>& running, json_log& log,
                             const shutdown_limits& limits);

}  // namespace staging
