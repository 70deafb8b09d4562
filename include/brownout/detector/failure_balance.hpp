// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/transition_cause.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// Trips when a balance reaches `threshold`. A failure raises the balance by one and a success lowers it by
/// one, but never below 0.
///
/// It finds failures that are more than half of the calls, without a window and without a clock. Below half
/// the balance falls back to 0 again and again; above half it climbs by the surplus of failures. The balance
/// is stored in the circuit's control word. A success on a circuit whose balance is 0 writes nothing.
struct failure_balance {
  static constexpr std::uint32_t most = 1'000'000;  ///< the highest `threshold`

  /// The balance that opens the circuit.
  /// Range: 1 to 1,000,000; fewer as part of an `any_of`, see there.
  /// Default: 20, which 100 calls reach when 60 % of them fail. A share p of failures below half reaches it
  /// by chance, each time that the balance leaves 0, with a probability of about (p / (1 - p))^20 (gambler's
  /// ruin): 6e-8 at 30 %.
  std::uint32_t threshold = 20;

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
  [[nodiscard]] constexpr judgement judge(no_evidence /*none*/, std::uint32_t balance,
                                          const call_sample& call, std::uint32_t most_marks) const noexcept {
    if (call.in_flight) return {balance};
    if (!call.failed) return {balance == 0 ? 0 : balance - 1};
    return {(std::min)({balance + 1, most, most_marks}), balance + 1 >= threshold,
            transition_cause::failure_balance};
  }
  [[nodiscard]] constexpr epoch_statistics statistics(no_evidence /*none*/, std::uint32_t balance,
                                                      std::uint32_t /*most_marks*/) const noexcept {
    return {.failure_balance = balance};
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  constexpr void validate(std::uint32_t most_marks = most) const {
    detail::require_within<std::uint32_t>("failure_balance.threshold", threshold, 1,
                                          (std::min)(most, most_marks));
  }
  constexpr void validate_replacing(const failure_balance& /*in_use*/) const noexcept {}
  /// @}
};

}  // namespace brownout::inline BROWNOUT_ABI
