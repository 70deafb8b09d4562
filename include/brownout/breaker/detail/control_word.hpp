// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Everything that decides about a call, in one 64-bit word, so that a transition is one compare-and-swap. It
/// is loaded and replaced in `circuit.hpp`.
///
///     63..61 state | 60..24 epoch | 23..0 payload
///     payload, closed and metrics_only:  23 begun by an operator | 22..0 the detector's marks
///     payload, open:                     23 begins an outage | 22..12 calls refused
///                                        | 11..0 retry_after, in 100 ms
///     payload, forced_open, disabled:    23 set | 22..0 how long, in 100 ms; 0: until an operator ends it
///     payload, half_open, probing:       23 clear | 22..16 admissions mod 128 | 15..8 succeeded
///                                        | 7..0 in flight
///     payload, half_open, by rate:       23 set | 22..20 admissions mod 8 | 19..15 slow | 14..10 failed
///                                        | 9..5 succeeded | 4..0 in flight
///     payload, half_open, on the ramp:   23..20 admissions mod 16 | 19..16 succeeded in a row
///                                        | 15..8 limit | 7..0 in flight
///
/// Half-open, each probe decides by itself, or all probes of the epoch decide together by their failure rate.
/// The ramp is a separate state in the word (6) and is shown as half-open.
///
/// The epoch does not wrap in practice. It has 37 bits, and a stale permit could be mistaken for a current
/// one only if it were held across exactly 2^37 transitions. Calls can cause at most four transitions for
/// each open period of at least 0.5 ms: that takes half a year. An operator in a tight loop needs 40 ns for
/// each transition (a clock reading and a compare-and-swap). So 2^37 transitions take an hour and a half of
/// nothing else, while the permit is held all the time.
struct control_word {
  static constexpr int payload_bits = 24;
  static constexpr int epoch_bits = 37;
  static constexpr std::uint64_t payload_mask = (std::uint64_t{1} << payload_bits) - 1;
  static constexpr std::uint64_t epoch_limit = (std::uint64_t{1} << epoch_bits) - 1;
  static constexpr std::uint64_t epoch_mask = epoch_limit << payload_bits;
  static constexpr std::uint64_t flag = std::uint64_t{1} << (payload_bits - 1);
  static constexpr std::uint64_t ramping = circuit_state_count;

  /// The highest marks of a detector: all bits but one. Marks with all bits set are not allowed: they are in
  /// the word of permits without the shortcut.
  static constexpr std::uint32_t most_marks = (1U << (payload_bits - 1)) - 2;
  static constexpr std::uint32_t most_refused = (1U << 11) - 1;
  static constexpr std::uint32_t most_retry_after = (1U << 12) - 1;
  static constexpr std::uint32_t most_limit = 255;
  static constexpr std::uint32_t most_rated = 31;  // probes that decide together
  static constexpr duration unit = std::chrono::milliseconds{100};
  static constexpr duration longest_held = unit * ((std::int64_t{1} << (payload_bits - 1)) - 1);  // 9.7 days

  std::uint64_t bits = 0;

  static constexpr control_word of_code(std::uint64_t code, std::uint64_t epoch,
                                        std::uint64_t payload) noexcept {
    return {code << (payload_bits + epoch_bits) | (epoch & epoch_limit) << payload_bits | payload};
  }
  static constexpr control_word of(circuit_state state, std::uint64_t epoch, std::uint64_t payload) noexcept {
    return of_code(static_cast<std::uint64_t>(state), epoch, payload);
  }
  static constexpr control_word half_open(std::uint64_t epoch, std::uint64_t admissions,
                                          std::uint64_t succeeded, std::uint64_t in_flight) noexcept {
    return of(circuit_state::half_open, epoch, (admissions & 0x7f) << 16 | succeeded << 8 | in_flight);
  }
  static constexpr control_word by_rate(std::uint64_t epoch, std::uint64_t admissions, std::uint64_t slow,
                                        std::uint64_t failed, std::uint64_t succeeded,
                                        std::uint64_t in_flight) noexcept {
    return of(circuit_state::half_open, epoch,
              flag | (admissions & 7) << 20 | slow << 15 | failed << 10 | succeeded << 5 | in_flight);
  }
  static constexpr control_word on_ramp(std::uint64_t epoch, std::uint64_t admissions,
                                        std::uint64_t succeeded, std::uint64_t limit,
                                        std::uint64_t in_flight) noexcept {
    return of_code(ramping, epoch, (admissions & 0xf) << 20 | succeeded << 16 | limit << 8 | in_flight);
  }

  [[nodiscard]] constexpr std::uint64_t code() const noexcept { return bits >> (payload_bits + epoch_bits); }
  [[nodiscard]] constexpr bool is_ramping() const noexcept { return code() == ramping; }
  [[nodiscard]] constexpr circuit_state state() const noexcept {
    return is_ramping() ? circuit_state::half_open : static_cast<circuit_state>(code());
  }
  [[nodiscard]] constexpr std::uint64_t epoch() const noexcept { return (bits & epoch_mask) >> payload_bits; }

  /// Cheaper than a comparison with state(), which checks for the ramp first. Not for half_open, because that
  /// has two codes.
  [[nodiscard]] constexpr bool is(circuit_state other) const noexcept {
    return code() == static_cast<std::uint64_t>(other);
  }
  /// Whether calls are counted: closed or metrics_only.
  [[nodiscard]] constexpr bool measures() const noexcept {
    return is(circuit_state::closed) || is(circuit_state::metrics_only);
  }

  // Closed and metrics_only.
  [[nodiscard]] constexpr std::uint32_t marks() const noexcept {
    return static_cast<std::uint32_t>(bits & (flag - 1));
  }
  [[nodiscard]] constexpr bool is_begun_by_operator() const noexcept { return (bits & flag) != 0; }

  // Half-open, all kinds.
  [[nodiscard]] constexpr bool is_by_rate() const noexcept {
    return is(circuit_state::half_open) && (bits & flag) != 0;
  }
  [[nodiscard]] constexpr std::uint32_t in_flight() const noexcept {
    return static_cast<std::uint32_t>(bits & (is_by_rate() ? 0x1f : 0xff));
  }
  [[nodiscard]] constexpr std::uint32_t succeeded() const noexcept {
    if (is_by_rate()) return static_cast<std::uint32_t>(bits >> 5 & 0x1f);
    return static_cast<std::uint32_t>(is_ramping() ? bits >> 16 & 0xf : bits >> 8 & 0xff);
  }
  [[nodiscard]] constexpr std::uint32_t admissions() const noexcept {
    if (is_by_rate()) return static_cast<std::uint32_t>(bits >> 20 & 7);
    return static_cast<std::uint32_t>(is_ramping() ? bits >> 20 & 0xf : bits >> 16 & 0x7f);
  }
  // Half-open, by rate. A slow call that failed counts as both.
  [[nodiscard]] constexpr std::uint32_t failed() const noexcept {
    return is_by_rate() ? static_cast<std::uint32_t>(bits >> 10 & 0x1f) : 0;
  }
  [[nodiscard]] constexpr std::uint32_t slow() const noexcept {
    return is_by_rate() ? static_cast<std::uint32_t>(bits >> 15 & 0x1f) : 0;
  }
  // Half-open, on the ramp.
  [[nodiscard]] constexpr std::uint32_t limit() const noexcept {
    return static_cast<std::uint32_t>(bits >> 8 & 0xff);
  }

  // Open.
  [[nodiscard]] constexpr bool begins_outage() const noexcept { return (bits & flag) != 0; }
  [[nodiscard]] constexpr std::uint32_t refused() const noexcept {
    return static_cast<std::uint32_t>(bits >> 12 & most_refused);
  }
  [[nodiscard]] constexpr duration retry_after() const noexcept {
    return unit * static_cast<std::int64_t>(bits & most_retry_after);
  }

  // Forced open and disabled.
  [[nodiscard]] constexpr bool is_held_for_ever() const noexcept { return (bits & (flag - 1)) == 0; }
  [[nodiscard]] constexpr duration held_for() const noexcept {
    return unit * static_cast<std::int64_t>(bits & (flag - 1));
  }

  /// Refuses every call until an operator ends the hold. There is no deadline to check.
  [[nodiscard]] constexpr bool refuses_all() const noexcept {
    return (bits & ~(epoch_mask | flag)) == of(circuit_state::forced_open, 0, 0).bits;
  }
  [[nodiscard]] constexpr bool admits_all() const noexcept {
    return measures() || (is(circuit_state::disabled) && is_held_for_ever());
  }

  /// Closed with marks of 0, in any epoch. This is the only case in which a call costs two loads. `closed` is
  /// 0, so this is a single mask test.
  [[nodiscard]] constexpr bool is_clean() const noexcept { return (bits & ~(epoch_mask | flag)) == 0; }

  /// State and epoch, without the payload: what a permit must match to count.
  [[nodiscard]] constexpr std::uint64_t era() const noexcept { return bits >> payload_bits; }

  /// This word's era with a payload that no breaker reaches: a permit that can't take the two-load shortcut.
  [[nodiscard]] constexpr control_word without_shortcut() const noexcept { return {bits | payload_mask}; }

  /// Names the moment that deadlines are counted from, in 12 bits: changes with every epoch and every
  /// half-open admission. A new epoch adds more than all admissions of one epoch can add, and it adds an odd
  /// number, so that the key repeats only after 4096 epochs. Within an epoch it repeats after as many
  /// admissions as the word counts: 128, by rate 8, and on the ramp 16.
  [[nodiscard]] constexpr std::uint32_t moment_key() const noexcept {
    const std::uint64_t admission = state() == circuit_state::half_open ? admissions() : 0;
    return static_cast<std::uint32_t>((epoch() * 257 + admission) & 0xfff);
  }

  [[nodiscard]] constexpr control_word with_marks(std::uint32_t marks) const noexcept {
    return {(bits & ~(flag - 1)) | marks};
  }
  /// Forced open or disabled: held for another length of time, counted from the beginning of the hold and
  /// rounded up. Zero: for ever.
  [[nodiscard]] constexpr control_word with_held_for(duration how_long) const noexcept {
    return {(bits & ~(flag - 1)) | units(how_long)};
  }
  [[nodiscard]] constexpr control_word with_refusal() const noexcept {
    return {bits + (std::uint64_t{1} << 12)};
  }
  [[nodiscard]] constexpr control_word with_admission() const noexcept {
    if (is_ramping()) return on_ramp(epoch(), admissions() + 1, succeeded(), limit(), in_flight() + 1);
    if (!is_by_rate()) return half_open(epoch(), admissions() + 1, succeeded(), in_flight() + 1);
    return by_rate(epoch(), admissions() + 1, slow(), failed(), succeeded(), in_flight() + 1);
  }
  [[nodiscard]] constexpr control_word with_give_back() const noexcept { return {bits - 1}; }
  /// Probing: a call succeeded.
  [[nodiscard]] constexpr control_word with_success() const noexcept {
    return half_open(epoch(), admissions(), succeeded() + 1, in_flight() - 1);
  }
  /// By rate: a call ended.
  [[nodiscard]] constexpr control_word with_result(bool has_failed, bool was_slow) const noexcept {
    return by_rate(epoch(), admissions(), slow() + (was_slow ? 1 : 0), failed() + (has_failed ? 1 : 0),
                   succeeded() + (has_failed ? 0 : 1), in_flight() - 1);
  }
  /// On the ramp: a call ended. `streak` and `limit` are the new streak of successes and the new limit.
  [[nodiscard]] constexpr control_word with_end(std::uint32_t streak, std::uint32_t limit) const noexcept {
    return on_ramp(epoch(), admissions(), streak, limit, in_flight() - 1);
  }
  /// On the ramp: a call was refused, so the streak of successes begins again at 0.
  [[nodiscard]] constexpr control_word with_no_streak() const noexcept {
    return on_ramp(epoch(), admissions(), 0, limit(), in_flight());
  }

  [[nodiscard]] constexpr control_word next_closed(std::uint32_t marks) const noexcept {
    return of(circuit_state::closed, epoch() + 1, marks);
  }
  /// Held by an operator: with marks, or for a length of time, which is rounded up.
  [[nodiscard]] constexpr control_word next_held(circuit_state state, std::uint32_t marks) const noexcept {
    return of(state, epoch() + 1, flag | marks);
  }
  [[nodiscard]] constexpr control_word next_held(circuit_state state, duration how_long) const noexcept {
    return of(state, epoch() + 1, flag | units(how_long));
  }
  [[nodiscard]] constexpr control_word next_half_open() const noexcept {
    return half_open(epoch() + 1, 1, 0, 1);
  }
  [[nodiscard]] constexpr control_word next_by_rate() const noexcept {
    return by_rate(epoch() + 1, 1, 0, 0, 0, 1);
  }
  [[nodiscard]] constexpr control_word next_on_ramp(std::uint32_t limit) const noexcept {
    return on_ramp(epoch() + 1, 0, 0, limit, 0);
  }
  /// `retry_after`: the wait that the failed call asked for, at most `breaker_options::most_retry_after`;
  /// rounded up.
  [[nodiscard]] constexpr control_word next_open(bool begins_outage, duration retry_after) const noexcept {
    return of(circuit_state::open, epoch() + 1, (begins_outage ? flag : 0) | units(retry_after));
  }

  static constexpr std::uint64_t units(duration time) noexcept {
    return static_cast<std::uint64_t>((time + unit - duration{1}) / unit);
  }

  friend constexpr bool operator==(control_word, control_word) noexcept = default;
};

static_assert(control_word::ramping < 1 << (64 - control_word::payload_bits - control_word::epoch_bits));
static_assert(static_cast<int>(circuit_state::closed) == 0);

}  // namespace brownout::inline BROWNOUT_ABI::detail
