// SPDX-License-Identifier: BSL-1.0

// A circuit breaker with each kind of detector, against its specification: any commands at any times.

#include "plain_detectors.hpp"
#include "target.hpp"

#include "brownout/breaker.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <array>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace fuzz;
using brownout::breaker_options;
using brownout::circuit_state;
using brownout::outcome;

/// A breaker and its specification, given the same commands at the same times.
template <class Detector>
class pair_of_breakers {
 public:
  pair_of_breakers(choices& from, const Detector& detector, plain_detector plain,
                   const breaker_options& options)
      : from_{from},
        relapse_within_{options.relapse_within},
        real_{detector, options, clock_},
        expected_{std::move(plain), options} {}

  void run() {
    compare();
    for (int step = 0; step < 200 && from_.left(); ++step) {
      act();
      compare();
    }
  }

 private:
  using breaker = brownout::circuit_breaker<Detector, brownout::manual_clock>;
  using specification = breaker_test::specification<plain_detector>;
  struct held_permit {
    typename breaker::permit real;
    specification::permit expected;
  };

  void act() {
    const auto choice = from_.below(32);
    if (choice < 12) return acquire();
    if (choice < 22) return complete(choice < 18 ? outcome::failure : outcome::success);
    if (choice < 23) return complete(from_.one_in(2) ? outcome::ignored : outcome::cancelled);
    if (choice < 24) return drop();
    if (choice < 27) return advance(from_.time(from_.one_in(8) ? duration{2h} : duration{200ms}));
    if (choice < 29) return wait();
    if (choice < 30) return trip();
    hold(from_.one_of(std::array{circuit_state::closed, circuit_state::forced_open, circuit_state::disabled,
                                 circuit_state::metrics_only}));
  }

  void advance(duration by) {
    from_.note("advance {} us", by / 1us);
    clock_.advance(by);
    now_ += by;
  }

  /// Until the next call may pass, or until a closed circuit no longer counts as relapsed; or just not so
  /// long.
  void wait() {
    const auto seen = real_.snapshot();
    auto left = seen.retry_after;
    if (seen.state == circuit_state::closed) left = expected_.since + relapse_within_ - now_;
    if (left > 1us && left != brownout::rejection::unknown) advance(from_.one_in(4) ? left - 1us : left);
  }

  void acquire() {
    if (held_.size() == 40) return;
    auto seen = real_.try_acquire();
    auto wanted = expected_.acquire(now_);
    const auto* const refused = std::get_if<brownout::rejection>(&wanted);
    from_.note("try_acquire: {}", seen ? "admitted" : to_string(seen.rejection().reason));
    require_same(static_cast<bool>(seen), refused == nullptr, "whether the call is admitted");
    if (refused == nullptr) {
      held_.push_back({*std::move(seen), std::get<specification::permit>(wanted)});
    } else {
      require_same(to_string(seen.rejection().reason), to_string(refused->reason),
                   "the reason of the rejection");
      require_same(seen.rejection().retry_after.count(), refused->retry_after.count(), "retry_after in ns");
    }
  }

  held_permit take() {
    const auto at = held_.begin() + from_.below(static_cast<std::uint32_t>(held_.size()));
    auto taken = std::move(*at);
    held_.erase(at);
    return taken;
  }

  void complete(outcome result) {
    if (held_.empty()) return;
    auto taken = take();
    const auto retry_after = from_.one_in(8) ? from_.time(8min) : duration{};
    const auto seen = taken.real.complete(result, retry_after);
    from_.note("complete a call of epoch {}: {}, retry_after {} us: {}", taken.expected.epoch,
               to_string(result), retry_after / 1us, to_string(seen));
    require_same(to_string(seen), to_string(expected_.complete(taken.expected, result, retry_after, now_)),
                 "the disposition");
    require_same(to_string(taken.real.complete(result)), "late", "the disposition of a second report");
  }

  void drop() {
    if (held_.empty()) return;
    const auto taken = take();
    from_.note("drop a call of epoch {}", taken.expected.epoch);
    expected_.give_back(taken.expected);  // and the real one goes with its permit
  }

  void trip() {
    const auto retry_after = from_.time(8min);
    from_.note("trip, retry_after {} us", retry_after / 1us);
    require_same(real_.trip({}, retry_after), expected_.trip(retry_after, now_),
                 "whether trip opened the circuit");
  }

  void hold(circuit_state state) {
    const auto how_long = from_.one_in(2) ? from_.time(2h) + 1us : duration{};
    from_.note("hold {} for {} us", to_string(state), how_long / 1us);
    const bool is_timed = how_long != duration{};
    if (state == circuit_state::forced_open) is_timed ? real_.force_open_for(how_long) : real_.force_open();
    if (state == circuit_state::disabled) is_timed ? real_.disable_for(how_long) : real_.disable();
    if (state == circuit_state::metrics_only) real_.measure_only();
    if (state == circuit_state::closed) real_.reset();
    expected_.hold(state, now_, how_long);
  }

  void compare() {
    const auto seen = real_.snapshot();
    require_same(to_string(seen.state), to_string(expected_.state), "the state");
    require_same(seen.epoch, expected_.epoch, "the epoch");
    require_same(seen.since.time_since_epoch().count(), expected_.since.count(), "since in ns");
    require_same(seen.rejections, expected_.rejections, "the rejections");
    require_same(seen.late_results, expected_.late, "the late results");
    require_same(seen.probes_in_flight, expected_.in_flight, "the probes in flight");
    require_same(seen.probes_succeeded, expected_.succeeded, "the probes that succeeded");
    require_same(seen.probes_failed, expected_.probes_failed, "the probes that failed");
    if (seen.state == circuit_state::half_open)
      require_same(seen.in_flight_limit, expected_.limit(), "the limit of calls in flight");
    if (seen.state == circuit_state::open) {
      require_same(seen.open_period, expected_.period, "the number of the open period");
      require_same(seen.retry_after.count(), expected_.left_of_open(now_).count(), "retry_after in ns");
    }
    const bool measures = seen.state == circuit_state::closed || seen.state == circuit_state::metrics_only;
    const auto shown = measures ? expected_.detector.shown(now_) : brownout::epoch_statistics{};
    require_same(seen.consecutive_failures, shown.consecutive_failures, "the failures in a row");
    require_same(seen.failure_balance, shown.failure_balance, "the failure balance");
    require_same(seen.calls, shown.calls, "the calls in the window");
    require_same(seen.failures, shown.failures, "the failures in the window");
    require_same(seen.slow_calls, shown.slow_calls, "the slow calls in the window");
  }

  choices& from_;
  const duration relapse_within_;
  brownout::manual_clock clock_;
  breaker real_;
  specification expected_;
  duration now_{};
  std::vector<held_permit> held_;
};

breaker_options any_options(choices& from) {
  breaker_options made{.open_for = from.time(50ms) + 1ms,
                       .open_on_retry_after = from.one_in(3),
                       .probes = 1 + from.below(4),
                       .lease = from.time(50ms) + 1ms,
                       .relapse_within = from.time(1s),
                       .seed = 1};
  if (from.one_in(3)) made.open_for = brownout::exponential_period{2ms, 3, 30ms, 0};
  if (from.one_in(3)) made.open_for = brownout::adaptive_period{2ms, 20ms, 0};
  made.successes = made.probes + from.below(3);
  if (from.one_in(3)) {
    made.probe_rate.calls = 1 + from.below(6);
    made.probe_rate.failure_threshold = from.between(1, 10) / 10.0;
    made.probe_rate.slow_threshold = from.between(1, 10) / 10.0;
  }
  made.ramp = {.first = from.one_in(2) ? 0 : from.one_of(std::array{1U, 3U, 252U}),
               .successes = 1 + from.below(15)};
  from.note("{} probes, {} successes, rate of {}, ramp from {}, lease {} us", made.probes, made.successes,
            made.probe_rate.calls, made.ramp.first, made.lease / 1us);
  return made;
}

template <class Detector>
void run(choices& from, const Detector& detector, plain_detector plain) {
  const auto options = any_options(from);
  pair_of_breakers<Detector>{from, detector, std::move(plain), options}.run();
}

plain_share any_share(choices& from, std::uint32_t size, duration length) {
  const auto percent = from.between<std::uint32_t>(1, 100);
  plain_share made{percent, 1 + from.below(size == 0 ? 8 : size), size, length};
  from.note("{} % of {} calls or {} us, at least {}", made.percent, made.size, made.length / 1us,
            made.minimum);
  return made;
}

bool has_failed(const ended_call& call) {
  return call.failed;
}

}  // namespace

void fuzz::one_input(choices& from) {
  using brownout::any_detector;
  const auto kind = from.one_in(2) ? 0 : from.below(9);
  const auto threshold = 1 + from.below(from.one_in(2) ? 2 : 12);
  const auto size = 1 + from.below(from.one_in(2) ? 5 : 120);
  const auto length = 10 * (from.time(50ms) + 10ms);
  from.note("detector {}, threshold {}", kind, threshold);

  const auto latest = any_share(from, size, {});
  const brownout::failure_rate<> rate{latest.percent / 100.0, latest.minimum, {size}};
  const auto timed = any_share(from, 0, length);
  const brownout::failure_rate<brownout::time_window> timed_rate{
      timed.percent / 100.0, timed.minimum, {length}};
  const auto slower_than = from.time(100ms) + 1us;
  const bool counts_failures = from.one_in(2);
  const brownout::slow_call_rate<> slow{
      latest.percent / 100.0, slower_than, latest.minimum, {size}, counts_failures};
  const auto is_slow = [=](const ended_call& call) {
    return call.took > slower_than || (counts_failures && call.failed);
  };
  const brownout::consecutive_failures in_a_row{threshold};

  switch (kind) {
    case 0:
      return run(from, in_a_row, plain_consecutive(threshold));
    case 1:
      return run(from, brownout::failure_balance{threshold}, plain_balance(threshold));
    case 2:
      return run(from, brownout::failures_within{threshold, length},
                 plain_failures_within(threshold, length));
    case 3:
      return run(from, rate, latest.as_detector(has_failed, false));
    case 4:
      return run(from, timed_rate, timed.as_detector(has_failed, false));
    case 5:
      return run(from, slow, latest.as_detector(is_slow, true));
    case 6:
      return run(from, brownout::any_of{in_a_row, rate},
                 plain_any_of(plain_consecutive(threshold), latest.as_detector(has_failed, false)));
    case 7:
      return run(from, any_detector{slow}, latest.as_detector(is_slow, true));
    default:
      return run(from, any_detector{rate}, latest.as_detector(has_failed, false));
  }
}
