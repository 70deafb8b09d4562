// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"

namespace benchmarks::floors {

shared_word shared;
std::uint64_t surprises = 0;

}  // namespace benchmarks::floors
