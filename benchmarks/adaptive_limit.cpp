// SPDX-License-Identifier: BSL-1.0
#include "floors.hpp"
#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include "brownout/guard/adaptive_limit.hpp"

#include <chrono>
#include <cstdint>

namespace {

using namespace benchmarks;
using namespace std::chrono_literals;

brownout::adaptive_limit server{{.target_delay = 5ms}};
brownout::adaptive_limit client{{.latency_budget = 5ms}};

/// A limit of one call, which is in flight.
struct taken {
  brownout::adaptive_limit<> limit{{.target_delay = 5ms, .first = 1, .most = 1}};
  brownout::adaptive_limit<>::admission held{limit.try_acquire()};
};

constexpr benchmarks::floor additions_and_readings{
    "two fetch_adds and two steady_clocks", repeated([] {
      floors::written.word.fetch_add(1, std::memory_order_relaxed);
      keep(std::chrono::steady_clock::now());
      opaque_call();
      keep(std::chrono::steady_clock::now());
      floors::written.word.fetch_add(1, std::memory_order_relaxed);
      opaque_call();
    })};

const registered by_delay{{.name = "adaptive limit: call with started()",
                           .run = repeated([] {
                             {
                               auto place = server.try_acquire();
                               if (!place) [[unlikely]]
                                 ++floors::surprises;
                               opaque_call();
                               place->started();
                             }
                             opaque_call();
                           }),
                           .beside = additions_and_readings,
                           .wanted = {.ratio = 1.2, .allocations = 0},
                           .prepare = [] {
                             let_escape(server);
                             let_escape(client);
                           }}};

const registered with_key{{.name = "adaptive limit: the same, for a caller with a key",
                           .run = repeated([] {
                             {
                               auto place = server.try_acquire(brownout::call_priority::sheddable, 4711);
                               if (!place) [[unlikely]]
                                 ++floors::surprises;
                               opaque_call();
                               place->started();
                             }
                             opaque_call();
                           }),
                           .beside = additions_and_readings,
                           .wanted = {.ratio = 1.3, .allocations = 0}}};

const registered by_latency{{.name = "adaptive limit: call with latency budget",
                             .run = repeated([] {
                               auto place = client.try_acquire();
                               if (!place) [[unlikely]]
                                 ++floors::surprises;
                               opaque_call();
                               place->complete(brownout::outcome::success);
                               opaque_call();
                             }),
                             .beside = additions_and_readings,
                             .wanted = {.ratio = 1.2, .allocations = 0}}};

void refuse(std::uint64_t times) {
  static taken one;
  for (std::uint64_t i = 0; i < times; ++i) {
    if (one.limit.try_acquire()) [[unlikely]]
      ++floors::surprises;
    opaque_call();
  }
}

const registered refused{{.name = "adaptive limit: refused",
                          .run = refuse,
                          .beside = floors::one_addition,
                          .wanted = {.growth = 1.15, .allocations = 0}}};

}  // namespace
