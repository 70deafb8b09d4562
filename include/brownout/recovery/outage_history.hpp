// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <string>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// One outage that is over.
struct outage_record {
  duration length{};  ///< how long it lasted
  bool ended = true;  ///< false: it was cut short, and its full length is unknown

  friend constexpr bool operator==(const outage_record&, const outage_record&) noexcept = default;
};

/// The outages of one dependency, the oldest first. Plain numbers: save them in any form before a restart,
/// and restore them after it, so that predictions do not begin anew.
struct outage_history {
  std::string dependency{};              ///< name of the dependency
  std::vector<outage_record> outages{};  ///< its outages, the oldest first

  friend bool operator==(const outage_history&, const outage_history&) = default;
};

}  // namespace brownout::inline BROWNOUT_ABI
