// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/testing/schedule.hpp"

#include <algorithm>
#include <array>

/// A clock of one schedule that notes what each thread has read last. To read it, and to move it, is a step
/// like an access.
class noting_clock {
 public:
  class times {
   public:
    void advance(brownout::duration by) {
      brownout::schedule::before_access();
      now_ += by;
    }
    /// The latest reading of the running thread.
    [[nodiscard]] brownout::duration read_by(const brownout::schedule& threads) const {
      return read_[place_of(threads)];
    }

   private:
    friend noting_clock;
    static std::size_t place_of(const brownout::schedule& threads) {
      return (std::min)(threads.thread(), brownout::schedule::most_threads);
    }

    brownout::time_point now_{};
    std::array<brownout::duration, brownout::schedule::most_threads + 1> read_{};
  };

  explicit noting_clock(times& shown) : shown_{&shown} {}

  [[nodiscard]] brownout::time_point now() const noexcept {
    brownout::schedule::before_access();
    shown_->read_[times::place_of(*brownout::schedule::current())] = shown_->now_.time_since_epoch();
    return shown_->now_;
  }

 private:
  times* shown_;
};
