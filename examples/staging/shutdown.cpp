// SPDX-License-Identifier: BSL-1.0
#include "shutdown.hpp"

#include <pthread.h>

#include <chrono>

namespace staging {

namespace {
using namespace std::chrono_literals;

constexpr auto for_requests = 700ms;        // to end by themselves
constexpr auto for_cancelled_ones = 500ms;  // to notice that they should end
constexpr auto for_probes = 500ms;
}  // namespace

shutdown_signals::shutdown_signals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

int shutdown_signals::wait() const {
  int signal = 0;
  while (sigwait(&signals_, &signal) != 0) {
  }
  return signal;
}

bool shut_down(http_server& server, staging_system& system, brownout::supervision<supervisor>& running,
               json_log& log) {
  server.begin_drain();
  bool clean = server.stop(for_requests);
  system.give_up();
  if (!clean) clean = server.stop(for_cancelled_ones);
  if (!clean) log.warning("requests left behind");
  for (const auto& name : running.stop(for_probes)) {
    clean = false;
    log.warning("probe left behind", {{"dependency", name}});
  }
  return clean;
}

}  // namespace staging
