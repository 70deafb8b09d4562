// SPDX-License-Identifier: BSL-1.0
//
// Nothing is tuned on these worlds, neither ours nor a peer: `--tuning` leaves them out.
#include "studies/levels/world.hpp"
#include "studies/shared/story.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace studies::levels {

namespace {

using std::chrono::seconds;
using enum dependency;

constexpr phase half_of_calls_fail = failing(0.5);
constexpr phase forty_times_slower{.latency_factor = 40};

phase slow_and_failing(double share, double latency_factor) {
  auto what = failing(share);
  what.latency_factor = latency_factor;
  return what;
}

world noise_of_two(std::uint64_t seed) {
  const auto noisy = story{seed}.for_ever(failing(0.05));
  return all_well{seed}.but(openai, noisy).but(database, noisy);
}
world slow_openai(std::uint64_t seed) {
  return all_well{seed}.but(openai, for_a_while(forty_times_slower, seconds{180}, seed));
}
world half_a_database(std::uint64_t seed) {
  return all_well{seed}.but(database, for_a_while(half_of_calls_fail, seconds{180}, seed));
}
world cache_flaps(std::uint64_t seed) {
  return all_well{seed}.but(
      redis,
      after_a_while(seed).alternately(healthy, seconds{20}, refusing, seconds{20}, seconds{240}).for_ever());
}
world cascade(std::uint64_t seed) {
  return all_well{seed}
      .but(redis, for_a_while(refusing, seconds{90}, seed))
      .but(database, later(slow_and_failing(0.3, 20), seconds{15}, seconds{90}, seed));
}
world deploys(std::uint64_t seed) {
  return all_well{seed}
      .but(s3, for_a_while(half_of_calls_fail, seconds{15}, seed))
      .but(redis, later(half_of_calls_fail, seconds{60}, seconds{15}, seed))
      .but(database, later(half_of_calls_fail, seconds{120}, seconds{15}, seed))
      .but(openai, later(half_of_calls_fail, seconds{180}, seconds{15}, seed));
}
world brown_database(std::uint64_t seed) {
  return all_well{seed}.but(database, for_a_while(slow_and_failing(0.5, 20), seconds{240}, seed));
}
world packet_loss(std::uint64_t seed) {
  auto lossy = failing(0.2);
  lossy.fast_share = 0;
  lossy.timeout_share = 1;
  const auto told = for_a_while(lossy, seconds{150}, seed);
  return all_well{seed}.but(openai, told).but(database, told).but(redis, told).but(s3, told);
}
world one_without_probe(std::uint64_t seed) {
  return all_well{seed}.but(redis, for_a_while(refusing, seconds{120}, seed)).without_probe(redis);
}
world warms_up(std::uint64_t seed) {
  return all_well{seed}.but(openai, after_a_while(seed)
                                        .then(refusing, seconds{60})
                                        .then(half_of_calls_fail, seconds{30})
                                        .then(failing(0.1), seconds{30})
                                        .for_ever());
}
world check_hangs(std::uint64_t seed) {
  return all_well{seed}.but_probes_of(database, for_a_while(hanging, seconds{120}, seed));
}
world failover(std::uint64_t seed) {
  return all_well{seed}.but(
      database, after_a_while(seed).then(hanging, seconds{8}).then(refusing, seconds{8}).for_ever());
}
world staggered_hangs(std::uint64_t seed) {
  return all_well{seed}
      .but(redis, for_a_while(hanging, seconds{40}, seed))
      .but(database, later(hanging, seconds{20}, seconds{40}, seed))
      .but(openai, later(hanging, seconds{40}, seconds{40}, seed));
}
world relapse(std::uint64_t seed) {
  return all_well{seed}.but(openai, after_a_while(seed)
                                        .then(refusing, seconds{30})
                                        .then(healthy, seconds{20})
                                        .then(refusing, seconds{30})
                                        .for_ever());
}
world no_network(std::uint64_t seed) {
  const auto gone = for_a_while(hanging, seconds{20}, seed);
  return all_well{seed}.but(openai, gone).but(database, gone).but(redis, gone).but(s3, gone);
}
world rate_limits(std::uint64_t seed) {
  auto limited = failing(0.4);
  limited.fast_share = 1;
  return all_well{seed}.but(
      openai,
      after_a_while(seed).alternately(healthy, seconds{30}, limited, seconds{30}, seconds{240}).for_ever());
}
world check_knows_nothing(std::uint64_t seed) {
  return all_well{seed}
      .but(database, for_a_while(failing(0.6), seconds{120}, seed))
      .but_probes_of(database, story{seed}.for_ever());
}
world long_hang(std::uint64_t seed) {
  return all_well{seed}.but(database, for_a_while(hanging, seconds{120}, seed));
}

}  // namespace

std::vector<trace> held_out_traces() {
  using enum trace_group;
  return {
      {"h1", "noise: 5 % errors of openai and the database throughout", held_out, busy, noise_of_two},
      {"h2", "h1 with few requests", held_out, quiet, noise_of_two},
      {"h3", "openai is 40 times slower for 180 s", held_out, busy, slow_openai},
      {"h4", "the database: half of the calls fail for 180 s", held_out, busy, half_a_database},
      {"h5", "the cache, redis, flaps: 20 s up, 20 s down, for 240 s", held_out, busy, cache_flaps},
      {"h6", "cascade: redis refuses for 90 s; 15 s later the database is slow and fails 30 %", held_out,
       busy, cascade},
      {"h7", "deploys: one after the other, half of the calls of each dependency fail for 15 s", held_out,
       busy, deploys},
      {"h8", "a brown database at night: 50 % errors and 20 times slower for 240 s, few requests", held_out,
       quiet, brown_database},
      {"h9", "a region loses packets: 20 % of all calls time out for 150 s", held_out, busy, packet_loss},
      {"h10", "redis, without a probe, refuses for 120 s", held_out, busy, one_without_probe},
      {"h11", "openai refuses for 60 s, then warms up: 50 %, 10 % errors, 30 s each", held_out, busy,
       warms_up},
      {"h12", "the database's health check hangs for 120 s, its calls are well", held_out, busy, check_hangs},
      {"h13", "a failover: the database hangs for 8 s, then refuses for 8 s", held_out, busy, failover},
      {"h14", "redis, the database, openai hang, 40 s each, 20 s apart", held_out, busy, staggered_hangs},
      {"h15", "relapse: openai refuses for 30 s, is well for 20 s, refuses for 30 s", held_out, busy,
       relapse},
      {"h16", "no network: all four hang for 20 s", held_out, busy, no_network},
      {"h17", "the database hangs for 120 s, few requests", held_out, quiet, long_hang},
      {"h18", "rate limits: openai refuses 40 % of the calls, 30 s of each minute, for 240 s", held_out, busy,
       rate_limits},
      {"h19", "the database: 60 % errors for 120 s, its health check is well", held_out, busy,
       check_knows_nothing},
  };
}

}  // namespace studies::levels
