// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// Trips after `threshold` failures without a success between them.
///
/// The count is stored in the circuit's control word. A success on a circuit without failures writes nothing.
struct consecutive_failures {
  static constexpr std::uint32_t most = 1'000'000;  ///< the highest `threshold`

  /// Failures in a row that open the circuit.
  /// Range: 1 to 1,000,000; fewer as part of an `any_of`, see there.
  /// Default: 5, about where gobreaker trips (at more than five): a dependency with 10 % failures trips once
  /// in 100,000 calls.
  std::uint32_t threshold = 5;

  /// @name What the concept detector asks for
  /// @{

  /// `detector` says what this means.
  static constexpr bool reads_clock = false;
  static constexpr bool times_calls = false;
  static constexpr bool has_window = false;
  static constexpr bool counts_overdue = false;
  template <class Atomics>
  using history = no_history;

  [[nodiscard]] constexpr bool is_bad(const call_sample& call) const noexcept { return call.failed; }
  [[nodiscard]] constexpr std::uint32_t first_marks(std::uint32_t /*most_marks*/) const noexcept { return 0; }
  [[nodiscard]] constexpr no_evidence record(no_history& /*none*/,
                                             const call_sample& /*call*/) const noexcept {
    return {};
  }
  [[nodiscard]] constexpr no_evidence read(const no_history& /*none*/,
                                           const call_sample& /*call*/) const noexcept {
    return {};
  }
  constexpr void refresh(no_evidence& /*none*/, const no_history& /*none*/,
                         const call_sample& /*call*/) const noexcept {}
  [[nodiscard]] constexpr judgement judge(no_evidence /*none*/, std::uint32_t failures,
                                          const call_sample& call, std::uint32_t most_marks) const noexcept {
    if (call.in_flight) return {failures};
    if (!call.failed) return {};
    return {(std::min)({failures + 1, most, most_marks}), failures + 1 >= threshold,
            transition_cause::consecutive_failures};
  }
  [[nodiscard]] constexpr epoch_statistics statistics(no_evidence /*none*/, std::uint32_t failures,
                                                      std::uint32_t /*most_marks*/) const noexcept {
    return {.consecutive_failures = failures};
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  constexpr void validate(std::uint32_t most_marks = most) const {
    detail::require_within<std::uint32_t>("consecutive_failures.threshold", threshold, 1,
                                          (std::min)(most, most_marks));
  }
  constexpr void validate_replacing(const consecutive_failures& /*in_use*/) const noexcept {}
  /// @}
};
static_assert(detector<consecutive_failures>);

}  // namespace brownout::inline BROWNOUT_ABI
