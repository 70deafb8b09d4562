// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/support/process.hpp"

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace staging_tests {

/// A staging server that Prometheus scrapes.
struct scraped {
  std::string instance;  ///< value of the label
  int port;
};

/// A notification of an alert, as the receiver of Alertmanager got it last.
struct notification {
  std::string receiver;
  nlohmann::json labels;
  nlohmann::json annotations;
  bool has_fired = false;
  bool firing = false;
};

/// The files of `examples/staging/monitoring` with everything that takes minutes made short: 15 s become
/// half a second, the `for` of an alert becomes a second, and a minute of a range becomes two seconds.
class shortened_files {
 public:
  shortened_files(const std::vector<scraped>& servers, int alertmanager, int receiver);

  [[nodiscard]] std::string path(const char* name) const { return (directory_.path() / name).string(); }

 private:
  temporary_directory directory_;
};

/// The content of a file of `examples/staging/monitoring`.
[[nodiscard]] std::string monitoring_file(const std::filesystem::path& name);

/// A real Prometheus and a real Alertmanager with the shipped files, shortened, and a receiver of
/// notifications.
class monitoring {
 public:
  /// Starts them and waits until each server was scraped; throws `std::runtime_error` when that fails.
  explicit monitoring(const std::vector<scraped>& servers);
  monitoring(const monitoring&) = delete;
  monitoring& operator=(const monitoring&) = delete;

  /// The samples that an expression has now; empty while Prometheus does not answer.
  [[nodiscard]] nlohmann::json query(const std::string& expression) const;

  /// What was received so far, one entry for each alert with its labels.
  [[nodiscard]] std::vector<notification> notifications() const;

 private:
  int listen();
  [[nodiscard]] bool starts(const std::vector<scraped>& servers);
  void receive(const std::string& receiver, const nlohmann::json& message);
  [[nodiscard]] bool has_scraped(const std::vector<scraped>& servers) const;

  httplib::Server receiver_;
  int receiver_port_;
  int port_ = 0;
  std::unique_ptr<shortened_files> files_;
  mutable std::mutex mutex_;
  std::vector<notification> received_;
  std::jthread receiving_;
  // Before the thread is joined, however this ends.
  struct stop_at_end {
    httplib::Server& receiver;
    ~stop_at_end() { receiver.stop(); }
  } stop_at_end_{receiver_};
  std::unique_ptr<process> alertmanager_;
  std::unique_ptr<process> prometheus_;
};

}  // namespace staging_tests
