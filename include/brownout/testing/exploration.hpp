// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/testing/detail/schedule_choices.hpp"
#include "brownout/testing/exploration_options.hpp"
#include "brownout/testing/schedule.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A schedule in which something was not as it should be.
struct failed_schedule {
  std::string what;    ///< the first failure
  std::string replay;  ///< for `exploration_options::replay`
  std::string trace;   ///< a line for each access of its threads, up to the failure
};

/// What `explore` found.
struct exploration {
  std::uint64_t schedules = 0;  ///< how many schedules were run
  std::uint64_t steps = 0;      ///< accesses of all schedules together
  /// Whether all schedules within the limits of the options were run.
  bool complete = false;
  std::optional<failed_schedule> failed{};  ///< the schedule that failed; empty if none did

  /// Whether no schedule failed.
  [[nodiscard]] bool holds() const noexcept { return !failed.has_value(); }

  /// For a person: how many schedules there were, and of a failed one what, how to repeat it, and its trace.
  [[nodiscard]] std::string text() const {
    auto all = std::to_string(schedules) + (complete ? " schedules, all within the limits" : " schedules");
    if (failed) {
      all += "\nfailed: " + failed->what + "\nto repeat it: .replay = \"" + failed->replay + "\"\n" +
             failed->trace;
    }
    return all;
  }
};

namespace detail {

/// Runs the schedules of one exploration.
class schedule_runner {
 public:
  template <class Scenario>
  [[nodiscard]] static exploration run(const exploration_options& options, Scenario& scenario) {
    options.validate();
    schedule_choices choices{options};
    // On the heap: it has sixteen stacks, and a schedule that was given up never leaves them.
    const std::unique_ptr<schedule> present{new schedule};
    const entered within{*present};
    exploration found;
    while (choices.next()) {
      ++found.schedules;
      run_once(*present, options, choices, scenario, false);
      found.steps += present->steps_;
      if (!choices.replay_fits()) present->fail("the schedule to repeat is none of this scenario");
      if (choices.differs()) present->fail("the scenario does not do the same each time");
      if (present->failed()) {
        found.failed.emplace(failed_schedule{present->failure_, choices.text(), {}});
        choices.again();
        run_once(*present, options, choices, scenario, true);
        found.failed->trace = present->trace_.text();
        return found;
      }
      if (found.schedules == options.most_schedules) return found;
    }
    found.complete = options.replay.empty();
    return found;
  }

 private:
  /// Makes a schedule that of the thread of the system.
  class entered {
   public:
    explicit entered(schedule& now) noexcept : before_{std::exchange(schedule::current_, &now)} {}
    entered(const entered&) = delete;
    entered& operator=(const entered&) = delete;
    ~entered() { schedule::current_ = before_; }

   private:
    schedule* before_;
  };

  template <class Scenario>
  static void run_once(schedule& present, const exploration_options& options, schedule_choices& choices,
                       Scenario& scenario, bool traced) {
    present.begin_with(options, choices, traced);
#if defined(__cpp_exceptions)
    try {
#endif
      scenario(present);
#if defined(__cpp_exceptions)
    } catch (const std::exception& thrown) {
      present.fail(std::string{"the scenario ended by an exception: "} + thrown.what());
    }
#endif
  }
};

}  // namespace detail

/// Runs `scenario(schedule&)` once for each order in which its threads could run, and for each answer to its
/// choices, until one of them fails or the options end it.
///
///     const auto found = brownout::explore({}, [](brownout::schedule& threads) {
///       brownout::bulkhead<brownout::scheduled_atomics> places{{.limit = 1}};
///       int inside = 0;
///       threads.run(2, [&](std::size_t) {
///         if (auto place = places.try_acquire()) threads.expect(++inside == 1, "two at once"), --inside;
///       });
///     });
///     INFO(found.text());
///     CHECK(found.holds());
///
/// The scenario makes all that it needs, and must do the same each time: no real clock, no real thread, no
/// random numbers but those of `schedule::choose`.
template <std::invocable<schedule&> Scenario>
[[nodiscard]] exploration explore(const exploration_options& options, Scenario scenario) {
  return detail::schedule_runner::run(options, scenario);
}

}  // namespace brownout::inline BROWNOUT_ABI
