// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/client/figures.hpp"
#include "studies/client/goals.hpp"

#include <cstdio>
#include <vector>

namespace studies {

/// Tables in Markdown that are readable as text: who was wrong how often and how, the best peer of each
/// trace, and the ranking by weight.
void print_tables(const figures& found, std::FILE* to);
void print_goals(const std::vector<goal>& goals, std::FILE* to);
void print_json(const figures& found, std::FILE* to);

}  // namespace studies
