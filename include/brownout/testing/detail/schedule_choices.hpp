// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/testing/exploration_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Makes the choices of one schedule after another, and knows them by heart, so that a schedule can be
/// repeated.
class schedule_choices {
 public:
  static constexpr std::size_t most_options = 36;  // a digit or a letter each

  explicit schedule_choices(const exploration_options& options)
      : search_{options.search},
        replay_{options.replay},
        changes_{options.priority_changes},
        random_{options.seed * 0x9E3779B97F4A7C15u | 1} {}

  /// A number below `options`. `allowed`: those that may be tried, from 0 on.
  [[nodiscard]] std::size_t choose(std::size_t allowed) {
    if (made_ < known_.size()) {
      if (known_[made_].allowed != allowed) differs_ = true;
      const std::size_t before = known_[made_++].chosen;
      return before < allowed ? before : 0;
    }
    std::size_t chosen = 0;
    if (!replay_.empty()) {
      chosen = made_ < replay_.size() ? number_of(replay_[made_]) : 0;
      if (chosen >= allowed) {
        replay_fits_ = false;
        chosen = 0;
      }
    } else if (search_ != schedule_search::all) {
      chosen = static_cast<std::uint32_t>(random() % allowed);
    }
    return keep(chosen, allowed);
  }

  /// Which of the threads that could run is next. `allowed`: how many of them may be, the first is the one
  /// that ran last if it can go on.
  template <class Threads>
  [[nodiscard]] std::size_t choose_thread(const Threads& ready, std::size_t allowed) {
    if (search_ != schedule_search::priorities || !replay_.empty() || made_ < known_.size()) {
      return choose(allowed);
    }
    ++steps_;
    if (std::find(change_at_.begin(), change_at_.end(), steps_) != change_at_.end()) {
      priority_of(ready[0]) = --lowest_;
    }
    std::size_t best = 0;
    for (std::size_t i = 1; i < ready.size(); ++i) {
      if (priority_of(ready[i]) > priority_of(ready[best])) best = i;
    }
    return keep(best, ready.size());
  }

  /// A thread waits for others in a loop: they are to run before it.
  void lower_priority(std::size_t thread) {
    if (search_ == schedule_search::priorities) priority_of(thread) = --lowest_;
  }

  /// Begins the first schedule, or the next one. False if there is no other.
  [[nodiscard]] bool next() {
    const bool is_first = schedules_++ == 0;
    made_ = 0;
    if (!is_first) {
      if (!replay_.empty()) return false;
      if (search_ == schedule_search::all) {
        while (!known_.empty() && ++known_.back().chosen >= known_.back().allowed) known_.pop_back();
        return !known_.empty();
      }
    }
    known_.clear();
    if (search_ == schedule_search::priorities) draw_priorities();
    return true;
  }

  /// Lets the schedule that was run be run once more.
  void again() { made_ = 0; }

  [[nodiscard]] std::uint64_t schedules() const noexcept { return schedules_; }
  [[nodiscard]] bool replay_fits() const noexcept { return replay_fits_; }
  /// Whether a repeated schedule had other choices than the first time.
  [[nodiscard]] bool differs() const noexcept { return differs_ || made_ < known_.size(); }

  /// The choices so far, for `replay`. Zeros at the end say nothing and are left out.
  [[nodiscard]] std::string text() const {
    std::string all;
    for (std::size_t i = 0; i < made_; ++i) {
      all += "0123456789abcdefghijklmnopqrstuvwxyz"[known_[i].chosen];
    }
    all.erase(all.find_last_not_of('0') + 1);
    return all.empty() ? "0" : all;
  }

 private:
  struct choice {
    std::uint8_t chosen;
    std::uint8_t allowed;
  };

  std::size_t keep(std::size_t chosen, std::size_t allowed) {
    known_.push_back({static_cast<std::uint8_t>(chosen), static_cast<std::uint8_t>(allowed)});
    ++made_;
    return chosen;
  }

  [[nodiscard]] static std::size_t number_of(char digit) noexcept {
    return static_cast<std::size_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }

  // xorshift64 (Marsaglia, "Xorshift RNGs", 2003). Its lowest bits are the weakest, so they are left out.
  [[nodiscard]] std::uint64_t random() noexcept {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return random_ >> 16;
  }

  [[nodiscard]] std::int64_t& priority_of(std::size_t thread) {
    while (priorities_.size() <= thread) {
      priorities_.push_back(static_cast<std::int64_t>(random() & 0xFFFF'FFFF));
    }
    return priorities_[thread];
  }

  void draw_priorities() {
    // The first schedule tells about how long they are. It may have no step.
    longest_ = (std::max)(schedules_ == 2 ? std::uint64_t{1} : longest_, steps_);
    steps_ = 0;
    lowest_ = 0;
    priorities_.clear();
    change_at_.clear();
    for (std::size_t i = 0; i < changes_; ++i) change_at_.push_back(1 + random() % longest_);
  }

  schedule_search search_;
  std::string replay_;
  bool replay_fits_ = true;
  bool differs_ = false;
  std::size_t changes_;
  std::uint64_t random_;
  std::uint64_t schedules_ = 0;

  std::vector<choice> known_{};
  std::size_t made_ = 0;  // of the present schedule; those after it are left from the one before

  std::vector<std::int64_t> priorities_{};  // by thread; the greatest runs
  std::vector<std::uint64_t> change_at_{};  // steps
  std::int64_t lowest_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t longest_ = 100;  // schedule so far, in steps; of the first one a guess
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
