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
  first_assessment,  ///< the first score: the level follows it at once, either way
  health_fell,       ///< the score fell below the level's threshold
  health_recovered,  ///< the score held above a better level's threshold for the dwell
  evidence_lost,     ///< the score was unknown for the dwell: one step towards `panic_floor`
  override_set,      ///< an operator set another level
  override_ended,    ///< the override expired or was taken back
};

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
  }
  return "invalid";
}

/// What would change the level that health gives, seen from one moment.
template <degradation_level Level>
struct level_outlook {
  std::optional<Level> better{};        ///< the next better level; nothing: it is the best
  double better_at = 0;                 ///< the score that must be held for it
  duration better_after{};              ///< for how long, relapses included
  std::optional<duration> better_in{};  ///< what is left of that if the score stays; nothing: it is too low

  bool blind = false;  ///< the score is unknown: better needs no score, only the time

  std::optional<Level> worse{};  ///< the next worse level; nothing: it is the worst
  double worse_below = 0;        ///< a score below this leads there, or further
};

/// One change of the level, with what explains it.
template <degradation_level Level>
struct level_transition {
  Level from{};
  Level to{};
  level_cause cause = level_cause::first_assessment;
  std::optional<double> score{};      ///< at that moment; nothing when unknown
  std::optional<double> threshold{};  ///< fallen below, or held; nothing when no score decided
  duration held{};                    ///< for how long, of an improvement
  level_outlook<Level> next{};        ///< what would change it again
  time_point at{};
  bool dry_run = false;  ///< it was only noted: requests go on seeing the best level
};

}  // namespace brownout::inline BROWNOUT_ABI
