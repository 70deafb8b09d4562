// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "harness/measuring.hpp"
#include "harness/scenario.hpp"

#include <cstdio>
#include <vector>

namespace benchmarks {

struct row {
  scenario what;
  measurement found;
};

void print_table(const std::vector<row>& rows, std::FILE* to);
void print_json(const std::vector<row>& rows, std::FILE* to);

}  // namespace benchmarks
