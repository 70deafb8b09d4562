// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The state of an adaptive limit, as one 64-bit number:
///
///     63..40  epoch: the number of changes of the limit
///     39..20  limit of calls in flight
///     19..0   calls in flight
///
/// The epoch begins again at 0 after 2^24 changes. There are at most ten changes a second, so this takes 19
/// days. A call that began so many changes ago would be taken for a call of the present epoch.
struct limit_word {
  static constexpr int limit_at = 20;
  static constexpr int epoch_at = 40;
  static constexpr std::uint32_t most = (1U << 20) - 1;
  static constexpr std::uint32_t epochs = 1U << 24;
  static constexpr std::uint64_t one_call = 1;
  static constexpr std::uint64_t minus_one_call = 0 - one_call;

  std::uint64_t bits = 0;

  [[nodiscard]] static constexpr limit_word of(std::uint32_t epoch, std::uint32_t limit,
                                               std::uint32_t in_flight) noexcept {
    return {std::uint64_t{epoch % epochs} << epoch_at | std::uint64_t{limit} << limit_at | in_flight};
  }
  [[nodiscard]] constexpr std::uint32_t in_flight() const noexcept {
    return static_cast<std::uint32_t>(bits & most);
  }
  [[nodiscard]] constexpr std::uint32_t limit() const noexcept {
    return static_cast<std::uint32_t>(bits >> limit_at & most);
  }
  [[nodiscard]] constexpr std::uint32_t epoch() const noexcept {
    return static_cast<std::uint32_t>(bits >> epoch_at);
  }

  /// With this limit, in the next epoch.
  [[nodiscard]] constexpr limit_word with(std::uint32_t limit) const noexcept {
    return of(epoch() + 1, limit, in_flight());
  }
  /// Whether calls take at least nine tenths of the limit.
  [[nodiscard]] constexpr bool is_nearly_full() const noexcept {
    return std::uint64_t{in_flight()} * 10 >= std::uint64_t{limit()} * 9;
  }
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
