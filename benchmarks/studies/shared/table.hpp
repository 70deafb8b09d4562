// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace studies {

using row = std::vector<std::string>;

/// A table in Markdown that is readable as text. The first row is the title; the first column is words, the
/// others are figures.
void print_table(const std::vector<row>& rows, std::FILE* to);

}  // namespace studies
