// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace staging {

/// How many requests one client may make.
struct rate_limit_options {
  bool enabled = true;                                  ///< off: no limit and no `RateLimit-*` headers
  std::uint32_t requests = 100;                         ///< allowed per client, quota and window, at least 1
  brownout::duration window = std::chrono::minutes{1};  ///< length of the window, at least 1 ms
  std::size_t clients =
      10'000;  ///< clients remembered at once, at least 1; beyond it the oldest is forgotten
};

/// Everything the HTTP layer is told. The time limits are absolute: a peer that sends or takes one byte at a
/// time gains nothing. They are checked every 50 ms.
struct http_options {
  std::string api_key;            ///< what keyed routes ask for; must not be empty
  rate_limit_options rate_limit;  ///< see there
  bool hsts = false;              ///< send `Strict-Transport-Security`; only where TLS ends in front of us
  std::vector<std::string>
      trusted_proxies;  ///< addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-For` counts

  std::size_t threads = 32;  ///< workers: routes that may wait and run at once, at least 1
  std::size_t readers =
      2;  ///< threads that read requests and run the routes that never wait, at least 1; more wake each other
  std::size_t connections =
      2048;  ///< open at once, at least 1; one more takes an idle one's place, or gets 503
  std::size_t payload_limit = 65'536;  ///< bytes of a request body; the API's own bodies have a few hundred
  std::size_t head_limit =
      16'384;  ///< bytes of request line and headers together; nginx and Apache allow as much

  std::chrono::milliseconds head_timeout{5'000};   ///< from the first byte to the end of the headers
  std::chrono::milliseconds body_timeout{10'000};  ///< from the end of the headers to the end of the body
  std::chrono::milliseconds write_timeout{5'000};  ///< for the whole answer to be taken
  std::chrono::milliseconds keep_alive_timeout{5'000};  ///< between two requests of a connection
  std::size_t keep_alive_requests =
      1000;  ///< requests of one connection, at least 1; nginx's default: clients spread over instances again
};

}  // namespace staging
