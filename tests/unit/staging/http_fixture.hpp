// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/json_log.hpp"
#include "http/message.hpp"
#include "http/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/socket.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace staging::testing {

using namespace std::chrono_literals;

/// Longer than anything here takes, shorter than the server's own time limits: a test that waits for those
/// fails.
inline constexpr auto patience = 3s;

/// Polls until `condition` holds; false when `patience` is over.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// Keeps log lines.
class captured_lines final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  [[nodiscard]] std::vector<std::string> lines() {
    const std::scoped_lock lock{mutex_};
    return lines_;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    lines_.emplace_back(message.payload.data(), message.payload.size());
  }
  void flush_() override {}

 private:
  std::vector<std::string> lines_;
};

/// What a server answered.
struct reply {
  int status = 0;
  std::vector<header_field> headers;
  std::string body;

  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& field : headers) {
      if (same_name(field.name, name)) return field.value;
    }
    return "(none)";
  }
  [[nodiscard]] nlohmann::json error() const { return nlohmann::json::parse(body).at("error"); }
};

/// A socket that says exactly what it is told to.
class raw_client {
 public:
  explicit raw_client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket_);
      throw std::runtime_error("cannot connect");
    }
  }
  ~raw_client() { ::close(socket_); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // what the server did instead of reading shows in its answer
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// The next answer; nothing when the connection ends or `patience` is over first.
  std::optional<reply> receive(bool has_body = true) {
    const auto end_of_head = [this] { return input_.find("\r\n\r\n"); };
    while (end_of_head() == std::string::npos) {
      if (!more()) return std::nullopt;
    }
    reply answer;
    std::string_view head{input_.data(), end_of_head() + 2};
    answer.status = std::stoi(std::string{head.substr(9, 3)});
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      const auto line = head.substr(0, head.find("\r\n"));
      const auto colon = line.find(": ");
      answer.headers.push_back({std::string{line.substr(0, colon)}, std::string{line.substr(colon + 2)}});
      head.remove_prefix(line.size() + 2);
    }
    input_.erase(0, end_of_head() + 4);
    const auto length = answer.header("Content-Length");
    if (!has_body || length == "(none)") return answer;
    const auto size = std::stoul(length);
    while (input_.size() < size) {
      if (!more()) return std::nullopt;
    }
    answer.body = input_.substr(0, size);
    input_.erase(0, size);
    return answer;
  }

  /// Whether the server ends the connection without another byte.
  bool is_closed() {
    while (more()) {
    }
    return input_.empty() && ended_;
  }

 private:
  bool more() {
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds{patience}.count())) <= 0) return false;
    char buffer[4096];
    const auto received = ::recv(socket_, buffer, sizeof buffer, 0);
    ended_ = received <= 0;
    if (received > 0) input_.append(buffer, static_cast<std::size_t>(received));
    return received > 0;
  }

  int socket_;
  std::string input_;
  bool ended_ = false;
};

/// Lets waiting routes go on, at the latest when the test ends: a failed check must not leave the server
/// waiting. Declare it after the server.
class release_guard {
 public:
  explicit release_guard(std::promise<void>& waited_for) : waited_for_(waited_for) {}
  ~release_guard() { release(); }
  release_guard(const release_guard&) = delete;
  release_guard& operator=(const release_guard&) = delete;

  void release() {
    if (!std::exchange(released_, true)) waited_for_.set_value();
  }

 private:
  std::promise<void>& waited_for_;
  bool released_ = false;
};

/// A real server on a free port of loopback, with a few routes.
class running_server {
 public:
  inline static const std::string key = "correct-horse";

  explicit running_server(const std::function<void(http_options&)>& adjust = {},
                          const std::function<void(http_server&)>& add_routes = {})
      : lines(std::make_shared<captured_lines>()), log(lines), server(options(adjust), log) {
    server.route("GET", "/livez", "livez", access::open, [](const request&, response& out) {
      out.json({{"up", true}});
    });
    server.route("GET", "/health", "health", access::keyed, [](const request&, response& out) {
      out.json({{"ok", 1}});
    });
    server.route("POST", "/echo/{name}", "echo", access::keyed, [](const request& in, response& out) {
      out.json({{"name", in.parameter("name")}, {"body", in.body}, {"id", in.id}, {"client", in.client}});
    });
    if (add_routes) add_routes(server);
    port = server.bind("127.0.0.1", 0);
    server.start();
  }
  running_server(const running_server&) = delete;
  running_server& operator=(const running_server&) = delete;

  [[nodiscard]] raw_client connect() const { return raw_client{port}; }

  /// One request on a connection of its own; `headers` as lines with CR LF.
  std::optional<reply> ask(const std::string& method, const std::string& target,
                           const std::string& headers = {}, const std::string& body = {}) const {
    auto client = connect();
    client.send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers +
                (body.empty() ? std::string{} : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                "\r\n" + body);
    return client.receive(method != "HEAD");
  }

  [[nodiscard]] std::string all_lines() const {
    static_cast<void>(log.flush(patience));
    std::string all;
    for (const auto& line : lines->lines()) all += line + "\n";
    return all;
  }

  std::shared_ptr<captured_lines> lines;
  json_log log;
  http_server server;
  std::uint16_t port = 0;

 private:
  static http_options options(const std::function<void(http_options&)>& adjust) {
    http_options options;
    options.api_key = key;
    options.threads = 4;
    if (adjust) adjust(options);
    return options;
  }
};

inline const std::string with_key = "X-API-Key: " + running_server::key + "\r\n";

}  // namespace staging::testing
