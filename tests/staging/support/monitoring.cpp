// SPDX-License-Identifier: BSL-1.0
#include "staging/support/monitoring.hpp"

#include "staging/support/eventually.hpp"
#include "staging/support/free_port.hpp"
#include "staging/support/staging_server.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace staging_tests {

namespace {

using namespace std::chrono_literals;

/// Throws when `from` is not there: then the shipped file has changed, and this no longer shortens it.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error{"the monitoring files do not hold '" + from + "'"};
  for (; at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

std::string shortened_rules(const std::string& rules) {
  auto text = std::regex_replace(rules, std::regex{"for: [0-9]+[mh]"}, "for: 1s");
  std::string out;
  const std::regex range{R"(\[([0-9]+)m\])"};
  auto rest = text.cbegin();
  for (std::sregex_iterator one{text.begin(), text.end(), range}, end; one != end; ++one) {
    out.append(rest, (*one)[0].first);
    out += "[" + std::to_string(2 * std::stoi((*one)[1])) + "s]";
    rest = (*one)[0].second;
  }
  return out.append(rest, text.cend());
}

std::string local(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

bool answers(int port, const char* path) {
  httplib::Client client{"127.0.0.1", port};
  client.set_connection_timeout(1);
  const auto got = client.Get(path);
  return got && got->status == 200;
}

}  // namespace

std::string monitoring_file(const std::filesystem::path& name) {
  const auto path = std::filesystem::path{BROWNOUT_MONITORING} / name;
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  if (text.str().empty()) throw std::runtime_error{"no file " + path.string()};
  return text.str();
}

shortened_files::shortened_files(const std::vector<scraped>& servers, int alertmanager, int receiver) {
  const auto write = [&](const char* name, const std::string& text) { std::ofstream{path(name)} << text; };
  std::string targets;
  for (const auto& one : servers) {
    targets += "  - targets: ['" + local(one.port) + "']\n    labels: {instance: " + one.instance + "}\n";
  }
  auto config = monitoring_file("prometheus.yml");
  config = replaced(config, "scrape_interval: 15s", "scrape_interval: 500ms");
  config = replaced(config, "scrape_timeout: 5s", "scrape_timeout: 500ms");
  config = replaced(config, "evaluation_interval: 15s", "evaluation_interval: 500ms");
  config = replaced(config, "127.0.0.1:9093", local(alertmanager));
  config = replaced(config, "  - targets: ['127.0.0.1:9000']\n", targets);
  write("prometheus.yml", config);
  write("api_key", staging_server::key);
  write("recording.yml", shortened_rules(monitoring_file("recording.yml")));
  write("alerts.yml", shortened_rules(replaced(monitoring_file("alerts.yml"), "> 60", "> 2")));

  auto routes = monitoring_file("alertmanager.yml");
  routes = replaced(routes, "group_wait: 30s", "group_wait: 100ms");
  routes = replaced(routes, "group_interval: 5m", "group_interval: 500ms");
  routes = replaced(routes, "127.0.0.1:9095", local(receiver));
  write("alertmanager.yml", routes);
}

monitoring::monitoring(const std::vector<scraped>& servers)
    : receiver_port_{listen()}, receiving_{[this] { receiver_.listen_after_bind(); }} {
  // A stop before it runs would be forgotten.
  static_cast<void>(eventually(10s, [&] { return receiver_.is_running(); }));
  std::string failures;
  for (int tries = 0; tries < 3; ++tries) {
    if (starts(servers)) return;
    failures += alertmanager_->err() + prometheus_->err();
    // Another process may have taken a port meanwhile, perhaps for a connection of its own.
    if (failures.find("address already in use") == std::string::npos) break;
  }
  throw std::runtime_error{"the monitoring does not start: " + failures};
}

bool monitoring::starts(const std::vector<scraped>& servers) {
  prometheus_.reset();
  alertmanager_.reset();
  port_ = free_port();
  const int alertmanager_port = free_port();
  files_ = std::make_unique<shortened_files>(servers, alertmanager_port, receiver_port_);
  const auto start = [](std::vector<std::string> command) {
    return std::make_unique<process>(command, variables{});
  };
  alertmanager_ = start({"prometheus-alertmanager", "--config.file=" + files_->path("alertmanager.yml"),
                         "--storage.path=" + files_->path("alertmanager-data"),
                         "--web.listen-address=" + local(alertmanager_port), "--cluster.listen-address="});
  prometheus_ = start({"prometheus", "--config.file=" + files_->path("prometheus.yml"),
                       "--storage.tsdb.path=" + files_->path("prometheus-data"),
                       "--web.listen-address=" + local(port_)});
  const auto run = [&] { return alertmanager_->running() && prometheus_->running(); };
  const bool ended = eventually(
      60s, [&] { return !run() || (answers(alertmanager_port, "/-/ready") && has_scraped(servers)); });
  return ended && run();
}

int monitoring::listen() {
  for (const char* name : {"page", "ticket"}) {
    receiver_.Post(std::string{"/"} + name, [this, name](const httplib::Request& in, httplib::Response&) {
      receive(name, nlohmann::json::parse(in.body));
    });
  }
  const int port = receiver_.bind_to_any_port("127.0.0.1");
  if (port < 0) throw std::runtime_error{"no port for the receiver of notifications"};
  return port;
}

void monitoring::receive(const std::string& receiver, const nlohmann::json& message) {
  const std::lock_guard lock{mutex_};
  for (const auto& alert : message.at("alerts")) {
    const auto same = [&](const notification& one) { return one.labels == alert.at("labels"); };
    auto found = std::find_if(received_.begin(), received_.end(), same);
    if (found == received_.end()) {
      received_.push_back({receiver, alert.at("labels"), alert.at("annotations")});
      found = received_.end() - 1;
    }
    found->firing = alert.at("status") == "firing";
    found->has_fired = found->has_fired || found->firing;
  }
}

bool monitoring::has_scraped(const std::vector<scraped>& servers) const {
  return std::ranges::all_of(servers, [&](const scraped& one) {
    const auto up = query("up{instance=\"" + one.instance + "\"}");
    return !up.empty() && up[0]["value"][1] == "1";
  });
}

nlohmann::json monitoring::query(const std::string& expression) const {
  httplib::Client client{"127.0.0.1", port_};
  client.set_connection_timeout(1);
  const auto got = client.Get("/api/v1/query", httplib::Params{{"query", expression}}, httplib::Headers{});
  if (!got || got->status == 503) return nlohmann::json::array();  // it starts
  const auto answer = nlohmann::json::parse(got->body);
  if (answer["status"] != "success") throw std::runtime_error{expression + ": " + got->body};
  return answer["data"]["result"];
}

std::vector<notification> monitoring::notifications() const {
  const std::lock_guard lock{mutex_};
  return received_;
}

}  // namespace staging_tests
