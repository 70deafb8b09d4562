// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/health/call_statistics.hpp"
#include "brownout/health/detail/call_counters.hpp"
#include "brownout/health/detail/call_totals.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The latest calls of a dependency, as far back as it takes to have enough of them.
///
/// `note` looks at the counters again and again, and remembers what they were. The window begins at the
/// latest look after which at least so many calls have ended. So it has as many calls as are wanted, or a few
/// more: those of one look. It has fewer only when there were not more.
///
/// It belongs to one epoch of the circuit: failures from before an outage say nothing about the time after
/// it. It begins anew after a long silence, because old calls are no evidence of the present.
///
/// Deterministic: time is an argument. Not thread-safe. Calls are counted under an epoch for another one only
/// if eight epochs pass between two looks.
class call_window {
 public:
  /// `wanted`: calls, 1 or more. `forgets_after`: a time without calls that is longer than this empties the
  /// window. Allocates room for all looks that it may have to remember.
  call_window(std::uint32_t wanted, duration forgets_after) : wanted_{wanted}, forgets_after_{forgets_after} {
    looks_.reserve(std::size_t{wanted} + 2);
    looks_.push_back(before_.front());
  }

  /// Wants another number of calls from now on. What it has seen is kept.
  void reconfigure(std::uint32_t wanted, duration forgets_after) {
    wanted_ = wanted;
    forgets_after_ = forgets_after;
    looks_.reserve(std::size_t{wanted} + 2);
  }

  /// Calls that had ended in this epoch of the circuit at the latest look, and in those counted with it.
  [[nodiscard]] std::uint64_t seen() const noexcept { return looks_.back().calls(); }

  /// Looks at the counters at `now`, in this epoch of the circuit. `totals_of(epoch)`: as
  /// `call_counters::read`.
  template <class TotalsOf>
  void note(std::uint64_t epoch, time_point now, const TotalsOf& totals_of) {
    if (epoch != epoch_) begin(epoch, totals_of);
    const auto seen = totals_of(epoch);
    if (seen.calls() == looks_.back().calls()) return;
    if (now - last_ > forgets_after_) looks_.erase(looks_.begin(), looks_.end() - 1);
    last_ = now;
    looks_.push_back(seen);
    // The window begins at the first look.
    auto first = looks_.begin();
    while (seen.calls() - (first + 1)->calls() >= wanted_) ++first;
    looks_.erase(looks_.begin(), first);
    const auto timed = seen - looks_.front();
    if (timed.timed > 0)
      mean_latency_ = std::chrono::microseconds{static_cast<std::int64_t>(timed.microseconds / timed.timed)};
  }

  /// The window at the latest look, if that was in `epoch`; otherwise nothing is known.
  [[nodiscard]] call_statistics statistics(std::uint64_t epoch) const noexcept {
    const auto held = looks_.back() - looks_.front();
    if (epoch != epoch_ || held.calls() == 0) return {};
    return {count_of(held.calls()), count_of(held.successes), mean_latency_, last_};
  }

 private:
  static std::uint32_t count_of(std::uint64_t calls) noexcept {
    return static_cast<std::uint32_t>(
        (std::min<std::uint64_t>)(calls, (std::numeric_limits<std::uint32_t>::max)()));
  }

  /// Calls of the new epoch may have been counted already, beside older ones under the same number. What the
  /// older ones were was seen when the last epoch began.
  template <class TotalsOf>
  void begin(std::uint64_t epoch, const TotalsOf& totals_of) {
    looks_.clear();
    looks_.push_back(before_[epoch % epochs]);
    for (std::size_t i = 1; i < epochs; ++i) before_[(epoch + i) % epochs] = totals_of(epoch + i);
    epoch_ = epoch;
    last_ = time_point{};
    mean_latency_ = duration::zero();
  }

  static constexpr std::size_t epochs = call_counters<>::epochs_apart;

  std::uint32_t wanted_;
  duration forgets_after_;
  std::uint64_t epoch_ = 0;
  std::vector<call_totals> looks_{};          // never empty; the first is where the window begins
  std::array<call_totals, epochs> before_{};  // of the epochs to come
  time_point last_{};
  duration mean_latency_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
