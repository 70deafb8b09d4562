// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/version.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The word of a permit that belongs to `held_places`. It replaces the circuit's word in the permit:
///
///     63..61 7 | 60..24 epoch | 2 rides | 1 on the ramp | 0 holds a place
///
/// No state of a circuit has the code 7. So a ticket never equals a circuit's word and never has the era of
/// one.
struct ticket {
  static constexpr std::uint64_t code = 7;
  static constexpr std::uint64_t holds = 1;
  static constexpr std::uint64_t ramps = 2;
  static constexpr std::uint64_t rides = 4;
  static_assert(code > control_word::ramping);

  /// The ticket of a guarded call that holds a place of the half-open `word`.
  static constexpr control_word of_holder(control_word word) noexcept {
    return control_word::of_code(code, word.epoch(), word.is_ramping() ? holds | ramps : holds);
  }
  /// The ticket of a call within such a call.
  static constexpr control_word of_rider(control_word word) noexcept {
    return control_word::of_code(code, word.epoch(), rides);
  }
  static constexpr bool is_holder(control_word token) noexcept {
    return token.code() == code && (token.bits & holds) != 0;
  }
  static constexpr bool is_rider(control_word token) noexcept {
    return token.code() == code && (token.bits & rides) != 0;
  }
  /// The word that the holder's permit would have without a ticket.
  static constexpr control_word word_of(control_word holder) noexcept {
    const auto half_open = static_cast<std::uint64_t>(circuit_state::half_open);
    return control_word::of_code((holder.bits & ramps) != 0 ? control_word::ramping : half_open,
                                 holder.epoch(), control_word::payload_mask);
  }
};

/// The places of half-open circuits that guarded calls of this thread hold.
///
/// A call within such a call rides on its place if the circuit has no free place. If the inner call were
/// refused, the outer call would count as nothing, and a circuit with nested calls only would never close. A
/// call that rides takes no place, and its outcome counts as nothing.
///
/// The calls of a thread end in the reverse order of their beginning, but stackful coroutines that share a
/// thread do not keep that order, and may end a call on another thread than it began on. So entries are
/// values and do not point to a stack frame. A lost entry only causes one call to be refused. Few calls ride
/// on a place at once, because a coroutine beside the outer call looks like a call within it.
///
/// A permit by hand may ride and outlive the outer call. Its ride then counts among those of the next holder,
/// so no more calls are in flight than that. If it is settled on another thread, its ride counts until the
/// epoch ends.
class held_places {
 public:
  static constexpr std::size_t most_breakers = 8;  ///< at once; a further one takes the oldest entry
  static constexpr std::uint32_t most_riders = 8;  ///< on one place at once

  [[nodiscard]] static held_places& of_this_thread() noexcept {
    constinit thread_local held_places places{};
    return places;
  }

  /// A guarded call takes a place of the half-open `word`. Returns the word for its permit.
  [[nodiscard]] control_word enter(const void* breaker, control_word word) noexcept {
    place* free = nullptr;
    for (auto& one : places_) {
      if (one.breaker == breaker) {
        // An entry of another epoch is replaced, and no further call rides on it.
        if (one.epoch != word.epoch()) one = {breaker, word.epoch()};
        // An outer call has a place of this epoch: calls within both calls ride on that place.
        if (one.is_held) return word;
        one.is_held = true;
        return ticket::of_holder(word);
      }
      if (one.breaker == nullptr) free = &one;
    }
    if (free == nullptr) free = &places_[next_++ % most_breakers];
    *free = {breaker, word.epoch(), true};
    return ticket::of_holder(word);
  }

  /// For a call for which the half-open `word` has no place. Returns the word for its permit if the call may
  /// ride.
  [[nodiscard]] std::optional<control_word> ride(const void* breaker, control_word word) noexcept {
    auto* const held = find(breaker, word.epoch());
    if (held == nullptr || !held->is_held || held->riders == most_riders) return std::nullopt;
    ++held->riders;
    return ticket::of_rider(word);
  }

  /// A call has ended. Returns the word that its permit would have without a ticket. The ticket of a rider is
  /// returned unchanged.
  [[nodiscard]] control_word leave(const void* breaker, control_word token) noexcept {
    if (token.code() != ticket::code) return token;
    auto* const held = find(breaker, token.epoch());
    if (ticket::is_rider(token)) {
      if (held != nullptr && held->riders > 0) --held->riders;
    } else if (held != nullptr) {
      held->is_held = false;
    }
    if (held != nullptr && !held->is_held && held->riders == 0) *held = {};
    return ticket::is_rider(token) ? token : ticket::word_of(token);
  }

 private:
  struct place {
    const void* breaker = nullptr;  // null: free
    std::uint64_t epoch = 0;
    bool is_held = false;  // by a call that has not ended
    std::uint32_t riders = 0;
  };

  [[nodiscard]] place* find(const void* breaker, std::uint64_t epoch) noexcept {
    for (auto& one : places_) {
      if (one.breaker == breaker && one.epoch == epoch) return &one;
    }
    return nullptr;
  }

  std::array<place, most_breakers> places_{};
  std::uint32_t next_ = 0;  // the entry that is replaced when all are in use
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
