// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/explored.hpp"

#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "brownout/testing/memory_access.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brownout::limit_change;
using brownout::limit_change_cause;
using brownout::memory_access;
using brownout::schedule;

namespace {

using scheduled_limit = brownout::adaptive_limit<brownout::manual_clock, brownout::scheduled_atomics>;

/// Calls at a limit whose first window is about to end: its tenth sample decides.
class scene {
 public:
  scene(schedule& threads, bool is_slow)
      : threads_{threads},
        is_slow_{is_slow},
        tested_{std::make_unique<scheduled_limit>(
            brownout::adaptive_limit_options{
                .name = {}, .latency_budget = 10ms, .first = first(), .least = 1, .most = 8},
            clock_)} {
    const void* word = nullptr;
    threads.observe([&](const memory_access& access) { word = word == nullptr ? access.where : word; });
    static_cast<void>(tested_->snapshot());  // looks at the word first
    threads.observe([this, word](const memory_access& access) {
      const auto changes = access.after >> 40;
      if (access.where == word && access.after == access.before + 1 && changes < admitted_.size())
        ++admitted_[changes];
    });
    tested_->listen([this](const limit_change& one) {
      changes_.push_back(one);
      most_ = (std::max)(most_, one.to);
    });
    for (int i = 0; i < 9; ++i) call();
    clock_.advance(scheduled_limit::window);
  }
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;
  ~scene() {
    // A lost place would end the program here, without the schedule that lost it.
    if (threads_.failed()) static_cast<void>(tested_.release());
  }

  void call() {
    auto place = tested_->try_acquire();
    if (!place) return;
    ++inside_;
    // A change that lowers the limit leaves the calls that are in flight.
    threads_.expect(inside_ <= most_, "more calls in flight than the limit has ever been");
    if (is_slow_) clock_.advance(20ms);
    --inside_;
    place->complete(brownout::outcome::success);
  }

  /// When all threads have ended. `always`: no failure of a compare-and-swap has hidden a sample.
  void check(bool always) {
    threads_.expect(changes_.size() <= 1, "two decisions by one window");
    threads_.expect(!is_slow_ || !always || changes_.size() == 1, "a window of slow calls decides nothing");
    check_changes();
    if (!is_slow_ || changes_.empty()) return;
    // The next window decides by its own samples.
    clock_.advance(scheduled_limit::window);
    for (int i = 0; i < 10; ++i) call();
    threads_.expect(changes_.size() == 2, "the second window of slow calls does not decide");
    check_changes();
  }
  [[nodiscard]] bool has_changed() const { return !changes_.empty(); }

 private:
  /// Slow calls lower it twice.
  [[nodiscard]] std::uint32_t first() const { return is_slow_ ? 3 : 2; }

  void check_changes() {
    const auto shown = tested_->snapshot();
    threads_.expect(shown.in_flight == 0, "a place is lost");
    std::uint32_t limit = first();
    std::uint64_t number = 0;
    for (const auto& one : changes_) {
      threads_.expect(one.samples >= 10, "a window with few samples decides");
      threads_.expect(one.samples <= admitted_[number], "a sample of a call under another limit");
      threads_.expect(one.number == ++number, "changes are told out of order");
      threads_.expect(one.from == limit && one.to != limit, "a change from another limit");
      const bool rises = one.cause == limit_change_cause::demand && one.to == limit + limit / 20 + 1;
      const bool falls = one.cause == limit_change_cause::latency && one.to == limit * 9 / 10;
      threads_.expect(is_slow_ ? falls : rises, "a step that is not the rule's");
      limit = one.to;
    }
    threads_.expect(shown.limit == limit, "the limit is not that of the latest change");
  }

  schedule& threads_;
  bool is_slow_;
  brownout::manual_clock clock_{};
  std::unique_ptr<scheduled_limit> tested_;
  std::array<std::uint32_t, 4> admitted_{};  // calls by the number of changes before
  std::vector<limit_change> changes_{};
  std::uint32_t inside_ = 0;
  std::uint32_t most_ = first();
};

}  // namespace

TEST_CASE("an adaptive limit decides once for a window, by its rule, and loses no place",
          "[interleaving][guard]") {
  explored all{"adaptive limit"};
  for (const bool is_slow : {false, true}) {
    std::uint64_t changed = 0;  // schedules
    const auto describe = [&] { return std::string{is_slow ? "slow" : "fast"} + " calls"; };
    const auto two_calls = [&](schedule& threads, std::size_t count, bool always) {
      scene tested{threads, is_slow};
      threads.run(count, [&](std::size_t) {
        tested.call();
        tested.call();
      });
      tested.check(always);
      changed += tested.has_changed() ? 1U : 0U;
    };
    all.run(
        {.preemptions = 3}, [&](schedule& threads) { two_calls(threads, 2, true); }, describe);
    all.run(
        {.preemptions = 2, .spurious_failures = 1}, [&](schedule& threads) { two_calls(threads, 3, false); },
        describe);
    CHECK(changed > 0);
  }
}
