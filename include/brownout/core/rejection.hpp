// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// Why a call was refused, or why it ended without an answer.
enum class rejection_reason : std::uint8_t {
  // Reasons of a circuit breaker. `admission` has three bits for these.
  circuit_open,      ///< the open period is not over
  probes_in_flight,  ///< half-open, and every place for a probe is taken
  forced_open,       ///< an operator holds the circuit open
  recovering,        ///< half-open, on the ramp, and the limit of calls in flight is reached
  // Reasons of other guards.
  rate_limited,     ///< the rate limit has no token left
  bulkhead_full,    ///< the bulkhead has no place left
  queue_timeout,    ///< the call waited in a queue for as long as it may
  limit_reached,    ///< the adaptive limit of calls in flight is reached
  shed,             ///< the adaptive limit keeps its last places for calls of a higher priority
  timed_out,        ///< the call was made, and had no answer at its deadline
  deadline_passed,  ///< the deadline had passed before the call was made
  cancelled,        ///< the caller gave the call up
};

/// The reason in words: "circuit open".
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
    case rejection_reason::rate_limited:
      return "rate limit reached";
    case rejection_reason::bulkhead_full:
      return "bulkhead full";
    case rejection_reason::queue_timeout:
      return "waited too long for a place";
    case rejection_reason::limit_reached:
      return "adaptive limit of calls in flight reached";
    case rejection_reason::shed:
      return "shed in favour of calls of a higher priority";
    case rejection_reason::timed_out:
      return "timed out";
    case rejection_reason::deadline_passed:
      return "deadline passed before the call";
    case rejection_reason::cancelled:
      return "cancelled by the caller";
  }
  return "invalid";
}

/// A rejection: the reason, and when it is worth trying again. It is a value and not an exception, because to
/// reject calls is the normal work of a guard.
struct rejection {
  /// `retry_after` if the end is unknown: an operator decides, or it depends on other calls.
  static constexpr duration unknown = (duration::max)();

  rejection_reason reason = rejection_reason::circuit_open;  ///< why the call was refused or ended

  /// How long until it is worth trying again: in (0, unknown]. Half-open: until the latest moment at which a
  /// lost call frees its place. Never too short, and at most `coarse_resolution` (10 ms) too long.
  duration retry_after = unknown;

  /// Whether the call was begun, so that it may have had an effect, or may still have one. True for
  /// `timed_out`, for a call that was cancelled while it ran, for a rejection that the function of a pipeline
  /// returned itself, and if an earlier attempt of a retry was begun. Otherwise false.
  bool began = false;

  /// Name of the guard that refused. Empty for a breaker that is used alone, and for a guard without a name.
  /// Valid as long as the guard is.
  std::string_view guard{};

  friend constexpr bool operator==(const rejection&, const rejection&) = default;
};

/// Thrown by `call` instead of calling; `try_call` returns the rejection as a value.
class call_rejected : public std::runtime_error {
 public:
  /// `name`: the name of the guard for the text of `what()`; may be empty. Default: the name in `why`.
  call_rejected(const rejection& why, std::string_view name)
      : std::runtime_error{text(why, name)}, why_{why}, name_size_{name.size()} {
    why_.guard = {};  // an exception may outlive the guard
  }
  /// As above, with the name of the guard in `why`.
  explicit call_rejected(const rejection& why) : call_rejected{why, why.guard} {}

  /// The rejection that `try_call` would have returned, without the name of the guard.
  [[nodiscard]] const rejection& why() const noexcept { return why_; }
  /// Name of the guard that refused; may be empty. Valid as long as this exception is.
  [[nodiscard]] std::string_view guard() const noexcept {
    return name_size_ == 0 ? std::string_view{} : std::string_view{what() + named.size(), name_size_};
  }

 private:
  static constexpr std::string_view named = "brownout: call to ";

  static std::string text(const rejection& why, std::string_view name) {
    std::string text{name.empty() ? "brownout: call" : named};
    text.append(name)
        .append(why.reason == rejection_reason::timed_out ? " ended: " : " rejected: ")
        .append(to_string(why.reason));
    if (why.retry_after != rejection::unknown) {
      // As people read it, unless the next millisecond is out of range.
      constexpr std::chrono::milliseconds one{1};
      const duration wait = why.retry_after < rejection::unknown - one
                                ? std::chrono::ceil<std::chrono::milliseconds>(why.retry_after)
                                : why.retry_after;
      text.append(", retry in ").append(detail::to_text(wait));
    }
    return text;
  }

  rejection why_;
  std::size_t name_size_;
};

/// Thrown by `call` for a call that was made and had no answer at its deadline. Unlike other rejections it is
/// evidence: `default_classifier` judges it as a failure.
class call_timed_out : public call_rejected {
 public:
  /// As those of `call_rejected`.
  using call_rejected::call_rejected;
};

namespace detail {

/// Whether a rejection is evidence about the dependency. It is for a call that was made and had no answer.
[[nodiscard]] constexpr bool is_failure(const rejection& why) noexcept {
  return why.reason == rejection_reason::timed_out;
}

[[noreturn]] inline void raise_rejected(const rejection& why, std::string_view name) {
  if (why.reason == rejection_reason::timed_out) raise(call_timed_out{why, name});
  raise(call_rejected{why, name});
}

}  // namespace detail

}  // namespace brownout::inline BROWNOUT_ABI
