// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/trace.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace studies {

/// What a client waits for an answer.
inline constexpr nanoseconds client_timeout = std::chrono::seconds{1};
/// How long it takes to be refused by the dependency.
inline constexpr nanoseconds fast_failure = std::chrono::milliseconds{1};

/// A call that somebody wants to make, and what would become of it.
struct wanted_call {
  nanoseconds at{};
  std::int32_t took = 0;    ///< ns, at most the client's time-out
  float capacity = 0;       ///< calls a second that the dependency bears just then; infinity: any number
  float chance = 0;         ///< in [0, 1): a cold dependency fails the calls whose chance is low
  bool sheds_load = false;  ///< what it can't bear fails at once
  bool fails = false;       ///< however few calls it is given
  bool while_bad = false;   ///< more than half of the wanted calls would fail just then
};

/// All calls of one run, in order. Every policy is shown the same ones, so that chance makes no difference
/// between them. What is tried again comes on top of them and depends on the policy.
struct traffic {
  truth what_happens{};
  double calls_per_second = 0;
  std::uint64_t seed = 0;
  std::vector<wanted_call> calls{};
};

/// Calls come independently of each other and of how earlier ones ended (open loop, Poisson).
[[nodiscard]] traffic draw_traffic(const truth& what_happens, double calls_per_second, std::uint64_t seed);

}  // namespace studies
