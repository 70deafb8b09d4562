// SPDX-License-Identifier: BSL-1.0
#include "shutdown.hpp"

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <exception>

namespace staging {

namespace {
using namespace std::chrono_literals;

// Together, and with what the log is given, below 2 s: what a container's orchestrator is told to expect.
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

serving_thread::serving_thread(http_server& server)
    : server_{server}, thread_{[this] {
        try {
          server_.run();
        } catch (...) {
          ended_.set_exception(std::current_exception());
          kill(getpid(), SIGTERM);
        }
      }} {}

serving_thread::~serving_thread() {
  if (!thread_.joinable()) return;
  server_.stop();
  thread_.join();
}

void serving_thread::rethrow_failure() {
  if (end_.wait_for(0s) == std::future_status::ready) end_.get();
}

bool shut_down(http_server& server, serving_thread& serving, staging_system& system,
               brownout::supervision<supervisor>& running, json_log& log) {
  server.begin_drain();
  bool clean = server.stop(for_requests);
  system.give_up();
  if (!clean) clean = server.stop(for_cancelled_ones);
  if (clean) {
    serving.join();
  } else {
    log.warning("requests left behind");
    serving.detach();
  }
  for (const auto& name : running.stop(for_probes)) {
    clean = false;
    log.warning("probe left behind", {{"dependency", name}});
  }
  return clean;
}

}  // namespace staging
