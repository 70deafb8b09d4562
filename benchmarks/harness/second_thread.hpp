// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "harness/stopwatch.hpp"

#include "brownout/core/detail/thread_number.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace benchmarks {

/// A second thread on a processor of its own, for as long as the object lives; the calling thread is bound to
/// another one meanwhile. Between batches it spins, so that what its mere presence costs, it costs always.
class second_thread {
 public:
  second_thread();
  ~second_thread();
  second_thread(const second_thread&) = delete;
  second_thread& operator=(const second_thread&) = delete;

  /// Whether this process may use two processors at all.
  [[nodiscard]] static bool possible();

  /// Runs the batch on both threads at once: the mean cost to each. Disturbed also when they did not overlap.
  [[nodiscard]] cost time_on_both(batch run, std::uint64_t times);

 private:
  void work();

  std::vector<unsigned> processors_;                                // what this process may use
  std::uint32_t first_number_ = brownout::detail::thread_number();  // of the owner
  std::uint64_t batches_ = 0;
  batch run_ = nullptr;
  std::uint64_t times_ = 0;
  timed_batch other_{};

  // Each holds the number of a batch; (1) acquire, (2) release.
  std::atomic<std::uint64_t> wanted_{0};   // written by the owner (2): publishes run_ and times_
  std::atomic<std::uint64_t> ready_{0};    // written by the second thread (2): it waits at the start
  std::atomic<std::uint64_t> started_{0};  // written by the owner (2)
  std::atomic<std::uint64_t> ended_{0};    // written by the second thread (2): publishes other_
  std::thread thread_;
};

}  // namespace benchmarks
