// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <memory>

namespace staging_load {

/// How bad a link is.
struct impairment {
  std::chrono::milliseconds latency{0};  ///< added to each answer, and so to each round trip
  double loss = 0;                       ///< share of the segments that are lost, in [0, 1)
};

/// Stands between the clients and a port of loopback, and passes bytes on as a bad link would.
///
/// A lost segment is sent again by TCP: its bytes come later, and none is missing. So a loss here is a delay
/// of 200 ms, Linux's shortest time until it sends again, which doubles for each loss in a row.
///
/// It has a thread of its own.
class bad_link {
 public:
  /// Listens on a free port. Throws `std::system_error` if there is none.
  bad_link(int target_port, impairment how);
  ~bad_link();
  bad_link(const bad_link&) = delete;
  bad_link& operator=(const bad_link&) = delete;

  [[nodiscard]] int port() const noexcept;

 private:
  class engine;
  std::unique_ptr<engine> engine_;
};

}  // namespace staging_load
