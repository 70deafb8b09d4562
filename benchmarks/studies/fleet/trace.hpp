// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/trace.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace studies::fleet {

/// What all clients together want, however many they are.
inline constexpr double calls_per_second = 500;

/// What a dependency does with more than it can bear.
enum class overload : std::uint8_t {
  times_out,  ///< it answers as many as it can; the others wait in vain and cost it nothing
  queues,     ///< it works on all in turn, also on those whose caller has gone
};

/// One kind of trouble, of a dependency that so many clients share.
struct trace {
  std::string_view name{};
  std::string_view what_happens{};
  std::size_t clients = 1;
  overload excess = overload::times_out;
  truth (*of)(std::uint64_t seed) = nullptr;
};

[[nodiscard]] const std::vector<trace>& all_traces();

}  // namespace studies::fleet
