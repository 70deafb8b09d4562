// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/call_history.hpp"
#include "interleaving/explored.hpp"
#include "interleaving/noting_clock.hpp"

#include "brownout/guard/rate_limiter.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::schedule;

namespace {

constexpr duration interval = 100ms;

/// A bucket of tokens with plain variables: a token each 100 ms, at most `burst`. Times are those that the
/// calls have read, which may be older than the call before.
struct bucket {
  struct call {
    std::uint32_t tokens = 1;
    duration at{};
    duration within{};  // how long the caller would wait
    bool taken = false;
    duration wait{};  // before the call; of a refusal: until it is worth trying again
  };

  std::uint32_t burst = 1;
  duration full_at{};  // when the bucket is full again

  bool allows(const call& made) {
    const auto filled = (std::max)(full_at, made.at) + interval * made.tokens;
    const auto ahead = filled - made.at - interval * burst;
    if (made.taken != (ahead <= made.within)) return false;
    if (!made.taken) return made.wait == ahead - made.within;
    full_at = filled;
    return made.wait == (std::max)(ahead, duration::zero());
  }
};

class scene {
 public:
  scene(schedule& threads, std::uint32_t burst)
      : threads_{threads},
        burst_{burst},
        tested_{{.name = {}, .rate = brownout::rate{1, interval}, .burst = burst}, noting_clock{times_}} {}

  void take(std::uint32_t tokens) {
    const auto number = history_.begin();
    const auto answer = tested_.try_acquire(tokens);
    history_.end(number, {.tokens = tokens,
                          .at = times_.read_by(threads_),
                          .taken = answer.has_value(),
                          .wait = answer ? duration{} : answer.rejection().retry_after});
  }
  void reserve(duration within) {
    const auto number = history_.begin();
    auto answer = tested_.reserve(1, within);
    history_.end(number, {.at = times_.read_by(threads_),
                          .within = within,
                          .taken = static_cast<bool>(answer),
                          .wait = answer ? answer->wait() : answer.rejection().retry_after});
    if (answer) answer->use();
  }
  void advance(duration by) { times_.advance(by); }
  void check() {
    threads_.expect(history_.is_linearizable({.burst = burst_}),
                    "no order of the calls explains the answers");
  }

 private:
  schedule& threads_;
  std::uint32_t burst_;
  noting_clock::times times_{};
  brownout::rate_limiter<noting_clock, brownout::scheduled_atomics> tested_;
  call_history<bucket> history_{};
};

}  // namespace

TEST_CASE("the answers of a rate limiter are those of a bucket that is used by one call after another",
          "[interleaving][guard]") {
  explored all{"rate limiter"};
  for (const std::uint32_t burst : {1U, 2U, 3U}) {
    all.run(
        {.preemptions = 3, .spurious_failures = 1},
        [&](schedule& threads) {
          scene tested{threads, burst};
          threads.run(
              [&] {
                tested.take(1);
                tested.take(burst);
                tested.take(1);
              },
              [&] {
                tested.take(1);
                tested.reserve(interval);
                tested.take(1);
              },
              [&] {
                tested.advance(interval / 4);
                tested.advance(interval * 2);
              });
          tested.check();
        },
        [&] { return "burst " + std::to_string(burst); });
  }
}
