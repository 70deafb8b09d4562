// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// What an operator wants of the level.
enum class override_kind : std::uint8_t {
  pin,     ///< exactly this level
  cap,     ///< this level or a worse one
  freeze,  ///< the level that was in force when it was set, whatever health does; before the first assessment
           ///< that is the worst one
};

[[nodiscard]] constexpr std::string_view to_string(override_kind kind) noexcept {
  switch (kind) {
    case override_kind::pin:
      return "pin";
    case override_kind::cap:
      return "cap";
    case override_kind::freeze:
      return "freeze";
  }
  return "invalid";
}

/// An operator's word on the level. It wins over health, and it always ends.
template <degradation_level Level>
struct level_override {
  Level level{};         ///< of a pin or a cap; a freeze is given the level in force
  std::string reason;    ///< why, for the next person on duty; not empty
  std::string actor;     ///< who; not empty
  time_point expires{};  ///< when health decides again; at most `longest` ahead
  override_kind kind = override_kind::pin;

  /// What nobody renews ends: a week, so that a pin set before a long weekend holds and a forgotten one does
  /// not outlive its reason.
  static constexpr duration longest = std::chrono::hours{168};

  /// Throws `std::invalid_argument` for a level that is not on the ladder, an empty reason or actor, or an
  /// expiry that is past or more than `longest` ahead.
  void validate(const level_ladder<Level>& ladder, time_point now) const {
    if (kind != override_kind::freeze && !ladder.holds(level)) {
      detail::invalid_option("level_override.level", std::to_string(static_cast<std::size_t>(level)),
                             "a level of the ladder");
    }
    if (reason.empty()) detail::invalid_option("level_override.reason", "''", "a text");
    if (actor.empty()) detail::invalid_option("level_override.actor", "''", "a text");
    // Compared before they are subtracted: far apart, their distance does not fit into a duration.
    if (expires <= now) detail::invalid_option("level_override.expires", "a time gone by", "in the future");
    if (expires > now + longest) {
      detail::invalid_option("level_override.expires", detail::to_text(expires - now) + " from now",
                             "up to " + detail::to_text(longest) + " from now");
    }
  }

  /// The level in force while health would give `by_health`.
  [[nodiscard]] Level over(Level by_health) const noexcept {
    return kind == override_kind::cap && by_health > level ? by_health : level;
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
