// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"

#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace brownout {

/// Why a call was refused.
enum class rejection_reason : std::uint8_t {
  circuit_open,      ///< the open period is not over
  probes_in_flight,  ///< half-open, and every probe is taken
  forced_open,       ///< an operator holds the circuit open
};

[[nodiscard]] constexpr std::string_view to_string(rejection_reason reason) noexcept {
  switch (reason) {
    case rejection_reason::circuit_open:
      return "circuit open";
    case rejection_reason::probes_in_flight:
      return "circuit half open, its probes are in flight";
    case rejection_reason::forced_open:
      return "circuit held open by an operator";
  }
  return "invalid";
}

/// A refusal: why, and when it is worth trying again. A value, not an exception: refusing is what a breaker
/// is for.
struct rejection {
  /// `retry_after` when nobody can tell, because an operator decides.
  static constexpr duration unknown = duration::max();

  rejection_reason reason = rejection_reason::circuit_open;

  /// Until a call may pass: in (0, unknown]. Half-open, the latest moment at which a lost probe frees its
  /// place.
  duration retry_after = unknown;

  friend constexpr bool operator==(const rejection&, const rejection&) = default;
};

/// Thrown by `call` instead of calling; `try_call` returns the rejection as a value.
class call_rejected : public std::runtime_error {
 public:
  explicit call_rejected(const rejection& why) : std::runtime_error("brownout: call rejected"), why_{why} {}

  [[nodiscard]] const rejection& why() const noexcept { return why_; }

 private:
  rejection why_;
};

}  // namespace brownout
