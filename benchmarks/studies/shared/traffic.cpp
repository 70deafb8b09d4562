// SPDX-License-Identifier: BSL-1.0
#include "studies/shared/traffic.hpp"

#include "studies/shared/fate.hpp"

#include <cstddef>
#include <cstdint>

namespace studies {

traffic draw_traffic(const truth& what_happens, double calls_per_second, std::uint64_t seed) {
  // Not the seed of the phases: what is drawn here must not repeat what was drawn there.
  fate next{seed * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(calls_per_second)};
  progress where{what_happens};
  constexpr auto end = static_cast<double>(truth::length.count());
  traffic all{what_happens, calls_per_second, seed, {}};
  all.calls.reserve(static_cast<std::size_t>(calls_per_second * end / 1e9 * 1.2 + 100));
  for (double at = next.gap(calls_per_second); at < end; at += next.gap(calls_per_second)) {
    const nanoseconds now{static_cast<std::int64_t>(at)};
    where.move_to(now);
    all.calls.push_back(next.draw(now, where, calls_per_second));
  }
  return all;
}

}  // namespace studies
