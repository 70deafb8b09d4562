// SPDX-License-Identifier: BSL-1.0
#include "shutdown.hpp"

#include <pthread.h>

#include <chrono>
#include <future>

namespace staging {

namespace {
using namespace std::chrono_literals;

// Together below 2 s: what a container's orchestrator is told to expect.
constexpr auto for_requests = 700ms;        // to end by themselves
constexpr auto for_cancelled_ones = 500ms;  // to notice that they should
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

bool shut_down(http_server& server, std::thread& serving, staging_system& system,
               brownout::supervision<supervisor>& running, json_log& log) {
  server.begin_drain();
  std::promise<void> ended;
  auto ending = ended.get_future();
  std::thread stopping{[&server, promise = std::move(ended)]() mutable {
    server.stop();
    promise.set_value();
  }};
  bool clean = ending.wait_for(for_requests) == std::future_status::ready;
  system.give_up();
  if (!clean) clean = ending.wait_for(for_cancelled_ones) == std::future_status::ready;
  if (clean) {
    stopping.join();
    serving.join();
  } else {
    log.warning("requests left behind");
    stopping.detach();
    serving.detach();
  }
  for (const auto& name : running.stop(for_probes)) {
    clean = false;
    log.warning("probe left behind", {{"dependency", name}});
  }
  return clean;
}

}  // namespace staging
