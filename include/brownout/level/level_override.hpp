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

/// What an override does to the level.
enum class override_kind : std::uint8_t {
  pin,     ///< exactly this level
  cap,     ///< this level or a worse one
  freeze,  ///< the level that was in force when the override was set; before the first assessment that is the
           ///< worst level
};

/// The name of the kind.
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

/// An operator's decision about the level. It wins over health, and it always expires.
template <degradation_level Level>
struct level_override {
  Level level{};         ///< of a pin or a cap; the controller fills in the level of a freeze
  std::string reason;    ///< why, for the next operator; not empty
  std::string actor;     ///< who set it; not empty
  time_point expires{};  ///< when health decides again; at most `longest` from now
  override_kind kind = override_kind::pin;  ///< what the override does with the level

  /// An override lasts at most a week. A pin set before a long weekend then holds until it is over, and a
  /// forgotten one ends by itself.
  static constexpr duration longest = std::chrono::hours{168};

  /// Throws `std::invalid_argument` when the level is not on the ladder, when reason or actor is empty, and
  /// when the expiry has passed or is more than `longest` ahead.
  void validate(const level_ladder<Level>& ladder, time_point now) const {
    if (kind != override_kind::freeze && !ladder.holds(level)) {
      detail::invalid_option("level_override.level", std::to_string(static_cast<std::size_t>(level)),
                             "a level of the ladder");
    }
    if (reason.empty()) detail::invalid_option("level_override.reason", "''", "a text");
    if (actor.empty()) detail::invalid_option("level_override.actor", "''", "a text");
    // Compared before they are subtracted: the distance of two far moments does not fit into a duration.
    if (expires <= now)
      detail::invalid_option("level_override.expires", "a time that has passed", "a time in the future");
    if (expires > now + longest) {
      detail::invalid_option("level_override.expires", detail::to_text(expires - now) + " from now",
                             "up to " + detail::to_text(longest) + " from now");
    }
  }

  /// The level in force when health alone would give `by_health`.
  [[nodiscard]] Level over(Level by_health) const noexcept {
    return kind == override_kind::cap && by_health > level ? by_health : level;
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
