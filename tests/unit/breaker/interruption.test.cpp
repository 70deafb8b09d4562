// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

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
// must be what one of the orders without interruption gives. It is exhaustive for one preemption and for two
// of the same operation, and needs no threads.

using namespace breaker_test;

namespace {

/// Runs something once, before the n-th access that follows.
struct interruption {
  static inline int accesses_left = -1;
  static inline int spurious_failures = 0;
  static inline std::function<void()> action{};

  static void before_access() {
    if (accesses_left < 0 || accesses_left-- != 0) return;
    const auto now = std::exchange(action, nullptr);
    now();
  }
};

struct interrupted_atomics {
  template <class T>
  class atomic {
   public:
    explicit atomic(T value) : value_{value} {}
    T load(std::memory_order) const {
      interruption::before_access();
      return value_;
    }
    T fetch_add(T more, std::memory_order) {
      interruption::before_access();
      return std::exchange(value_, value_ + more);
    }
    bool compare_exchange_weak(T& seen, T next, std::memory_order, std::memory_order) {
      interruption::before_access();
      if (value_ == seen && interruption::spurious_failures-- <= 0) return value_ = next, true;
      return seen = value_, false;
    }

   private:
    T value_;
  };
};

using interrupted_breaker =
    brownout::circuit_breaker<consecutive_failures, manual_clock, interrupted_atomics>;

/// A breaker in some state, with a permit for each of two operations.
struct scene {
  manual_clock clock;
  interrupted_breaker circuit{consecutive_failures{2},
                              bench::plain({.open_for = 5s, .probes = 2, .lease = 2s}), clock};
  std::array<std::optional<interrupted_breaker::permit>, 2> held;
  std::array<std::optional<interrupted_breaker::permit>, 2> admitted;

  void take(std::size_t which) { held[which].emplace(*circuit.try_acquire()); }
  void fail() { static_cast<void>(circuit.try_acquire()->complete(outcome::failure)); }
};

struct named_setting {
  std::string_view name;
  void (*prepare)(scene&);
};

constexpr named_setting settings[] = {
    {"closed", [](scene& s) { s.take(0), s.take(1); }},
    {"closed, one failure from opening", [](scene& s) { s.fail(), s.take(0), s.take(1); }},
    {"closed, one of two permits stale", [](scene& s) { s.take(0), s.circuit.reset(), s.fail(), s.take(1); }},
    {"open", [](scene& s) { s.take(0), s.take(1), s.fail(), s.fail(); }},
    {"open, its period over",
     [](scene& s) { s.take(0), s.take(1), s.fail(), s.fail(), s.clock.advance(5s); }},
    {"half-open, one probe in flight",
     [](scene& s) { s.take(1), s.fail(), s.fail(), s.clock.advance(5s), s.take(0), s.clock.advance(1s); }},
    {"half-open, both in flight",
     [](scene& s) { s.fail(), s.fail(), s.clock.advance(5s), s.take(0), s.take(1), s.clock.advance(1s); }},
    {"half-open, both in flight and overdue",
     [](scene& s) { s.fail(), s.fail(), s.clock.advance(5s), s.take(0), s.take(1), s.clock.advance(2s); }},
    {"half-open, one succeeded",
     [](scene& s) {
       s.take(1), s.fail(), s.fail(), s.clock.advance(5s);
       static_cast<void>(s.circuit.try_acquire()->complete(outcome::success));
       s.take(0);
     }},
    {"forced open", [](scene& s) { s.take(0), s.take(1), s.circuit.force_open(); }},
    {"disabled", [](scene& s) { s.circuit.disable(), s.take(0), s.take(1); }},
    {"metrics only", [](scene& s) { s.circuit.measure_only(), s.fail(), s.fail(), s.take(0), s.take(1); }},
};

/// What an operation answered, as one number that tells all answers apart.
using answer = std::tuple<int, std::int64_t>;

struct named_operation {
  std::string_view name;
  answer (*run)(scene&, std::size_t permit);
};

answer complete(scene& s, std::size_t permit, outcome result) {
  return {static_cast<int>(s.held[permit]->complete(result)), 0};
}

constexpr named_operation operations[] = {
    {"acquire",
     [](scene& s, std::size_t permit) -> answer {
       auto admitted = s.circuit.try_acquire();
       if (!admitted) {
         return {static_cast<int>(admitted.rejection().reason), admitted.rejection().retry_after.count()};
       }
       s.admitted[permit].emplace(*std::move(admitted));  // so that the place stays taken
       return {-1, 0};
     }},
    {"success", [](scene& s, std::size_t permit) { return complete(s, permit, outcome::success); }},
    {"failure", [](scene& s, std::size_t permit) { return complete(s, permit, outcome::failure); }},
    {"give back",
     [](scene& s, std::size_t permit) -> answer {
       s.held[permit].reset();
       return {0, 0};
     }},
    {"force open", [](scene& s, std::size_t) -> answer { return s.circuit.force_open(), answer{}; }},
    {"disable", [](scene& s, std::size_t) -> answer { return s.circuit.disable(), answer{}; }},
    {"measure only", [](scene& s, std::size_t) -> answer { return s.circuit.measure_only(), answer{}; }},
    {"reset", [](scene& s, std::size_t) -> answer { return s.circuit.reset(), answer{}; }},
    {"snapshot",
     [](scene& s, std::size_t) -> answer {
       const auto seen = s.circuit.snapshot();
       return {static_cast<int>(seen.epoch) * 1000 + static_cast<int>(seen.probes_in_flight) * 100 +
                   static_cast<int>(seen.probes_succeeded) * 10 + static_cast<int>(seen.consecutive_failures),
               seen.since.time_since_epoch().count()};
     }},
    // Several in one, so they only interrupt: whoever read the clock before them must read it again.
    {"reset later",
     [](scene& s, std::size_t) -> answer { return s.clock.advance(3s), s.circuit.reset(), answer{}; }},
    {"fail a probe later",
     [](scene& s, std::size_t) -> answer {
       const auto seen = s.circuit.snapshot();
       const bool probes = seen.state == circuit_state::open || seen.state == circuit_state::half_open;
       if (!probes || seen.retry_after > 0s) return {};
       s.clock.advance(3s);
       return {static_cast<int>(s.circuit.try_acquire()->complete(outcome::failure)), 0};
     }},
};

constexpr auto can_be_interrupted = std::span{operations}.first<std::size(operations) - 2>();

using ending = std::tuple<answer, answer, answer, circuit_state, std::uint64_t, std::int64_t, std::uint32_t,
                          std::uint32_t, std::uint32_t, std::uint64_t, std::uint64_t>;

ending end_of(scene& s, answer first, answer second, answer third = {}) {
  const auto seen = s.circuit.snapshot();
  return {first,
          second,
          third,
          seen.state,
          seen.epoch,
          seen.since.time_since_epoch().count(),
          seen.consecutive_failures,
          seen.probes_in_flight,
          seen.probes_succeeded,
          seen.rejections,
          seen.late_results};
}

}  // namespace

TEST_CASE("an operation that another one interrupts does what it would have done before or after it",
          "[breaker][B2][B3][B4][B6][B8]") {
  int interrupted = 0;
  for (const auto& setting : settings) {
    for (const auto& first : can_be_interrupted) {
      for (const auto& second : operations) {
        std::array<ending, 2> orders;
        for (const bool swapped : {false, true}) {
          scene s;
          setting.prepare(s);
          answer b;
          if (swapped) b = second.run(s, 1);
          const auto a = first.run(s, 0);
          if (!swapped) b = second.run(s, 1);
          orders[swapped] = end_of(s, a, b);
        }
        for (int access = 0;; ++access) {
          scene s;
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

TEST_CASE(
    "an operation that two others interrupt, one after the other, does what it would have done in order",
    "[breaker][B2][B3][B4][B6][B8]") {
  int interrupted = 0;
  for (const auto& setting : settings) {
    for (const auto& first : can_be_interrupted) {
      for (const auto& second : operations) {
        for (const auto& third : operations) {
          std::array<ending, 3> orders;
          for (std::size_t place = 0; place < orders.size(); ++place) {  // of the interrupted one
            scene s;
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
              scene s;
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

TEST_CASE("a compare-and-swap that fails for no reason is tried again", "[breaker][B2]") {
  for (const auto& setting : settings) {
    for (const auto& operation : operations) {
      std::array<ending, 3> endings;
      for (std::size_t failures = 0; failures < endings.size(); ++failures) {
        scene s;
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
  // The moments of epochs are told apart by a few bits of the epoch, so the number of epochs slept over
  // matters.
  for (const int epochs : {1, 2, 7, 15, 16, 17, 31, 32, 255, 256, 257, 512, 4080, 4095}) {
    for (int access = 0;; ++access) {
      scene s;
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
  for (std::uint64_t epochs = 1; epochs <= 40; ++epochs) {
    for (int access = 0;; ++access) {
      scene s;
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
