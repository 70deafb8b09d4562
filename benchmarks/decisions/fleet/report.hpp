// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "decisions/fleet/figures.hpp"

#include <cstdio>

namespace decisions::fleet {

/// Tables in Markdown: one a trace.
void print_tables(const figures& found, std::FILE* to);
void print_json(const figures& found, std::FILE* to);

}  // namespace decisions::fleet
