// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/breaker/program.hpp"
#include "interleaving/explored.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

using brownout::schedule;
using brownout::schedule_search;
using specification::rules;
using enum step;

namespace {

bool explore_one_of_many(explored& all, const brownout::exploration_options& options, const program& what) {
  return all.run_one_of_many(
      options,
      [&](schedule& threads) {
        program_run<scheduled_clock>{threads, what}.run();
      },
      [&] { return text_of(what); });
}

template <class Clock = scheduled_clock>
bool explore_program(explored& all, const brownout::exploration_options& options, const program& what) {
  return all.run(
      options,
      [&](schedule& threads) {
        program_run<Clock>{threads, what}.run();
      },
      [&] { return text_of(what); });
}

constexpr std::array all_steps{good,    bad,          ignored, dropped, lost,      force_open,
                               disable, measure_only, reset,   trip,    wait_open, wait_lease};
constexpr std::array calls{good, bad, dropped, lost};

const rules quick{.failures = 1, .probes = 2, .successes = 2};
const rules patient{.failures = 3, .probes = 1, .successes = 1, .ramp_first = 1, .ramp_successes = 2};
const rules many{.failures = 3, .probes = 3, .successes = 3};
const rules ramped{.failures = 2, .probes = 2, .successes = 2, .ramp_first = 2, .ramp_successes = 3};

/// How a circuit of `by` may be when threads meet it.
std::vector<std::vector<step>> beginnings(const rules& by) {
  const std::vector<step> opened(by.failures, bad);
  const auto with = [](std::vector<step> first, std::initializer_list<step> more) {
    first.insert(first.end(), more);
    return first;
  };
  std::vector<step> one_failure_less(by.failures - 1, bad);
  std::vector<step> probed = with(opened, {wait_open});
  probed.insert(probed.end(), by.successes, good);  // closed, or on the ramp
  return {one_failure_less,
          with(opened, {wait_open}),
          with(opened, {wait_open, lost}),
          with(opened, {wait_open, lost, wait_lease}),
          with(probed, {good}),
          with(probed, {lost, wait_lease})};
}

bool explore_programs_of_two_threads(explored& all, const rules& by) {
  for (const auto& before : beginnings(by)) {
    for (const auto a : calls) {
      for (const auto b : all_steps) {
        for (const auto c : all_steps) {
          for (const auto d : all_steps) {
            if (!explore_one_of_many(all, {}, {by, before, {{a, b}, {c, d}}})) return false;
          }
        }
      }
    }
  }
  return true;
}

}  // namespace

TEST_CASE("every program of two threads with two steps does what the specification allows",
          "[interleaving][breaker][programs]") {
  explored all{"breaker: programs of 2 threads x 2 steps"};
  explore_programs_of_two_threads(all, quick);
}

TEST_CASE("every program of two threads with two steps does that with a ramp too",
          "[interleaving][breaker][ramp_programs]") {
  explored all{"breaker: programs of 2 threads x 2 steps, with a ramp"};
  if (explore_programs_of_two_threads(all, patient)) explore_programs_of_two_threads(all, ramped);
}

TEST_CASE("four threads with three calls do what the specification allows",
          "[interleaving][breaker][four_threads]") {
  explored all{"breaker: 4 threads x 3 calls, 2 probes"};
  for (const auto& before : {std::vector{bad, bad, wait_open}, {bad}}) {
    explore_program(all, {},
                    {{.failures = 2, .probes = 2, .successes = 2},
                     before,
                     {{good, bad, good}, {good, good, bad}, {bad, good, good}, {good, good, good}}});
  }
  explore_program<scheduled_coarse_clock>(
      all, {},
      {quick,
       {bad, wait_open},
       {{good, bad, good}, {good, dropped, bad}, {bad, wait_open, good}, {lost, wait_lease, good}}});
}

TEST_CASE("a weak compare-and-swap that fails for no reason changes nothing for the specification",
          "[interleaving][breaker][spurious]") {
  explored all{"breaker: compare-and-swaps that fail for no reason"};
  for (const auto& by : {quick, patient, ramped}) {
    for (const auto& before : beginnings(by)) {
      for (const auto one : all_steps) {
        const program what{by, before, {{one, good}, {good, bad}}};
        if (!explore_one_of_many(all, {.spurious_failures = 2}, what)) return;
      }
    }
  }
}

TEST_CASE("random programs do what the specification allows", "[interleaving][breaker][random]") {
  explored all{"breaker: random programs"};
  std::mt19937_64 random{seed_of_the_run()};
  const auto below = [&](std::size_t count) { return static_cast<std::size_t>(random() % count); };
  const std::array every_rules{quick, patient, many, ramped};
  while (all.schedules() < 3'000'000 * times_longer() / times_briefer()) {
    const auto& by = every_rules[below(every_rules.size())];
    const auto starts = beginnings(by);
    program what{by, starts[below(starts.size())], std::vector<std::vector<step>>(2 + below(4))};
    for (auto& thread : what.threads) {
      for (auto left = 1 + below(6); left > 0; --left) {
        thread.push_back(below(3) == 0 ? all_steps[below(all_steps.size())] : calls[below(calls.size())]);
      }
    }
    const auto search = below(2) == 0 ? schedule_search::random : schedule_search::priorities;
    const brownout::exploration_options options{.search = search,
                                                .preemptions = 4,
                                                .spurious_failures = below(2),
                                                .most_schedules = 500,
                                                .seed = random()};
    const bool holds = below(2) == 0 ? explore_program<scheduled_clock>(all, options, what)
                                     : explore_program<scheduled_coarse_clock>(all, options, what);
    if (!holds) return;
  }
}
