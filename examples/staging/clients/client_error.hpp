// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/outcome.hpp"
#include "brownout/system/probe.hpp"

#include <concepts>
#include <stdexcept>
#include <string>
#include <utility>

namespace staging {

/// Why a client's operation has no answer.
///
/// `what()` is a short phrase from this program's own vocabulary. It never repeats a URL or the server's
/// words, so it can be logged and shown on a status page.
class client_error : public std::runtime_error {
 public:
  explicit client_error(const std::string& reason, brownout::outcome result = brownout::outcome::failure)
      : std::runtime_error(reason), result_(result) {}

  /// What to report to a circuit breaker: `failure`; `cancelled` when a stop was requested; `ignored` when
  /// the dependency is well and the fault lies in what it was asked.
  [[nodiscard]] brownout::outcome result() const noexcept { return result_; }

 private:
  brownout::outcome result_;
};

/// The connection ended before the answer did.
class connection_lost : public client_error {
 public:
  connection_lost() : client_error("connection lost") {}
};

[[nodiscard]] inline client_error timed_out() {
  return client_error("timed out");
}

[[nodiscard]] inline client_error given_up() {
  return client_error("given up", brownout::outcome::cancelled);
}

/// Runs an operation for its outcome alone: what a health probe needs.
template <std::invocable Operation>
[[nodiscard]] brownout::probe_result probe_by(Operation&& operation) {
  try {
    std::forward<Operation>(operation)();
    return {brownout::outcome::success, {}};
  } catch (const client_error& error) {
    return {error.result(), error.what()};
  }
}

}  // namespace staging
