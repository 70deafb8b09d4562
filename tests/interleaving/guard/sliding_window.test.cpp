// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/call_history.hpp"
#include "interleaving/explored.hpp"
#include "interleaving/noting_clock.hpp"
#include "interleaving/one_stripe.hpp"

#include "brownout/guard/sliding_window.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::schedule;

namespace {

constexpr duration period = 100ms;

/// The calls of this period and of the one before, with plain variables. A quarter of a period is the unit of
/// time: the calls of the period before weigh by the quarters that are left.
struct counted_calls {
  struct call {
    std::int64_t quarter = 0;  // when
    bool taken = false;
  };

  std::int64_t limit = 1;
  bool is_set_back = false;  // the clock, once
  std::int64_t number = 0;
  std::int64_t before = 0;
  std::int64_t now = 0;

  bool allows(const call& made) {
    if (made.quarter / 4 < number) {
      if (!is_set_back) return false;  // its reading is old: it must have read again
      number = made.quarter / 4;       // what was admitted stays admitted
    }
    if (made.quarter / 4 > number) {
      before = made.quarter / 4 == number + 1 ? now : 0;
      now = 0;
      number = made.quarter / 4;
    }
    const auto left = 4 - made.quarter % 4;
    if (made.taken != (now + 1 <= limit && before * left <= 4 * (limit - now - 1))) return false;
    now += made.taken ? 1 : 0;
    return true;
  }
};

class scene {
 public:
  scene(schedule& threads, counted_calls rules)
      : threads_{threads},
        rules_{rules},
        tested_{{.name = {}, .rate = brownout::rate{static_cast<double>(rules.limit), period}},
                noting_clock{times_}} {}

  void take() {
    const auto number = history_.begin();
    const bool taken = tested_.try_acquire().has_value();
    refused_ += taken ? 0U : 1U;
    history_.end(number, {.quarter = times_.read_by(threads_) / (period / 4), .taken = taken});
  }
  void advance(duration by) { times_.advance(by); }

  void check() {
    threads_.expect(history_.is_linearizable(rules_), "no order of the calls explains the answers");
    threads_.expect(tested_.snapshot().refused == refused_, "a refusal is lost or counted twice");
  }

 private:
  schedule& threads_;
  counted_calls rules_;
  noting_clock::times times_{};
  brownout::sliding_window<noting_clock, one_stripe> tested_;
  call_history<counted_calls> history_{};
  std::uint64_t refused_ = 0;
};

}  // namespace

TEST_CASE("the answers of a sliding window are those of calls that are counted one after another",
          "[interleaving][guard]") {
  explored all{"sliding window"};
  for (const std::int64_t limit : {1, 2, 3}) {
    const auto describe = [&] { return "limit " + std::to_string(limit); };
    all.run(
        {.preemptions = 3, .spurious_failures = 1},
        [&](schedule& threads) {
          scene tested{threads, {.limit = limit}};
          const auto take_three = [&] {
            for (int i = 0; i < 3; ++i) tested.take();
          };
          threads.run(take_three, take_three, [&] {
            tested.advance(period / 2);
            tested.advance(period);
          });
          tested.check();
        },
        describe);
    // A thread that sleeps for two periods.
    all.run(
        {.preemptions = 4, .spurious_failures = 1},
        [&](schedule& threads) {
          scene tested{threads, {.limit = limit}};
          threads.run(
              [&] {
                tested.take();
                tested.take();
              },
              [&] {
                for (int i = 0; i < 2; ++i) {
                  tested.advance(period);
                  tested.take();
                }
                tested.take();
              });
          tested.check();
        },
        describe);
  }
}

TEST_CASE("a sliding window whose clock was set back forgets no call that it has admitted",
          "[interleaving][guard]") {
  explored all{"sliding window, clock set back"};
  all.run(
      {.preemptions = 4, .spurious_failures = 1},
      [](schedule& threads) {
        scene tested{threads, {.limit = 3, .is_set_back = true}};
        tested.advance(period);
        tested.take();
        tested.advance(-period);
        threads.run(2, [&](std::size_t) {
          tested.take();
          tested.take();
        });
        tested.check();
      },
      [] { return std::string{"limit 3"}; });
}
