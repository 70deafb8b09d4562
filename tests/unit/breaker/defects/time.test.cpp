// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/defects/breakers.hpp"

#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/time_window.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

using namespace breaker_test;
using brownout::failure_rate;
using brownout::time_window;

// 5: resilience4j (ran), Polly, Hystrix, Sentinel, failsafe-go.
namespace {

/// A machine whose date can be stepped; the time since it was started can't.
struct machine {
  manual_clock since_start;
  manual_clock date;

  void pass(duration time) { since_start.advance(time), date.advance(time); }
  void step_date(duration by) { date.advance(by); }
};

/// Asks what it is given, so only what it asks for makes the difference.
struct on_monotonic_clock : ours<> {
  explicit on_monotonic_clock(const machine& of) : ours{terms{.open_for = 10s}, {3}, of.since_start} {}
};
struct twin_on_monotonic_clock : right_twin {
  explicit twin_on_monotonic_clock(const machine& of) : right_twin{terms{.open_for = 10s}, of.since_start} {}
};
/// All of them: the date decides when an open period is over.
struct twin_on_wall_clock : right_twin {
  explicit twin_on_wall_clock(const machine& of) : right_twin{terms{.open_for = 10s}, of.date} {}
};

/// How long a circuit stays open when meanwhile the date is stepped back by a day.
template <class Subject>
std::optional<duration> open_period_with_stepped_date() {
  machine host;
  host.pass(48h);
  Subject subject{host};
  calls_until_open(subject, outcome::failure, 3);
  host.step_date(-24h);
  for (duration passed{}; passed <= 1h; passed += 1s, host.pass(1s)) {
    if (subject.acquire()) return passed;
  }
  return std::nullopt;
}

// The type of the time keeps the date out of ours: nothing but a monotonic clock fits.
struct wall_clock {
  [[nodiscard]] std::chrono::system_clock::time_point now() const noexcept { return {}; }
};
static_assert(!brownout::clock_source<wall_clock>);
static_assert(brownout::clock_source<brownout::monotonic_clock>);
static_assert(
    std::is_same_v<brownout::circuit_breaker<>,
                   brownout::circuit_breaker<brownout::standard_detector, brownout::monotonic_clock>>);
static_assert(brownout::time_point::clock::is_steady);

/// Failures of the latest ten seconds, counted by the second. To read is to move on to now; with
/// `GoesForwardOnly` unset as in resilience4j, whose loop empties one bucket even when now is before.
template <bool GoesForwardOnly>
class window_moved_by_readers {
 public:
  explicit window_moved_by_readers(const manual_clock& time) : clock_{time} {}

  void fail() { ++move_to_now(); }
  std::uint32_t failures() {
    move_to_now();
    std::uint32_t sum = 0;
    for (const auto& each : buckets_) sum += each.failures;
    return sum;
  }

 private:
  struct bucket {
    std::int64_t second = 0;
    std::uint32_t failures = 0;
  };

  std::uint32_t& move_to_now() {
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
    const auto behind = now - buckets_[newest_].second;
    if (behind == 0 || (GoesForwardOnly && behind < 0)) return buckets_[newest_].failures;
    auto left = std::min<std::int64_t>(behind, 10);
    do {
      --left;
      newest_ = (newest_ + 1) % buckets_.size();
      buckets_[newest_] = {now - left};
    } while (left > 0);
    return buckets_[newest_].failures;
  }

  manual_clock clock_;
  std::array<bucket, 10> buckets_{};
  std::size_t newest_ = 0;
};
using window_that_reading_empties = window_moved_by_readers<false>;
using window_that_goes_forward_only = window_moved_by_readers<true>;

struct our_time_window {
  explicit our_time_window(const manual_clock& time) : breaker{terms{}, {.window = {10s}}, time} {}

  void fail() { admit(breaker).complete(outcome::failure); }
  [[nodiscard]] std::uint32_t failures() const { return breaker.circuit.snapshot().failures; }

  ours<failure_rate<time_window>> breaker;
};

/// Of five failures, one a second, what is left when metrics were read while the clock was five seconds
/// behind.
template <class Window>
std::uint32_t failures_left_after_reading_in_the_past() {
  manual_clock clock{time_point{1h}};
  Window window{clock};
  for (int i = 0; i < 5; ++i) {
    if (i != 0) clock.advance(1s);
    window.fail();
  }
  REQUIRE(window.failures() == 5);
  clock.advance(-5s);
  for (int i = 0; i < 20; ++i) static_cast<void>(window.failures());
  clock.advance(5s);
  return window.failures();
}

}  // namespace

TEST_CASE("a stepped date neither holds a circuit open nor empties its statistics",
          "[breaker][defect-5][B8][B9][B9a]") {
  SECTION("an open period is as long as it should be") {
    CHECK(open_period_with_stepped_date<on_monotonic_clock>() == 10s);
    CHECK(open_period_with_stepped_date<twin_on_monotonic_clock>() == 10s);

    CHECK(open_period_with_stepped_date<twin_on_wall_clock>() == std::nullopt);  // not within an hour
  }
  SECTION("reading evicts nothing, even on a clock that is behind") {
    CHECK(failures_left_after_reading_in_the_past<our_time_window>() == 5);
    CHECK(failures_left_after_reading_in_the_past<window_that_goes_forward_only>() == 5);

    CHECK(failures_left_after_reading_in_the_past<window_that_reading_empties>() == 0);
  }
}

// 7: resilience4j (ran).
namespace {

/// A timer ends the open period, set when it begins and never called off.
class ends_open_period_by_timer : public right_twin {
 public:
  using right_twin::right_twin;

  std::optional<call> acquire() override {
    for (auto& each : timers_) {
      if (clock.now() < each) continue;
      each = time_point::max();
      if (state_ == circuit_state::open) enter(circuit_state::half_open);
    }
    return right_twin::acquire();
  }

 private:
  void enter(circuit_state next) override {
    right_twin::enter(next);
    if (next == circuit_state::open) timers_.push_back(clock.now() + agreed_.open_for);
  }

  std::vector<time_point> timers_;
};

/// How long the second open period lasts when the circuit is reset 519 ms into the first.
template <class Subject>
std::optional<duration> open_period_after_reset() {
  Subject subject{terms{.open_for = 600ms}};
  calls_until_open(subject, outcome::failure, 3);
  subject.clock.advance(519ms);
  subject.reset();
  REQUIRE(subject.state() == circuit_state::closed);
  calls_until_open(subject, outcome::failure, 3);
  return time_until_admitted(subject, 1ms);
}

}  // namespace

TEST_CASE("no deadline of before a reset ends the open period after it", "[breaker][defect-7][B9]") {
  CHECK(open_period_after_reset<ours<>>() == 600ms);
  CHECK(open_period_after_reset<right_twin>() == 600ms);

  CHECK(open_period_after_reset<ends_open_period_by_timer>() == 81ms);
}
