// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/gate.hpp"
#include "http/json_log.hpp"
#include "http/message.hpp"
#include "http/options.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace staging {

/// One request on its way through the server.
struct exchange {
  verdict about;                 ///< what the gate says
  brownout::time_point started;  ///< when its first byte was there
  bool closing = false;          ///< the connection ends with its answer
};

/// From a head to the bytes of the answer: gate, route, headers, log line, count. Knows no socket.
///
/// Thread-safe once routes and listener are there.
class responder {
 public:
  using request_listener = std::function<void(std::string_view route, int status, double seconds)>;

  /// Throws `std::invalid_argument` naming the option that is wrong. `log` must outlive this.
  responder(const http_options& options, json_log& log);

  /// Before the first request only.
  void add(route added) { gate_.add(std::move(added)); }
  void listen_to_requests(request_listener listener) { listener_ = std::move(listener); }

  /// See `gate::examine`.
  [[nodiscard]] verdict examine(std::string_view head, const ip_address& peer, brownout::time_point now) {
    return gate_.examine(head, peer, now);
  }

  /// Runs the route, or says why not. Logs and counts the answer, and returns its bytes.
  [[nodiscard]] std::string answer(exchange& subject, std::string body);

  /// Whether `answer` will be quick: it says why not, or its route is one that never waits.
  [[nodiscard]] static bool never_waits(const exchange& subject) noexcept {
    return subject.about.refusal || subject.about.target->runner == run_by::reader;
  }

  /// Workers that run a route right now.
  [[nodiscard]] std::size_t busy_workers() const noexcept { return busy_.load(std::memory_order_relaxed); }

  /// From now on every answer closes its connection.
  void drain() noexcept { draining_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool is_draining() const noexcept { return draining_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] response ask_route(request& subject, const route& target);
  [[nodiscard]] std::string text_of(const exchange& subject, const response& answer) const;
  void record(const exchange& subject, const response& answer);

  gate gate_;
  json_log& log_;
  const bool hsts_;
  request_listener listener_;
  std::atomic<std::size_t> busy_{0};   // by the workers, for metrics: relaxed
  std::atomic<bool> draining_{false};  // set once, when draining begins; relaxed: publishes only itself
};

/// The name of the exception that is being handled. Its text may hold a connection string, and is not logged.
[[nodiscard]] std::string current_exception_type();

}  // namespace staging
