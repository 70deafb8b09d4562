// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/defects/breakers.hpp"
#include "unit/interrupted_atomics.hpp"

#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/time_window.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>

using namespace breaker_test;
using brownout::failure_rate;
using brownout::time_window;

namespace {

/// A call of the simple twins below, which tell calls from each other by nothing.
template <class Twin>
struct simple_call {
  Twin* twin;
  void complete(outcome result) { twin->report(result == outcome::failure); }
};

}  // namespace

// 8: opossum (ran).
namespace {

/// Opens when more than half of the calls failed; unless right, a refused call is one of them, as in opossum.
template <bool CountsRejections>
class rate_of_all_that_was_fired {
 public:
  using call = simple_call<rate_of_all_that_was_fired>;

  std::optional<call> acquire() {
    if (state_ == circuit_state::open && clock.now() >= until_) state_ = circuit_state::half_open;
    const bool refused = state_ == circuit_state::open;
    if (!refused || CountsRejections) ++fired_;
    return refused ? std::nullopt : std::optional{call{this}};
  }
  void report(bool failed) {
    if (failed) ++failures_;
    if (failed && (state_ == circuit_state::half_open || 2 * failures_ > fired_)) {
      state_ = circuit_state::open;
      until_ = clock.now() + 5s;
    } else if (!failed) {
      state_ = circuit_state::closed;
    }
  }
  [[nodiscard]] circuit_state state() const { return state_; }

  manual_clock clock;

 private:
  circuit_state state_ = circuit_state::closed;
  time_point until_{};
  std::uint32_t fired_ = 0;
  std::uint32_t failures_ = 0;
};

struct our_rate_of_one_call : ours<failure_rate<>> {
  our_rate_of_one_call() : ours{one_probe, {.minimum_calls = 1}} {}
};

/// How many failures open the circuit again after an outage of one failure and a hundred refused calls.
template <class Subject>
std::uint32_t failures_after_hundred_rejections() {
  Subject subject;
  calls_until_open(subject, outcome::failure, 1);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(subject.acquire());
  subject.clock.advance(5s);
  admit(subject).complete(outcome::success);
  REQUIRE(subject.state() == circuit_state::closed);
  return calls_until_open(subject, outcome::failure);
}

}  // namespace

TEST_CASE("refused calls do not water down the share of failures", "[breaker][defect-8][B7]") {
  CHECK(failures_after_hundred_rejections<our_rate_of_one_call>() == 1);
  CHECK(failures_after_hundred_rejections<rate_of_all_that_was_fired<false>>() == 1);

  CHECK(failures_after_hundred_rejections<rate_of_all_that_was_fired<true>>() == 101);
}

// 10: Sentinel.
namespace {

/// Opens at three failures in a row. Closing is two steps: unless right, in Sentinel's order.
template <bool EmptiesFirst>
class closes_in_two_steps {
 public:
  using call = simple_call<closes_in_two_steps>;

  std::optional<call> acquire() {
    auto seen = state_.load(std::memory_order_relaxed);
    if (seen == circuit_state::closed) return call{this};
    if (seen == circuit_state::half_open || clock.now() < until_) return std::nullopt;
    state_.store(circuit_state::half_open, std::memory_order_relaxed);
    return call{this};
  }
  void report(bool failed) {
    if (failed) {
      if (failures_.fetch_add(1, std::memory_order_relaxed) + 1 >= 3) open();
    } else if (EmptiesFirst) {
      failures_.store(0, std::memory_order_relaxed);
      state_.store(circuit_state::closed, std::memory_order_relaxed);
    } else {
      state_.store(circuit_state::closed, std::memory_order_relaxed);
      failures_.store(0, std::memory_order_relaxed);
    }
  }
  [[nodiscard]] circuit_state state() const { return state_.load(std::memory_order_relaxed); }

  manual_clock clock;

 private:
  void open() {
    until_ = clock.now() + 5s;
    state_.store(circuit_state::open, std::memory_order_relaxed);
  }

  interrupted_atomics::atomic<circuit_state> state_{circuit_state::closed};
  interrupted_atomics::atomic<std::uint32_t> failures_{0};
  time_point until_{};
};

template <class Detector>
struct ours_with_one_probe : ours<Detector, interrupted_atomics> {
  explicit ours_with_one_probe(Detector detector)
      : ours<Detector, interrupted_atomics>{one_probe, detector} {}
};
struct ours_in_a_row : ours_with_one_probe<consecutive_failures> {
  ours_in_a_row() : ours_with_one_probe{{3}} {}
};
struct ours_of_latest_calls : ours_with_one_probe<failure_rate<>> {
  ours_of_latest_calls() : ours_with_one_probe{{.minimum_calls = 3}} {}
};
struct ours_of_latest_seconds : ours_with_one_probe<failure_rate<time_window>> {
  ours_of_latest_seconds() : ours_with_one_probe{{.minimum_calls = 3}} {}
};

struct interrupted_closings {
  int let_a_call_in = 0;
  int reopened = 0;
};

/// Lets a probe's success close the circuit, interrupted before each of its accesses by another caller, whose
/// call fails if it is admitted. A single failure must not open the circuit again.
template <class Subject>
interrupted_closings interrupt_closing() {
  interrupted_closings seen;
  for (int access = 0;; ++access) {
    REQUIRE(access < 1000);
    Subject subject;
    open_and_wait(subject);
    auto probe = admit(subject);
    interruption::action = [&] {
      auto admitted = subject.acquire();
      if (!admitted) return;
      ++seen.let_a_call_in;
      admitted->complete(outcome::failure);
    };
    interruption::accesses_left = access;
    probe.complete(outcome::success);
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr)) return seen;
    if (subject.state() == circuit_state::open) ++seen.reopened;
  }
}

}  // namespace

TEST_CASE("failures of before the outage do not reopen a circuit that closes",
          "[breaker][defect-10][B8][B8b]") {
  for (const auto& seen : {interrupt_closing<ours_in_a_row>(), interrupt_closing<ours_of_latest_calls>(),
                           interrupt_closing<ours_of_latest_seconds>()}) {
    CHECK(seen.let_a_call_in > 0);
    CHECK(seen.reopened == 0);
  }
  CHECK(interrupt_closing<closes_in_two_steps<true>>().reopened == 0);

  CHECK(interrupt_closing<closes_in_two_steps<false>>().reopened == 1);
}

// 12: gobreaker, opossum.
namespace {

/// Opens when at least half of at least `minimum` calls failed. The counts are cleared whenever `interval` is
/// over; zero is never, and the default, in gobreaker. A minimum of 0 is opossum's default.
class rate_since_cleared {
 public:
  using call = simple_call<rate_since_cleared>;

  rate_since_cleared(duration interval, std::uint32_t minimum) : interval_{interval}, minimum_{minimum} {}

  std::optional<call> acquire() {
    if (interval_ > 0s && clock.now() - cleared_ >= interval_) {
      calls_ = failures_ = 0;
      cleared_ = clock.now();
    }
    return call{this};
  }
  void report(bool failed) {
    ++calls_;
    if (failed) ++failures_;
    open_ = calls_ >= minimum_ && 2 * failures_ >= calls_;
  }
  [[nodiscard]] circuit_state state() const { return open_ ? circuit_state::open : circuit_state::closed; }

  manual_clock clock;

 private:
  duration interval_;
  std::uint32_t minimum_;
  time_point cleared_{};
  std::uint32_t calls_ = 0;
  std::uint32_t failures_ = 0;
  bool open_ = false;
};

struct never_clears : rate_since_cleared {
  never_clears() : rate_since_cleared{0s, 20} {}
};
struct clears_each_minute : rate_since_cleared {
  clears_each_minute() : rate_since_cleared{60s, 20} {}
};
struct has_no_minimum : rate_since_cleared {
  has_no_minimum() : rate_since_cleared{60s, 0} {}
};
struct our_time_window : ours<failure_rate<time_window>> {
  our_time_window() : ours{terms{}, {}} {}
};
struct our_count_window : ours<failure_rate<>> {
  our_count_window() : ours{terms{}, {}} {}
};

/// How many failures open a circuit that has had 10,000 successes, all an hour ago.
template <class Subject>
std::uint32_t failures_after_long_health() {
  Subject subject;
  for (int i = 0; i < 10'000; ++i) admit(subject).complete(outcome::success);
  subject.clock.advance(1h);
  return calls_until_open(subject, outcome::failure);
}

/// What state it is in when one call an hour fails, for a day.
template <class Subject>
circuit_state after_failure_an_hour() {
  Subject subject;
  for (int i = 0; i < 24; ++i, subject.clock.advance(1h)) admit(subject).complete(outcome::failure);
  return subject.state();
}

template <class Subject>
circuit_state after_first_call_failed() {
  Subject subject;
  admit(subject).complete(outcome::failure);
  return subject.state();
}

}  // namespace

TEST_CASE("neither calls of long ago nor a single one make a share of failures", "[breaker][defect-12][B8]") {
  SECTION("long health does not hide an outage") {
    CHECK(failures_after_long_health<our_time_window>() == 20);
    CHECK(failures_after_long_health<our_count_window>() == 50);
    CHECK(failures_after_long_health<clears_each_minute>() == 20);

    CHECK(failures_after_long_health<never_clears>() == 10'000);
  }
  SECTION("failures that are hours apart are no outage") {
    CHECK(after_failure_an_hour<our_time_window>() == circuit_state::closed);
    CHECK(after_failure_an_hour<clears_each_minute>() == circuit_state::closed);

    CHECK(after_failure_an_hour<never_clears>() == circuit_state::open);
  }
  SECTION("the first call alone proves nothing") {
    CHECK(after_first_call_failed<our_time_window>() == circuit_state::closed);
    CHECK(after_first_call_failed<our_count_window>() == circuit_state::closed);
    CHECK(after_first_call_failed<clears_each_minute>() == circuit_state::closed);
    CHECK(ours<failure_rate<>>{terms{}, {.minimum_calls = 0}}.circuit.detector().minimum_calls == 20);

    CHECK(after_first_call_failed<has_no_minimum>() == circuit_state::open);
  }
}
