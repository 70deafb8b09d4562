// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/fate.hpp"
#include "studies/shared/traffic.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace studies {

/// One attempt of a caller.
struct attempt {
  wanted_call call{};
  int number = 1;
};

/// All attempts in order of time: the calls that are wanted, and those that are tried again.
class attempts {
 public:
  explicit attempts(const traffic& all)
      : all_{all}, where_{all.what_happens}, fate_{all.seed * 0x9e3779b97f4a7c15U + 4} {}

  [[nodiscard]] std::optional<attempt> take() {
    const bool is_left = next_ < all_.calls.size();
    if (!again_.empty() && (!is_left || again_.front().at < all_.calls[next_].at)) return take_again();
    if (!is_left) return std::nullopt;
    return attempt{all_.calls[next_++], 1};
  }

  /// Its caller has learned at `now` that the attempt failed.
  void again(const attempt& failed, nanoseconds now) {
    const auto& rule = all_.what_happens.repeated;
    if (failed.number >= rule.attempts) return;
    const auto pause = rule.pause * (1 << (failed.number - 1));
    // Uniform between half and all of the pause; the chance of the call makes the draw.
    const auto varied =
        pause / 2 + nanoseconds{static_cast<std::int64_t>(static_cast<double>(failed.call.chance) *
                                                          static_cast<double>((pause / 2).count()))};
    if (now + varied >= truth::length) return;
    again_.push_back({now + varied, failed.number + 1});
    std::push_heap(again_.begin(), again_.end(), std::greater{});
  }

 private:
  struct later {
    nanoseconds at{};
    int number = 0;
    friend auto operator<=>(const later&, const later&) = default;
  };

  attempt take_again() {
    std::pop_heap(again_.begin(), again_.end(), std::greater{});
    const auto one = again_.back();
    again_.pop_back();
    where_.move_to(one.at);
    return {fate_.draw(one.at, where_, all_.calls_per_second), one.number};
  }

  const traffic& all_;
  std::size_t next_ = 0;
  progress where_;
  fate fate_;
  std::vector<later> again_{};  // a heap, the next one first
};

}  // namespace studies
