// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/health/health_report.hpp"
#include "brownout/level/level_override.hpp"
#include "brownout/level/level_transition.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The last changes of the level with their explanations, and the number of each kind of change.
///
/// Not thread-safe: the supervisor calls it under its lock.
template <degradation_level Level>
class transition_log {
 public:
  using entry = explained_transition<Level>;

  /// `remembered`: so many of the last changes; positive.
  transition_log(std::size_t levels, std::size_t remembered)
      : remembered_{remembered}, counts_(levels, std::vector<std::uint64_t>(levels)) {}

  /// `states`: of the circuits, in the order of the report's components. `by`: the latest override, in
  /// force or not.
  void note(const level_transition<Level>& change, const health_report& health,
            const std::vector<circuit_state>& states, const std::optional<level_override<Level>>& by) {
    ++counts_[static_cast<std::size_t>(change.from)][static_cast<std::size_t>(change.to)];
    entry explained{change, health.limit, health.limited_by};
    const bool is_override =
        change.cause == level_cause::override_set || change.cause == level_cause::override_ended;
    if (by && is_override) {
      explained.actor = by->actor;
      explained.reason = by->reason;
    }
    for (std::size_t i = 0; i < health.components.size(); ++i) {
      const auto& part = health.components[i];
      if (part.score && part.lost <= 0) continue;
      explained.contributions.push_back({i, states[i], part.score, part.lost, part.refused});
    }
    // Not std::stable_sort: Clang warns of a function in libstdc++ 12 that it uses.
    const auto comes_first = [](const level_contribution& one, const level_contribution& other) {
      if (one.lost > other.lost || one.lost < other.lost) return one.lost > other.lost;
      return one.dependency < other.dependency;
    };
    std::sort(explained.contributions.begin(), explained.contributions.end(), comes_first);
    if (new_.size() == most_new) new_.erase(new_.begin());  // no step took them: the oldest is forgotten
    if (last_.size() == remembered_) last_.erase(last_.begin());
    last_.push_back(explained);
    new_.push_back(std::move(explained));
  }

  [[nodiscard]] std::vector<entry> last() const { return last_; }
  /// The changes since the last call of this function, at most 1000.
  [[nodiscard]] std::vector<entry> take_new() { return std::exchange(new_, {}); }
  /// How often, [from][to].
  [[nodiscard]] const std::vector<std::vector<std::uint64_t>>& counts() const noexcept { return counts_; }

 private:
  static constexpr std::size_t most_new = 1000;  // each step takes them

  std::size_t remembered_;
  std::vector<entry> last_{};
  std::vector<entry> new_{};
  std::vector<std::vector<std::uint64_t>> counts_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
