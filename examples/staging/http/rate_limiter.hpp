// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "http/options.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>

namespace staging {

/// What the limiter says to one request; the figures are those of the `RateLimit-*` headers.
struct rate_decision {
  bool allowed = true;            ///< false: answer 429
  std::uint32_t limit = 0;        ///< requests per window
  std::uint32_t remaining = 0;    ///< still allowed in this window
  std::chrono::seconds reset{0};  ///< until the window ends, rounded up, at least 1 s
};

/// Counts each client's requests in a fixed window that starts with its first request.
///
/// A fixed window because the headers promise one: after `reset` seconds all `limit` requests are there
/// again. Its price is known: around a window's end a client can make up to twice `limit` in a row. Refused
/// requests do not prolong anything.
///
/// Thread-safe: one mutex, held for a look-up; at most `clients` entries, the one whose window began first
/// goes first (its client merely starts a new window).
class rate_limiter {
 public:
  /// Throws `std::invalid_argument` naming the option that is out of its range.
  explicit rate_limiter(const rate_limit_options& options);

  /// Counts one request of `client` at `now`.
  [[nodiscard]] rate_decision count(std::string_view client, brownout::time_point now);

  /// Clients remembered right now.
  [[nodiscard]] std::size_t clients() const;

 private:
  struct window {
    std::string client;
    brownout::time_point begin;
    std::uint32_t used = 0;
  };
  using windows =
      std::list<window>;  // ordered by `begin`; its nodes never move, so the keys below may point into them

  const rate_limit_options options_;
  mutable std::mutex mutex_;
  windows windows_;
  boost::unordered_flat_map<std::string_view, windows::iterator> by_client_;
};

}  // namespace staging
