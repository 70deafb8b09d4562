// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/thread_number.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A total that many threads count at once. Each thread adds to a stripe, which has a cache line of its own,
/// so that adding costs the same with one thread and with several. More than eight threads share stripes.
///
/// Thread-safe. Adding is wait-free. 512 bytes.
template <class Atomics>
class striped_total {
 public:
  void add_one() noexcept {
    // relaxed, here and below: a total for display, orders nothing.
    stripes_[thread_number_for<Atomics>() % count].added.fetch_add(1, std::memory_order_relaxed);
  }
  /// The total. While other threads add, it is at least the total at the beginning of the call.
  [[nodiscard]] std::uint64_t read() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& one : stripes_) sum += one.added.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::uint32_t count = 8;

  struct alignas(64) stripe {
    // Written by the threads that use this stripe; publishes nothing.
    typename Atomics::template atomic<std::uint64_t> added{0};
  };

  stripe stripes_[count];
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
