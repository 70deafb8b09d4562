// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// Why a level changed.
enum class level_cause : std::uint8_t {
  first_assessment,  ///< the first score; the level follows it at once, up or down
  health_fell,       ///< the score fell below the level's threshold
  health_recovered,  ///< the score stayed at a better level's entry score for the dwell
  evidence_lost,     ///< the score was unknown for the dwell; one step towards `panic_floor`
  override_set,      ///< an operator set another level
  override_ended,    ///< an override expired or was cleared
  reconfigured,      ///< a dry run began or ended
};

/// The name of the cause.
[[nodiscard]] constexpr std::string_view to_string(level_cause cause) noexcept {
  switch (cause) {
    case level_cause::first_assessment:
      return "first_assessment";
    case level_cause::health_fell:
      return "health_fell";
    case level_cause::health_recovered:
      return "health_recovered";
    case level_cause::evidence_lost:
      return "evidence_lost";
    case level_cause::override_set:
      return "override_set";
    case level_cause::override_ended:
      return "override_ended";
    case level_cause::reconfigured:
      return "reconfigured";
  }
  return "invalid";
}

/// What would change the level that health gives, at one moment.
template <degradation_level Level>
struct level_outlook {
  std::optional<Level> better{};  ///< the next better level; empty at the best level
  double better_at = 0;           ///< the score that must be held to reach it
  duration better_after{};        ///< how long the score must be held; grows with relapses
  std::optional<duration>
      better_in{};  ///< how much of that time is left if the score stays; empty when the score is too low

  bool blind = false;  ///< the score is unknown, and the level climbs without one

  std::optional<Level> worse{};        ///< the next worse level; empty at the worst level
  double worse_below = 0;              ///< a score below this for `worse_after` leaves the level
  duration worse_after{};              ///< how long the score must stay below it
  std::optional<duration> worse_in{};  ///< how much of that time is left; empty: the score is not below it
};

/// One change of the level, and its explanation.
template <degradation_level Level>
struct level_transition {
  Level from{};                                       ///< the level before
  Level to{};                                         ///< the level now
  level_cause cause = level_cause::first_assessment;  ///< why
  std::optional<double> score{};                      ///< at that moment; empty when unknown
  std::optional<double>
      threshold{};              ///< the score that was fallen below, or held; empty when no score decided
  duration held{};              ///< of an improvement: how long the threshold was held
  level_outlook<Level> next{};  ///< what would change it again
  time_point at{};              ///< when, on the clock of the supervisor
  bool dry_run = false;         ///< only recorded: requests still see the best level
};

}  // namespace brownout::inline BROWNOUT_ABI
