// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <mutex>
#include <thread>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A mutex that reports a broken precondition when its holder locks it again. `std::mutex` would hang.
class guarded_mutex {
 public:
  void lock() {
    // relaxed: a thread finds its own number only if it has written it itself.
    BROWNOUT_PRECONDITION(holder_.load(std::memory_order_relaxed) != std::this_thread::get_id(),
                          "supervisor: called by a listener of one of its own breakers, under its lock");
    mutex_.lock();
    holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  void unlock() {
    const std::thread::id nobody;
    holder_.store(nobody, std::memory_order_relaxed);
    mutex_.unlock();
  }

 private:
  std::mutex mutex_{};
  // Written by the thread that holds the mutex, read by threads that lock it. Relaxed: each thread compares
  // it with its own number only.
  std::atomic<std::thread::id> holder_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
