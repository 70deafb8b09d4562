// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"

namespace benchmarks::floors {

shared_word shared;
shared_word written;
std::uint64_t surprises = 0;

}  // namespace benchmarks::floors
