// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/world.hpp"

#include "studies/shared/story.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace studies::levels {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using enum dependency;

truth flapping(std::uint64_t seed) {
  return after_a_while(seed).alternately(healthy, seconds{5}, refusing, seconds{5}, seconds{120}).for_ever();
}

world one_down(std::uint64_t seed) {
  return all_well{seed}.but(openai, for_a_while(refusing, seconds{60}, seed));
}
world one_hangs(std::uint64_t seed) {
  return all_well{seed}.but(database, for_a_while(hanging, seconds{60}, seed));
}
world two_overlapping(std::uint64_t seed) {
  return all_well{seed}
      .but(openai, for_a_while(refusing, seconds{60}, seed))
      .but(database, later(refusing, seconds{30}, seconds{60}, seed));
}
world all_down(std::uint64_t seed) {
  return all_well{seed}
      .but(s3, for_a_while(refusing, seconds{30}, seed))
      .but(redis, for_a_while(refusing, seconds{60}, seed))
      .but(database, for_a_while(refusing, seconds{90}, seed))
      .but(openai, for_a_while(refusing, seconds{120}, seed));
}
world required_flaps(std::uint64_t seed) {
  return all_well{seed}.but(database, flapping(seed));
}
world light_one_flaps(std::uint64_t seed) {
  return all_well{seed}.but(s3, flapping(seed));
}
world few_errors(std::uint64_t seed) {
  return all_well{seed}.but(openai, for_a_while(failing(0.1), seconds{120}, seed));
}
world some_errors(std::uint64_t seed) {
  return all_well{seed}.but(openai, for_a_while(failing(0.3), seconds{120}, seed));
}
world most_errors(std::uint64_t seed) {
  return all_well{seed}.but(database, for_a_while(failing(0.6), seconds{120}, seed));
}
world slow_database(std::uint64_t seed) {
  return all_well{seed}.but(database, for_a_while({.latency_factor = 40}, seconds{120}, seed));
}
world evidence_dries_up(std::uint64_t seed) {
  return all_well{seed}.but(openai, for_a_while(refusing, seconds{120}, seed)).without_probe(openai);
}
world evidence_half_dries_up(std::uint64_t seed) {
  return all_well{seed}.but(openai, for_a_while(failing(0.7), seconds{120}, seed)).without_probe(openai);
}
world blips(std::uint64_t seed) {
  auto told =
      story{seed}.alternately(healthy, milliseconds{19700}, refusing, milliseconds{300}, truth::length);
  return all_well{seed}.but(database, told.for_ever());
}
world noise(std::uint64_t seed) {
  const auto noisy = story{seed}.for_ever(failing(0.01));
  return all_well{seed}.but(openai, noisy).but(database, noisy).but(redis, noisy).but(s3, noisy);
}
world rolling(std::uint64_t seed) {
  return all_well{seed}
      .but(s3, for_a_while(refusing, seconds{80}, seed))
      .but(redis, later(refusing, seconds{80}, seconds{80}, seed))
      .but(database, later(refusing, seconds{160}, seconds{80}, seed))
      .but(openai, later(refusing, seconds{240}, seconds{80}, seed));
}

world shallow_check(std::uint64_t seed) {
  return all_well{seed}
      .but(openai, for_a_while(refusing, seconds{120}, seed))
      .but_probes_of(openai, story{seed}.for_ever());
}

std::vector<trace> looked_at() {
  using enum trace_group;
  return {
      {"1", "openai refuses for 60 s", listed, busy, one_down},
      {"2", "the database hangs for 60 s", listed, busy, one_hangs},
      {"3", "openai refuses for 60 s, from 30 s on the database too, for 60 s", listed, busy,
       two_overlapping},
      {"4", "all four refuse; s3, redis, database, openai are back after 30, 60, 90, 120 s", listed, busy,
       all_down},
      {"5", "the database flaps: 5 s up, 5 s down, for 120 s", listed, busy, required_flaps},
      {"6", "s3 flaps likewise: it weighs too little to matter", listed, busy, light_one_flaps},
      {"7", "openai: 10 % errors for 120 s", listed, busy, few_errors},
      {"8", "openai: 30 % errors for 120 s", listed, busy, some_errors},
      {"9", "the database: 60 % errors for 120 s", listed, busy, most_errors},
      {"10", "the database is 40 times slower for 120 s", listed, busy, slow_database},
      {"11", "openai, without a probe, refuses for 120 s", listed, busy, evidence_dries_up},
      {"12", "openai, without a probe: 70 % errors for 120 s", listed, busy, evidence_half_dries_up},
      {"13", "blips: the database is down for 300 ms every 20 s", listed, busy, blips},
      {"14", "noise: 1 % errors of all four throughout", listed, busy, noise},
      {"15", "s3, redis, database, openai refuse one after the other, 80 s each", listed, busy, rolling},
      {"16", "1 with few requests", listed, quiet, one_down},
      {"17", "4 with few requests", listed, quiet, all_down},
      {"18", "9 with few requests", listed, quiet, most_errors},
      {"19", "14 with few requests", listed, quiet, noise},
      {"x1", "openai refuses calls for 120 s, its health check is well", extra, busy, shallow_check},
  };
}

}  // namespace

all_well::all_well(std::uint64_t seed) {
  for (auto& one : told_.dependencies) one = story{seed}.for_ever();
}

truth for_a_while(const phase& what, nanoseconds about, std::uint64_t seed) {
  return after_a_while(seed).then(what, about).for_ever();
}
truth later(const phase& what, nanoseconds when, nanoseconds about, std::uint64_t seed) {
  return after_a_while(seed).then(healthy, when).then(what, about).for_ever();
}

const std::vector<trace>& all_traces() {
  static const auto traces = [] {
    auto all = looked_at();
    const auto others = held_out_traces();
    all.insert(all.end(), others.begin(), others.end());
    return all;
  }();
  return traces;
}

}  // namespace studies::levels
