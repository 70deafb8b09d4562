// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "catch2.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>

inline std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* const given = std::getenv(variable);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

/// Runs a simulation for many seeds: from BROWNOUT_SEED on, BROWNOUT_RUNS of them. Each hundredth runs twice,
/// and must do the same. A failure says how to repeat it.
template <class Simulation>
void run_seeds(const char* what, std::uint64_t runs, int actions) {
  const auto first = number_of("BROWNOUT_SEED", 1);
  const auto end = first + number_of("BROWNOUT_RUNS", runs);
  const auto run = [&](std::uint64_t seed) {
    Simulation one{seed};
    one.run(actions);
    return one.seen().hash();
  };
  std::uint64_t all = 0;
  for (auto seed = first; seed < end; ++seed) {
    try {
      const auto hash = run(seed);
      all = all * 31 + hash;
      if (seed % 100 == 0 && run(seed) != hash) FAIL("seed " << seed << " does not do the same twice");
    } catch (const std::exception& broken) {
      FAIL(broken.what() << "; to repeat it: BROWNOUT_SEED=" << seed << " BROWNOUT_RUNS=1");
    }
  }
  std::printf("simulation: %-8s seeds %llu to %llu, %d actions each, trace %016llx\n", what,
              static_cast<unsigned long long>(first), static_cast<unsigned long long>(end - 1), actions,
              static_cast<unsigned long long>(all));
}
