// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "decisions/fleet/figures.hpp"

#include <string>

namespace decisions::fleet {

/// Writes into a directory that exists:
/// - `decisions-fleet.svg`: how often each policy was wrong, by trace;
/// - `decisions-fleet-useful.svg`: what an overloaded dependency gets done, mean over the traces.
/// Of each only if a trace measures it.
void write_plots(const figures& found, const std::string& directory);

}  // namespace decisions::fleet
