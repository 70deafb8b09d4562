// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/fleet/figures.hpp"

#include <cstdio>

namespace studies::fleet {

/// Tables in Markdown: one a trace.
void print_tables(const figures& found, std::FILE* to);
void print_json(const figures& found, std::FILE* to);

}  // namespace studies::fleet
