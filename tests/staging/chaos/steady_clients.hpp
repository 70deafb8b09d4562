// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/chaos/timeline.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace staging_chaos {

/// Clients that ask the staging server for every kind of path, some 80 requests a second, until this ends.
class steady_clients {
 public:
  /// `secrets`: texts that no answer may hold.
  steady_clients(int port, std::vector<std::string> secrets);
  ~steady_clients();
  steady_clients(const steady_clients&) = delete;
  steady_clients& operator=(const steady_clients&) = delete;

  /// The requests that ended since the last call.
  [[nodiscard]] std::vector<request> take();
  /// The answers that held a secret, by path. Never the secret.
  [[nodiscard]] std::vector<std::string> leaks();

 private:
  void ask(int port);

  const std::vector<std::string> secrets_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_{};  // guards the next two
  std::vector<request> ended_{};
  std::vector<std::string> leaks_{};
  std::vector<std::thread> threads_{};
};

}  // namespace staging_chaos
