// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"
#include "shop.hpp"

#include "brownout/health/scorer.hpp"
#include "brownout/level/level_controller.hpp"

#include <chrono>
#include <cstddef>
#include <vector>

namespace {

using namespace benchmarks;
using brownout::component_evidence;

/// From the evidence of `Count` dependencies to the mode of every feature. A supervisor takes 32 dependencies
/// at most, so for 100 this does by hand what it does after asking its circuits.
template <std::size_t Count>
struct by_hand {
  brownout::scorer scorer{std::vector<brownout::component_role>(Count)};
  brownout::level_controller<shop::level> controller{{.ladder = shop::ladder}};
  std::vector<component_evidence> evidence{
      Count, component_evidence{.calls = 20, .successes = 19, .mean_latency = std::chrono::milliseconds{20}}};

  void evaluate() {
    const auto report = scorer.score(evidence);
    static_cast<void>(controller.update(report.score, brownout::time_point{}));
    for (const auto one : {shop::feature::catalogue, shop::feature::search, shop::feature::reviews,
                           shop::feature::recommendations}) {
      keep(shop::matrix.mode(one, controller.level(), {}));
    }
    opaque_call();
  }
};

by_hand<100> hundred;
by_hand<10> ten;
shop::supervisor watching_32{shop::matrix, shop::options, shop::dependencies(32)};
shop::supervisor watching_8{shop::matrix, shop::options, shop::dependencies(8)};

// The goal is 10 us on a machine that reads its clock in 27 ns.
constexpr double readings_in_10_us = 370;

const registered evaluation{{.name = "100 dependencies, evidence to features",
                             .run = repeated([] { hundred.evaluate(); }),
                             .beside = floors::clock_reading,
                             .wanted = {.ratio = readings_in_10_us},
                             .prepare = [] {
                               let_escape(hundred);
                               let_escape(ten);
                             }}};

const registered linear{{.name = "100 dependencies, again",
                         .run = repeated([] { hundred.evaluate(); }),
                         .beside = {"ten times 10 dependencies", repeated([] {
                                      for (int i = 0; i < 10; ++i) ten.evaluate();
                                    })},
                         .wanted = {.ratio = 1.1}}};

const registered supervised{{.name = "refresh() of 32 dependencies",
                             .run = repeated([] { watching_32.refresh(watching_32.now()); }),
                             .beside = floors::clock_reading,
                             .wanted = {.ratio = readings_in_10_us * 32 / 100},
                             .prepare = [] {
                               shop::answer_all(watching_32);
                               shop::answer_all(watching_8);
                             }}};

const registered supervised_linear{{.name = "refresh() of 32 dependencies, again",
                                    .run = repeated([] { watching_32.refresh(watching_32.now()); }),
                                    .beside = {"four times refresh() of 8", repeated([] {
                                                 for (int i = 0; i < 4; ++i)
                                                   watching_8.refresh(watching_8.now());
                                               })},
                                    .wanted = {.ratio = 1.1}}};

}  // namespace
