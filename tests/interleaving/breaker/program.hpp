// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "interleaving/breaker/circuit_oracle.hpp"
#include "interleaving/breaker/circuit_specification.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/testing/schedule.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// What threads do to a breaker, one step after another.
enum class step : std::uint8_t {
  // Calls, by how they end.
  good,
  bad,
  ignored,
  dropped,  // the permit is destroyed
  lost,     // the permit is kept for ever
  // Commands.
  force_open,
  disable,
  measure_only,
  reset,
  trip,
  // Time.
  wait_open,
  wait_lease,
};

/// What each thread does, and how the circuit is before.
struct program {
  specification::rules by{};
  std::vector<step> before{};  // by one thread
  std::vector<std::vector<step>> threads{};
};

inline std::string text_of(const program& what) {
  static constexpr const char* names[] = {"good",  "bad",        "ignored",   "dropped",
                                          "lost",  "force_open", "disable",   "measure_only",
                                          "reset", "trip",       "wait_open", "wait_lease"};
  const auto list = [](const std::vector<step>& steps) {
    std::string all;
    for (const auto one : steps) all += (all.empty() ? "" : ", ") + std::string{names[static_cast<int>(one)]};
    return "{" + all + "}";
  };
  auto all = "failures " + std::to_string(what.by.failures) + ", probes " + std::to_string(what.by.probes) +
             ", successes " + std::to_string(what.by.successes) + ", ramp " +
             std::to_string(what.by.ramp_first) + "/" + std::to_string(what.by.ramp_successes) + ", before " +
             list(what.before);
  for (const auto& one : what.threads) all += ", thread " + list(one);
  return all;
}

/// A clock of one schedule: to read it is a step like an access.
class scheduled_clock {
 public:
  explicit scheduled_clock(const brownout::time_point& now) : now_{&now} {}
  [[nodiscard]] brownout::time_point now() const noexcept {
    brownout::schedule::before_access();
    return *now_;
  }

 private:
  const brownout::time_point* now_;
};

/// The same, and it can be read coarsely, as the clock of the system.
class scheduled_coarse_clock : public scheduled_clock {
 public:
  using scheduled_clock::scheduled_clock;
  [[nodiscard]] brownout::time_point coarse_now() const noexcept { return now(); }
};

/// Runs a program in one schedule, with the oracle beside it.
template <class Clock>
class program_run {
 public:
  static constexpr auto open_for = std::chrono::milliseconds{100};
  static constexpr auto lease = std::chrono::milliseconds{400};

  program_run(brownout::schedule& threads, const program& what)
      : threads_{threads},
        what_{what},
        breaker_{brownout::consecutive_failures{what.by.failures}, options_of(what.by), Clock{now_}},
        oracle_{threads, control_word(threads, breaker_), what.by, {open_for, lease, {}}} {}

  void run() {
    threads_.observe([this](const brownout::memory_access& access) { oracle_.saw(access); });
    for (const auto one : what_.before) make(one);
    threads_.run(what_.threads.size(), [this](std::size_t number) {
      for (const auto one : what_.threads[number]) make(one);
    });
    if (threads_.failed()) return;
    std::uint32_t of_the_epoch = 0;
    for (const auto& one : kept_) of_the_epoch += one.epoch() == oracle_.circuit().epoch ? 1U : 0U;
    oracle_.end(breaker_.snapshot(), of_the_epoch);
    // Each that is left goes back, as any other.
    for (auto& one : kept_) settle(std::move(one), step::dropped);
    kept_.clear();
    oracle_.end(breaker_.snapshot(), 0);
  }

 private:
  using breaker =
      brownout::circuit_breaker<brownout::consecutive_failures, Clock, brownout::scheduled_atomics>;
  using permit = typename breaker::permit;
  using operation = specification::operation;

  static brownout::breaker_options options_of(const specification::rules& by) {
    brownout::breaker_options made;
    made.open_for = brownout::fixed_period{open_for};
    made.lease = lease;
    made.relapse_within = {};
    made.probes = by.probes;
    made.successes = by.successes;
    made.ramp.first = by.ramp_first;
    made.ramp.successes = by.ramp_successes;
    return made;
  }

  /// The only word that `observed_state` reads.
  static const void* control_word(brownout::schedule& threads, const breaker& from) {
    const void* found = nullptr;
    threads.observe([&](const brownout::memory_access& access) { found = access.where; });
    static_cast<void>(from.observed_state());
    return found;
  }

  void make(step one) {
    switch (one) {
      case step::good:
      case step::bad:
      case step::ignored:
      case step::dropped:
      case step::lost:
        return call(one);
      case step::force_open:
        return command(operation::force_open, [&] { breaker_.force_open(); });
      case step::disable:
        return command(operation::disable, [&] { breaker_.disable(); });
      case step::measure_only:
        return command(operation::measure_only, [&] { breaker_.measure_only(); });
      case step::reset:
        return command(operation::reset, [&] { breaker_.reset(); });
      case step::trip:
        oracle_.begin(operation::trip);
        return oracle_.end_command(breaker_.trip());
      case step::wait_open:
        return wait(open_for);
      case step::wait_lease:
        return wait(lease);
    }
  }

  void wait(brownout::duration by) {
    brownout::schedule::before_access();
    now_ += by;
    oracle_.advance(by);
  }

  template <class Command>
  void command(operation does, Command make_it) {
    oracle_.begin(does);
    make_it();
    oracle_.end_command(true);
  }

  void call(step how) {
    oracle_.begin(operation::acquire);
    auto admitted = breaker_.try_acquire();
    if (!admitted) return oracle_.end_refused(admitted.rejection());
    oracle_.end_admitted(admitted->epoch(), admitted->is_probe());
    if (how == step::lost) {
      kept_.push_back(*std::move(admitted));
    } else {
      settle(*std::move(admitted), how);
    }
  }

  void settle(permit taken, step how) {
    using brownout::outcome;
    const bool counts = how == step::good || how == step::bad;
    oracle_.begin(!counts             ? operation::give_back
                  : how == step::good ? operation::success
                                      : operation::failure,
                  taken.epoch());
    if (how == step::dropped) {
      { const auto gone = std::move(taken); }
      return oracle_.end_result(brownout::disposition::released);
    }
    oracle_.end_result(taken.complete(how == step::good  ? outcome::success
                                      : how == step::bad ? outcome::failure
                                                         : outcome::ignored));
  }

  brownout::schedule& threads_;
  const program& what_;
  brownout::time_point now_{};
  breaker breaker_;
  circuit_oracle oracle_;
  std::vector<permit> kept_{};
};
