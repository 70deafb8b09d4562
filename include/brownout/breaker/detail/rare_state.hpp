// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/announcer.hpp"
#include "brownout/breaker/detail/last_failure.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/detail/striped_total.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <new>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What few circuits need: a policy of their own, listeners, a failure's text. Made when it is first needed.
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

  /// Null when it has not been needed yet. Wait-free.
  [[nodiscard]] content* find() const noexcept {
    // (1) acquire: synchronizes-with (2).
    return content_.load(std::memory_order_acquire);
  }
  /// Made if need be; null when there is no memory for it. Lock-free, apart from the allocation.
  [[nodiscard]] content* make(std::nothrow_t) noexcept {
    auto* there = find();
    if (there != nullptr) return there;
    std::unique_ptr<content> made{new (std::nothrow) content};
    while (there == nullptr && made) {
      // (2) release: publishes what was made. On failure (1).
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

 private:
  // Written once, by whoever needs it first (2); read after each transition (1).
  typename Atomics::template atomic<content*> content_{nullptr};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
