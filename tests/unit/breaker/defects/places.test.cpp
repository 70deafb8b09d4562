// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/defects/breakers.hpp"
#include "unit/interrupted_atomics.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

using namespace breaker_test;

// 9: opossum (ran). Ours guards places only while half-open, and so is tested there; a bulkhead would have to
// pass the same test.
namespace {

/// Two slots. Unless right, a time-out frees the slot of work that still runs, as in opossum.
template <bool TimeOutFreesSlot>
class slots {
 public:
  struct call {
    slots* of;
    bool settled = false;

    void complete(outcome /*result*/) {
      if (!std::exchange(settled, true)) ++of->free_;
    }
  };

  std::optional<call> acquire() {
    if (free_ == 0) return std::nullopt;
    --free_;
    return call{this};
  }
  void time_out(call& waited_for) {
    if (TimeOutFreesSlot) waited_for.complete(outcome::failure);
  }

 private:
  std::uint32_t free_ = 2;
};

/// Half-open with two places. Nobody who waits for a call could free its place: the permit is where the work
/// is.
struct our_two_places : ours<> {
  our_two_places() : ours{terms{.probes = 2, .lease = 1h}} { open_and_wait(*this); }
  void time_out(call& /*waited_for*/) {}
};

struct work_at_once {
  std::size_t most = 0;
  std::size_t admitted_once_one_ended = 0;
};

/// Ten rounds of callers that start what they may, and wait no longer than a second for it; the work takes
/// longer than all of them.
template <class Subject>
work_at_once work_of_impatient_callers() {
  Subject subject;
  std::vector<typename Subject::call> running;
  for (int round = 0; round < 10; ++round) {
    auto started = admit_all(subject);
    if constexpr (requires { subject.clock; }) subject.clock.advance(1s);
    for (auto& each : started) {
      subject.time_out(each);
      running.push_back(std::move(each));
    }
  }
  work_at_once seen{.most = running.size()};
  running.front().complete(outcome::cancelled);
  seen.admitted_once_one_ended = admit_all(subject).size();
  return seen;
}

}  // namespace

TEST_CASE("a caller that gives up waiting does not free the place of work that still runs",
          "[breaker][defect-9][B4]") {
  for (const auto& seen :
       {work_of_impatient_callers<our_two_places>(), work_of_impatient_callers<slots<false>>()}) {
    CHECK(seen.most == 2);
    CHECK(seen.admitted_once_one_ended == 1);
  }

  CHECK(work_of_impatient_callers<slots<true>>().most == 20);
}

// 11: failsafe-go, failsafe-go#106. Ours has no budget of retries yet; what it counts out are the places of a
// half-open circuit, as probes and on the ramp.
namespace {

/// Two places, one of them taken. Unless right, to look and to take are two steps, as in failsafe-go.
template <bool InOneStep>
class budget {
 public:
  struct call {};

  std::optional<call> acquire() {
    auto seen = taken_.load(std::memory_order_relaxed);
    while (seen < 2) {
      if (!InOneStep) {
        taken_.fetch_add(1, std::memory_order_relaxed);
        return call{};
      }
      if (taken_.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed,
                                       std::memory_order_relaxed)) {
        return call{};
      }
    }
    return std::nullopt;
  }

 private:
  interrupted_atomics::atomic<std::uint32_t> taken_{1};
};

using interrupted = ours<consecutive_failures, interrupted_atomics>;

struct our_second_probe : interrupted {
  our_second_probe() : interrupted{terms{.probes = 2}} {
    open_and_wait(*this);
    first.emplace(admit(*this));
  }
  std::optional<call> first;
};

struct our_second_place_on_the_ramp : interrupted {
  our_second_place_on_the_ramp()
      : interrupted{breaker_options{.open_for = 5s, .probes = 1, .successes = 1, .ramp = {.first = 2}}} {
    open_and_wait(*this);
    admit(*this).complete(outcome::success);
    first.emplace(admit(*this));
    REQUIRE(circuit.snapshot().in_flight_limit == 2);
    REQUIRE(circuit.snapshot().probes_in_flight == 1);
  }
  std::optional<call> first;
};

/// How many get the last place when two ask for it, one interrupted by the other before each of its accesses.
template <class Subject>
std::set<std::size_t> admitted_to_the_last_place() {
  std::set<std::size_t> seen;
  for (int access = 0;; ++access) {
    REQUIRE(access < 1000);
    Subject subject;
    std::optional<typename Subject::call> other;
    interruption::action = [&] { other = subject.acquire(); };
    interruption::accesses_left = access;
    const auto one = subject.acquire();
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr)) return seen;
    seen.insert((one ? 1U : 0U) + (other ? 1U : 0U));
  }
}

/// As many calls as a share of those in flight, at least `least`: 0 as in failsafe-go before #106.
template <std::uint32_t Least>
class share_of_calls_in_flight {
 public:
  struct call {
    share_of_calls_in_flight* of;
    void complete(outcome /*result*/) { --of->taken_; }
  };

  std::optional<call> acquire() {
    constexpr std::uint32_t in_flight = 1;  // the caller's own
    const auto budget = std::max(static_cast<std::uint32_t>(0.2 * in_flight), Least);
    if (taken_ >= budget) return std::nullopt;
    ++taken_;
    return call{this};
  }

 private:
  std::uint32_t taken_ = 0;
};

/// Half-open, and on the ramp from one call at a time on; lower it can't be.
struct our_lowest_limit : ours<> {
  our_lowest_limit()
      : ours{breaker_options{.open_for = 5s, .probes = 1, .successes = 1, .ramp = {.first = 1}}} {
    open_and_wait(*this);
  }
};

/// How many of ten calls get through of a caller who makes one at a time.
template <class Subject>
int calls_of_lone_caller() {
  Subject subject;
  int admitted = 0;
  for (int i = 0; i < 10; ++i) {
    auto call = subject.acquire();
    if (!call) continue;
    ++admitted;
    call->complete(outcome::success);
  }
  return admitted;
}

}  // namespace

TEST_CASE("the last place is given to one caller, and a lone caller finds one",
          "[breaker][defect-11][B4][B12]") {
  SECTION("to look and to take are one step") {
    using counts = std::set<std::size_t>;
    CHECK(admitted_to_the_last_place<our_second_probe>() == counts{1});
    CHECK(admitted_to_the_last_place<our_second_place_on_the_ramp>() == counts{1});
    CHECK(admitted_to_the_last_place<budget<true>>() == counts{1});

    CHECK(admitted_to_the_last_place<budget<false>>() == counts{1, 2});
  }
  SECTION("with one call in flight there is a place") {
    CHECK(calls_of_lone_caller<our_lowest_limit>() == 10);
    CHECK(calls_of_lone_caller<share_of_calls_in_flight<1>>() == 10);

    CHECK(calls_of_lone_caller<share_of_calls_in_flight<0>>() == 0);
  }
}
