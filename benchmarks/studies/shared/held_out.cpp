// SPDX-License-Identifier: BSL-1.0
#include "studies/shared/held_out.hpp"

#include "studies/shared/story.hpp"

#include <chrono>
#include <cstdint>

namespace studies {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Each failure is a time-out.
constexpr phase timing_out(double share) {
  return {.fails_first = share, .fails_last = share, .fast_share = 0, .timeout_share = 1};
}
constexpr phase slower(double factor) {
  return {.latency_factor = factor};
}
constexpr phase from_to(double first, double last) {
  return {.fails_first = first, .fails_last = last, .fast_share = 0.5};
}

/// Every two minutes: a moment of errors, then empty caches of the processor and of connections.
truth deploys(std::uint64_t seed) {
  auto told = after_a_while(seed);
  for (int i = 0; i < 3; ++i) {
    told.then(failing(0.5), seconds{3}).then(slower(3), seconds{20}).then(healthy, seconds{100});
  }
  return told.for_ever();
}
/// Four instances, one after the other; the balancer needs a while to notice.
truth rolling_restart(std::uint64_t seed) {
  auto told = after_a_while(seed);
  phase one_gone = failing(0.25);
  one_gone.fast_share = 1;
  for (int i = 0; i < 4; ++i) told.then(one_gone, seconds{10}).then(slower(1.5), seconds{20});
  return told.for_ever();
}
truth errors_grow(std::uint64_t seed) {
  return after_a_while(seed).then(from_to(0, 0.7), seconds{240}).for_ever();
}
truth names_not_found(std::uint64_t seed) {
  return after_a_while(seed).then(refusing, seconds{200}).for_ever();
}
truth batches(std::uint64_t seed) {
  auto told = after_a_while(seed);
  constexpr phase busy{.capacity_first = 0.3, .capacity_last = 0.3};
  for (int i = 0; i < 6; ++i) told.then(busy, seconds{10}).then(healthy, seconds{50});
  return told.for_ever();
}
truth cold_cache(std::uint64_t seed) {
  return after_a_while(seed).then(refusing, seconds{8}).cold(0.6, seconds{30}).for_ever();
}
truth zone_hangs(std::uint64_t seed) {
  return after_a_while(seed).then(timing_out(1.0 / 3), seconds{150}).for_ever();
}
truth expired_certificate(std::uint64_t seed) {
  return after_a_while(seed).then(refusing, seconds{240}).for_ever();
}
truth lock_contention(std::uint64_t seed) {
  phase contended = timing_out(0.2);
  contended.latency_factor = 8;
  return after_a_while(seed).then(contended, seconds{60}).for_ever();
}
truth connections_reset(std::uint64_t seed) {
  return after_a_while(seed).bursts(refusing, milliseconds{100}, seconds{45}).for_ever();
}
truth database_failover(std::uint64_t seed) {
  return after_a_while(seed).then(refusing, seconds{25}).then(from_to(0.3, 0), seconds{15}).for_ever();
}
truth quota(std::uint64_t seed) {
  constexpr phase limited{.capacity_first = 0.7, .capacity_last = 0.7, .sheds_load = true};
  return after_a_while(seed).then(limited, seconds{120}).for_ever();
}
truth bad_release(std::uint64_t seed) {
  return after_a_while(seed)
      .then(failing(0.9), seconds{40})
      .then(healthy, seconds{60})
      .then(failing(0.9), seconds{20})
      .for_ever();
}
truth unsteady_network(std::uint64_t seed) {
  auto told = after_a_while(seed);
  for (int i = 0; i < 3; ++i) told.then(hanging, seconds{20}).then(healthy, seconds{60});
  return told.for_ever();
}
truth hang_tried_again(std::uint64_t seed) {
  return after_a_while(seed)
      .repeated(3, milliseconds{500})
      .then(hanging, seconds{30})
      .then({.capacity_first = 1.5, .capacity_last = 1.5}, truth::length)
      .for_ever();
}

}  // namespace

std::vector<trace> held_out_traces() {
  constexpr auto group = trace_group::held_out;
  const std::vector<double> usual{50, 200, 1000};
  return {
      {"h1", "deploys: 50 % errors for 3 s, then slow for 20 s, every two minutes", group, usual, deploys},
      {"h2", "rolling restart: 25 % errors for 10 s, four times", group, usual, rolling_restart},
      {"h3", "errors from none to 70 % in 240 s, then none", group, usual, errors_grow},
      {"h4", "at night: names are not found for 200 s, at one call in 5 s", group, {0.2}, names_not_found},
      {"h5", "batches: capacity for 30 % of the load for 10 s every minute", group, usual, batches},
      {"h6", "cold cache: a restart of 8 s, then 60 % errors until calls have warmed it up", group, usual,
       cold_cache},
      {"h7", "one zone of three hangs for 150 s", group, usual, zone_hangs},
      {"h8", "certificate: refused fast for 240 s, at ten calls a second", group, {10}, expired_certificate},
      {"h9", "locks: 8 times the latency and 20 % time-outs for 60 s", group, usual, lock_contention},
      {"h10", "connections reset: down for 100 ms every 45 s or so", group, usual, connections_reset},
      {"h11", "failover: refused for 25 s, then 30 % errors, fewer within 15 s", group, usual,
       database_failover},
      {"h12", "quota: 70 % of the load is served for 120 s, the rest fails at once", group, usual, quota},
      {"h13", "bad release: 90 % errors for 40 s, and again for 20 s", group, usual, bad_release},
      {"h14",
       "network: time-outs for 20 s, three times, at five calls a second",
       group,
       {5},
       unsteady_network},
      {"h15", "a hang of 30 s, and callers try three times", group, usual, hang_tried_again},
  };
}

}  // namespace studies
