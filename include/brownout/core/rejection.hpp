// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// Why a call was refused.
enum class rejection_reason : std::uint8_t {
  circuit_open,      ///< the open period is not over
  probes_in_flight,  ///< half-open, and every place for a probe is taken
  forced_open,       ///< an operator holds the circuit open
  recovering,        ///< half-open, on the ramp, and the limit of calls in flight is reached
};

[[nodiscard]] constexpr std::string_view to_string(rejection_reason reason) noexcept {
  switch (reason) {
    case rejection_reason::circuit_open:
      return "circuit open";
    case rejection_reason::probes_in_flight:
      return "circuit half open, its probes are in flight";
    case rejection_reason::forced_open:
      return "circuit held open by an operator";
    case rejection_reason::recovering:
      return "circuit half open, its rising limit of calls in flight is reached";
  }
  return "invalid";
}

/// A rejection: the reason, and when it is worth trying again. It is a value and not an exception, because to
/// reject calls is the normal work of a breaker.
struct rejection {
  /// `retry_after` if the end is unknown, because an operator decides.
  static constexpr duration unknown = (duration::max)();

  rejection_reason reason = rejection_reason::circuit_open;

  /// How long until it is worth trying again: in (0, unknown]. Half-open: until the latest moment at which a
  /// lost call frees its place. Never too short, and at most `coarse_resolution` (10 ms) too long.
  duration retry_after = unknown;

  friend constexpr bool operator==(const rejection&, const rejection&) = default;
};

/// Thrown by `call` instead of calling; `try_call` returns the rejection as a value.
class call_rejected : public std::runtime_error {
 public:
  /// `name`: the name of the dependency for the text of `what()`; may be empty.
  explicit call_rejected(const rejection& why, std::string_view name = {})
      : std::runtime_error{text(why, name)}, why_{why} {}

  /// The rejection that `try_call` would have returned.
  [[nodiscard]] const rejection& why() const noexcept { return why_; }

 private:
  static std::string text(const rejection& why, std::string_view name) {
    std::string text{name.empty() ? "brownout: call" : "brownout: call to "};
    text.append(name).append(" rejected: ").append(to_string(why.reason));
    if (why.retry_after != rejection::unknown) {
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(why.retry_after);  // as people read it
      text.append(", retry in ").append(detail::to_text(wait));
    }
    return text;
  }

  rejection why_;
};

}  // namespace brownout::inline BROWNOUT_ABI
