// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/chaos/fault_proxy.hpp"
#include "staging/chaos/steady_clients.hpp"
#include "staging/chaos/timeline.hpp"
#include "staging/support/process.hpp"
#include "staging/support/staging_server.hpp"

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace staging_chaos {

inline constexpr std::string_view dependencies[] = {"openai", "database", "redis", "s3"};

/// The limits that the campaign gives its servers: short, so that a case takes seconds.
inline constexpr seconds probe_interval{0.2};
inline constexpr seconds call_timeout{0.4};
inline constexpr seconds open_time{0.5};
[[nodiscard]] std::uint32_t threshold_of(std::string_view dependency);
[[nodiscard]] double weight_of(std::string_view dependency);

/// A staging server under steady requests, whose dependencies `real` are real servers behind a fault proxy
/// each. The others are simulated.
class observed_server {
 public:
  explicit observed_server(const std::vector<std::string_view>& real);
  observed_server(const observed_server&) = delete;
  observed_server& operator=(const observed_server&) = delete;

  [[nodiscard]] fault_proxy& way_to(std::string_view dependency) {
    return *proxies_.at(std::string{dependency});
  }

  /// Every change so far. Reads on in the log.
  [[nodiscard]] const std::vector<change>& changes();
  /// The state of a circuit by the log: "closed" at first.
  [[nodiscard]] std::string state_of(std::string_view dependency);
  [[nodiscard]] bool is_well();  ///< OPTIMAL, every circuit closed, and the stock known

  [[nodiscard]] std::vector<request> take_requests() { return clients_->take(); }
  /// Paths and log lines that held a secret.
  [[nodiscard]] std::vector<std::string> leaks();

  /// Ends the server by SIGTERM. Returns its exit status; empty if it had not ended after `limit`.
  [[nodiscard]] std::optional<int> terminate(std::chrono::milliseconds limit);
  /// Ends the server at once and starts another with the same dependencies.
  void restart();

 private:
  void start();

  staging_tests::temporary_directory directory_{};
  staging_tests::variables environment_{};
  std::vector<std::string> secrets_{};
  std::map<std::string, std::unique_ptr<fault_proxy>> proxies_{};
  int starts_ = 0;
  std::string partial_line_{};
  std::vector<change> changes_{};
  std::vector<std::string> leaking_lines_{};
  std::unique_ptr<staging_tests::staging_server> server_{};
  std::ifstream log_{};
  std::unique_ptr<steady_clients> clients_{};
};

}  // namespace staging_chaos
