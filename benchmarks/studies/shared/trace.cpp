// SPDX-License-Identifier: BSL-1.0
#include "studies/shared/trace.hpp"

#include "studies/shared/held_out.hpp"
#include "studies/shared/story.hpp"

#include <chrono>
#include <cstdint>

namespace studies {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

truth crash(std::uint64_t seed) {
  return after_a_while(seed).then(refusing, seconds{60}).for_ever();
}
truth hang(std::uint64_t seed) {
  return after_a_while(seed).then(hanging, seconds{60}).for_ever();
}
truth slow(std::uint64_t seed) {
  return after_a_while(seed).then({.latency_factor = 20}, seconds{60}).for_ever();
}
truth some_errors(std::uint64_t seed) {
  return after_a_while(seed).then(failing(0.1), seconds{120}).for_ever();
}
truth most_errors(std::uint64_t seed) {
  return after_a_while(seed).then(failing(0.6), seconds{120}).for_ever();
}
truth flap(std::uint64_t seed) {
  return after_a_while(seed).alternately(healthy, seconds{5}, refusing, seconds{5}, seconds{120}).for_ever();
}
truth blip(std::uint64_t seed) {
  return story{seed}
      .alternately(healthy, milliseconds{19700}, refusing, milliseconds{300}, truth::length)
      .for_ever();
}
truth noise(std::uint64_t seed) {
  return story{seed}.for_ever(failing(0.01));
}

truth stampede(std::uint64_t seed) {
  return after_a_while(seed)
      .then(refusing, seconds{60})
      .then({.capacity_first = 0, .capacity_last = 1.2}, seconds{60})
      .for_ever();
}

truth load_shedding(std::uint64_t seed) {
  return after_a_while(seed)
      .then(refusing, seconds{60})
      .then({.capacity_first = 0, .capacity_last = 1.2, .sheds_load = true}, seconds{60})
      .for_ever();
}
truth quick_flap(std::uint64_t seed) {
  return after_a_while(seed).alternately(healthy, seconds{1}, refusing, seconds{1}, seconds{120}).for_ever();
}
truth third_of_errors(std::uint64_t seed) {
  return after_a_while(seed).then(failing(0.3), seconds{120}).for_ever();
}
truth long_outage(std::uint64_t seed) {
  return after_a_while(seed).then(refusing, seconds{300}).for_ever();
}
truth long_hang(std::uint64_t seed) {
  return after_a_while(seed).then(hanging, seconds{300}).for_ever();
}
/// A tenth of the calls takes the slow way: time-outs of the client at 1 s.
truth two_speeds(std::uint64_t seed) {
  phase mixed = failing(0.1);
  mixed.fast_share = 0;
  mixed.timeout_share = 1;
  return after_a_while(seed).then(mixed, seconds{120}).for_ever();
}
truth limping_back(std::uint64_t seed) {
  phase limping = failing(0.4);
  limping.fails_last = 0;
  return after_a_while(seed).then(refusing, seconds{60}).then(limping, seconds{120}).for_ever();
}
truth slow_decline(std::uint64_t seed) {
  phase declining = failing(0);
  declining.fails_last = 1;
  return after_a_while(seed).then(declining, seconds{60}).then(refusing, seconds{60}).for_ever();
}
truth short_bursts(std::uint64_t seed) {
  return after_a_while(seed).bursts(refusing, milliseconds{50}, seconds{5}).for_ever();
}
truth short_outages(std::uint64_t seed) {
  return after_a_while(seed).bursts(refusing, seconds{3}, seconds{40}).for_ever();
}
truth nearly_all_errors(std::uint64_t seed) {
  return after_a_while(seed).then(failing(0.8), seconds{120}).for_ever();
}

truth nearly_half_errors(std::uint64_t seed) {
  return after_a_while(seed).then(failing(0.45), seconds{120}).for_ever();
}
truth two_outages(std::uint64_t seed) {
  return after_a_while(seed)
      .then(refusing, seconds{30})
      .then(healthy, seconds{15})
      .then(hanging, seconds{30})
      .for_ever();
}
truth short_crash(std::uint64_t seed) {
  return after_a_while(seed).then(refusing, seconds{5}).for_ever();
}
truth mostly_timeouts(std::uint64_t seed) {
  phase mixed = failing(0.7);
  mixed.fast_share = 0.2;
  mixed.timeout_share = 0.8;
  return after_a_while(seed).then(mixed, seconds{120}).for_ever();
}

truth tried_again(std::uint64_t seed) {
  return after_a_while(seed)
      .repeated(3, milliseconds{200})
      .then(refusing, seconds{60})
      .then({.capacity_first = 1.2, .capacity_last = 1.2}, truth::length)
      .for_ever();
}
truth warmed_by_use(std::uint64_t seed) {
  return after_a_while(seed).then(refusing, seconds{30}).cold(0.9, seconds{60}).for_ever();
}
truth very_short_bursts(std::uint64_t seed) {
  return after_a_while(seed).bursts(refusing, milliseconds{30}, seconds{5}).for_ever();
}
truth errors_42(std::uint64_t seed) {
  return after_a_while(seed).then(failing(0.42), seconds{120}).for_ever();
}
/// 1.5 to 4 s, in three lengths of which each differs by up to 30 %.
truth collections(std::uint64_t seed) {
  auto told = after_a_while(seed);
  for (int i = 0; i < 3; ++i) {
    for (const auto lasts : {milliseconds{2200}, milliseconds{2600}, milliseconds{3000}}) {
      told.then(standing_still, lasts).then(healthy, seconds{30});
    }
  }
  return told.for_ever();
}

std::vector<trace> looked_at() {
  using enum trace_group;
  const std::vector<double> usual{50, 200, 1000};
  const std::vector<double> once_a_second{1};
  const std::vector<double> rare{5};
  const std::vector<double> moderate{20};
  return {
      {"1", "crash: refused fast for 60 s", listed, usual, crash},
      {"2", "hang: time-outs for 60 s", listed, usual, hang},
      {"3", "slow: 20 times the latency for 60 s, no errors", listed, usual, slow},
      {"4", "partial: 10 % errors for 120 s", listed, usual, some_errors},
      {"5", "partial: 60 % errors for 120 s", listed, usual, most_errors},
      {"6", "flap: 5 s up, 5 s down, for 120 s", listed, usual, flap},
      {"7", "blip: down for 300 ms every 20 s", listed, usual, blip},
      {"8", "noise: 1 % errors throughout", listed, usual, noise},
      {"9", "stampede: a crash of 60 s, then capacity returns within 60 s", listed, usual, stampede},
      {"10a", "1 at one call a second", listed, once_a_second, crash},
      {"10b", "4 at one call a second", listed, once_a_second, some_errors},
      {"x1", "partial: 30 % errors for 120 s", extra, usual, third_of_errors},
      {"x2", "partial: 80 % errors for 120 s", extra, usual, nearly_all_errors},
      {"x3", "long outage: refused fast for 300 s", extra, usual, long_outage},
      {"x4", "long hang: time-outs for 300 s", extra, usual, long_hang},
      {"x5", "two speeds: 10 % time-outs for 120 s", extra, usual, two_speeds},
      {"x6", "limping back: a crash of 60 s, then 40 % errors, fewer within 120 s", extra, usual,
       limping_back},
      {"x7", "decline: errors from none to all in 60 s, then a crash of 60 s", extra, usual, slow_decline},
      {"x8", "bursts: down for 50 ms every 5 s or so", extra, usual, short_bursts},
      {"x9", "short outages: down for 3 s every 40 s or so", extra, usual, short_outages},
      {"x10", "9, but what is above capacity fails at once", extra, usual, load_shedding},
      {"x11", "quick flap: 1 s up, 1 s down, for 120 s", extra, usual, quick_flap},
      {"y1", "1 at five calls a second", extra, rare, crash},
      {"y2", "2 at five calls a second", extra, rare, hang},
      {"y3", "x1 at five calls a second", extra, rare, third_of_errors},
      {"y4", "5 at five calls a second", extra, rare, most_errors},
      {"y5", "9 at one call a second", extra, once_a_second, stampede},
      {"y6", "5 at one call a second", extra, once_a_second, most_errors},
      {"y7", "x1 at one call a second", extra, once_a_second, third_of_errors},
      {"y8", "x3 at one call a second", extra, once_a_second, long_outage},
      {"z1", "partial: 45 % errors for 120 s", extra, usual, nearly_half_errors},
      {"z2", "two outages: a crash of 30 s, 15 s up, a hang of 30 s", extra, usual, two_outages},
      {"z3", "short crash: refused fast for 5 s", extra, usual, short_crash},
      {"z4", "70 % errors, most of them time-outs, at 20 calls a second", extra, moderate, mostly_timeouts},
      {"z5", "2 at 20 calls a second", extra, moderate, hang},
      {"w1", "1, and callers try three times", extra, usual, tried_again},
      {"w2", "cold: a crash of 30 s, then 90 % errors until calls have warmed it up", extra, usual,
       warmed_by_use},
      {"w3", "x3 at one call in 20 s", extra, {0.05}, long_outage},
      {"w4",
       "bursts: down for 30 ms every 5 s or so, at 1000 calls a second",
       extra,
       {1000},
       very_short_bursts},
      {"w5", "partial: 42 % errors for 120 s", extra, usual, errors_42},
      {"w6", "garbage collections of 1.5 to 4 s every 30 s", extra, usual, collections},
  };
}

}  // namespace

const std::vector<trace>& all_traces() {
  static const auto traces = [] {
    auto all = looked_at();
    const auto others = held_out_traces();
    all.insert(all.end(), others.begin(), others.end());
    return all;
  }();
  return traces;
}

}  // namespace studies
