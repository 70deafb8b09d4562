// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/client_error.hpp"

#include <utility>

namespace staging {

/// The one connection a client keeps between operations.
///
/// An operation takes it out and only one that ended cleanly puts it back, so that an answer that no caller
/// waited for can never be read as the answer of the next operation. `Connection` is a unique_ptr. Not
/// thread-safe.
template <class Connection>
class kept_connection {
 public:
  /// Runs `exchange(connection)` on the kept connection, or on the one that `open()` makes.
  ///
  /// A kept connection may have died while it was idle: if it turns out to be lost, the exchange is run once
  /// more on a new one. Therefore an exchange must be harmless to repeat.
  template <class Open, class Exchange>
  auto use(Open open, Exchange exchange) {
    broken_ = true;
    if (Connection idle = std::exchange(connection_, nullptr)) {
      try {
        return run(std::move(idle), exchange);
      } catch (const connection_lost&) {  // fall through to a new one
      }
    }
    return run(Connection{open()}, exchange);
  }

  /// Whether the last operation cost the connection.
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  template <class Exchange>
  auto run(Connection connection, Exchange& exchange) {
    auto answer = exchange(*connection);
    connection_ = std::move(connection);
    broken_ = false;
    return answer;
  }

  Connection connection_;
  bool broken_ = false;
};

}  // namespace staging
