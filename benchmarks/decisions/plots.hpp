// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "decisions/figures.hpp"

#include <string>

namespace decisions {

/// Writes into a directory that exists:
/// - `decisions-policies.svg`: how often each policy was wrong, and which way, mean over the listed traces;
/// - `decisions-traces.svg`: in which traces.
void write_plots(const figures& found, const std::string& directory);

}  // namespace decisions
