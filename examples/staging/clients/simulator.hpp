// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/system/probe.hpp"
#include "clients/call_context.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>

namespace staging {

/// What a simulated dependency does with a call, after its latency.
enum class simulated_mode : std::uint8_t {
  up,     ///< succeeds
  down,   ///< fails
  slow,   ///< succeeds, late
  flaky,  ///< fails now and then
};

[[nodiscard]] std::string_view to_string(simulated_mode mode) noexcept;

/// The mode of that name, exactly as `to_string` spells it; nothing for any other text.
[[nodiscard]] std::optional<simulated_mode> parse_mode(std::string_view text) noexcept;

/// How a simulated dependency behaves.
struct simulated_behaviour {
  simulated_mode mode = simulated_mode::up;
  std::optional<brownout::duration> latency = {};  ///< of a call, 0 to 3600 s; unset: 1 ms, in mode slow 2 s
  double error_rate = 0.5;                         ///< share of calls that fail in mode flaky, [0, 1]
};

/// The latency a call is given, `latency`'s default included.
[[nodiscard]] brownout::duration latency_of(const simulated_behaviour& behaviour) noexcept;

/// Stands in for a dependency that is not configured. Thread-safe.
class simulator {
 public:
  /// Equal seeds and equal sequences of calls give equal outcomes.
  explicit simulator(std::uint64_t seed = 1) : random_(seed) {}

  /// Behaves as last told. A latency that reaches past the deadline ends there as a time-out, as with a real
  /// dependency; a stop request ends the call at once. A call keeps the behaviour it began with.
  [[nodiscard]] brownout::probe_result call(const call_context& context);

  /// Throws std::invalid_argument, naming field, value and what is allowed; the behaviour is then unchanged.
  void set(const simulated_behaviour& behaviour);

  [[nodiscard]] simulated_behaviour behaviour() const;

 private:
  struct plan {
    brownout::duration latency;
    bool succeeds;
  };
  [[nodiscard]] plan next_call();

  mutable std::mutex mutex_;
  simulated_behaviour behaviour_;
  std::mt19937_64 random_;
};

}  // namespace staging
