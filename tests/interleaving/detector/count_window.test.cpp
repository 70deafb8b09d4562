// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/call_history.hpp"
#include "interleaving/explored.hpp"

#include "brownout/detector/count_window.hpp"
#include "brownout/testing/scheduled_atomics.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>

using brownout::schedule;
using brownout::detail::window_counts;

namespace {

/// The latest calls of an epoch, with plain variables. To record has three steps, between which calls of
/// other threads may come: the epoch begins, the call enters the window, and the window is read.
struct window {
  enum class kind : std::uint8_t { begin, enter, read, read_or_not };
  struct call {
    kind what = kind::read;
    std::uint32_t epoch = 0;
    bool bad = false;
    window_counts read{};
  };

  std::uint32_t size = 1;
  std::uint32_t epoch = 0;
  std::deque<bool> calls{};

  bool allows(const call& made) {
    const bool is_of_it = made.epoch == epoch;
    switch (made.what) {
      case kind::begin:
        if (made.epoch > epoch) {
          calls.clear();
          epoch = made.epoch;
        }
        return true;
      case kind::enter:
        if (is_of_it) calls.push_back(made.bad);
        if (calls.size() > size) calls.pop_front();
        return true;
      case kind::read_or_not:  // a good call need not count
        if (made.read.calls == 0) return true;
        break;
      case kind::read:
        break;
    }
    const auto bad = static_cast<std::uint32_t>(std::count(calls.begin(), calls.end(), true));
    return made.read.calls == (is_of_it ? calls.size() : 0) && made.read.bad == (is_of_it ? bad : 0);
  }
};

constexpr std::uint32_t calls_in_page = 27;

class scene {
 public:
  /// `before`: calls that the window has seen, a third of them bad.
  scene(schedule& threads, std::uint32_t size, std::uint32_t before)
      : threads_{threads}, model_{.size = size}, tested_{brownout::count_window{.size = size}} {
    for (std::uint32_t i = 0; i < before; ++i) {
      const bool bad = i % 3 == 0;
      static_cast<void>(tested_.record(0, bad, {}));
      static_cast<void>(model_.allows({.what = window::kind::enter, .bad = bad}));
    }
  }

  void record(std::uint32_t epoch, bool bad) {
    using kind = window::kind;
    const auto begin = history_.begin();
    const auto enter = history_.begin(begin);
    const auto look = history_.begin(enter);
    const auto read = tested_.record(epoch, bad, {});
    history_.end(begin, {kind::begin, epoch, bad, {}});
    history_.end(enter, {kind::enter, epoch, bad, {}});
    history_.end(look, {bad ? kind::read : kind::read_or_not, epoch, bad, read});
  }
  void read(std::uint32_t epoch) {
    const auto number = history_.begin();
    const auto read = tested_.read(epoch, {});
    history_.end(number, {window::kind::read, epoch, false, read});
  }
  void check() {
    threads_.expect(history_.is_linearizable(model_), "no order of the calls explains the readings");
  }

 private:
  schedule& threads_;
  window model_;
  brownout::count_window::history<brownout::scheduled_atomics> tested_;
  call_history<window> history_{};
};

}  // namespace

TEST_CASE("a window of calls reads as if one call after another had been recorded",
          "[interleaving][detector]") {
  explored all{"count window"};
  for (const std::uint32_t size : {1U, 2U, 28U, 54U}) {
    for (const std::uint32_t before : {0U, calls_in_page - 1, 2 * calls_in_page - 1}) {
      const auto describe = [&] {
        return "size " + std::to_string(size) + ", after " + std::to_string(before) + " calls";
      };
      all.run(
          {.spurious_failures = 1},
          [&](schedule& threads) {
            scene tested{threads, size, before};
            threads.run(
                [&] {
                  tested.record(0, true);
                  tested.record(0, false);
                  tested.record(0, true);
                },
                [&] {
                  tested.record(0, true);
                  tested.read(0);
                  tested.record(0, false);
                });
            tested.check();
          },
          describe);
      all.run(
          {},
          [&](schedule& threads) {
            scene tested{threads, size, before};
            threads.run(
                [&] {
                  tested.record(0, true);
                  tested.record(1, true);
                },
                [&] {
                  tested.record(0, true);
                  tested.record(1, false);
                },
                [&] {
                  tested.record(2, true);
                  tested.read(1);
                });
            tested.check();
          },
          describe);
    }
  }
}
