// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/client/figures.hpp"

#include <string>

namespace studies {

/// Writes into a directory that exists:
/// - `policies.svg`: how often each policy was wrong, and which way, mean over the listed traces;
/// - `traces.svg`: in which traces.
void write_plots(const figures& found, const std::string& directory);

}  // namespace studies
