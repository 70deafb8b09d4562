// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/version.hpp"

#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// The result of one step.
template <degradation_level Level>
struct step_plan {
  std::vector<probe_order> probes{};  ///< probes to run now, each on its own thread, and to report
  time_point next{};                  ///< when to step again, if no probe is reported before
  std::vector<circuit_change> circuit_changes{};             ///< since the last step, oldest first
  std::vector<explained_transition<Level>> level_changes{};  ///< since the last step, oldest first
};

}  // namespace brownout::inline BROWNOUT_ABI
