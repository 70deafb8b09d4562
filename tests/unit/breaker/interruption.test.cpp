// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/detector/any_of.hpp"
#include "brownout/detector/failure_balance.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/failures_within.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

// Every operation interrupted by every other, before each of its accesses to shared memory: what comes out
// must be what one of the orders without interruption gives. It is exhaustive for one preemption, and without
// a window beside the word for two of the same operation; it needs no threads.

using namespace breaker_test;

namespace {

/// What is explored: breakers that trip at two failures in a row (or two of the latest three calls).
struct in_a_row {
  using detector = consecutive_failures;
  static detector trips() { return {2}; }
  static breaker_options options() { return bench::plain({.open_for = 5s, .probes = 2, .lease = 2s}); }
};
struct of_the_latest : in_a_row {
  using detector = brownout::failure_rate<>;
  static detector trips() { return {.threshold = 0.6, .minimum_calls = 2, .window = {3}}; }
};
struct either : in_a_row {
  using detector = brownout::any_of<brownout::failure_balance, brownout::failure_rate<>>;
  static detector trips() { return {{2}, of_the_latest::trips()}; }
};
struct within_a_time : in_a_row {
  using detector = brownout::failures_within;
  static detector trips() { return {.threshold = 2, .period = 1h}; }
};
struct with_ramp : in_a_row {
  static breaker_options options() {
    return {.open_for = brownout::adaptive_period{5s, 60s, 0},
            .probes = 2,
            .successes = 2,
            .ramp = {.first = 2, .successes = 3},
            .lease = 2s};
  }
};
struct by_rate : in_a_row {
  static breaker_options options() {
    return {.open_for = 5s,
            .probes = 2,
            .probe_rate = {.calls = 3, .failure_threshold = 0.5},
            .ramp = {.first = 2, .successes = 3},
            .lease = 2s};
  }
};

/// The same, and a failure that says how long to wait opens them at once.
template <class Explored>
struct told_to_wait : Explored {
  static breaker_options options() {
    auto options = Explored::options();
    options.open_on_retry_after = true;
    return options;
  }
};

/// A breaker in some state, with a permit for each of two operations.
template <class Explored>
struct scene {
  using breaker = brownout::circuit_breaker<typename Explored::detector, manual_clock, interrupted_atomics>;

  manual_clock clock;
  breaker circuit{Explored::trips(), Explored::options(), clock};
  std::array<std::optional<typename breaker::permit>, 2> held;
  std::array<std::optional<typename breaker::permit>, 2> admitted;

  void take(std::size_t which) {
    if (auto given = circuit.try_acquire()) held[which].emplace(*std::move(given));
  }
  /// A call, if the circuit admits it.
  void report(outcome result) {
    if (auto given = circuit.try_acquire()) given->complete(result);
  }
  void fail() { report(outcome::failure); }
  void succeed() { report(outcome::success); }
  void open() { fail(), fail(); }
  /// Until the open period is over.
  void wait() {
    clock.advance(5s);
    while (circuit.snapshot().retry_after > 0s) static_cast<void>(circuit.try_acquire());
  }
};

template <class Scene>
struct named_setting {
  std::string_view name;
  void (*prepare)(Scene&);
};

template <class Scene>
constexpr named_setting<Scene> settings[] = {
    {"closed", [](Scene& s) { s.take(0), s.take(1); }},
    {"closed, one failure from opening", [](Scene& s) { s.fail(), s.take(0), s.take(1); }},
    {"closed, a failure and a success", [](Scene& s) { s.fail(), s.succeed(), s.take(0), s.take(1); }},
    {"closed for long",
     [](Scene& s) {
       for (int i = 0; i < 30; ++i) s.succeed();
       s.take(0), s.take(1);
     }},
    {"closed, one success from where the window is found clean",
     [](Scene& s) {
       for (int i = 0; i < 26; ++i) s.succeed();
       s.take(0), s.take(1);
     }},
    {"closed for long, then a failure, which leaves the window next",
     [](Scene& s) {
       for (int i = 0; i < 51; ++i) s.succeed();
       s.take(0), s.fail(), s.succeed(), s.succeed(), s.take(1);
     }},
    {"closed, one of two permits stale", [](Scene& s) { s.take(0), s.circuit.reset(), s.fail(), s.take(1); }},
    {"open", [](Scene& s) { s.take(0), s.take(1), s.open(); }},
    {"open, its period over", [](Scene& s) { s.take(0), s.take(1), s.open(), s.wait(); }},
    {"open again, and calls are to be refused",
     [](Scene& s) { s.open(), s.wait(), s.fail(), s.clock.advance(5s); }},
    {"half-open, one probe in flight",
     [](Scene& s) { s.take(1), s.open(), s.wait(), s.take(0), s.clock.advance(1s); }},
    {"half-open, both in flight",
     [](Scene& s) { s.open(), s.wait(), s.take(0), s.take(1), s.clock.advance(1s); }},
    {"half-open, both in flight and overdue",
     [](Scene& s) { s.open(), s.wait(), s.take(0), s.take(1), s.clock.advance(2s); }},
    {"half-open, one succeeded", [](Scene& s) { s.take(1), s.open(), s.wait(), s.succeed(), s.take(0); }},
    {"all probes succeeded",
     [](Scene& s) { s.open(), s.wait(), s.succeed(), s.succeed(), s.take(0), s.take(1); }},
    {"all probes succeeded, then a failure",
     [](Scene& s) { s.open(), s.wait(), s.succeed(), s.succeed(), s.fail(), s.take(0); }},
    {"all probes succeeded, then calls that are overdue",
     [](Scene& s) {
       s.open(), s.wait(), s.succeed(), s.succeed(), s.take(0), s.take(1), s.clock.advance(2s);
     }},
    {"all probes succeeded, and one call is missing",
     [](Scene& s) {
       s.open(), s.wait(), s.succeed(), s.succeed(), s.succeed(), s.succeed(), s.take(0), s.take(1);
     }},
    {"forced open", [](Scene& s) { s.take(0), s.take(1), s.circuit.force_open(); }},
    {"disabled", [](Scene& s) { s.circuit.disable(), s.take(0), s.take(1); }},
    {"metrics only", [](Scene& s) { s.circuit.measure_only(), s.fail(), s.fail(), s.take(0), s.take(1); }},
};

/// What an operation answered, as one number that tells all answers apart.
using answer = std::tuple<int, std::int64_t>;

template <class Scene>
struct named_operation {
  std::string_view name;
  answer (*run)(Scene&, std::size_t permit);
};

template <class Scene>
answer complete(Scene& s, std::size_t permit, outcome result, duration retry_after = {}) {
  auto& held = s.held[permit];
  return {static_cast<int>(held ? held->complete(result, retry_after) : disposition::late), 0};
}

template <class Scene>
constexpr named_operation<Scene> operations[] = {
    {"acquire",
     [](Scene& s, std::size_t permit) -> answer {
       auto admitted = s.circuit.try_acquire();
       if (!admitted) {
         return {static_cast<int>(admitted.rejection().reason), admitted.rejection().retry_after.count()};
       }
       s.admitted[permit].emplace(*std::move(admitted));  // so that the place stays taken
       return {-1, 0};
     }},
    {"success", [](Scene& s, std::size_t permit) { return complete(s, permit, outcome::success); }},
    {"failure", [](Scene& s, std::size_t permit) { return complete(s, permit, outcome::failure); }},
    {"failure that says how long to wait",
     [](Scene& s, std::size_t permit) { return complete(s, permit, outcome::failure, 7s); }},
    {"give back",
     [](Scene& s, std::size_t permit) -> answer {
       s.held[permit].reset();
       return {0, 0};
     }},
    {"force open", [](Scene& s, std::size_t) -> answer { return s.circuit.force_open(), answer{}; }},
    {"disable", [](Scene& s, std::size_t) -> answer { return s.circuit.disable(), answer{}; }},
    {"measure only", [](Scene& s, std::size_t) -> answer { return s.circuit.measure_only(), answer{}; }},
    {"reset", [](Scene& s, std::size_t) -> answer { return s.circuit.reset(), answer{}; }},
    {"snapshot",
     [](Scene& s, std::size_t) -> answer {
       const auto seen = s.circuit.snapshot();
       return {static_cast<int>(seen.epoch) * 1000 + static_cast<int>(seen.probes_in_flight) * 100 +
                   static_cast<int>(seen.probes_succeeded) * 10 + static_cast<int>(seen.consecutive_failures),
               seen.since.time_since_epoch().count()};
     }},
    // Several in one, so they only interrupt: whoever read the clock before them must read it again.
    {"reset later",
     [](Scene& s, std::size_t) -> answer { return s.clock.advance(3s), s.circuit.reset(), answer{}; }},
    {"fail a probe later",
     [](Scene& s, std::size_t) -> answer {
       const auto seen = s.circuit.snapshot();
       const bool probes = seen.state == circuit_state::open || seen.state == circuit_state::half_open;
       if (!probes || seen.retry_after > 0s) return {};
       s.clock.advance(3s);
       auto probe = s.circuit.try_acquire();
       return {static_cast<int>(probe ? probe->complete(outcome::failure) : disposition::late), 0};
     }},
};

template <class Scene>
constexpr auto can_be_interrupted =
    std::span{operations<Scene>}.template first<std::size(operations<Scene>) - 2>();

using ending =
    std::tuple<answer, answer, answer, circuit_state, std::uint64_t, std::int64_t, std::uint32_t,
               std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t,
               std::uint32_t, std::uint32_t, std::uint32_t, duration, std::uint64_t, std::uint64_t>;

template <class Explored>
ending end_of(scene<Explored>& s, answer first, answer second, answer third = {}) {
  auto seen = s.circuit.snapshot();
  std::uint32_t left = 0;  // of the failures, once the window has gone on by its size
  if constexpr (Explored::detector::has_window) {
    if (seen.state == circuit_state::closed) {
      for (int i = 0; i < 3; ++i) s.succeed();
      left = s.circuit.snapshot().failures;
    }
    // A window stands beside the control word. A result that comes as its epoch ends may still be counted
    // there, for nothing: then `counted` is as good an answer as `late`.
    for (auto* each : {&first, &second, &third}) {
      if (*each == answer{static_cast<int>(disposition::late), 0}) {
        *each = {static_cast<int>(disposition::counted), 0};
        --seen.late_results;
      }
    }
  }
  return {first,
          second,
          third,
          seen.state,
          seen.epoch,
          seen.since.time_since_epoch().count(),
          seen.consecutive_failures,
          seen.failure_balance,
          seen.calls,
          seen.failures,
          left,
          seen.probes_in_flight,
          seen.probes_succeeded,
          seen.probes_failed,
          seen.in_flight_limit,
          seen.open_period,
          seen.retry_after,
          seen.rejections,
          seen.late_results};
}

}  // namespace

TEMPLATE_TEST_CASE("an operation that another one interrupts does what it would have done before or after it",
                   "[breaker][exhaustive][B2][B2b][B3][B4][B6][B8][B12]", in_a_row, of_the_latest, either,
                   within_a_time, with_ramp, by_rate, told_to_wait<of_the_latest>) {
  using explored = scene<TestType>;
  int interrupted = 0;
  for (const auto& setting : settings<explored>) {
    for (const auto& first : can_be_interrupted<explored>) {
      for (const auto& second : operations<explored>) {
        std::array<ending, 2> orders;
        for (const bool swapped : {false, true}) {
          explored s;
          setting.prepare(s);
          answer b;
          if (swapped) b = second.run(s, 1);
          const auto a = first.run(s, 0);
          if (!swapped) b = second.run(s, 1);
          orders[swapped] = end_of(s, a, b);
        }
        for (int access = 0;; ++access) {
          explored s;
          setting.prepare(s);
          answer b;
          interruption::action = [&] { b = second.run(s, 1); };
          interruption::accesses_left = access;
          const auto a = first.run(s, 0);
          interruption::accesses_left = -1;
          if (std::exchange(interruption::action, nullptr)) break;  // it has fewer accesses than that
          ++interrupted;
          const auto seen = end_of(s, a, b);
          INFO(setting.name << ": " << first.name << " interrupted by " << second.name << " before access "
                            << access);
          CHECK((seen == orders[0] || seen == orders[1]));
        }
      }
    }
  }
  CHECK(interrupted > 3000);
}

TEMPLATE_TEST_CASE(
    "an operation that two others interrupt, one after the other, does what it would have done in order",
    "[breaker][exhaustive][B2][B3][B4][B6][B8][B12]", in_a_row, told_to_wait<with_ramp>, by_rate) {
  using explored = scene<TestType>;
  int interrupted = 0;
  for (const auto& setting : settings<explored>) {
    for (const auto& first : can_be_interrupted<explored>) {
      for (const auto& second : operations<explored>) {
        for (const auto& third : operations<explored>) {
          std::array<ending, 3> orders;
          for (std::size_t place = 0; place < orders.size(); ++place) {  // of the interrupted one
            explored s;
            setting.prepare(s);
            answer a;
            std::array<answer, 2> others;
            for (std::size_t i = 0, other = 0; i < orders.size(); ++i) {
              if (i == place) {
                a = first.run(s, 0);
              } else {
                others[other] = (other == 0 ? second : third).run(s, 1);
                ++other;
              }
            }
            orders[place] = end_of(s, a, others[0], others[1]);
          }
          bool reached = true;
          for (int access = 0; reached; ++access) {
            for (int gap = 0;; ++gap) {
              explored s;
              setting.prepare(s);
              answer b;
              answer c;
              reached = false;
              interruption::action = [&] {
                reached = true;
                b = second.run(s, 1);
                interruption::action = [&] { c = third.run(s, 1); };
                interruption::accesses_left = gap;
              };
              interruption::accesses_left = access;
              const auto a = first.run(s, 0);
              interruption::accesses_left = -1;
              if (std::exchange(interruption::action, nullptr)) break;
              ++interrupted;
              const auto seen = end_of(s, a, b, c);
              if (std::ranges::find(orders, seen) != orders.end()) continue;
              FAIL_CHECK(setting.name << ": " << first.name << " interrupted by " << second.name
                                      << " before access " << access << " and by " << third.name << ' ' << gap
                                      << " accesses later");
            }
          }
        }
      }
    }
  }
  CHECK(interrupted > 100'000);
}

TEMPLATE_TEST_CASE("a compare-and-swap that fails for no reason is tried again", "[breaker][B2]", in_a_row,
                   of_the_latest, either, within_a_time, with_ramp, by_rate, told_to_wait<with_ramp>) {
  using explored = scene<TestType>;
  for (const auto& setting : settings<explored>) {
    for (const auto& operation : operations<explored>) {
      std::array<ending, 3> endings;
      for (std::size_t failures = 0; failures < endings.size(); ++failures) {
        explored s;
        setting.prepare(s);
        interruption::spurious_failures = static_cast<int>(failures);
        const auto answered = operation.run(s, 0);
        interruption::spurious_failures = 0;
        endings[failures] = end_of(s, answered, {});
      }
      INFO(setting.name << ": " << operation.name);
      CHECK(endings[1] == endings[0]);
      CHECK(endings[2] == endings[0]);
    }
  }
}

TEST_CASE("an operation that sleeps over many epochs while the clock stands still shortens no open period",
          "[breaker][B9]") {
  using explored = scene<in_a_row>;
  // The moments of epochs are told apart by a few bits of the epoch, so the number of epochs slept over
  // matters.
  for (const int epochs : {1, 2, 7, 15, 16, 17, 31, 32, 255, 256, 257, 512, 4080, 4095}) {
    for (int access = 0;; ++access) {
      explored s;
      s.fail();
      interruption::action = [&] {
        for (int i = 0; i < epochs; ++i) s.circuit.reset();
      };
      interruption::accesses_left = access;
      s.circuit.reset();
      interruption::accesses_left = -1;
      if (std::exchange(interruption::action, nullptr)) break;
      s.clock.advance(3s);
      s.fail();
      s.fail();
      INFO(epochs << " epochs before access " << access);
      CHECK(s.circuit.snapshot().retry_after == 5s);
    }
  }
}

TEST_CASE("a snapshot that sleeps over many epochs shows the moment of the epoch that it shows",
          "[breaker][B2]") {
  using explored = scene<in_a_row>;
  for (std::uint64_t epochs = 1; epochs <= 40; ++epochs) {
    for (int access = 0;; ++access) {
      explored s;
      s.clock.advance(1s);
      s.circuit.force_open();
      interruption::action = [&] {
        s.clock.advance(1s);
        for (std::uint64_t i = 0; i < epochs; ++i) s.circuit.reset();
      };
      interruption::accesses_left = access;
      const auto seen = s.circuit.snapshot();
      interruption::accesses_left = -1;
      if (std::exchange(interruption::action, nullptr)) break;
      INFO(epochs << " epochs before access " << access << ", shown " << seen.epoch);
      const bool before =
          seen.epoch == 1 && seen.state == circuit_state::forced_open && seen.since == time_point{1s};
      const bool after =
          seen.epoch == 1 + epochs && seen.state == circuit_state::closed && seen.since == time_point{2s};
      CHECK((before || after));
    }
  }
}
