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

  /// Returns the signal that arrived.
  [[nodiscard]] int wait() const;

 private:
  sigset_t signals_{};
};

/// Takes no more connections, lets the requests under way end, then the probes; within 2 s in all, whatever
/// hangs. True when everything ended; false when something was left behind, and then nothing it may use must
/// be destroyed.
[[nodiscard]] bool shut_down(http_server& server, staging_system& system,
                             brownout::supervision<supervisor>& running, json_log& log);

}  // namespace staging
