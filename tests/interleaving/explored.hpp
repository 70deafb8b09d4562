// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "catch2.hpp"

#include "brownout/testing/exploration.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

/// The number in an environment variable, or 1.
inline std::uint64_t times_of(const char* variable) {
  const char* const given = std::getenv(variable);
  const auto times = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
  return times > 0 ? times : 1;
}

/// How many times more schedules than in CI.
inline std::uint64_t times_longer() {
  return times_of("BROWNOUT_LONG_PROOFS");
}

/// How many times fewer programs than in CI. For mutation tests, which run the explorations many times.
inline std::uint64_t times_briefer() {
  return times_of("BROWNOUT_BRIEF_PROOFS");
}

/// For what is drawn by chance: BROWNOUT_SEED, or 1. A failure prints the seed.
inline std::uint64_t seed_of_the_run() {
  const char* const given = std::getenv("BROWNOUT_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

/// The explorations of a test case. Says at the end how many schedules there were.
class explored {
 public:
  explicit explored(const char* what) : what_{what} {}
  explored(const explored&) = delete;
  explored& operator=(const explored&) = delete;
  ~explored() {
    std::printf("interleaving: %-58s %11llu schedules, %13llu accesses%s\n", what_, number(schedules_),
                number(accesses_), all_complete_ ? ", complete" : "");
  }

  /// One of a list of programs, of which brief proofs leave most out. A prime number of times briefer takes
  /// something of every loop. As `run`.
  template <class Scenario, class Describe>
  bool run_one_of_many(const brownout::exploration_options& options, Scenario&& scenario, Describe describe) {
    if (listed_++ % times_briefer() == 0) return run(options, std::forward<Scenario>(scenario), describe);
    all_complete_ = false;
    return true;
  }

  /// False after a failure, which is a failure of the test. `describe()`: the scenario, for a person.
  template <class Scenario, class Describe>
  bool run(const brownout::exploration_options& options, Scenario&& scenario, Describe describe) {
    const auto found = brownout::explore(options, std::forward<Scenario>(scenario));
    schedules_ += found.schedules;
    accesses_ += found.steps;
    all_complete_ = all_complete_ && found.complete;
    if (found.holds()) return true;
    // Not by Catch2, which puts hyphens into long lines: the schedule is to be copied.
    std::printf("%s\nBROWNOUT_SEED=%llu\n%s\n", describe().c_str(), number(seed_of_the_run()),
                found.text().c_str());
    FAIL_CHECK(describe() << ": " << found.failed->what);
    return false;
  }

  [[nodiscard]] std::uint64_t schedules() const noexcept { return schedules_; }

 private:
  static unsigned long long number(std::uint64_t value) noexcept { return value; }

  const char* what_;
  std::uint64_t listed_ = 0;
  std::uint64_t schedules_ = 0;
  std::uint64_t accesses_ = 0;
  bool all_complete_ = true;
};
