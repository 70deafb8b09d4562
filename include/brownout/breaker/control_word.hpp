// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"

#include <cstdint>

namespace brownout::detail {

/// Everything that decides about a call, in one 64-bit word, so that a transition is one compare-and-swap:
///
///     63..61 state | 60..24 epoch | 23..0 payload
///     payload, closed and metrics_only:  consecutive failures
///     payload, half_open:                23..16 admissions mod 256 | 15..8 succeeded | 7..0 in use
///
/// "In use" counts probes admitted and not given back, so in flight = in use - succeeded.
///
/// The epoch does not wrap in practice. It has 37 bits, and a stale permit could be mistaken for a current
/// one only if it were held across exactly 2^37 transitions. The fastest that calls can drive is three
/// transitions per open period of at least 1 ms: 1.4 years. An operator in a tight loop needs at least 40 ns
/// for each (a clock reading and a compare-and-swap): an hour and a half of nothing else, with the permit
/// held throughout.
struct control_word {
  static constexpr int payload_bits = 24;
  static constexpr int epoch_bits = 37;
  static constexpr std::uint64_t payload_mask = (std::uint64_t{1} << payload_bits) - 1;
  static constexpr std::uint64_t epoch_limit = (std::uint64_t{1} << epoch_bits) - 1;
  static constexpr std::uint64_t epoch_mask = epoch_limit << payload_bits;

  std::uint64_t bits = 0;

  static constexpr control_word of(circuit_state state, std::uint64_t epoch, std::uint64_t payload) noexcept {
    return {static_cast<std::uint64_t>(state) << (payload_bits + epoch_bits) |
            (epoch & epoch_limit) << payload_bits | payload};
  }
  static constexpr control_word half_open(std::uint64_t epoch, std::uint64_t admissions,
                                          std::uint64_t succeeded, std::uint64_t in_use) noexcept {
    return of(circuit_state::half_open, epoch, (admissions & 0xff) << 16 | succeeded << 8 | in_use);
  }

  [[nodiscard]] constexpr circuit_state state() const noexcept {
    return static_cast<circuit_state>(bits >> (payload_bits + epoch_bits));
  }
  [[nodiscard]] constexpr std::uint64_t epoch() const noexcept { return (bits & epoch_mask) >> payload_bits; }
  [[nodiscard]] constexpr std::uint32_t failures() const noexcept {
    return static_cast<std::uint32_t>(bits & payload_mask);
  }
  [[nodiscard]] constexpr std::uint32_t in_use() const noexcept {
    return static_cast<std::uint32_t>(bits & 0xff);
  }
  [[nodiscard]] constexpr std::uint32_t succeeded() const noexcept {
    return static_cast<std::uint32_t>(bits >> 8 & 0xff);
  }
  [[nodiscard]] constexpr std::uint32_t admissions() const noexcept {
    return static_cast<std::uint32_t>(bits >> 16 & 0xff);
  }

  /// Closed without failures, whatever the epoch: the one case in which a call costs two loads. `closed` is
  /// 0, so this is a single mask test.
  [[nodiscard]] constexpr bool is_clean() const noexcept { return (bits & ~epoch_mask) == 0; }

  /// State and epoch, without the payload: what a permit must match to count.
  [[nodiscard]] constexpr std::uint64_t era() const noexcept { return bits >> payload_bits; }

  /// This word's era with a payload that no breaker reaches: a permit that can't take the two-load shortcut.
  [[nodiscard]] constexpr control_word without_shortcut() const noexcept { return {bits | payload_mask}; }

  /// Names the moment that deadlines are counted from, in 12 bits: changes with every epoch and every
  /// half-open admission. An epoch moves it by more than all of an epoch's admissions do, and by an odd
  /// number, so that it takes 4096 epochs to come round.
  [[nodiscard]] constexpr std::uint32_t moment_key() const noexcept {
    const std::uint64_t admission = state() == circuit_state::half_open ? admissions() : 0;
    return static_cast<std::uint32_t>((epoch() * 257 + admission) & 0xfff);
  }

  [[nodiscard]] constexpr control_word with_failures(std::uint32_t count) const noexcept {
    return of(state(), epoch(), count);
  }
  [[nodiscard]] constexpr control_word with_admission() const noexcept {
    return half_open(epoch(), admissions() + 1, succeeded(), in_use() + 1);
  }
  [[nodiscard]] constexpr control_word with_success() const noexcept {
    return half_open(epoch(), admissions(), succeeded() + 1, in_use());
  }
  [[nodiscard]] constexpr control_word with_give_back() const noexcept {
    return half_open(epoch(), admissions(), succeeded(), in_use() - 1);
  }
  [[nodiscard]] constexpr control_word next_epoch(circuit_state state) const noexcept {
    return state == circuit_state::half_open ? half_open(epoch() + 1, 1, 0, 1) : of(state, epoch() + 1, 0);
  }

  friend constexpr bool operator==(control_word, control_word) noexcept = default;
};

static_assert(circuit_state_count <= 1 << (64 - control_word::payload_bits - control_word::epoch_bits));
static_assert(static_cast<int>(circuit_state::closed) == 0);

}  // namespace brownout::detail
