// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
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
  /// The latest outages that count, 9 to 1024: below nine there is never a p90. Default 64: then p90 is still
  /// known for an outage that has outlasted 85 % of them, and what a system did before that it rarely does
  /// now.
  std::uint32_t remembered = 64;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_within<std::uint32_t>("recovery_options.remembered", remembered, 9, 1024);
  }
};

namespace detail {

/// Whether a chance is as high as wanted: nine in ten, multiplied up in doubles, may be a little less than
/// 0.9.
[[nodiscard]] constexpr bool reaches(double chance, double wanted) noexcept {
  return chance >= wanted - 1e-9;
}

}  // namespace detail

/// How much longer will this outage last? Learns from how long earlier ones of the same dependency did.
///
/// The estimator is Kaplan's and Meier's ("Nonparametric estimation from incomplete observations", Journal of
/// the American Statistical Association 53, 1958), started at the time already elapsed: an outage cut short
/// counts as at risk for as long as it was seen. The outage asked about is at risk too, so n remembered ones
/// at risk make n + 1, and the share that outlasts a wait is
///
///     S(wait) = product of (1 - 1 / (n + 1)) = product of n / (n + 1)
///
/// over those that ended with elapsed < length <= elapsed + wait. p90 is the first wait with S <= 0.1, p50
/// the first with S <= 0.5. With none cut short, p90 is the ceil(0.9 (n + 1))-th smallest of the n lengths
/// beyond `elapsed`: the rank of conformal prediction (Vovk, Gammerman, Shafer, "Algorithmic Learning in a
/// Random World", 2005), which covers 90 % to 95 % of outages whatever the distribution, if it is continuous.
/// The 0.9 n-th smallest, without the correction, covers 86 % from 20.
///
/// Assumes that the outages of a dependency are alike, and that one is cut short for reasons that have
/// nothing to do with how long it would still have lasted. Then at most one in ten outlasts a p90 that was
/// given, however many are cut short. Of the outages that got an answer that is more: with 10 % cut short p90
/// covers 85 % to 95 %, but only four of five where it is unknown for nineteen of twenty (20 remembered, 30 %
/// cut short).
///
/// *Unknown* is an answer. Nothing is known from fewer than `fewest_ended` outages that ended and lasted
/// longer than this one has; p90 needs nine of them (of eight, the longest is outlasted in one of nine
/// cases).
///
/// Deterministic: time is an argument. Not thread-safe: the caller locks. Allocates only when made or copied.
class recovery_predictor {
 public:
  /// Four could be luck.
  static constexpr std::ptrdiff_t fewest_ended = 5;

  /// Throws `std::invalid_argument` naming field, value and range.
  explicit recovery_predictor(recovery_options options = {}) : seen_(validated(options).remembered) {}

  /// An outage has ended by itself after `length`. One of no length, or of a negative one (two threads'
  /// readings of the clock may cross), takes a place in the memory and says nothing of outages that go on.
  /// With the memory full, the oldest outage is forgotten. Linear in what is remembered.
  void note_ended(duration length) noexcept { remember(length, true); }

  /// An outage was seen for `length`, and how much longer it would have lasted nobody will know: an operator
  /// reset the circuit, or the program that saved it stopped. Otherwise like `note_ended`.
  void note_cut_short(duration length) noexcept { remember(length, false); }

  /// How much longer an outage lasts that has lasted `elapsed`. No answer is less than `not_before`, the time
  /// until the next attempt could show that it is over, such as what is left of the open period. That is a
  /// bound and no evidence: it makes nothing known. Negative durations count as zero. Linear in what is
  /// remembered, about 0.2 us for 64.
  [[nodiscard]] recovery_estimate estimate(duration elapsed, duration not_before = {}) const noexcept {
    recovery_estimate answer{.not_before = (std::max)(not_before, duration::zero())};
    double lasting = 1;
    const auto longer = longer_than(elapsed);
    for (std::size_t i = 0; i < longer.size() && !answer.p90; ++i) {
      lasting *= share_left(longer.subspan(i));
      const duration wait = (std::max)(longer[i].length - not_negative(elapsed), answer.not_before);
      if (!answer.p50 && detail::reaches(1 - lasting, 0.5)) answer.p50 = wait;
      if (detail::reaches(1 - lasting, 0.9)) answer.p90 = wait;
    }
    return answer;
  }

  /// The chance that an outage that has lasted `elapsed` will have ended `within` as long from now: 1 - S,
  /// always less than 1. It leans to the low side; 0 when nothing is known. Negative durations count as zero.
  /// Linear in what is remembered.
  [[nodiscard]] double chance_of_recovery(duration elapsed, duration within) const noexcept {
    double lasting = 1;
    const auto longer = longer_than(elapsed);
    for (std::size_t i = 0; i < longer.size(); ++i) {
      // Subtracted rather than added: no sum of two durations has to fit.
      if (longer[i].length - not_negative(elapsed) > within) break;
      lasting *= share_left(longer.subspan(i));
    }
    return 1 - lasting;
  }

  /// How many outages are remembered, those that ended and those cut short.
  [[nodiscard]] std::size_t remembered() const noexcept { return static_cast<std::size_t>(count_); }

 private:
  struct seen {
    duration length{};
    bool ended = false;
    std::uint64_t number = 0;  // in the order of their noting
  };

  static constexpr duration not_negative(duration value) noexcept {
    return (std::max)(value, duration::zero());
  }

  static const recovery_options& validated(const recovery_options& options) {
    options.validate();
    return options;
  }

  /// Those that lasted longer than `elapsed`, by length; none when too few of them ended.
  [[nodiscard]] std::span<const seen> longer_than(duration elapsed) const noexcept {
    const auto end = seen_.begin() + count_;
    const auto begin = std::upper_bound(seen_.begin(), end, not_negative(elapsed),
                                        [](duration value, const seen& one) { return value < one.length; });
    const auto ended = std::count_if(begin, end, [](const seen& one) { return one.ended; });
    if (ended < fewest_ended) return {};
    return {begin, end};
  }

  /// The share of those at risk, the outage asked about included, that outlasts the first of `at_risk`.
  static double share_left(std::span<const seen> at_risk) noexcept {
    const auto others = static_cast<double>(at_risk.size());
    return at_risk.front().ended ? others / (others + 1) : 1;
  }

  void remember(duration length, bool ended) noexcept {
    auto end = seen_.begin() + count_;
    if (end == seen_.end()) {
      const auto oldest = std::min_element(
          seen_.begin(), end, [](const seen& one, const seen& other) { return one.number < other.number; });
      end = std::move(oldest + 1, end, oldest);
    } else {
      ++count_;
    }
    const seen added{length, ended, noted_++};
    // Of one length, those that ended come first: the one cut short was at risk when they did.
    const auto place = std::upper_bound(seen_.begin(), end, added, [](const seen& one, const seen& other) {
      return one.length != other.length ? one.length < other.length : one.ended && !other.ended;
    });
    std::move_backward(place, end, end + 1);
    *place = added;
  }

  std::vector<seen> seen_;    // by length; as many places as may be remembered
  std::ptrdiff_t count_ = 0;  // places in use
  std::uint64_t noted_ = 0;
};

/// An outage that goes on, and what is known of earlier ones of that dependency.
struct ongoing_outage {
  const recovery_predictor* history;  ///< never null
  duration elapsed{};                 ///< since it began
  duration not_before{};              ///< until the next attempt could show that it is over
};

namespace detail {

/// The shortest wait within which all have ended with a chance of at least `wanted`.
[[nodiscard]] inline std::optional<duration> wait_for_all(std::span<const ongoing_outage> outages,
                                                          double wanted) noexcept {
  const auto suffices = [&](duration wait) {
    double chance = 1;
    for (const auto& one : outages) chance *= one.history->chance_of_recovery(one.elapsed, wait);
    return reaches(chance, wanted);
  };
  if (!suffices((duration::max)())) return std::nullopt;
  // The chance never falls with the wait, so halving finds the nanosecond at which it gets there.
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

/// How much longer until *all* of these outages are over. Of none: no time at all.
///
/// Multiplies the chances of each, as if the outages had nothing to do with each other. If so, p90 covers 92
/// % of two alike with 64 remembered each, 94 % of three, 95 % of four: each adds the doubt of its own
/// memory, and with too little of it there is no p90. Outages with one cause end together; for them the
/// answer is late (95 % of two). The greatest of the single answers would be right for these, and otherwise
/// early: its p90 covers 81 % of two alike, its p50 25 %.
///
/// Unknown where any of them is. `not_before` is the latest of theirs; what must follow the last, such as a
/// level's dwell, is added by `later_by`. Thread-safe while nothing changes the histories; never allocates.
/// About 20 us for each outage with 64 remembered: asked for people and for answers, not on a call's path.
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
