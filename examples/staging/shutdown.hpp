// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/system/supervision.hpp"
#include "http/json_log.hpp"
#include "http/server.hpp"
#include "service/staging_system.hpp"

#include <csignal>
#include <future>
#include <thread>

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

/// The thread that serves. What ends it before `stop` does not end the process: `shutdown_signals::wait`
/// returns then, and `rethrow_failure` tells.
class serving_thread {
 public:
  /// Throws `std::system_error` when no thread can be had. `server` must outlive this.
  explicit serving_thread(http_server& server);

  /// Stops the server and waits for its requests, unless `join` or `detach` came before.
  ~serving_thread();
  serving_thread(const serving_thread&) = delete;
  serving_thread& operator=(const serving_thread&) = delete;

  /// Throws what ended the thread before its time, if anything did.
  void rethrow_failure();

  void join() { thread_.join(); }
  void detach() { thread_.detach(); }

 private:
  http_server& server_;
  std::promise<void> ended_;
  std::future<void> end_{ended_.get_future()};
  std::thread thread_;
};

/// Stops taking requests, lets those under way end, then the probes; within 2 s in all, whatever hangs. True
/// when everything ended; false when something was left behind, and then nothing it may use must be
/// destroyed.
[[nodiscard]] bool shut_down(http_server& server, serving_thread& serving, staging_system& system,
                             brownout::supervision<supervisor>& running, json_log& log);

}  // namespace staging
