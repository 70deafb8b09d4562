// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "http/json_log.hpp"

#include <httplib.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

namespace staging {

/// The life of a cpp-httplib server, from its port to its last request, with what the library leaves open
/// closed: a port in use is an error, bursts find a backlog, a passing failure to accept does not end the
/// server, a stop before the start is not forgotten, and none closes a descriptor that another thread still
/// uses.
///
/// Whoever derives from it calls `stop_serving` in its destructor, while what its requests use is still
/// there.
class listening_server : public httplib::Server {
 public:
  explicit listening_server(json_log& log);
  ~listening_server() override;

  /// Throws `std::runtime_error` saying why the port can't be had.
  std::uint16_t open(const std::string& host, std::uint16_t port);

  /// Throws `std::logic_error` when nothing is open.
  void serve_until_stopped();

  /// Returns when `serve_until_stopped` has no request left.
  void stop_serving();

  /// The same, but returns after `limit` at the latest; whether no request was left.
  [[nodiscard]] bool stop_serving(std::chrono::milliseconds limit);

 protected:
  /// Readable from `stop_serving` on, for ever: for whoever polls a connection.
  [[nodiscard]] int stop_event() const noexcept { return stop_event_; }

 private:
  void accept_until_stopped();
  void begin_stopping();

  json_log& log_;
  const int stop_event_;
  int listener_ = -1;  // our own descriptor of the listening socket, whatever the library does to its own
  int retired_ = -1;   // the library's descriptor, taken from it by `stop_serving`

  std::mutex mutex_;
  std::condition_variable changed_;
  bool running_ = false;
  bool stopping_ = false;
};

}  // namespace staging
