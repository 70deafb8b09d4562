// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// How a guarded call ended, as the caller judges it.
enum class outcome : std::uint8_t {
  success,    ///< the dependency did its job
  failure,    ///< the dependency did not: error, time-out, refusal
  ignored,    ///< ended, but is no evidence about the dependency (for example a bad request)
  cancelled,  ///< given up by the caller before it ended
};

/// What happened to a reported outcome.
enum class disposition : std::uint8_t {
  counted,   ///< it entered the statistics, and may have changed the state
  late,      ///< its epoch was over (or the permit already settled): neither state nor statistics changed
  released,  ///< nothing was counted: ignored, cancelled, or a call within a probe, which the probe decides
};

/// The outcome in a word: "success".
[[nodiscard]] constexpr std::string_view to_string(outcome value) noexcept {
  switch (value) {
    case outcome::success:
      return "success";
    case outcome::failure:
      return "failure";
    case outcome::ignored:
      return "ignored";
    case outcome::cancelled:
      return "cancelled";
  }
  return "invalid";
}

/// The disposition in a word: "counted".
[[nodiscard]] constexpr std::string_view to_string(disposition value) noexcept {
  switch (value) {
    case disposition::counted:
      return "counted";
    case disposition::late:
      return "late";
    case disposition::released:
      return "released";
  }
  return "invalid";
}

}  // namespace brownout::inline BROWNOUT_ABI
