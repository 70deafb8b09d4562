// SPDX-License-Identifier: BSL-1.0
#include "harness/stopwatch.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace benchmarks {

namespace {

constexpr auto batch_length = std::chrono::microseconds{200};

long involuntary_switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

std::chrono::duration<double, std::nano> quickest_of_five(batch run, std::uint64_t times) {
  auto best = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 5; ++i) {
    const auto one = run_timed(run, times);
    best = std::min(best, one.ended - one.began);
  }
  return best;
}

}  // namespace

timed_batch run_timed(batch run, std::uint64_t times) {
  timed_batch one;
  const auto switches = involuntary_switches();
  one.began = std::chrono::steady_clock::now();
  run(times);
  one.ended = std::chrono::steady_clock::now();
  one.disturbed = involuntary_switches() != switches;
  return one;
}

cost time_batch(batch run, std::uint64_t times) {
  const auto one = run_timed(run, times);
  if (one.disturbed) return std::nullopt;
  return std::chrono::duration<double, std::nano>{one.ended - one.began}.count() / static_cast<double>(times);
}

std::uint64_t operations_for_a_batch(batch run) {
  for (std::uint64_t times = 1;; times *= 2) {
    const auto took = quickest_of_five(run, times);
    if (took >= batch_length / 4) {
      const auto wanted = static_cast<double>(times) * (batch_length / took);
      return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
    }
  }
}

}  // namespace benchmarks
