// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/counted_atomics.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/core/any_clock.hpp"
#include "brownout/detector/any_detector.hpp"
#include "brownout/detector/any_of.hpp"
#include "brownout/registry/registry.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

using namespace breaker_test;
using brownout::any_detector;
using brownout::count_window;
using brownout::failure_balance;
using brownout::failure_rate;
using brownout::failures_within;
using brownout::slow_call_rate;
using brownout::slow_calls;
using brownout::standard_detector;
using brownout::time_window;
using brownout::transition_cause;

namespace {

using all_kinds = std::tuple<standard_detector, consecutive_failures, failure_balance, failures_within,
                             failure_rate<count_window>, failure_rate<time_window>,
                             slow_call_rate<count_window>, slow_call_rate<time_window>>;

// With thresholds that a short walk of calls reaches.
constexpr all_kinds quick{
    standard_detector{},
    consecutive_failures{3},
    failure_balance{4},
    failures_within{.threshold = 3, .period = 2s},
    failure_rate<count_window>{.threshold = 0.5, .minimum_calls = 5, .window = {20}},
    failure_rate<time_window>{.threshold = 0.5, .minimum_calls = 5, .window = {3s}},
    slow_call_rate<count_window>{.threshold = 0.5, .slower_than = 100ms, .minimum_calls = 5, .window = {20}},
    slow_call_rate<time_window>{
        .threshold = 0.5, .slower_than = 100ms, .minimum_calls = 5, .window = {3s}, .count_failures = true}};

template <class Detector>
constexpr Detector quick_one = std::get<Detector>(quick);

template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

/// A manual clock that counts how often it is read.
struct counted_clock {
  manual_clock clock{};
  struct readings {
    int precise = 0;
    int coarse = 0;
    friend bool operator==(const readings&, const readings&) = default;
  };
  readings* seen = nullptr;

  [[nodiscard]] time_point now() const noexcept {
    if (seen != nullptr) ++seen->precise;
    return clock.now();
  }
  [[nodiscard]] time_point coarse_now() const noexcept {
    if (seen != nullptr) ++seen->coarse;
    return clock.coarse_now();
  }
};

/// One of two breakers that are used in the same way.
template <class Detector>
struct walker {
  using breaker = brownout::circuit_breaker<Detector, counted_clock>;

  counted_clock::readings read{};
  std::vector<brownout::transition_event> events{};
  breaker circuit;
  brownout::subscription listening;
  std::vector<typename breaker::permit> permits{};

  walker(Detector detector, const manual_clock& clock)
      : circuit{detector,
                {.open_for = 300ms, .probes = 2, .successes = 2, .ramp = {.first = 2, .successes = 2}},
                counted_clock{clock, &read}},
        listening{circuit.subscribe([this](const auto& event) { events.push_back(event); },
                                    brownout::announcements::every_transition)} {}

  void begin() {
    auto admitted = circuit.try_acquire();
    if (admitted) permits.push_back(*std::move(admitted));
  }
  disposition end(std::size_t which, outcome result) {
    const auto told = permits[which].complete(result, result == outcome::failure ? 200ms : 0ms, "lost");
    permits.erase(permits.begin() + static_cast<std::ptrdiff_t>(which));
    return told;
  }
};

auto figures(const brownout::breaker_snapshot& seen) {
  return std::tuple{seen.state,
                    seen.epoch,
                    seen.since,
                    seen.failure_balance,
                    seen.consecutive_failures,
                    seen.calls,
                    seen.failures,
                    seen.slow_calls,
                    seen.probes_succeeded,
                    seen.probes_in_flight,
                    seen.retry_after,
                    seen.failed_results,
                    seen.slow_results,
                    seen.late_results,
                    seen.rejections};
}
auto figures(const brownout::transition_event& seen) {
  return std::tuple{
      seen.from,  seen.to,       seen.cause,     seen.consecutive_failures, seen.failure_balance,
      seen.calls, seen.failures, seen.slow_calls};
}

// Every detector of the library converts, apart from those that its comment excludes.
static_assert(brownout::detector<any_detector>);
static_assert(std::convertible_to<standard_detector, any_detector>);
static_assert(std::convertible_to<slow_call_rate<time_window>, any_detector>);
static_assert(!std::convertible_to<slow_call_rate<count_window, slow_calls::in_flight>, any_detector>);
static_assert(!std::convertible_to<brownout::any_of<failure_rate<>, consecutive_failures>, any_detector>);
static_assert(any_detector{}.name() == "standard detector");
static_assert(any_detector{consecutive_failures{7}}.get_if<consecutive_failures>()->threshold == 7);
static_assert(any_detector{consecutive_failures{7}}.get_if<failure_balance>() == nullptr);

}  // namespace

TEMPLATE_LIST_TEST_CASE("any_detector decides, counts and reads the clock as the detector in it",
                        "[detector][T10]", all_kinds) {
  const auto seed = GENERATE(range(1U, 9U));
  INFO("seed " << seed);
  std::mt19937 random{seed};
  manual_clock clock{time_point{1h}};
  clock.set_coarse_lag(4ms);
  walker<TestType> own{quick_one<TestType>, clock};
  walker<any_detector> any{quick_one<TestType>, clock};
  int bad = 20;  // of a hundred calls
  for (int step = 0; step < 3000; ++step) {
    if (step % 100 == 0) bad = static_cast<int>(random() % 4) * 30;
    const auto kind = random() % 100;
    if (kind < 45 || (kind < 90 && own.permits.empty())) {
      own.begin();
      any.begin();
      REQUIRE(own.permits.size() == any.permits.size());
    } else if (kind < 90) {
      const auto which = random() % own.permits.size();
      const bool is_bad = static_cast<int>(random() % 100) < bad;
      const auto result = is_bad               ? outcome::failure
                          : random() % 20 == 0 ? outcome::ignored
                                               : outcome::success;
      if (random() % 100 < static_cast<unsigned>(bad)) clock.advance(150ms);
      REQUIRE(own.end(which, result) == any.end(which, result));
    } else if (kind < 98) {
      clock.advance(std::chrono::milliseconds{random() % 300});
    } else if (random() % 4 == 0) {
      own.circuit.measure_only();
      any.circuit.measure_only();
    } else if (random() % 3 == 0) {
      REQUIRE(own.circuit.trip("by hand") == any.circuit.trip("by hand"));
    } else {
      own.circuit.reset();
      any.circuit.reset();
    }
    REQUIRE(figures(own.circuit.snapshot()) == figures(any.circuit.snapshot()));
    REQUIRE(own.read == any.read);
  }
  REQUIRE(own.events.size() == any.events.size());
  int trips = 0;
  for (std::size_t i = 0; i < own.events.size(); ++i) {
    const auto& event = own.events[i];
    CHECK(figures(event) == figures(any.events[i]));
    if (event.to == circuit_state::open && event.from == circuit_state::closed &&
        event.cause != transition_cause::trip) {
      ++trips;
    }
  }
  CHECK(trips > 2);
}

TEMPLATE_LIST_TEST_CASE("on a clean circuit any_detector costs two loads, and no clock is read",
                        "[detector][T10][B3a]", all_kinds) {
  counted_clock::readings read;
  const counted_clock clock{manual_clock{}, &read};
  const auto cost_of_a_success = [&](auto detector) {
    brownout::circuit_breaker<decltype(detector), counted_clock, counted_atomics> circuit{
        detector, {}, clock};
    const auto call = [&] { static_cast<void>(circuit.try_acquire()->complete(outcome::success)); };
    for (int i = 0; i < 60; ++i) call();  // until a window is full
    read = {};
    const auto accesses = counted_atomics::of(call);
    return std::pair{accesses, read};
  };
  const auto [accesses, readings] = cost_of_a_success(any_detector{quick_one<TestType>});
  constexpr bool is_timed = TestType::times_calls;
  constexpr bool is_always_counted = is_timed || std::same_as<TestType, failure_rate<time_window>>;
  if (is_always_counted) {
    CHECK(accesses.first > 2);
    CHECK(readings.precise == (is_timed ? 2 : 0));
    CHECK(readings.coarse == (is_timed ? 0 : 1));
  } else {
    CHECK(accesses == loads_and_writes{2, 0});
    CHECK(readings == counted_clock::readings{});
  }
  CHECK(readings == cost_of_a_success(quick_one<TestType>).second);
}

TEMPLATE_LIST_TEST_CASE("a result that a reset overtakes ends with any_detector as with the detector in it",
                        "[detector][T10][B6]", all_kinds) {
  const auto end_of_a_failure = [](auto detector, int access) {
    const manual_clock clock;
    brownout::circuit_breaker<decltype(detector), manual_clock, interrupted_atomics> circuit{
        detector, {}, clock};
    auto admitted = circuit.try_acquire();
    interruption::action = [&] { circuit.reset(); };
    interruption::accesses_left = access;
    const auto told = admitted->complete(outcome::failure);
    interruption::accesses_left = -1;
    const bool was_interrupted = !std::exchange(interruption::action, nullptr);
    const auto seen = circuit.snapshot();
    return std::tuple{was_interrupted, told, seen.failed_results, seen.late_results, seen.failures};
  };
  int interrupted = 0;
  for (bool goes_on = true; goes_on; ++interrupted) {
    INFO("before access " << interrupted);
    const auto own = end_of_a_failure(quick_one<TestType>, interrupted);
    CHECK(end_of_a_failure(any_detector{quick_one<TestType>}, interrupted) == own);
    goes_on = std::get<0>(own);
  }
  CHECK(interrupted > 2);
}

TEST_CASE("any_detector names the detector in it", "[detector]") {
  std::vector<std::string> names;
  std::apply([&](const auto&... one) { (names.emplace_back(any_detector{one}.name()), ...); }, quick);
  CHECK(names == std::vector<std::string>{"standard detector", "consecutive failures", "failure balance",
                                          "failures within a period", "failure rate",
                                          "failure rate over time", "slow call rate",
                                          "slow call rate over time"});
}

TEST_CASE("any_detector without an argument is the standard detector", "[detector]") {
  manual_clock clock;
  brownout::circuit_breaker<any_detector, manual_clock> circuit{{.name = "plain"}, clock};
  CHECK(circuit.detector().get_if<standard_detector>() != nullptr);
  for (int i = 0; i < 10; ++i) {
    clock.advance(10ms);
    static_cast<void>(circuit.try_acquire()->complete(outcome::failure));
  }
  CHECK(circuit.observed_state() == circuit_state::open);
}

TEST_CASE("the thresholds of an any_detector are replaced while it is in use", "[detector][B13][B13b]") {
  manual_clock clock;
  const auto after_reports = [&](any_detector before, any_detector after, outcome result, duration took) {
    brownout::circuit_breaker<any_detector, manual_clock> circuit{before, {}, clock};
    const auto report = [&] {
      auto admitted = circuit.try_acquire();
      clock.advance(took);
      static_cast<void>(admitted->complete(result));
    };
    for (int i = 0; i < 3; ++i) report();
    REQUIRE(circuit.observed_state() == circuit_state::closed);
    circuit.reconfigure(after);
    report();
    return circuit.observed_state();
  };
  const failures_within rare{.threshold = 8};
  const failure_rate<> latest{.minimum_calls = 10, .window = {10}};
  const failure_rate<time_window> timed{.minimum_calls = 10};
  const slow_call_rate<> slow{.slower_than = 1s, .minimum_calls = 10, .window = {10}};
  const auto with_minimum = [](auto detector, std::uint32_t minimum) {
    detector.minimum_calls = minimum;
    return detector;
  };
  constexpr auto failed = outcome::failure;
  CHECK(after_reports(consecutive_failures{9}, consecutive_failures{4}, failed, 0s) == circuit_state::open);
  CHECK(after_reports(failure_balance{9}, failure_balance{4}, failed, 0s) == circuit_state::open);
  CHECK(after_reports(rare, failures_within{.threshold = 4}, failed, 0s) == circuit_state::open);
  CHECK(after_reports(latest, with_minimum(latest, 4), failed, 0s) == circuit_state::open);
  CHECK(after_reports(timed, with_minimum(timed, 4), failed, 0s) == circuit_state::open);
  CHECK(after_reports(slow, with_minimum(slow, 4), outcome::success, 2s) == circuit_state::open);
  CHECK(after_reports(consecutive_failures{9}, consecutive_failures{5}, failed, 0s) == circuit_state::closed);
}

TEST_CASE("another kind of detector is refused while a breaker is in use, and nothing has changed",
          "[detector][T10][B13c]") {
  brownout::circuit_breaker<any_detector> circuit{consecutive_failures{3}, {.name = "api"}};
  CHECK(refusal([&] { circuit.reconfigure(failure_rate<time_window>{}); }) ==
        "breaker 'api': any_detector = failure rate over time: allowed is consecutive failures: a breaker in "
        "use keeps the kind of its detector");
  CHECK(refusal([&] { circuit.reconfigure(failure_balance{3}); }) ==
        "breaker 'api': any_detector = failure balance: allowed is consecutive failures: a breaker in use "
        "keeps the kind of its detector");
  REQUIRE(circuit.detector().get_if<consecutive_failures>() != nullptr);
  CHECK(circuit.detector().get_if<consecutive_failures>()->threshold == 3);

  brownout::circuit_breaker<any_detector> windowed{failure_rate<>{.window = {50}}};
  CHECK(refusal([&] { windowed.reconfigure(failure_rate<>{.window = {60}}); }) ==
        "failure_rate.window.size = 60: allowed is 50: a window in use keeps its size");
}

TEST_CASE("any_detector refuses the options that the detector in it refuses", "[detector][options]") {
  const auto refused = [](any_detector detector) {
    return refusal([&] { brownout::circuit_breaker<any_detector>{detector, {.name = "api"}}; });
  };
  CHECK(refused(consecutive_failures{0}) ==
        "breaker 'api': consecutive_failures.threshold = 0: allowed is 1 to 1000000");
  CHECK(refused(consecutive_failures{1'000'000}).empty());
  CHECK(refused(slow_call_rate<>{}) ==
        "breaker 'api': slow_call_rate.slower_than = 0s: allowed is 1us to 24h");
  CHECK(refused(failure_rate<>{.threshold = 2}) ==
        "breaker 'api': failure_rate.threshold = 2: allowed is above 0, up to 1");
  CHECK(refused(failures_within{.threshold = 65}) ==
        "breaker 'api': failures_within.threshold = 65: allowed is 1 to 64");
}

TEST_CASE("the detector of a breaker with any_detector has its defaults filled in", "[detector]") {
  const brownout::circuit_breaker<any_detector> circuit{failure_rate<>{.window = {10}}};
  REQUIRE(circuit.detector().get_if<failure_rate<>>() != nullptr);
  CHECK(circuit.detector().get_if<failure_rate<>>()->minimum_calls == 10);
}

TEST_CASE("any_detector can be part of an any_of", "[detector][T8]") {
  manual_clock clock;
  const slow_call_rate<> slow{.slower_than = 1s, .minimum_calls = 4};
  const brownout::any_of either{any_detector{slow}, any_detector{consecutive_failures{3}}};
  brownout::circuit_breaker<std::remove_const_t<decltype(either)>, manual_clock> circuit{either, {}, clock};
  std::vector<transition_cause> causes;
  const auto listening = circuit.subscribe([&](const auto& event) { causes.push_back(event.cause); });
  const auto report = [&](int times, outcome result, duration took) {
    for (int i = 0; i < times; ++i) {
      auto admitted = circuit.try_acquire();
      clock.advance(took);
      CHECK(admitted->complete(result) == disposition::counted);
    }
  };
  SECTION("the first one trips") {
    report(4, outcome::success, 2s);
    CHECK(causes == std::vector{transition_cause::slow_call_rate});
  }
  SECTION("the second one trips") {
    report(3, outcome::failure, 0s);
    CHECK(causes == std::vector{transition_cause::consecutive_failures});
  }
  SECTION("neither does") {
    report(3, outcome::success, 1s);
    report(2, outcome::failure, 0s);
    CHECK(causes.empty());
    CHECK(circuit.snapshot().consecutive_failures == 2);
  }
}

TEST_CASE("each rule of a registry has its own kind of detector", "[detector]") {
  using registry = brownout::registry<any_detector, brownout::any_clock>;
  manual_clock clock;
  registry::options_type options{.detector = consecutive_failures{2}};
  options.keys = {{.match = "slow", .detector = slow_call_rate<>{.slower_than = 1s, .minimum_calls = 3}}};
  registry hosts{options, clock};
  const auto report = [&](std::string_view key, outcome result) {
    auto admitted = hosts.at(key).try_acquire();
    REQUIRE(admitted);
    clock.advance(2s);
    static_cast<void>(admitted->complete(result));
    return hosts.at(key).observed_state();
  };
  for (int i = 0; i < 2; ++i) CHECK(report("slow", outcome::success) == circuit_state::closed);
  CHECK(report("slow", outcome::success) == circuit_state::open);
  for (int i = 0; i < 9; ++i) CHECK(report("other", outcome::success) == circuit_state::closed);
  CHECK(report("other", outcome::failure) == circuit_state::closed);
  CHECK(report("other", outcome::failure) == circuit_state::open);

  options.keys.clear();  // the key "slow" would have another kind of detector
  CHECK(refusal([&] { hosts.reconfigure(options); }).find("any_detector = consecutive failures") !=
        std::string::npos);
}

TEMPLATE_LIST_TEST_CASE("calls of several threads are all counted by an any_detector", "[detector]",
                        all_kinds) {
  constexpr std::uint32_t threads = 4;
  constexpr std::uint32_t each = 300;
  manual_clock clock;
  brownout::circuit_breaker<any_detector, manual_clock> circuit{quick_one<TestType>, {}, clock};
  circuit.measure_only();
  std::vector<std::thread> callers;
  for (std::uint32_t number = 0; number < threads; ++number) {
    callers.emplace_back([&] {
      for (std::uint32_t i = 0; i < each; ++i) {
        auto admitted = circuit.try_acquire();
        clock.advance(1ms);
        static_cast<void>(admitted->complete(i % 3 == 0 ? outcome::failure : outcome::success));
        static_cast<void>(circuit.snapshot());
      }
    });
  }
  for (auto& caller : callers) caller.join();
  CHECK(circuit.snapshot().failed_results == threads * each / 3);
  CHECK(circuit.snapshot().late_results == 0);
}
