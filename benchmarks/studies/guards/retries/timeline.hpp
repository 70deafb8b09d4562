// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/retries/fiber.hpp"

#include "brownout/core/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace studies::guards {

/// What happens when, in virtual time.
class timeline {
 public:
  static constexpr brownout::time_point start{std::chrono::seconds{1}};

  [[nodiscard]] brownout::time_point now() const noexcept { return now_; }
  /// Since the start.
  [[nodiscard]] double seconds() const noexcept {
    return std::chrono::duration<double>{now_ - start}.count();
  }

  /// What happens at one moment happens in the order of these calls.
  void at(brownout::time_point when, std::function<void()> what) {
    events_.push_back({when, number_++, std::move(what)});
    std::push_heap(events_.begin(), events_.end());
  }
  void after(double seconds, std::function<void()> what) {
    at(now_ + std::chrono::duration_cast<brownout::duration>(std::chrono::duration<double>{seconds}),
       std::move(what));
  }

  /// Until nothing is left to happen.
  void run() {
    while (!events_.empty()) {
      std::pop_heap(events_.begin(), events_.end());
      const auto next = std::move(events_.back());
      events_.pop_back();
      now_ = next.when;
      next.what();
    }
  }

 private:
  struct event {
    brownout::time_point when;
    std::uint64_t number;
    std::function<void()> what;

    bool operator<(const event& other) const {
      return when != other.when ? when > other.when : number > other.number;
    }
  };

  brownout::time_point now_ = start;
  std::uint64_t number_ = 0;
  std::vector<event> events_{};  // a heap, the next one first
};

/// The clock of a timeline. What waits on it is a fiber.
class virtual_clock {
 public:
  explicit virtual_clock(timeline& line) noexcept : line_{&line} {}

  [[nodiscard]] brownout::time_point now() const noexcept { return line_->now(); }
  void wait_for(brownout::duration how_long) const {
    auto& waiting = fiber::current();
    line_->at(now() + how_long, [&waiting] { waiting.resume(); });
    fiber::stop();
  }

 private:
  timeline* line_;
};
static_assert(brownout::clock_source<virtual_clock>);

}  // namespace studies::guards
