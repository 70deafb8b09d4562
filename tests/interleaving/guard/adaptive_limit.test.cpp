// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/explored.hpp"

#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brownout::limit_change;
using brownout::limit_change_cause;
using brownout::schedule;

namespace {

using scheduled_limit = brownout::adaptive_limit<brownout::manual_clock, brownout::scheduled_atomics>;

/// Calls at a limit of 2 whose first window is about to end: its tenth sample decides.
class scene {
 public:
  scene(schedule& threads, bool is_slow) : threads_{threads}, is_slow_{is_slow} {
    tested_.listen([this](const limit_change& one) {
      changes_.push_back(one);
      most_ = (std::max)(most_, one.to);
    });
    for (int i = 0; i < 9; ++i) call();
    clock_.advance(scheduled_limit::window);
  }

  void call() {
    auto place = tested_.try_acquire();
    if (!place) return;
    ++inside_;
    // A change that lowers the limit leaves the calls that are in flight.
    threads_.expect(inside_ <= most_, "more calls in flight than the limit has ever been");
    if (is_slow_) clock_.advance(20ms);
    --inside_;
    place->complete(brownout::outcome::success);
  }

  void check() {
    const auto shown = tested_.snapshot();
    threads_.expect(shown.in_flight == 0, "a place is lost");
    std::uint32_t limit = 2;
    std::uint64_t number = 0;
    for (const auto& one : changes_) {
      threads_.expect(one.number == ++number, "changes are told out of order");
      threads_.expect(one.from == limit && one.to != limit, "a change from another limit");
      threads_.expect(one.samples >= 10, "a window with few samples decides");
      const bool rises = one.cause == limit_change_cause::demand && one.to == limit + limit / 20 + 1;
      const bool falls = one.cause == limit_change_cause::latency && one.to == limit * 9 / 10;
      threads_.expect(rises || falls, "a step that is not the rule's");
      limit = one.to;
    }
    threads_.expect(shown.limit == limit, "the limit is not that of the latest change");
    threads_.expect(changes_.size() <= 1, "two decisions by one window");
  }
  [[nodiscard]] bool has_changed() const { return !changes_.empty(); }

 private:
  schedule& threads_;
  bool is_slow_;
  brownout::manual_clock clock_{};
  scheduled_limit tested_{{.name = {}, .latency_budget = 10ms, .first = 2, .least = 1, .most = 8}, clock_};
  std::vector<limit_change> changes_{};
  std::uint32_t inside_ = 0;
  std::uint32_t most_ = 2;
};

}  // namespace

TEST_CASE("an adaptive limit decides once for a window, by its rule, and loses no place",
          "[interleaving][guard]") {
  explored all{"adaptive limit"};
  for (const bool is_slow : {false, true}) {
    std::uint64_t changed = 0;  // schedules
    const auto describe = [&] { return std::string{is_slow ? "slow" : "fast"} + " calls"; };
    const auto two_calls = [&](schedule& threads, scene& tested, std::size_t count) {
      threads.run(count, [&](std::size_t) {
        tested.call();
        tested.call();
      });
      tested.check();
      changed += tested.has_changed() ? 1U : 0U;
    };
    all.run(
        {.preemptions = 3},
        [&](schedule& threads) {
          scene tested{threads, is_slow};
          two_calls(threads, tested, 2);
        },
        describe);
    all.run(
        {.preemptions = 2, .spurious_failures = 1},
        [&](schedule& threads) {
          scene tested{threads, is_slow};
          two_calls(threads, tested, 3);
        },
        describe);
    CHECK(changed > 0);
  }
}
