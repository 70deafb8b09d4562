// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/call_history.hpp"
#include "interleaving/explored.hpp"
#include "interleaving/noting_clock.hpp"

#include "brownout/guard/sliding_window.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

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
  std::int64_t number = 0;
  std::int64_t before = 0;
  std::int64_t now = 0;

  bool allows(const call& made) {
    if (made.quarter / 4 < number) return false;  // its reading is old: it must have read again
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

}  // namespace

TEST_CASE("the answers of a sliding window are those of calls that are counted one after another",
          "[interleaving][guard]") {
  explored all{"sliding window"};
  for (const std::uint32_t limit : {1U, 2U, 3U}) {
    all.run(
        {.preemptions = 3, .spurious_failures = 1},
        [&](schedule& threads) {
          noting_clock::times times;
          brownout::sliding_window<noting_clock, brownout::scheduled_atomics> tested{
              {.name = {}, .rate = brownout::rate{static_cast<double>(limit), period}}, noting_clock{times}};
          call_history<counted_calls> history;
          const auto take = [&] {
            const auto number = history.begin();
            const bool taken = tested.try_acquire().has_value();
            history.end(number, {.quarter = times.read_by(threads) / (period / 4), .taken = taken});
          };
          const auto take_three = [&] {
            for (int i = 0; i < 3; ++i) take();
          };
          threads.run(take_three, take_three, [&] {
            times.advance(period / 2);
            times.advance(period);
          });
          threads.expect(history.is_linearizable({.limit = limit}),
                         "no order of the calls explains the answers");
        },
        [&] { return "limit " + std::to_string(limit); });
  }
}
