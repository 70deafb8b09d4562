// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/recovery/outage_history.hpp"
#include "brownout/recovery/recovery_estimate.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// How much a `recovery_predictor` remembers.
struct recovery_options {
  /// How many of the latest outages count: 9 to 1024. With fewer than 9 there is never a p90. Default 64: p90
  /// is then still known for an outage that has outlasted 85 % of them, and older outages rarely describe the
  /// system of today.
  std::uint32_t remembered = 64;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_within<std::uint32_t>("recovery_options.remembered", remembered, 9, 1024);
  }
};

namespace detail {

/// Whether a chance is as high as wanted. A product of doubles may be a little less than its true value.
[[nodiscard]] constexpr bool reaches(double chance, double wanted) noexcept {
  return chance >= wanted - 1e-9;
}

}  // namespace detail

/// Predicts how much longer an outage lasts, from the lengths of earlier outages of the same dependency.
///
/// **Formula.** The estimator of Kaplan and Meier ("Nonparametric estimation from incomplete observations",
/// Journal of the American Statistical Association 53, 1958), started at the time that has elapsed. An outage
/// that was cut short counts as at risk for as long as it was seen. The outage asked about is at risk too, so
/// n remembered outages at risk make n + 1. The share that outlasts a wait is
///
///     S(wait) = product of (1 - 1 / (n + 1)) = product of n / (n + 1)
///
/// over those that ended with elapsed < length <= elapsed + wait. p90 is the first wait with S <= 0.1, p50
/// the first with S <= 0.5.
///
/// **Coverage.** If none was cut short, p90 is the ceil(0.9 (n + 1))-th smallest of the n lengths beyond
/// `elapsed`. That is the rank of conformal prediction (Vovk, Gammerman, Shafer, "Algorithmic Learning in a
/// Random World", 2005): it covers 90 % to 95 % of outages for every continuous distribution. Without the
/// correction, the 0.9 n-th smallest of 20 covers 86 %.
///
/// **Assumptions.** The outages of a dependency are alike. An outage is cut short for reasons that do not
/// depend on how long it would still have lasted. Then at most one outage in ten outlasts its p90. Measured
/// over the outages that got a p90: with 10 % cut short it covers 85 % to 95 %; with 20 remembered and 30 %
/// cut short it is unknown for 19 of 20 outages and covers 80 % of the others.
///
/// **Unknown.** p50 needs `fewest_ended` outages that ended and lasted longer than this one has so far. p90
/// needs nine: of eight, the longest is outlasted in one of nine cases.
///
/// Deterministic: time is an argument. Not thread-safe: the caller locks. Allocates only when made or copied.
class recovery_predictor {
 public:
  /// With fewer outages than this, chance decides.
  static constexpr std::ptrdiff_t fewest_ended = 5;

  /// Throws `std::invalid_argument` naming field, value and range.
  explicit recovery_predictor(recovery_options options = {}) : seen_(validated(options).remembered) {}

  /// Remembers an outage that ended by itself after `length`. When the memory is full, the oldest outage is
  /// forgotten. A length of zero or less takes a place, but never counts as longer than the present outage.
  /// Linear in the number of remembered outages.
  void note_ended(duration length) noexcept { remember(length, true); }

  /// Remembers an outage that was cut short after `length`: an operator reset the circuit, or the program
  /// ended. Its full length stays unknown. Otherwise as `note_ended`.
  void note_cut_short(duration length) noexcept { remember(length, false); }

  /// How much longer an outage lasts that has lasted `elapsed` so far.
  ///
  /// `not_before`: the time until the next attempt can show that it is over, for example the rest of the open
  /// period. No part of the answer is less. Negative durations count as zero. Linear in the number of
  /// remembered outages: about 0.2 us for 64.
  [[nodiscard]] recovery_estimate estimate(duration elapsed, duration not_before = {}) const noexcept {
    recovery_estimate answer{.not_before = (std::max)(not_before, duration::zero())};
    double lasting = 1;
    for (const auto* one = first_longer_than(elapsed); one != end() && !answer.p90; ++one) {
      lasting *= share_left(*one, end() - one);
      const duration wait = (std::max)(one->length - not_negative(elapsed), answer.not_before);
      if (!answer.p50 && detail::reaches(1 - lasting, 0.5)) answer.p50 = wait;
      if (detail::reaches(1 - lasting, 0.9)) answer.p90 = wait;
    }
    return answer;
  }

  /// The chance that an outage that has lasted `elapsed` ends `within` this time from now: 1 - S, always less
  /// than 1. It is estimated low, and 0 when nothing is known. Negative durations count as zero. Linear in
  /// the number of remembered outages.
  [[nodiscard]] double chance_of_recovery(duration elapsed, duration within) const noexcept {
    double lasting = 1;
    for (const auto* one = first_longer_than(elapsed); one != end(); ++one) {
      // Subtracted rather than added: no sum of two durations has to fit.
      if (one->length - not_negative(elapsed) > within) break;
      lasting *= share_left(*one, end() - one);
    }
    return 1 - lasting;
  }

  /// The outages that are remembered, in the order in which they were noted. `remember` takes them back.
  [[nodiscard]] std::vector<outage_record> history() const {
    std::vector<outage_record> records(remembered());
    // Only the oldest are forgotten, so the numbers of the others have no gap.
    const auto oldest = noted_ - remembered();
    for (std::size_t i = 0; i < remembered(); ++i) {
      const auto& one = seen_[i];
      records[static_cast<std::uint32_t>(one.number - oldest)] = {one.length, one.ended};
    }
    return records;
  }
  /// Notes these outages in their order.
  void remember(const std::vector<outage_record>& outages) noexcept {
    for (const auto& one : outages) remember(one.length, one.ended);
  }

  /// How many outages are remembered: those that ended and those that were cut short.
  [[nodiscard]] std::size_t remembered() const noexcept { return static_cast<std::size_t>(count_); }

 private:
  struct seen {
    duration length{};
    bool ended = false;
    std::uint64_t number = 0;  // in the order in which they were noted
  };

  static constexpr duration not_negative(duration value) noexcept {
    return (std::max)(value, duration::zero());
  }

  static const recovery_options& validated(const recovery_options& options) {
    options.validate();
    return options;
  }

  [[nodiscard]] const seen* end() const noexcept { return seen_.data() + count_; }

  /// The first of the outages longer than `elapsed`, by length. The end when too few of them ended.
  [[nodiscard]] const seen* first_longer_than(duration elapsed) const noexcept {
    const auto* const first =
        std::upper_bound(seen_.data(), end(), not_negative(elapsed),
                         [](duration value, const seen& one) { return value < one.length; });
    const auto ended = std::count_if(first, end(), [](const seen& one) { return one.ended; });
    return ended < fewest_ended ? end() : first;
  }

  /// The share of `at_risk` outages that outlasts `one` of them. The outage asked about is at risk too.
  static double share_left(const seen& one, std::ptrdiff_t at_risk) noexcept {
    const auto others = static_cast<double>(at_risk);
    return one.ended ? others / (others + 1) : 1;
  }

  void remember(duration length, bool ended) noexcept {
    auto* const begin = seen_.data();
    auto* end = begin + count_;
    if (end == begin + seen_.size()) {
      auto* const oldest = std::min_element(
          begin, end, [](const seen& one, const seen& other) { return one.number < other.number; });
      end = std::move(oldest + 1, end, oldest);
    } else {
      ++count_;
    }
    const seen added{length, ended, noted_++};
    // Of equal lengths, those that ended come first: one that was cut short was at risk then.
    auto* const place = std::upper_bound(begin, end, added, [](const seen& one, const seen& other) {
      return one.length != other.length ? one.length < other.length : one.ended && !other.ended;
    });
    std::move_backward(place, end, end + 1);
    *place = added;
  }

  std::vector<seen> seen_;    // by length; as many places as may be remembered
  std::ptrdiff_t count_ = 0;  // places in use
  std::uint64_t noted_ = 0;
};

/// An outage that goes on, and the earlier outages of its dependency.
struct ongoing_outage {
  const recovery_predictor* history;  ///< never null
  duration elapsed{};                 ///< since the outage began
  duration not_before{};              ///< until the next attempt can show that it is over
};

namespace detail {

/// The shortest wait in which all outages end with a chance of at least `wanted`.
[[nodiscard]] inline std::optional<duration> wait_for_all(std::span<const ongoing_outage> outages,
                                                          double wanted) noexcept {
  const auto suffices = [&](duration wait) {
    double chance = 1;
    for (const auto& one : outages) chance *= one.history->chance_of_recovery(one.elapsed, wait);
    return reaches(chance, wanted);
  };
  if (!suffices((duration::max)())) return std::nullopt;
  // The chance does not fall with the wait, so bisection finds the first nanosecond that suffices.
  duration least{};
  duration enough = (duration::max)();
  while (least < enough) {
    const duration middle = least + (enough - least) / 2;
    if (suffices(middle)) {
      enough = middle;
    } else {
      least = middle + duration{1};
    }
  }
  return enough;
}

}  // namespace detail

/// How much longer until *all* of these outages are over. Zero when there are none, unknown when one is
/// unknown.
///
/// The chances of the outages are multiplied, which assumes that the outages are independent. Then p90 covers
/// 92 % of two alike outages with 64 remembered each, 94 % of three and 95 % of four. Outages with one cause
/// end together, and the answer is late for them (p90 covers 95 % of two). The greatest single answer would
/// suit those, but is early for independent ones: its p90 covers 81 % of two, its p50 25 %.
///
/// `not_before` is the latest of theirs. Thread-safe while the histories do not change. Never allocates.
/// Takes about 20 us for each outage with 64 remembered, so it does not belong on the path of a call.
[[nodiscard]] inline recovery_estimate recovery_of_all(std::span<const ongoing_outage> outages) noexcept {
  recovery_estimate all;
  for (const auto& one : outages) all.not_before = (std::max)(all.not_before, one.not_before);
  all.p50 = detail::wait_for_all(outages, 0.5);
  all.p90 = detail::wait_for_all(outages, 0.9);
  if (all.p50) all.p50 = (std::max)(*all.p50, all.not_before);
  if (all.p90) all.p90 = (std::max)(*all.p90, all.not_before);
  return all;
}

}  // namespace brownout::inline BROWNOUT_ABI
