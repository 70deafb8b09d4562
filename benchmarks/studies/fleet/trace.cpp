// SPDX-License-Identifier: BSL-1.0
#include "studies/fleet/trace.hpp"

#include "studies/shared/story.hpp"

#include <chrono>
#include <cstdint>

namespace studies::fleet {

namespace {

using std::chrono::seconds;

truth stampede(std::uint64_t seed) {
  return after_a_while(seed)
      .then(refusing, seconds{60})
      .then({.capacity_first = 0, .capacity_last = 1.2}, seconds{60})
      .for_ever();
}
/// Afterwards it bears a little more than is wanted, so that what has piled up goes away.
truth too_much(std::uint64_t seed) {
  return after_a_while(seed)
      .then({.capacity_first = 0.6, .capacity_last = 0.6}, seconds{120})
      .for_ever({.capacity_first = 1.2, .capacity_last = 1.2});
}

}  // namespace

const std::vector<trace>& all_traces() {
  using enum overload;
  static const std::vector<trace> traces{
      {"s1", "stampede, 1 client", 1, times_out, stampede},
      {"s10", "stampede, 10 clients: a crash of 60 s, then capacity returns within 60 s", 10, times_out,
       stampede},
      {"s50", "stampede, 50 clients", 50, times_out, stampede},
      {"o10", "overload, 10 clients: capacity for 60 % of the load, for 120 s; it queues", 10, queues,
       too_much},
      {"o50", "overload, 50 clients", 50, queues, too_much},
  };
  return traces;
}

}  // namespace studies::fleet
