// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/contained.hpp"
#include "brownout/guard/limit_change.hpp"
#include "brownout/version.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Delivers the changes of one limit to its listener, in order, one at a time and outside of every lock.
///
/// A thread that finds another thread delivering leaves its change to that thread. If a listener is so slow
/// that more than `capacity` changes wait, the oldest is dropped. Thread-safe. Without a listener the cost is
/// one load.
class change_delivery {
 public:
  static constexpr std::uint64_t capacity = 16;

  /// Replaces the listener; empty: none. When it returns, the former listener does not run and will not run
  /// again. A listener that calls it itself ends after it has returned.
  void replace(limit_listener listener) {
    const bool is_heard = static_cast<bool>(listener);
    auto next = is_heard ? std::make_shared<limit_listener>(std::move(listener)) : nullptr;
    std::unique_lock lock{mutex_};
    listener_.swap(next);
    heard_.store(is_heard, std::memory_order_relaxed);
    first_ = last_;  // what waits is older than this listener
    if (deliverer_ != std::this_thread::get_id()) {
      ended_.wait(lock, [this, running = running_] { return running_ == 0 || running_ != running; });
    }
    lock.unlock();  // `next`, the former listener, may be destroyed now: its destructor is code of the user
  }

  /// Takes a change. Call it in the order of changes.
  void push(const limit_change& change) noexcept {
    // relaxed: a listener that was added at this moment may miss this change.
    if (!heard_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock{mutex_};
    kept_[last_ % capacity] = change;
    ++last_;
    if (last_ - first_ > capacity) ++first_;
  }

  /// Tells the listener what waits, unless another thread does. Call it with no lock held.
  void deliver() noexcept {
    if (!heard_.load(std::memory_order_relaxed)) return;
    std::unique_lock lock{mutex_};
    if (deliverer_ != std::thread::id{}) return;
    deliverer_ = std::this_thread::get_id();
    while (first_ != last_ && listener_ != nullptr) {
      const auto change = kept_[first_ % capacity];
      ++first_;
      auto listener = listener_;
      running_ = ++calls_;
      lock.unlock();
      const auto tell = [&] {
        (*listener)(change);
        return true;
      };
      const bool returned = contained(tell, false);
      listener.reset();
      lock.lock();
      running_ = 0;
      if (!returned) failures_.fetch_add(1, std::memory_order_relaxed);
      ended_.notify_all();
    }
    deliverer_ = {};
  }

  /// How many times a listener threw.
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> heard_{false};          // written with the mutex; publishes nothing
  std::atomic<std::uint64_t> failures_{0};  // written by the deliverer; a total for display
  std::mutex mutex_{};                      // guards what follows
  std::condition_variable ended_{};         // notified when a call of a listener ends
  std::shared_ptr<limit_listener> listener_{};
  std::array<limit_change, capacity> kept_{};
  std::uint64_t first_ = 0;  // the change to be delivered next
  std::uint64_t last_ = 0;   // the place for the next change
  std::thread::id deliverer_{};
  std::uint64_t calls_ = 0;
  std::uint64_t running_ = 0;  // the number of the call that runs; 0: none
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
