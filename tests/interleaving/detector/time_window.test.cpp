// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/explored.hpp"

#include "brownout/detector/time_window.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::schedule;
using brownout::detail::window_counts;

namespace {

/// What is known about the calls of an epoch from outside: those that have ended, and those that may have
/// entered the window already.
struct known_calls {
  std::uint32_t ended = 0;
  std::uint32_t ended_bad = 0;
  std::uint32_t begun = 0;
  std::uint32_t begun_bad = 0;
};

/// A window of a second, in which all calls take place. A reading is a sum over cells that are looked at one
/// after another: it has each call that had ended before it began, and none that began after it ended.
class scene {
 public:
  explicit scene(schedule& threads) : threads_{threads}, by_epoch_(4) {}

  void record(std::uint32_t epoch, bool bad) {
    auto& calls = by_epoch_[epoch];
    ++calls.begun;
    calls.begun_bad += bad ? 1U : 0U;
    const auto before = calls;
    const auto read = tested_.record(epoch, bad, at_);
    const bool is_latest = epoch == latest_begun();
    if (bad && is_latest) check(read, before, epoch, 1);
    ++calls.ended;
    calls.ended_bad += bad ? 1U : 0U;
  }
  void read(std::uint32_t epoch) {
    const auto before = by_epoch_[epoch];
    const auto read = tested_.read(epoch, at_);
    if (epoch == latest_begun() && before.ended > 0) check(read, before, epoch, 0);
  }
  /// Another bucket of the window.
  void advance() {
    schedule::before_access();
    at_ += 100ms;
  }
  /// Nothing is lost or counted twice, and an epoch that is over is not seen.
  void check_all() {
    const auto latest = latest_begun();
    for (std::uint32_t epoch = 0; epoch < by_epoch_.size(); ++epoch) {
      const auto read = tested_.read(epoch, at_);
      const auto& calls = by_epoch_[epoch];
      const bool fits = epoch == latest ? read.calls == calls.ended && read.bad == calls.ended_bad
                                        : read.calls == 0 && read.bad == 0;
      threads_.expect(fits, "a call is lost, counted twice, or of another epoch");
    }
  }

 private:
  [[nodiscard]] std::uint32_t latest_begun() const {
    auto epoch = static_cast<std::uint32_t>(by_epoch_.size()) - 1;
    while (epoch > 0 && by_epoch_[epoch].begun == 0) --epoch;
    return epoch;
  }
  void check(window_counts read, const known_calls& before, std::uint32_t epoch, std::uint32_t own) {
    const auto& now = by_epoch_[epoch];
    threads_.expect(read.calls >= before.ended + own && read.calls <= now.begun, "calls are lost or made up");
    threads_.expect(read.bad >= before.ended_bad + own && read.bad <= now.begun_bad,
                    "bad calls are lost or made up");
    threads_.expect(read.bad <= read.calls, "more bad calls than calls");
  }

  schedule& threads_;
  duration at_ = 1min;
  brownout::time_window::history<brownout::scheduled_atomics> tested_{brownout::time_window{.length = 1s}};
  std::vector<known_calls> by_epoch_;
};

}  // namespace

TEST_CASE("a window of time loses no call, and counts none twice or in another epoch",
          "[interleaving][detector]") {
  explored all{"time window"};
  for (const bool moves : {false, true}) {
    all.run(
        {},
        [&](schedule& threads) {
          scene tested{threads};
          threads.run(
              [&] {
                tested.record(0, true);
                if (moves) tested.advance();
                tested.record(0, false);
              },
              [&] {
                tested.record(0, true);
                tested.read(0);
              });
          tested.check_all();
        },
        [] { return std::string{"one epoch"}; });
  }
  all.run(
      {.preemptions = 1, .most_steps = 100'000},
      [](schedule& threads) {
        scene tested{threads};
        threads.run(
            [&] {
              tested.record(0, true);
              tested.record(1, true);
            },
            [&] {
              tested.record(1, false);
              tested.record(2, true);
            });
        tested.check_all();
      },
      [] { return std::string{"an epoch after another"}; });
}
