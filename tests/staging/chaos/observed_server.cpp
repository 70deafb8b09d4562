// SPDX-License-Identifier: BSL-1.0
#include "staging/chaos/observed_server.hpp"

#include "staging/support/eventually.hpp"
#include "staging/support/real_system.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <iomanip>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace staging_chaos {

namespace {

using namespace std::chrono_literals;
using staging_tests::eventually;
using staging_tests::real_system;
using staging_tests::variables;

std::string text_of(seconds value) {
  std::ostringstream text;
  text << value.count();
  return text.str();
}

variables limits() {
  variables all{{"HEALTH_CHECK_INTERVAL", text_of(probe_interval)},
                {"DEGRADATION_HYSTERESIS", "0"},
                {"DEGRADATION_DWELL", "0.1"},
                {"SHUTDOWN_DRAIN", "0.2"},
                {"SHUTDOWN_GRACE", "1"},
                {"DASHBOARD_LOG_LEVEL", "debug"}};
  for (const auto* prefix : {"OPENAI", "DB", "REDIS", "S3"}) {
    all[std::string{prefix} + "_CB_RECOVERY_TIMEOUT"] = text_of(open_time);
    all[std::string{prefix} + "_TIMEOUT"] = text_of(call_timeout);
  }
  return all;
}

/// The port that the variables of a real server name.
int port_in(const variables& wired) {
  static const std::regex address{"127\\.0\\.0\\.1:([0-9]+)"};
  if (const auto redis = wired.find("REDIS_PORT"); redis != wired.end()) return std::stoi(redis->second);
  for (const auto& [name, value] : wired) {
    if (std::smatch found; std::regex_search(value, found, address)) return std::stoi(found[1]);
  }
  throw std::runtime_error{"no port in the variables of a real server"};
}

/// The same variables with another port.
variables through(const variables& wired, int port) {
  static const std::regex address{"127\\.0\\.0\\.1:[0-9]+"};
  auto changed = wired;
  for (auto& [name, value] : changed) {
    if (name == "REDIS_PORT") {
      value = std::to_string(port);
    } else {
      value = std::regex_replace(value, address, "127.0.0.1:" + std::to_string(port));
    }
  }
  return changed;
}

void add_secrets(std::vector<std::string>& secrets, const variables& wired) {
  static const std::regex password{"://[^:]+:([^@]+)@"};
  for (const auto& [name, value] : wired) {
    std::smatch found;
    if (name.find("PASSWORD") != std::string::npos || name.find("KEY") != std::string::npos) {
      secrets.push_back(value);
    } else if (std::regex_search(value, found, password)) {
      secrets.push_back(found[1]);
    }
  }
}

wall_time parsed(const std::string& text) {
  std::tm parts{};
  std::istringstream in{text};
  in >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S");
  double fraction = 0;
  if (in.peek() == '.') in >> fraction;
  return std::chrono::system_clock::from_time_t(timegm(&parts)) +
         std::chrono::duration_cast<wall_time::duration>(seconds{fraction});
}

}  // namespace

std::uint32_t threshold_of(std::string_view dependency) {
  return dependency == "database" ? 3 : dependency == "s3" ? 4 : 5;
}
double weight_of(std::string_view dependency) {
  return dependency == "openai" ? 50 : dependency == "database" ? 30 : dependency == "redis" ? 15 : 5;
}

observed_server::observed_server(const std::vector<std::string_view>& real) : environment_{limits()} {
  for (const auto one : real) {
    const auto& wired = real_system::instance().server(one).environment();
    auto& proxy = proxies_[std::string{one}] = std::make_unique<fault_proxy>(port_in(wired));
    for (auto& [name, value] : through(wired, proxy->port())) environment_[name] = value;
    add_secrets(secrets_, wired);
  }
  secrets_.emplace_back(staging_tests::staging_server::key);
  start();
}

void observed_server::start() {
  const auto file = (directory_.path() / ("log" + std::to_string(++starts_))).string();
  const int output = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (output < 0) throw std::system_error{errno, std::generic_category(), file};
  server_ = std::make_unique<staging_tests::staging_server>(environment_, output);
  close(output);
  log_ = std::ifstream{file};
  partial_line_.clear();
  clients_ = std::make_unique<steady_clients>(server_->port(), secrets_);
}

const std::vector<change>& observed_server::changes() {
  log_.clear();  // the end of the file so far
  for (std::string line; std::getline(log_, line);) {
    partial_line_ += line;
    if (log_.eof()) break;  // the rest is not written yet
    for (const auto& secret : secrets_) {
      if (partial_line_.find(secret) != std::string::npos) leaking_lines_.emplace_back("a log line");
    }
    const auto entry = nlohmann::json::parse(std::exchange(partial_line_, {}));
    const auto message = entry.value("message", "");
    if (message == "circuit changed" || message == "outage began" || message == "outage ended") {
      changes_.push_back({parsed(entry.at("at")), entry.at("dependency"), entry.at("from"), entry.at("to"),
                          entry.at("reason")});
    } else if (message == "level changed") {
      changes_.push_back(
          {parsed(entry.at("at")), "level", entry.at("from"), entry.at("to"), entry.value("cause", "")});
    }
  }
  return changes_;
}

std::string observed_server::state_of(std::string_view dependency) {
  std::string state{"closed"};
  for (const auto& one : changes()) {
    if (one.subject == dependency) state = one.to;
  }
  return state;
}

bool observed_server::is_well() {
  for (const auto one : dependencies) {
    if (state_of(one) != "closed") return false;
  }
  return server_->shows(100, "OPTIMAL") && server_->get("/api/inventory/stats").status == 200;
}

std::vector<std::string> observed_server::leaks() {
  static_cast<void>(changes());
  auto all = clients_ ? clients_->leaks() : std::vector<std::string>{};
  all.insert(all.end(), leaking_lines_.begin(), leaking_lines_.end());
  return all;
}

std::optional<int> observed_server::terminate(std::chrono::milliseconds limit) {
  server_->child().signal(SIGTERM);
  return server_->child().wait(limit);
}

void observed_server::restart() {
  static_cast<void>(changes());
  clients_.reset();
  server_.reset();
  for (const auto one : dependencies) {  // the new server begins with closed circuits
    if (state_of(one) != "closed")
      changes_.push_back({now(), std::string{one}, state_of(one), "closed", "restart"});
  }
  start();
}

}  // namespace staging_chaos
