// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Its address stands for the type `T`. It is not const, because linkers may merge constants that are equal.
template <class T>
inline char type_tag = 0;

/// An answer of some type, with the beginning of the call that had it.
struct answer_of_some_type {
  const void* type;
  time_point since;
};
template <class T>
struct answer_of_type : answer_of_some_type {
  T value;

  answer_of_type(const T& copied, time_point began)
      : answer_of_some_type{&type_tag<T>, began}, value(copied) {}
};

/// The latest answer, of a type that is known only at the call.
///
/// Thread-safe. The lock is held for the exchange of a pointer, so no thread waits while another one copies
/// or destroys an answer.
class kept_answer {
 public:
  using pointer = std::shared_ptr<const answer_of_some_type>;

  /// How often it was invalidated. A call reads it at its beginning and passes it to `keep`.
  [[nodiscard]] std::uint64_t generation() const noexcept {
    // (1) acquire: synchronizes-with (2), so a call of the new generation sees what the thread that
    // invalidated had changed.
    return generation_.load(std::memory_order_acquire);
  }

  /// Keeps a copy, unless a call that began later has left an answer, or there was an `invalidate` since the
  /// call began. If the copy cannot be made, the earlier answer stays. One allocation.
  template <class T>
  void keep(const T& value, time_point since, std::uint64_t generation) {
    const auto copy = [&]() -> pointer { return std::make_shared<const answer_of_type<T>>(value, since); };
    auto fresh = contained(copy, pointer{});
    if (fresh == nullptr) return;
    const std::lock_guard lock{exchanging_};
    // relaxed: it is written under the lock.
    if (generation_.load(std::memory_order_relaxed) != generation) return;
    if (kept_ != nullptr && kept_->since > since) return;
    kept_.swap(fresh);  // the earlier one is destroyed after the lock
  }

  /// The answer, or null.
  [[nodiscard]] pointer read() const {
    const std::lock_guard lock{exchanging_};
    return kept_;
  }

  /// Forgets this answer, unless another one has taken its place.
  void forget(const pointer& old) {
    pointer forgotten;
    const std::lock_guard lock{exchanging_};
    if (kept_ == old) kept_.swap(forgotten);
  }

  /// Forgets the answer, and those of all calls that have begun.
  void invalidate() {
    pointer forgotten;
    const std::lock_guard lock{exchanging_};
    // relaxed: it is written under the lock.
    const auto before = generation_.load(std::memory_order_relaxed);
    generation_.store(before + 1, std::memory_order_release);  // (2)
    kept_.swap(forgotten);
  }

 private:
  mutable std::mutex exchanging_{};
  // Written by `invalidate` under the lock (2), read by calls at their beginning (1).
  std::atomic<std::uint64_t> generation_{0};
  pointer kept_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
