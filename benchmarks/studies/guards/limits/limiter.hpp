// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace studies::guards {

/// A request on its way through a limit and a server. Times are in seconds.
struct request {
  std::size_t number = 0;
  std::size_t priority = 0;  ///< 0 is the highest class
  std::uint64_t caller = 0;
  double arrived = 0;
  double started = 0;
  int in_flight = 0;  ///< when it was admitted, with itself
};

/// A limit of requests in flight, ours or that of a peer.
class limiter {
 public:
  limiter() = default;
  limiter(const limiter&) = delete;
  limiter& operator=(const limiter&) = delete;
  virtual ~limiter() = default;

  [[nodiscard]] virtual bool admits(const request& one, int in_flight, double now) = 0;
  virtual void started(const request& /*one*/, double /*now*/) {}
  virtual void ended(const request& /*one*/, double /*now*/) {}
};

}  // namespace studies::guards
