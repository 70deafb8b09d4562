// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/support/process.hpp"

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace staging_tests {

/// An answer of the server under test.
struct answer {
  int status = 0;
  std::string body;
  httplib::Headers headers;
  std::chrono::duration<double, std::milli> took{};

  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body); }
  [[nodiscard]] std::string header(const std::string& name) const;
};

/// The staging server as its users run it: its own process, on a free port.
class staging_server {
 public:
  static constexpr auto key = "key-of-the-staging-tests";

  /// Starts it and waits until it listens; throws `std::runtime_error` with its output when it does not.
  explicit staging_server(variables environment);

  /// The same with another standard output: its log can't be read then, so it is given a port.
  staging_server(variables environment, int output);

  [[nodiscard]] answer get(const std::string& path, httplib::Headers headers = with_key()) const;
  answer post(const std::string& path, const nlohmann::json& body = nlohmann::json::object(),
              httplib::Headers headers = with_key()) const;
  /// DELETE, with this text as its body.
  answer remove(const std::string& path, const std::string& body) const;
  /// Opens, closes or resets a circuit by hand.
  answer act(const std::string& dependency, const std::string& action) const;
  [[nodiscard]] nlohmann::json health() const { return get("/health").json(); }

  /// True when `/health` shows exactly this score and this level.
  [[nodiscard]] bool shows(double score, std::string_view level) const;

  /// The lines of its log, as JSON.
  [[nodiscard]] std::vector<nlohmann::json> log() const;

  [[nodiscard]] process& child() noexcept { return process_; }
  [[nodiscard]] int port() const noexcept { return port_; }

  [[nodiscard]] static httplib::Headers with_key() { return {{"X-API-Key", key}}; }

 private:
  int port_ = 0;
  process process_;
};

}  // namespace staging_tests
