// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/json_log.hpp"
#include "http/message.hpp"
#include "http/options.hpp"
#include "http/router.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace staging {

/// How the connections of a server stood at one moment.
struct connection_usage {
  std::size_t threads = 0;    ///< workers
  std::size_t busy = 0;       ///< workers that run a route
  std::size_t serving = 0;    ///< connections with a request, or about to end
  std::size_t idle = 0;       ///< connections that ask for nothing
  std::size_t limit = 0;      ///< connections that may be open
  std::uint64_t refused = 0;  ///< connections answered 503 because none of so many was idle, since the start
};

/// The HTTP server: routes in, and around each of them what every request needs: strict parsing, request id,
/// rate limit, key, body limit, security headers, JSON errors, one log line, one count.
///
/// Boost.Asio waits for the clients. A few threads read what is there, and `threads` more run the routes that
/// may wait. A slow client takes memory and no thread; a slow route delays no other connection. With
/// `connections` open, a new connection takes the place of the one that has been idle longest; when none is
/// idle, it is answered 503 at once.
///
/// `route` and `on_request` before `start`; everything else from any thread.
class http_server {
 public:
  /// Told about every answer: the route's label (`other` when there is none), its status, and how long it
  /// took, from the request's first byte until the answer was ready to be sent. Called before the answer
  /// leaves, on its thread.
  using request_listener = std::function<void(std::string_view route, int status, double seconds)>;

  /// Starts the threads that will serve. Throws `std::invalid_argument` naming the option that is out of its
  /// range, `std::system_error` when a thread can't be had. `log` must outlive the server.
  http_server(http_options options, json_log& log);

  /// Stops.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Adds a route; see `struct route` for what the parts are. Throws `std::invalid_argument` for one that
  /// can't work.
  void route(std::string method, std::string path, std::string label, access who, handler answer,
             quota counted_as = quota::operation, run_by runner = run_by::worker);

  /// Sets who is told about every answer; an exception it throws is logged and ignored.
  void on_request(request_listener listener);

  /// Opens the port, any free one for 0, and returns its number. Throws `std::runtime_error` saying why it
  /// can't.
  std::uint16_t bind(const std::string& host, std::uint16_t port);

  /// Begins to serve, on threads of its own, until `stop`. Does nothing when stopped before; throws
  /// `std::logic_error` without `bind`.
  void start();

  /// From now on every answer closes its connection; readiness should say no, so that clients go elsewhere.
  void begin_drain() noexcept;
  [[nodiscard]] bool draining() const noexcept;

  [[nodiscard]] connection_usage connections() const;

  /// Takes no more connections and returns when the running requests have ended, which their time limits
  /// bound. For good: a stopped server can't start again. Not from a route (it would wait for itself) and not
  /// from a signal handler.
  void stop();

  /// The same, but returns after `limit` at the latest: whether the running requests have ended. May be
  /// called again.
  [[nodiscard]] bool stop(std::chrono::milliseconds limit);

 private:
  class engine;
  std::unique_ptr<engine> engine_;
};

}  // namespace staging
