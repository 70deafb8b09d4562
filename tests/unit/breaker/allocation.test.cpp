// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/core/any_clock.hpp"
#include "brownout/detector/any_detector.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/keyed.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/registry/registry.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/registry_dependency.hpp"
#include "brownout/system/supervisor.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <utility>

// An executable of its own: it replaces the global operator new. Not inlined, or the compiler sees malloc and
// free apart from each other and warns.

namespace {

std::atomic<std::size_t> allocations{0};

void* counted_or_null(std::size_t size, std::size_t alignment) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
}

void* counted_allocation(std::size_t size, std::size_t alignment) {
  void* memory = counted_or_null(size, alignment);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  return counted_allocation(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted_allocation(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted_or_null(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace {

using namespace breaker_test;

enum class level : std::uint8_t { full, least };
constexpr std::string_view to_string(level value) {
  return value == level::full ? "full" : "least";
}
enum class feature : std::uint8_t { search, export_ };

constexpr auto matrix = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::search, .last = level::least, .needs = brownout::needs(0)},
    {.feature = feature::export_, .last = level::full},
});

template <class Action>
std::size_t allocations_of(Action action) {
  const auto before = allocations.load();
  action();
  return allocations.load() - before;
}

}  // namespace

TEST_CASE("the counter sees allocations", "[breaker][B14]") {
  // By name: a compiler may leave out a new-expression, but not these calls.
  CHECK(allocations_of([] { ::operator delete(::operator new(3)); }) == 1);
  constexpr std::align_val_t line{64};
  CHECK(allocations_of([] { ::operator delete(::operator new(3, line), line); }) == 1);
}

TEST_CASE("nothing on the call path allocates", "[breaker][B14][B14a]") {
  bench bench{{.name = "a name too long for the small string optimisation", .open_for = 5s, .probes = 2}};
  auto& circuit = bench.circuit;
  const auto report = [&](outcome result) { static_cast<void>(circuit.try_acquire()->complete(result)); };

  CHECK(allocations_of([&] { report(outcome::success); }) == 0);
  CHECK(allocations_of([&] { report(outcome::ignored); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(circuit.try_acquire()); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(circuit.call([] { return 1; })); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(circuit.try_call([] { return 1; })); }) == 0);
  CHECK(allocations_of([&] { report(outcome::failure); }) == 0);
  CHECK(allocations_of([&] {
          report(outcome::failure);
          report(outcome::failure);
        }) == 0);
  REQUIRE(bench.state() == circuit_state::open);
  CHECK(allocations_of([&] { static_cast<void>(circuit.try_acquire().rejection()); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(circuit.try_call([] { return 1; })); }) == 0);
  bench.clock.advance(5s);
  CHECK(allocations_of([&] { report(outcome::success); }) == 0);
  REQUIRE(bench.state() == circuit_state::half_open);
  CHECK(allocations_of([&] { report(outcome::success); }) == 0);
  REQUIRE(bench.state() == circuit_state::closed);
  CHECK(allocations_of([&] {
          circuit.force_open();
          static_cast<void>(circuit.try_acquire());
          circuit.disable();
          circuit.measure_only();
          circuit.reset();
        }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(circuit.snapshot()); }) == 0);
}

TEST_CASE("any_clock allocates only the clock that it is given, and a reading allocates nothing",
          "[core][B14]") {
  CHECK(allocations_of([] { static_cast<void>(brownout::any_clock{}.now()); }) == 0);
  const manual_clock clock;
  CHECK(allocations_of([&] { static_cast<void>(brownout::any_clock{clock}); }) == 1);
  const brownout::any_clock held{clock};
  CHECK(allocations_of([&] {
          const auto copy = held;
          static_cast<void>(copy.now());
          static_cast<void>(copy.coarse_now());
        }) == 0);
}

TEST_CASE("any_detector allocates what the detector in it allocates, and its calls allocate nothing",
          "[detector][B14][T10]") {
  const auto of_a_breaker = [](auto own) {
    const auto build = [](auto detector) {
      return allocations_of([&] { brownout::circuit_breaker<decltype(detector)>{detector}; });
    };
    CHECK(build(brownout::any_detector{own}) == build(own));
    brownout::circuit_breaker<brownout::any_detector> circuit{own};
    CHECK(allocations_of([&] {
            for (const auto result : {outcome::success, outcome::failure, outcome::success})
              static_cast<void>(circuit.try_acquire()->complete(result));
            static_cast<void>(circuit.snapshot());
          }) == 0);
  };
  of_a_breaker(brownout::standard_detector{});
  of_a_breaker(brownout::consecutive_failures{});
  of_a_breaker(brownout::failures_within{});
  of_a_breaker(brownout::failure_rate<>{});
  of_a_breaker(brownout::slow_call_rate<brownout::time_window>{.slower_than = 1s});
}

TEST_CASE("a feature check allocates nothing, nor does a call of a dependency", "[system][B14][D3][D3b]") {
  manual_clock clock;
  brownout::dependency index{{.name = "a name too long for the small string optimisation"}, clock};
  brownout::supervisor watch{
      matrix, {.levels = {.ladder = {{level::full, 50}, {level::least, 0}}}}, {{0, index}}, clock};
  static_cast<void>(watch.step(clock.now()));
  int offered = 0;
  CHECK(allocations_of([&] {
          const auto features = watch.features();
          offered += features.available(feature::search) ? 1 : 0;
          offered += features.mode(feature::export_) == brownout::feature_mode::off ? 0 : 1;
        }) == 0);
  CHECK(offered == 2);
  CHECK(allocations_of([&] { static_cast<void>(index.call([] { return 1; })); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(index.try_call([] { return 1; })); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(index.try_acquire()->complete(outcome::failure)); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(index.try_acquire()->complete(outcome::ignored)); }) == 0);
  CHECK(allocations_of([&] {
          static_cast<void>(index.calls());
          static_cast<void>(index.snapshot());
        }) == 0);
  index.force_open();
  CHECK(allocations_of([&] { static_cast<void>(index.try_call([] { return 1; })); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(index.try_acquire().rejection()); }) == 0);
}

TEST_CASE("a step with nothing to tell and no probe to order allocates nothing, nor does a probe's success",
          "[system][S2]") {
  manual_clock clock;
  const std::string name = "a name too long for the small string optimisation";
  brownout::dependency index{
      {.name = name, .probe = [](const brownout::probe_context&) { return brownout::probe_result{}; }},
      clock};
  brownout::dependency store{
      {.name = "store", .criticality = brownout::criticality::optional, .depends_on = {name}}, clock};
  brownout::registry<brownout::consecutive_failures, manual_clock> hosts{{}, clock};
  brownout::registry_dependency many{hosts, {.name = "hosts"}};
  hosts.at("one").call([] {});
  brownout::supervisor watch{matrix,
                             {.levels = {.ladder = {{level::full, 50}, {level::least, 0}}},
                              .return_over = 1s,
                              .probe_interval = 10s,
                              .probe_jitter = 0},
                             {{0, index}, {1, store}, {2, many}},
                             clock};
  const brownout::probe_result well{outcome::success, ""};
  const auto order = watch.step(clock.now()).probes.at(0);
  CHECK(allocations_of([&] { watch.refresh(clock.now()); }) == 0);
  watch.report(order, well, clock.now());  // the first assessment is a change, and is told
  static_cast<void>(watch.step(clock.now()));

  CHECK(allocations_of([&] { static_cast<void>(watch.step(clock.now())); }) == 0);
  clock.advance(1s);
  CHECK(allocations_of([&] { static_cast<void>(watch.step(clock.now())); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(watch.ready()); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(watch.retry_after(clock.now())); }) == 0);
  clock.advance(9s);
  const auto plan = watch.step(clock.now());  // the order itself is told in a vector
  REQUIRE(plan.probes.size() == 1);
  CHECK(allocations_of([&] { watch.report(plan.probes[0], well, clock.now()); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(watch.step(clock.now())); }) == 0);
}

TEST_CASE("a look-up of a known key allocates nothing, nor does a call, a visit or an eviction",
          "[registry][S3]") {
  using registry = brownout::registry<brownout::consecutive_failures, manual_clock>;
  manual_clock clock;
  registry hosts{{.capacity = 300, .idle_for = 1s}, clock};
  const std::string key = "a key too long for the small string optimisation";
  CHECK(allocations_of([&] { static_cast<void>(hosts.at(key)); }) > 0);
  CHECK(allocations_of([&] { static_cast<void>(hosts.at(key).call([] { return 1; })); }) == 0);
  CHECK(allocations_of(
            [&] { static_cast<void>(hosts.find(key).try_acquire()->complete(outcome::failure)); }) == 0);
  CHECK(allocations_of([&] { static_cast<void>(hosts.find("none")); }) == 0);
  CHECK(allocations_of([&] { hosts.visit([](const registry::handle&) {}); }) == 0);
  clock.advance(1s);
  CHECK(allocations_of([&] { static_cast<void>(hosts.remove_expired()); }) == 0);
  clock.advance(1s);
  CHECK(allocations_of([&] { CHECK(hosts.remove_expired() == 1); }) == 0);
}

TEST_CASE("a fallback allocates only what last_good keeps", "[guard][F1][F7]") {
  brownout::circuit_breaker database{{.name = "database"}};
  const brownout::pipeline plain{brownout::fallback{-1}, database};
  const brownout::pipeline kept{brownout::fallback{brownout::last_good{.max_age = 5min}}, database};
  const auto call = [](const auto& guarded) {
    return allocations_of([&] { static_cast<void>(guarded.try_call([] { return 1; })); });
  };
  CHECK(call(plain) == 0);
  CHECK(call(kept) == 1);
  database.force_open();
  CHECK(call(plain) == 0);
  CHECK(call(kept) == 0);
}

TEST_CASE("calls of rate limiters by key allocate nothing, whether or not the key has a bucket",
          "[guard][L10d]") {
  manual_clock clock;
  brownout::keyed<brownout::rate_limiter<manual_clock>> quotas{
      {.rate = brownout::per_second(10), .burst = 2, .capacity = 1}, clock};
  const auto allocated_by = [&](std::string_view key, bool is_admitted) {
    return allocations_of([&] { CHECK(quotas.at(key).try_acquire().has_value() == is_admitted); });
  };
  const std::string longest(1000, 'k');
  CHECK(allocated_by("first", true) == 0);
  CHECK(allocated_by("first", true) == 0);
  CHECK(allocated_by("first", false) == 0);
  CHECK(allocated_by(longest, true) == 0);  // has no bucket
  clock.advance(1s);
  CHECK(allocated_by("third", true) == 0);  // evicts one
  CHECK(quotas.snapshot().evicted == 1);
}
