// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/goal.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace studies::guards {

/// What a part of the study is to do.
struct part_request {
  std::optional<std::uint64_t> seeds{};  ///< runs of each scene or trace; empty: the part decides
  bool held_out = false;                 ///< only what nothing was tuned on
  std::vector<std::string> traces{};     ///< of retries, only these; empty: all
  std::vector<std::string> policies{};   ///< for retries, these beside ours and no retry; empty: all
  std::size_t fleet = 0;                 ///< of retries, only the fleet of so many clients; 0: all
  std::string judged{};                  ///< a policy to be judged in place of ours; empty: ours
  std::string plots{};                   ///< a directory for plots; empty: none
};

}  // namespace studies::guards
