// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/generator.hpp"

#include <chrono>
#include <cstddef>

namespace staging_load {

/// Asks `/livez` and `/readyz` in turn for so long, each on a connection of its own, beside `count`
/// connections that drip their headers and come back when they are cut off. Throws `interrupted`.
[[nodiscard]] outcome ask_beside_slow(int port, std::size_t count, std::chrono::seconds length);

}  // namespace staging_load
