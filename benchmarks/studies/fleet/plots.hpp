// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/fleet/figures.hpp"

#include <string>

namespace studies::fleet {

/// Writes into a directory that exists:
/// - `fleet.svg`: how often each policy was wrong, by trace;
/// - `fleet-useful.svg`: what an overloaded dependency gets done, mean over the traces.
/// Of each only if a trace measures it.
void write_plots(const figures& found, const std::string& directory);

}  // namespace studies::fleet
