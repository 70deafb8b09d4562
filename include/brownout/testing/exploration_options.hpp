// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// How `explore` finds schedules.
enum class schedule_search : std::uint8_t {
  /// All of them, in order: a search in depth that tries the last choice again first. Right for two to four
  /// threads with few accesses, and the only one that shows that there is no failure.
  all,
  /// Each choice by chance. Right for what has too many schedules.
  random,
  /// Threads with random priorities, which change at a few random steps: probabilistic concurrency testing
  /// (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A Randomized Scheduler with Probabilistic Guarantees of
  /// Finding Bugs", ASPLOS 2010). Finds what needs few changes of threads at the right places in long runs.
  priorities,
};

/// Which schedules `explore` runs, and when it gives up.
struct exploration_options {
  /// No limit, for options that count.
  static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

  schedule_search search = schedule_search::all;  ///< which schedules are run. Default: all

  /// How often a schedule leaves a thread that could go on, at most. Most defects need one or two such
  /// changes (Musuvathi, Qadeer: "Iterative Context Bounding", PLDI 2007), and each further one makes many
  /// times more schedules. Of `all` and `random`. Default: 2.
  std::size_t preemptions = 2;

  /// How often a `compare_exchange_weak` of a schedule fails though the value is the expected one, at most.
  /// Processors with load-linked and store-conditional do that, x86 does not. Default: 0.
  std::size_t spurious_failures = 0;

  /// How often the priorities change in a schedule. Of `priorities`: a failure that needs d changes in k
  /// steps of n threads is found with a chance of at least 1 / (n k^d). Default: 3.
  std::size_t priority_changes = 3;

  /// The exploration ends after so many schedules. 0: `all` goes on until it has had all of them.
  /// Default: 0. `random` and `priorities` need a number.
  std::uint64_t most_schedules = 0;

  /// A schedule with more accesses than this has failed: its threads wait for each other in loops. Such loops
  /// must call `schedule::yield`. Default: 10'000.
  std::uint64_t most_steps = 10'000;

  /// For `random` and `priorities`: the same seed gives the same schedules. Default: 1.
  std::uint64_t seed = 1;

  /// If not empty, only this schedule is run: the text that a failed one gave.
  std::string replay{};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_within<std::uint64_t>("exploration.most_steps", most_steps, 1, 1'000'000'000);
    if (search != schedule_search::all && replay.empty()) {
      detail::require_within<std::uint64_t>("exploration.most_schedules", most_schedules, 1,
                                            static_cast<std::uint64_t>(-1));
    }
    for (const char one : replay) {
      if ((one < '0' || one > '9') && (one < 'a' || one > 'z')) {
        detail::invalid_option("exploration.replay", replay,
                               "digits and small letters, as a failed schedule gives them");
      }
    }
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
