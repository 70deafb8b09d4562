// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/dependency.hpp"

#include <boost/circular_buffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace staging {

/// Who changed a circuit by hand, and why.
struct operator_word {
  std::string actor;
  std::string reason;
};

/// Whose hand changed which circuit: the library knows that a circuit is held, and not by whom. Thread-safe.
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
};

}  // namespace staging
