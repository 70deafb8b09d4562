// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// The calls of the threads of a schedule, each with its answer, and whether one after another they could
/// have had these answers: linearizability (Herlihy and Wing, "Linearizability: A Correctness Condition for
/// Concurrent Objects", TOPLAS 1990).
///
/// A `Model` does the same with plain variables. It can be copied, and `allows(call)` makes a call and says
/// whether it has this answer.
template <class Model>
class call_history {
 public:
  using call = typename Model::call;

  static constexpr auto none = ~std::size_t{0};

  /// A call begins. Returns its number. `after`: the step of the same call that comes before it, if a call
  /// has several steps and other calls may come between.
  [[nodiscard]] std::size_t begin(std::size_t after = none) {
    calls_.push_back({.begun = ++moment_, .ended = never, .after = after, .made = {}});
    return calls_.size() - 1;
  }
  /// It has ended, with this answer.
  void end(std::size_t number, call made) {
    calls_[number].ended = ++moment_;
    calls_[number].made = std::move(made);
  }

  /// All calls must have ended. In the order that is sought, a call that ended before another began stands
  /// before it.
  [[nodiscard]] bool is_linearizable(const Model& at_first) {
    done_.assign(calls_.size(), false);
    return can_go_on(at_first, calls_.size());
  }

 private:
  static constexpr auto never = ~std::uint64_t{0};

  struct entry {
    std::uint64_t begun;
    std::uint64_t ended;
    std::size_t after;
    call made;
  };

  [[nodiscard]] bool can_go_on(const Model& model, std::size_t left) {
    if (left == 0) return true;
    auto first_end = never;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (!done_[i] && calls_[i].ended < first_end) first_end = calls_[i].ended;
    }
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (done_[i] || calls_[i].begun > first_end) continue;
      if (calls_[i].after != none && !done_[calls_[i].after]) continue;
      auto next = model;
      if (!next.allows(calls_[i].made)) continue;
      done_[i] = true;
      if (can_go_on(next, left - 1)) return true;
      done_[i] = false;
    }
    return false;
  }

  std::uint64_t moment_ = 0;
  std::vector<entry> calls_{};
  std::vector<bool> done_{};
};
