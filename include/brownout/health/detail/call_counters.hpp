// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/atomics.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/thread_number.hpp"
#include "brownout/health/detail/call_totals.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Counts how the calls of a dependency end, on the path of each call: without a lock, and without a clock
/// reading for most calls.
///
/// **Stripes.** Each thread adds to a stripe of its own, so that two threads do not contend. More than eight
/// threads share stripes.
///
/// **Epochs.** The calls of an epoch of the circuit are counted apart from those of the seven epochs before
/// and after it: numbers only grow, and nothing has to be emptied. A reader takes differences.
///
/// Thread-safe. Everything is wait-free. 4 KiB.
template <class Atomics = std_atomics>
class call_counters {
 public:
  static constexpr std::size_t epochs_apart = 8;

  /// Upper bounds of the latency histogram. One more count is for slower calls.
  static constexpr std::array<duration, 14> latency_bounds{
      std::chrono::milliseconds{1},   std::chrono::microseconds{2500}, std::chrono::milliseconds{5},
      std::chrono::milliseconds{10},  std::chrono::milliseconds{25},   std::chrono::milliseconds{50},
      std::chrono::milliseconds{100}, std::chrono::milliseconds{250},  std::chrono::milliseconds{500},
      std::chrono::seconds{1},        std::chrono::milliseconds{2500}, std::chrono::seconds{5},
      std::chrono::seconds{10},       std::chrono::seconds{30}};
  using latency_counts = std::array<std::uint64_t, latency_bounds.size() + 1>;

  /// How many calls of a thread there are for each one that is timed: a power of two; 0: none is timed.
  void time_one_in(std::uint32_t calls) noexcept {
    const auto mask = calls == 0 ? never : std::uint64_t{calls} - 1;
    timing_.store(mask, std::memory_order_relaxed);  // relaxed, here and below: statistics order nothing
  }
  /// Where the calls of an epoch are counted by a thread. Any thread may count there; it only costs time.
  struct counts {
    // Written by the threads that use this stripe; publish nothing.
    typename Atomics::template atomic<std::uint64_t> successes{0};
    typename Atomics::template atomic<std::uint64_t> failures{0};
    typename Atomics::template atomic<std::uint64_t> timed{0};
    typename Atomics::template atomic<std::uint64_t> microseconds{0};
  };
  /// The place of the calling thread.
  [[nodiscard]] counts& own(std::uint64_t epoch) noexcept {
    return stripes_[own_stripe()].by_epoch[epoch % epochs_apart];
  }

  /// Whether a call that begins now is to be timed: the first one at this place, and then one in so many that
  /// succeeded.
  [[nodiscard]] bool is_timed(const counts& place) const noexcept {
    const auto mask = timing_.load(std::memory_order_relaxed);
    return (place.successes.load(std::memory_order_relaxed) & mask) == 0 && mask != never;
  }

  static void count_success(counts& place) noexcept {
    place.successes.fetch_add(1, std::memory_order_relaxed);
  }
  static void count_failure(counts& place) noexcept {
    place.failures.fetch_add(1, std::memory_order_relaxed);
  }
  /// The latency of a call that succeeded, which is counted besides. It stands for the calls that were not
  /// timed. So the sums grow evenly when it changes how many are.
  void add_latency(counts& place, duration took) noexcept {
    const auto stands_for = timing_.load(std::memory_order_relaxed) + 1;
    if (stands_for == 0) return;
    place.timed.fetch_add(stands_for, std::memory_order_relaxed);
    const auto bounded = std::clamp<duration>(took, duration::zero(), std::chrono::hours{1});
    const auto nanoseconds = static_cast<std::uint64_t>(bounded.count()) * stands_for;
    place.microseconds.fetch_add(nanoseconds / 1000, std::memory_order_relaxed);
    const auto* const bound = std::lower_bound(latency_bounds.begin(), latency_bounds.end(), took);
    auto& latencies = stripes_[own_stripe()].latencies;
    latencies[static_cast<std::size_t>(bound - latency_bounds.begin())].fetch_add(stands_for,
                                                                                  std::memory_order_relaxed);
  }
  /// A probe: it is no evidence of an epoch, but a call all the same.
  void count_probe(bool succeeded) noexcept {
    auto& own = stripes_[own_stripe()];
    (succeeded ? own.probes_succeeded : own.probes_failed).fetch_add(1, std::memory_order_relaxed);
  }
  /// A call that says nothing about the dependency.
  void count_ignored() noexcept { stripes_[own_stripe()].ignored.fetch_add(1, std::memory_order_relaxed); }

  /// The calls of `epoch`, together with those of each eighth epoch before it.
  [[nodiscard]] call_totals read(std::uint64_t epoch) const noexcept {
    call_totals sum;
    for (const auto& stripe : stripes_) {
      const auto& one = stripe.by_epoch[epoch % epochs_apart];
      sum += {one.successes.load(std::memory_order_relaxed), one.failures.load(std::memory_order_relaxed),
              one.timed.load(std::memory_order_relaxed), one.microseconds.load(std::memory_order_relaxed)};
    }
    return sum;
  }
  [[nodiscard]] std::uint64_t ignored() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& stripe : stripes_) sum += stripe.ignored.load(std::memory_order_relaxed);
    return sum;
  }
  /// The probes that `count_probe` has counted.
  [[nodiscard]] call_totals probes() const noexcept {
    call_totals sum;
    for (const auto& stripe : stripes_) {
      sum.successes += stripe.probes_succeeded.load(std::memory_order_relaxed);
      sum.failures += stripe.probes_failed.load(std::memory_order_relaxed);
    }
    return sum;
  }
  /// How many calls took up to each bound and more than the bound before it: an estimate, in which each timed
  /// call stands for those that were not timed.
  [[nodiscard]] latency_counts latencies() const noexcept {
    latency_counts sums{};
    for (const auto& stripe : stripes_) {
      for (std::size_t i = 0; i < sums.size(); ++i)
        sums[i] += stripe.latencies[i].load(std::memory_order_relaxed);
    }
    return sums;
  }
  /// The calls of all epochs.
  [[nodiscard]] call_totals read_all() const noexcept {
    call_totals sum;
    for (std::size_t epoch = 0; epoch < epochs_apart; ++epoch) sum += read(epoch);
    return sum;
  }

 private:
  static constexpr std::size_t stripe_count = 8;
  static constexpr std::uint64_t never = ~std::uint64_t{0};

  struct alignas(64) stripe_counts {
    std::array<counts, epochs_apart> by_epoch{};
    // Written and read as the counts.
    std::array<typename Atomics::template atomic<std::uint64_t>, latency_bounds.size() + 1> latencies{};
    typename Atomics::template atomic<std::uint64_t> ignored{0};
    typename Atomics::template atomic<std::uint64_t> probes_succeeded{0};
    typename Atomics::template atomic<std::uint64_t> probes_failed{0};
    // A power of two: then finding a stripe takes a shift.
    std::array<std::byte, 512 - (epochs_apart * 4 + latency_bounds.size() + 4) * sizeof(std::uint64_t)>
        unused{};
  };
  static_assert(sizeof(stripe_counts) == 512);

  [[nodiscard]] static std::size_t own_stripe() noexcept {
    return thread_number_for<Atomics>() % stripe_count;
  }

  std::array<stripe_counts, stripe_count> stripes_{};
  // On a line that is seldom written. Written by the stepping thread, read by every call.
  alignas(64) typename Atomics::template atomic<std::uint64_t> timing_{15};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
