// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/health/detail/call_window.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

// A call of a dependency and a look at its evidence, each interrupted by every other operation before each
// access to shared memory. What comes out must be what some order without interruption gives.

using namespace std::chrono_literals;
using breaker_test::interrupted_atomics;
using breaker_test::interruption;
using brownout::circuit_state;
using brownout::disposition;
using brownout::outcome;

namespace {

using core = brownout::detail::dependency_core<brownout::consecutive_failures, brownout::manual_clock,
                                               interrupted_atomics>;
using core_counters = brownout::detail::call_counters<interrupted_atomics>;
using permit = brownout::detail::counting_permit<core>;

/// A dependency that trips at two failures in a row, in some state, with permits for two calls.
struct scene {
  scene() {
    interruption::accesses_left = -1;
    interruption::action = nullptr;
    count_call(outcome::success);
  }

  permit acquire() {
    auto inner = database.breaker.try_acquire();
    REQUIRE(inner);
    return {database, *std::move(inner)};
  }
  /// What the caller was told must be what is counted.
  void report(permit& call, outcome how) {
    const auto epoch = call.epoch();
    if (call.complete(how) != disposition::counted) return;
    ++(how == outcome::success ? succeeded : failed);
    ++counted_in[epoch % counted_in.size()];
  }
  void count_call(outcome how) {
    auto call = acquire();
    report(call, how);
  }
  void look() {
    window.note(database.breaker.status().epoch, clock.now(),
                [this](std::uint64_t epoch) { return database.calls.read(epoch); });
  }

  brownout::manual_clock clock{brownout::time_point{1h}};
  brownout::dependency_options described{.name = "database",
                                         .breaker = {.open_for = 5s, .probes = 2, .successes = 2, .seed = 1}};
  core database{brownout::consecutive_failures{2}, described, clock};
  brownout::detail::call_window window{5, 1min};
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::array<std::uint64_t, core_counters::epochs_apart> counted_in{};  // by epoch of the admission
  permit first = acquire();
  permit second = acquire();
};

using operation = std::pair<const char*, std::function<void(scene&)>>;

const std::array operations{
    operation{"a call succeeds", [](scene& s) { s.report(s.first, outcome::success); }},
    operation{"a call fails", [](scene& s) { s.report(s.first, outcome::failure); }},
    operation{"a call begins", [](scene& s) { static_cast<void>(s.database.breaker.try_acquire()); }},
    operation{"the step looks", [](scene& s) { s.look(); }},
    operation{"an operator resets", [](scene& s) { s.database.breaker.reset(); }},
    operation{"an operator opens", [](scene& s) { s.database.breaker.force_open(); }},
};
const std::array interruptions{
    operation{"another call succeeds", [](scene& s) { s.report(s.second, outcome::success); }},
    operation{"another call fails", [](scene& s) { s.report(s.second, outcome::failure); }},
    operation{"the step looks", [](scene& s) { s.look(); }},
    operation{"an operator resets", [](scene& s) { s.database.breaker.reset(); }},
    operation{"an operator opens", [](scene& s) { s.database.breaker.force_open(); }},
};

/// States to begin in. Two failures are missing, one, or the circuit is probed.
const std::array states{
    operation{"closed", [](scene&) {}},
    operation{"one failure", [](scene& s) { s.count_call(outcome::failure); }},
    operation{"half-open",
              [](scene& s) {
                s.count_call(outcome::failure);
                s.count_call(outcome::failure);
                s.clock.advance(5s);
                s.first = s.acquire();
                s.second = s.acquire();
              }},
};

}  // namespace

TEST_CASE("what callers are told is what a dependency counts, however its operations interleave",
          "[system][S5][S5g]") {
  int explored = 0;
  for (const auto& state : states) {
    for (const auto& one : operations) {
      for (const auto& other : interruptions) {
        for (int access = 0;; ++access) {
          scene scene;
          state.second(scene);
          interruption::action = [&] { other.second(scene); };
          interruption::accesses_left = access;
          one.second(scene);
          const bool interrupted = !interruption::action;
          interruption::accesses_left = -1;
          interruption::action = nullptr;
          if (!interrupted) break;
          ++explored;
          INFO(state.first << ": " << one.first << ", interrupted before access " << access << ": "
                           << other.first);
          const auto all = scene.database.calls.read_all();
          const auto is_probed = state.first == std::string_view{"half-open"};
          // Of the probes, only the one that closes the circuit is counted, in the epoch that begins.
          if (!is_probed) {
            REQUIRE(all.successes == scene.succeeded);
            REQUIRE(all.failures == scene.failed);
            for (std::size_t epoch = 0; epoch < scene.counted_in.size(); ++epoch)
              REQUIRE(scene.database.calls.read(epoch).calls() == scene.counted_in[epoch]);
          } else {
            REQUIRE(all.successes <= scene.succeeded);
            REQUIRE(all.failures <= scene.failed);
          }
          // The next look is complete, and of this epoch alone.
          const auto epoch = scene.database.breaker.status().epoch;
          scene.look();
          const auto seen = scene.window.statistics(epoch);
          REQUIRE(seen.calls == scene.database.calls.read(epoch).calls());
          REQUIRE(seen.successes <= seen.calls);
        }
      }
    }
  }
  CHECK(explored > 500);
}
