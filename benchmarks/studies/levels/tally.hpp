// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace studies::levels {

/// What is counted in one run. Times in seconds.
struct tally {
  double observed = 0;            ///< length of the run that counts
  double too_good = 0;            ///< the level promised more than was true
  double too_bad = 0;             ///< or less
  double off_in_vain = 0;         ///< feature-seconds, of working features that the right level offers
  double shed = 0;                ///< feature-seconds, of working features that the right level keeps off too
  double on_in_vain = 0;          ///< feature-seconds, of features whose dependency fails
  std::uint64_t changes = 0;      ///< of the level
  std::uint64_t turns = 0;        ///< changes to worse after one to better, or the other way round
  std::uint64_t true_turns = 0;   ///< of the right level
  std::uint64_t requests = 0;     ///< wanted
  std::uint64_t failed = 0;       ///< requests of features that were offered
  std::uint64_t turned_away = 0;  ///< requests of features that were off
  std::uint64_t falls = 0;        ///< times that the right level became worse
  std::uint64_t rises = 0;
  double late_to_fall = 0;  ///< until the level was right, or the right one changed again; sum over all falls
  double late_to_rise = 0;
  bool ends_wrong = false;  ///< in a wrong level

  [[nodiscard]] double wrong() const { return too_good + too_bad; }
  /// Turns that nothing called for.
  [[nodiscard]] std::uint64_t flaps() const { return turns > true_turns ? turns - true_turns : 0; }
};

}  // namespace studies::levels
