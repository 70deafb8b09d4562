// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/announcer.hpp"
#include "brownout/breaker/detail/last_failure.hpp"
#include "brownout/breaker/detail/transition_feed.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/detail/striped_total.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The parts that only few circuits need: their own policy, listeners, the text of a failure. Built at the
/// first use.
template <class Policy, class Atomics>
class rare_state {
 public:
  struct content {
    std::mutex reconfiguring{};
    std::unique_ptr<Policy> own_policy{};  // guarded by the mutex
    announcer<Atomics> listeners{};
    last_failure<Atomics> failure{};
    std::unique_ptr<striped_total<Atomics>> refusals{};  // set before another thread knows the circuit
  };

  rare_state() noexcept = default;
  rare_state(const rare_state&) = delete;
  rare_state& operator=(const rare_state&) = delete;
  ~rare_state() { delete find(); }

  /// Null before the first use. Wait-free.
  [[nodiscard]] content* find() const noexcept {
    // (1) acquire: synchronizes-with (2).
    return content_.load(std::memory_order_acquire);
  }
  /// Builds it if there is none. Null if there is no memory for it. Lock-free, apart from the allocation.
  [[nodiscard]] content* make(std::nothrow_t) noexcept {
    auto* there = find();
    if (there != nullptr) return there;
    std::unique_ptr<content> made{new (std::nothrow) content};
    while (there == nullptr && made) {
      // (2) release: publishes the new content. On failure (1).
      if (content_.compare_exchange_weak(there, made.get(), std::memory_order_acq_rel,
                                         std::memory_order_acquire)) {
        return made.release();
      }
    }
    return there;
  }
  /// Throws `std::bad_alloc`.
  [[nodiscard]] content& make() {
    auto* const there = make(std::nothrow);
    if (there == nullptr) raise(std::bad_alloc{});
    return *there;
  }

  /// Keeps the text of a failure, unless there is no memory for it or one of a later epoch is kept.
  /// Lock-free, apart from the allocation.
  void note_failure(std::uint64_t epoch, const typename last_failure<Atomics>::text& seen) noexcept {
    auto* const made = seen.why.empty() ? find() : make(std::nothrow);
    if (made != nullptr) made->failure.replace(epoch, seen);
  }

  // The next three are wait-free.

  /// Null if there is no room to count refused calls of many threads.
  [[nodiscard]] striped_total<Atomics>* refusals() const noexcept {
    const auto* const made = find();
    return made != nullptr ? made->refusals.get() : nullptr;
  }
  /// Null if the circuit has no listeners.
  [[nodiscard]] transition_feed* feed() const noexcept {
    const auto* const made = find();
    return made != nullptr ? made->listeners.feed() : nullptr;
  }
  /// What it adds to a snapshot.
  void show(breaker_snapshot& shown) const noexcept {
    const auto* const made = find();
    if (made == nullptr) return;
    if (const auto* const told = made->listeners.feed()) {
      shown.listener_failures = told->failures();
      shown.missed_transitions = told->missed();
    }
    const auto failure = made->failure.read();
    shown.last_failure = failure.why;
    shown.last_failure_at = failure.at;
  }

 private:
  // Written once, by the first thread that needs it (2). Read after each transition (1).
  typename Atomics::template atomic<content*> content_{nullptr};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
