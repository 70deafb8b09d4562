// SPDX-License-Identifier: BSL-1.0
#include "staging/support/staging_server.hpp"

#include "staging/support/eventually.hpp"
#include "staging/support/free_port.hpp"

#include <sstream>
#include <stdexcept>
#include <utility>

namespace staging_tests {

namespace {

variables completed(variables environment, int port = 0) {
  environment.emplace("DASHBOARD_API_KEY", staging_server::key);
  environment.emplace("API_PORT", std::to_string(port));
  // The tests ask far more often than people; those of the limit set it themselves.
  environment.emplace("DASHBOARD_RATELIMIT_ENABLED", "false");
  // And none of them takes it out of a balancer.
  environment.emplace("SHUTDOWN_DRAIN", "0");
  environment.emplace("SHUTDOWN_GRACE", "0.7");
  return environment;
}

httplib::Client client_of(int port) {
  httplib::Client client{"127.0.0.1", port};
  client.set_connection_timeout(5);
  client.set_read_timeout(30);
  return client;
}

template <class Send>
answer ask(int port, const std::string& path, Send send) {
  auto client = client_of(port);
  const auto started = std::chrono::steady_clock::now();
  const auto result = send(client);
  const auto took = std::chrono::steady_clock::now() - started;
  if (!result) throw std::runtime_error{"no answer from " + path + ": " + httplib::to_string(result.error())};
  return {result->status, result->body, result->headers, took};
}

}  // namespace

std::string answer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

staging_server::staging_server(variables environment)
    : process_{{BROWNOUT_STAGING_SERVER}, completed(std::move(environment))} {
  const bool listening = eventually(std::chrono::seconds{20}, [&] {
    for (const auto& line : log()) {
      if (line.value("message", "") != "listening") continue;
      const auto address = line.at("address").get<std::string>();
      port_ = std::stoi(address.substr(address.rfind(':') + 1));
      return true;
    }
    return !process_.running();
  });
  if (!listening || port_ == 0) {
    throw std::runtime_error{"the staging server does not listen: " + process_.out() + process_.err()};
  }
}

staging_server::staging_server(variables environment, int output)
    : port_{free_port()},
      process_{{BROWNOUT_STAGING_SERVER}, completed(std::move(environment), port_), output} {
  const bool answers = eventually(std::chrono::seconds{20}, [&] {
    auto client = client_of(port_);
    client.set_read_timeout(1);
    const auto live = client.Get("/livez");
    return (live && live->status == 200) || !process_.running();
  });
  if (!answers || !process_.running()) {
    throw std::runtime_error{"the staging server does not answer: " + process_.err()};
  }
}

answer staging_server::get(const std::string& path, httplib::Headers headers) const {
  return ask(port_, path, [&](httplib::Client& client) { return client.Get(path, headers); });
}

answer staging_server::post(const std::string& path, const nlohmann::json& body,
                            httplib::Headers headers) const {
  return ask(port_, path, [&](httplib::Client& client) {
    return client.Post(path, headers, body.dump(), "application/json");
  });
}

answer staging_server::remove(const std::string& path, const std::string& body) const {
  return ask(port_, path, [&](httplib::Client& client) {
    return client.Delete(path, with_key(), body, "application/json");
  });
}

answer staging_server::act(const std::string& dependency, const std::string& action) const {
  return post("/api/circuit-breakers/" + dependency + "/" + action,
              {{"reason", "a test"}, {"actor", "the test"}});
}

bool staging_server::shows(double score, std::string_view level) const {
  const auto now = health();
  return now["health_score"] == score && now["degradation_level"] == level;
}

std::vector<nlohmann::json> staging_server::log() const {
  std::vector<nlohmann::json> lines;
  std::istringstream text{process_.out()};
  for (std::string line; std::getline(text, line);) {
    if (text.eof()) break;  // not yet complete
    lines.push_back(nlohmann::json::parse(line));
  }
  return lines;
}

}  // namespace staging_tests
