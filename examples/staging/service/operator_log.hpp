// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "config/dependency.hpp"

#include <boost/circular_buffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace staging {

/// Who did something by hand, and why.
struct operator_word {
  std::string actor;
  std::string reason;
};

/// One end of an override before it expired.
struct level_release {
  std::uint64_t number = 0;  ///< 1 for the first one since the start
  brownout::time_point at;
  operator_word by;
};

/// Whose hand changed which circuit or released the level: the library knows that a circuit is held and that
/// an override ended, and not by whom. Thread-safe.
class operator_log {
 public:
  /// Runs `act` and remembers who wanted it. `count()` returns how many changes of circuits there have been;
  /// the changes that `act` made are the operator's. One operator acts at a time.
  template <class Count, class Act>
  void perform(dependency which, operator_word by, Count count, Act act) {
    const std::lock_guard acting{acting_};
    const std::uint64_t before = count();
    act();
    const std::uint64_t after = count();
    const std::lock_guard lock{mutex_};
    last_[index(which)] = by;
    entries_.push_back({which, before, after, std::move(by)});
  }

  /// Remembers who released the level.
  void note_release(brownout::time_point at, operator_word by) {
    const std::lock_guard lock{mutex_};
    releases_.push_back({releases_.empty() ? 1 : releases_.back().number + 1, at, std::move(by)});
  }

  /// The last releases, oldest first.
  [[nodiscard]] std::vector<level_release> releases() const {
    const std::lock_guard lock{mutex_};
    return {releases_.begin(), releases_.end()};
  }

  /// Who made the change of that number, counted from 1 over all circuits; empty: not known.
  [[nodiscard]] std::optional<operator_word> of_change(dependency which, std::uint64_t number) const {
    const std::lock_guard lock{mutex_};
    for (const auto& one : entries_) {
      if (one.which == which && one.before < number && number <= one.after) return one.by;
    }
    return std::nullopt;
  }

  /// Who acted last on that circuit.
  [[nodiscard]] std::optional<operator_word> last_of(dependency which) const {
    const std::lock_guard lock{mutex_};
    return last_[index(which)];
  }

 private:
  struct entry {
    dependency which;
    std::uint64_t before;
    std::uint64_t after;
    operator_word by;
  };
  static constexpr std::size_t remembered = 64;  // as many as the supervisor remembers changes

  std::mutex acting_;
  mutable std::mutex mutex_;  // guards what follows
  std::array<std::optional<operator_word>, dependency_count> last_{};
  boost::circular_buffer<entry> entries_{remembered};
  boost::circular_buffer<level_release> releases_{remembered};
};

}  // namespace staging
