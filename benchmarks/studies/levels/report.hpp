// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/figures.hpp"

#include <cstdio>

namespace studies::levels {

/// Tables in Markdown: all figures as means over the traces of a group, the most telling ones by trace, and
/// the best peer of each trace.
void print_tables(const figures& found, std::FILE* to);
void print_json(const figures& found, std::FILE* to);

}  // namespace studies::levels
