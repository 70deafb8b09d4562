// SPDX-License-Identifier: BSL-1.0
#include "unit/core/child.hpp"
#include "unit/counted_atomics.hpp"
#include "unit/system/staging_bench.hpp"

#include "brownout/breaker/preset.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/slow_call_rate.hpp"
#include "brownout/detector/time_window.hpp"

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>

using namespace system_test;
using breaker_test::counted_atomics;

namespace {

constexpr auto two_features = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::read_only_access, .last = level::emergency},
     {.feature = feature::inventory_management, .last = level::emergency, .needs = needs(1)}});

constexpr auto one_feature = brownout::make_feature_matrix<feature, level>(
    {{.feature = feature::read_only_access, .last = level::emergency}});

brownout::supervisor_options<level> plain_levels() {
  brownout::supervisor_options<level> given{.levels = {.ladder = ladder}};
  given.levels.confirm_for = 0s;
  given.probe_jitter = 0;
  return given;
}

struct counted_clock {
  int* reads;
  time_point now() const noexcept { return ++*reads, time_point{1h}; }
};

void fail(auto& called, int times = 1) {
  for (int i = 0; i < times; ++i) static_cast<void>(called.try_acquire()->complete(outcome::failure));
}

}  // namespace

TEST_CASE("a dependency has the detector that a user gives it, and its features follow its circuit",
          "[system][S4][S4a]") {
  manual_clock clock{time_point{1h}};
  brownout::dependency database{brownout::consecutive_failures{3}, {.name = "database"}, clock};
  brownout::dependency payments{
      brownout::failure_rate<brownout::time_window>{.threshold = 0.2, .minimum_calls = 10, .window = {10s}},
      {.name = "payments"},
      clock};
  brownout::supervisor shop{two_features, plain_levels(), {{0, database}, {1, payments}}, clock};
  static_cast<void>(shop.step(clock.now()));

  // One failure in five, never two in a row.
  for (int i = 0; i < 40 && payments.observed_state() == circuit_state::closed; ++i) {
    clock.advance(100ms);
    if (auto call = payments.try_acquire())
      static_cast<void>(call->complete(i % 5 == 4 ? outcome::failure : outcome::success));
  }
  CHECK(payments.observed_state() == circuit_state::open);
  static_cast<void>(shop.step(clock.now()));
  CHECK_FALSE(shop.features().available(feature::inventory_management));
  CHECK(shop.features().available(feature::read_only_access));
  CHECK(shop.at(1).status().state == circuit_state::open);
  CHECK(database.observed_state() == circuit_state::closed);
}

TEST_CASE("a dependency is used as a breaker is, with classifiers, presets and live options",
          "[system][S4][S4b][S4e]") {
  manual_clock clock{time_point{1h}};
  brownout::dependency cache{brownout::presets::gobreaker(), {.name = "cache"}, clock};
  CHECK(cache.detector().threshold == 6);
  CHECK(cache.options().successes == 1);
  CHECK(cache.options().name == "cache");

  const auto missing = [] { return std::optional<int>{}; };
  CHECK_FALSE(cache.call(missing, brownout::failure_if([](const auto& found) { return !found; })));
  CHECK(cache.snapshot().consecutive_failures == 1);
  CHECK_THROWS_AS(cache.call([]() -> int { throw std::out_of_range{"key"}; },
                             brownout::ignore_exceptions<std::out_of_range>()),
                  std::out_of_range);
  CHECK(cache.snapshot().consecutive_failures == 1);

  cache.reconfigure(brownout::consecutive_failures{2});
  fail(cache);
  CHECK(cache.observed_state() == circuit_state::open);
  const auto refused = cache.try_call([] { return 1; });
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection().retry_after == 60s);
}

TEST_CASE("a dependency counts how its calls end, by kind", "[system][S5][S5a]") {
  manual_clock clock{time_point{1h}};
  brownout::dependency store{brownout::consecutive_failures{2}, {.name = "store"}, clock};
  for (int i = 0; i < 100; ++i) store.call([] {});
  static_cast<void>(store.try_acquire()->complete(outcome::ignored));
  auto late = store.try_acquire();
  fail(store, 2);
  static_cast<void>(store.try_call([] {}));
  static_cast<void>(late->complete(outcome::success));

  const auto counted = store.calls();
  CHECK(counted.successful == 100);
  CHECK(counted.failed == 2);
  CHECK(counted.ignored == 1);
  CHECK(counted.rejected == 1);
  CHECK(counted.late == 1);
}

TEST_CASE("calls that probe the circuit are calls too, and are counted once", "[system][S5]") {
  manual_clock clock{time_point{1h}};
  brownout::dependency store{
      brownout::consecutive_failures{1},
      {.name = "store", .breaker = {.open_for = 1s, .successes = 3, .relapse_within = 0s}},
      clock};
  fail(store);
  for (int i = 0; i < 4; ++i) {  // three relapses from half-open
    clock.advance(1s);
    if (i < 3) fail(store);
  }
  for (int i = 0; i < 3; ++i) store.call([] {});
  CHECK(store.observed_state() == circuit_state::closed);
  CHECK(store.calls().failed == 4);
  CHECK(store.calls().failed == store.snapshot().failed_results);
  CHECK(store.calls().successful == 3);
}

TEST_CASE("one call in so many is timed, and stands for the others in the latency histogram",
          "[system][S5][S5b]") {
  const auto timed = GENERATE(std::uint32_t{16}, std::uint32_t{1});
  manual_clock clock{time_point{1h}};
  brownout::dependency store{{.name = "store", .timed_one_in = timed}, clock};
  for (int i = 0; i < 64; ++i) store.call([&] { clock.advance(7ms); });
  const auto shown = store.latencies();
  REQUIRE(shown.bounds.size() + 1 == shown.cumulative.size());
  CHECK(shown.bounds[2] == 0.005);
  CHECK(shown.cumulative[2] == 0);
  CHECK(shown.cumulative[3] == 64);  // up to 10 ms
  CHECK(shown.cumulative.back() == 64);
  CHECK(shown.sum > 0.447);
  CHECK(shown.sum < 0.449);
}

TEST_CASE("while a supervisor sees few calls, each is timed, whatever share is wanted of many",
          "[system][S5][S5d]") {
  const auto wanted = GENERATE(std::uint32_t{2}, std::uint32_t{1024});
  int reads = 0;
  const counted_clock clock{&reads};
  brownout::dependency store{
      brownout::consecutive_failures{3}, {.name = "store", .timed_one_in = wanted}, clock};
  const auto reads_of = [&](int calls) {
    reads = 0;
    for (int i = 0; i < calls; ++i) store.call([] {});
    return reads;
  };
  {
    brownout::supervisor<std::remove_const_t<decltype(one_feature)>, counted_clock> watched{
        one_feature, plain_levels(), {{0, store}}, clock};
    static_cast<void>(watched.step(time_point{1h}));
    CHECK(reads_of(15) == 2 * 15);
    static_cast<void>(watched.step(time_point{1h}));
    CHECK(reads_of(16) == 2 * 16);
    static_cast<void>(watched.step(time_point{1h}));  // these were not few
    CHECK(reads_of(16) <= 2 * 8);
    static_cast<void>(watched.step(time_point{1h}));
    static_cast<void>(reads_of(1));
    static_cast<void>(watched.step(time_point{1h}));
    CHECK(reads_of(16) == 2 * 16);
  }
  CHECK(reads_of(1024) <= 2 * 512);  // nobody tells few from many any more
}

TEST_CASE("calls are not timed where that is switched off", "[system][S5][S5c]") {
  manual_clock clock{time_point{1h}};
  brownout::dependency store{{.name = "store", .timed_one_in = 0}, clock};
  for (int i = 0; i < 64; ++i) store.call([&] { clock.advance(7ms); });
  CHECK(store.latencies().cumulative.back() == 0);
  CHECK(store.calls().successful == 64);
}

TEST_CASE("a call that is not timed reads no clock and writes once", "[system][S5][S5h]") {
  using brownout::consecutive_failures;
  using core = brownout::detail::dependency_core<consecutive_failures, counted_clock, counted_atomics>;
  int reads = 0;
  core store{consecutive_failures{3}, {.name = "store"}, counted_clock{&reads}};
  const auto call = [&](outcome result) {
    brownout::detail::counting_permit<core> one{store, *store.breaker.try_acquire()};
    static_cast<void>(one.complete(result));
  };
  reads = 0;
  call(outcome::success);  // the first one is timed
  CHECK(reads == 2);
  reads = 0;
  const auto [loads, writes] = counted_atomics::of([&] { call(outcome::success); });
  CHECK(reads == 0);
  CHECK(writes == 1);
  CHECK(loads == 4);  // the word twice, how many calls are timed, the count of this thread
}

TEST_CASE("a permit of a dependency says its epoch, and whether it holds a place of a half-open circuit",
          "[system][S4][S4b]") {
  manual_clock clock{time_point{1h}};
  brownout::dependency store{{.name = "store", .breaker = {.open_for = 1s}}, clock};
  const auto ordinary = store.try_acquire();
  CHECK(ordinary);
  store.trip();
  clock.advance(1s);
  auto probe = store.try_acquire();
  REQUIRE(probe);
  CHECK(probe->epoch() == store.snapshot().epoch);
  CHECK(probe->is_probe());
  store.reset();
  auto later = store.try_acquire();
  REQUIRE(later);
  CHECK(later->epoch() == probe->epoch() + 1);
  CHECK_FALSE(later->is_probe());
}

TEST_CASE("a permit by hand may outlive its dependency", "[system][S4][S4c]") {
  manual_clock clock{time_point{1h}};
  std::optional<brownout::dependency<brownout::standard_detector, manual_clock>::permit> kept;
  std::optional<brownout::dependency<brownout::standard_detector, manual_clock>::permit> dropped;
  {
    brownout::dependency store{{.name = "store"}, clock};
    kept.emplace(*store.try_acquire());
    dropped.emplace(*store.try_acquire());
  }
  CHECK(kept->complete(outcome::failure) == brownout::disposition::counted);
  dropped.reset();
}

TEST_CASE("a dependency that is destroyed before its supervisor is a broken precondition",
          "[system][S4][S4d]") {
  CHECK(core_test::in_child([] {
          manual_clock clock;
          auto store = std::make_unique<brownout::dependency<brownout::standard_detector, manual_clock>>(
              brownout::dependency_options{.name = "store"}, clock);
          constexpr auto one = brownout::make_feature_matrix<feature, level>(
              {{.feature = feature::read_only_access, .last = level::emergency}});
          const brownout::supervisor shop{one, plain_levels(), {{0, *store}}, clock};
          store.reset();
        }).signal == SIGABRT);
}
