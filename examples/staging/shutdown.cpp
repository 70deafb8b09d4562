// SPDX-License-Identifier: BSL-1.0
#include "shutdown.hpp"

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace staging {

namespace {
using namespace std::chrono_literals;

constexpr auto for_cancelled_ones = 500ms;  // to notice that they should end
constexpr auto for_probes = 500ms;

// Not the default action: the kernel spares the first process of a container from that.
void end_at_once(int signal) {
  _exit(128 + signal);
}
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
  for (const int further : {SIGTERM, SIGINT}) std::signal(further, end_at_once);
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  return signal;
}

bool shut_down(http_server& server, staging_system& system, brownout::supervision<supervisor>& running,
               json_log& log, const shutdown_limits& limits) {
  server.begin_drain();
  std::this_thread::sleep_for(limits.drain);
  bool clean = server.stop(std::chrono::ceil<std::chrono::milliseconds>(limits.grace));
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
