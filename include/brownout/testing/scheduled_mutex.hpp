// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/testing/schedule.hpp"
#include "brownout/version.hpp"

#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A mutex for threads of a schedule. Outside of a schedule it only knows whether it is locked.
class scheduled_mutex {
 public:
  scheduled_mutex() = default;
  scheduled_mutex(const scheduled_mutex&) = delete;
  scheduled_mutex& operator=(const scheduled_mutex&) = delete;
  ~scheduled_mutex() = default;

  /// Waits until the mutex is free, and takes it.
  void lock() {
    schedule::before_access();
    while (locked_) {
      auto* const now = schedule::current();
      BROWNOUT_PRECONDITION(now != nullptr, "a scheduled_mutex is locked twice outside of a schedule");
      if (!now->wait_for(this)) break;  // the schedule has failed, and goes on to its end
    }
    locked_ = true;
  }
  /// Takes the mutex if it is free, and returns whether it did.
  [[nodiscard]] bool try_lock() {
    schedule::before_access();
    return !std::exchange(locked_, true);
  }
  /// Frees the mutex.
  void unlock() {
    schedule::before_access();
    locked_ = false;
    if (auto* const now = schedule::current()) now->wake(this);
  }

 private:
  bool locked_ = false;
};

}  // namespace brownout::inline BROWNOUT_ABI
