// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "interleaving/explored.hpp"
#include "interleaving/one_stripe.hpp"

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

constexpr duration bucket = 100ms;

/// A window of ten buckets. A reading is a sum over cells that are looked at one after another. It has each
/// call of its epoch that had ended before it began, and none that began after it ended. If a later epoch has
/// begun, it may be empty.
template <class Atomics>
class scene {
 public:
  /// `apart`: from the number of an epoch to that of the next.
  explicit scene(schedule& threads, std::uint32_t apart = 1) : threads_{threads}, apart_{apart} {}

  void record(std::uint32_t epoch, bool bad) {
    const auto now = at_;
    const auto own = calls_.size();
    calls_.push_back({epoch, bad, now, false});
    const auto before = calls_of(epoch, now, true);
    const auto read = tested_.record(epoch * apart_, bad, now);
    if (bad) check(epoch, now, read, {before.calls + 1, before.bad + 1});
    calls_[own].has_ended = true;
  }
  void read(std::uint32_t epoch) {
    const auto now = at_;
    const auto before = calls_of(epoch, now, true);
    check(epoch, now, tested_.read(epoch * apart_, now), before);
  }
  void advance(int buckets) {
    schedule::before_access();
    at_ += buckets * bucket;
  }
  /// When all threads have ended: nothing is lost or counted twice, and an epoch that is over is not seen.
  void check_all() {
    const auto latest = latest_begun();
    for (std::uint32_t epoch = 0; epoch <= latest; ++epoch) {
      const auto expected = epoch == latest ? calls_of(epoch, at_, true) : window_counts{};
      threads_.expect(tested_.read(epoch * apart_, at_) == expected,
                      "a call is lost, counted twice, or of another epoch");
    }
  }

 private:
  struct call {
    std::uint32_t epoch;
    bool bad;
    duration at;
    bool has_ended;
  };

  [[nodiscard]] std::uint32_t latest_begun() const {
    std::uint32_t latest = 0;
    for (const auto& one : calls_) latest = one.epoch > latest ? one.epoch : latest;
    return latest;
  }
  /// What is known from outside about the window of an epoch at `now`.
  [[nodiscard]] window_counts calls_of(std::uint32_t epoch, duration now, bool only_ended) const {
    window_counts sum;
    for (const auto& one : calls_) {
      const auto age = now / bucket - one.at / bucket;
      if (one.epoch != epoch || age < 0 || age >= 10 || (only_ended && !one.has_ended)) continue;
      ++sum.calls;
      sum.bad += one.bad ? 1U : 0U;
    }
    return sum;
  }
  void check(std::uint32_t epoch, duration now, window_counts read, window_counts least) {
    if (epoch < latest_begun() && read == window_counts{}) return;
    const auto most = calls_of(epoch, now, false);
    threads_.expect(read.calls <= most.calls && read.bad <= most.bad, "calls are made up");
    threads_.expect(read.bad <= read.calls, "more bad calls than calls");
    // One that is further behind the others sees the rest of its window.
    if (at_ - now > 6 * bucket) return;
    threads_.expect(read.calls >= least.calls && read.bad >= least.bad, "calls are lost");
  }

  schedule& threads_;
  std::uint32_t apart_;
  duration at_ = 592 * bucket;
  brownout::time_window::history<Atomics> tested_{brownout::time_window{.length = 10 * bucket}};
  std::vector<call> calls_{};
};

/// Epochs are told apart by marks, and by the numbers of their buckets. Here the numbers don't help: buckets
/// of an epoch are numbered from 0x9e37'79b9 times the epoch on, so a bucket of this epoch has the number
/// that the one nine buckets before had in epoch 0. Only a cell with the same content as before would
/// mislead a thread that slept; so the epochs begin with different calls.
constexpr std::uint32_t epoch_of_equal_numbers = 0x494d'5f2f;
static_assert(epoch_of_equal_numbers * 0x9e37'79b9 + 9 == 0);

}  // namespace

TEMPLATE_TEST_CASE("a window of time loses no call, and counts none twice or in another epoch",
                   "[interleaving][detector]", brownout::scheduled_atomics, one_stripe) {
  explored all{"time window"};
  for (const bool moves : {false, true}) {
    all.run(
        {},
        [&](schedule& threads) {
          scene<TestType> tested{threads};
          tested.record(0, true);
          tested.advance(1);
          tested.record(0, true);
          tested.advance(9);  // now the first call is too old, and the second one is not
          threads.run(
              [&] {
                tested.record(0, true);
                if (moves) tested.advance(1);
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
  for (const std::uint32_t last : {1U, 2U}) {
    all.run(
        {.preemptions = 1, .most_steps = 100'000},
        [&](schedule& threads) {
          scene<TestType> tested{threads};
          threads.run(
              [&] {
                tested.record(0, true);
                tested.record(1, true);
              },
              [&] {
                tested.record(1, false);
                tested.record(last, true);
              });
          tested.check_all();
        },
        [] { return std::string{"an epoch after another"}; });
  }
  all.run(
      {.preemptions = 1, .most_steps = 100'000},
      [](schedule& threads) {
        scene<TestType> tested{threads};
        tested.record(0, true);
        threads.run([&] { tested.record(1, true); },
                    [&] {
                      tested.record(0, true);
                      tested.read(0);
                    });
        tested.check_all();
      },
      [] { return std::string{"readings while an epoch begins"}; });
}

TEST_CASE("a window of time separates epochs whose buckets have the same numbers",
          "[interleaving][detector]") {
  explored all{"time window, equal numbers"};
  // The second thread finds itself in the bucket of the first, or in the one nine buckets before.
  for (const int later : {9, 0}) {
    all.run(
        {.most_steps = 100'000},
        [&](schedule& threads) {
          scene<one_stripe> tested{threads, epoch_of_equal_numbers};
          tested.record(0, true);
          tested.advance(9);
          threads.run(
              [&] {
                tested.record(0, true);
                tested.record(0, false);
              },
              [&] {
                tested.advance(later);
                tested.record(1, false);
                tested.record(1, true);
              });
          tested.check_all();
        },
        [&] { return std::to_string(later) + " buckets later"; });
  }
}

TEST_CASE("a call that comes a turn of the cells late erases no later call", "[interleaving][detector]") {
  explored all{"time window, a late call"};
  all.run(
      {},
      [](schedule& threads) {
        brownout::time_window::history<one_stripe> tested{brownout::time_window{.length = 10 * bucket}};
        duration now = 1min;
        const auto record = [&] { static_cast<void>(tested.record(0, true, now)); };
        threads.run(record, [&] {
          schedule::before_access();
          now += 16 * bucket;  // the cells of a stripe
          record();
          record();
        });
        const auto read = tested.read(0, now);
        threads.expect(read.calls == read.bad && read.calls >= 2 && read.calls <= 3,
                       "a call is lost or made up");
      },
      [] { return std::string{"two calls, and one that is late"}; });
}
