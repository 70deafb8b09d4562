// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace brownout::inline BROWNOUT_ABI::detail {

/// How long attempts take, of which some are known only to take longer than a time: a percentile by the
/// estimator of Kaplan and Meier (1958). The latest thousand or two count.
///
/// Times are kept in buckets, each wider than the one before by a sixteenth of a power of two, from 1 us to
/// 73 min; longer ones count as that long. So a percentile is at most 6 % too long.
class attempt_times {
 public:
  /// So many attempts must have been seen before there is a percentile.
  static constexpr std::uint32_t fewest = 100;

  /// `percentile`: a share of the attempts, less than 1.
  explicit attempt_times(double percentile) noexcept : percentile_{percentile} {}

  void add(duration took) noexcept { note(seen_[bucket_of(took)].ended); }
  void add_longer_than(duration ran) noexcept { note(seen_[bucket_of(ran)].cut_off); }

  /// The time within which that share of the attempts ends. Empty: too few were seen.
  [[nodiscard]] std::optional<duration> value() noexcept {
    if (total_ < fewest) return std::nullopt;
    if (since_estimate_ >= estimate_every) {
      estimated_ = estimate();
      since_estimate_ = 0;
    }
    return estimated_;
  }

 private:
  static constexpr std::uint32_t forget_at = 2000;
  static constexpr std::uint32_t estimate_every = 16;
  static constexpr int shortest = 10;  // 2^10 ns
  static constexpr int octaves = 32;
  static constexpr int parts = 16;

  struct bucket {
    std::uint32_t ended = 0;
    std::uint32_t cut_off = 0;
  };

  static std::size_t bucket_of(duration time) noexcept {
    const auto ns = static_cast<std::uint64_t>((std::max<std::int64_t>)(time.count(), 1 << shortest));
    const int power = 63 - std::countl_zero(ns);
    if (power >= shortest + octaves) return std::size_t{octaves} * parts - 1;
    const auto part = (ns >> (power - 4)) - parts;  // the four bits after the first
    return static_cast<std::size_t>((power - shortest) * parts) + static_cast<std::size_t>(part);
  }
  /// The upper bound of a bucket.
  static duration end_of_bucket(std::size_t number) noexcept {
    const auto power = static_cast<int>(number) / parts + shortest;
    const auto part = static_cast<std::int64_t>(number) % parts;
    return duration{(part + parts + 1) << (power - 4)};
  }

  void note(std::uint32_t& count) noexcept {
    ++count;
    ++since_estimate_;
    if (++total_ < forget_at) return;
    total_ = 0;
    for (auto& one : seen_) {
      one.ended /= 2;
      one.cut_off /= 2;
      total_ += one.ended + one.cut_off;
    }
  }

  [[nodiscard]] duration estimate() const noexcept {
    double longer = 1;  // the share of the attempts that takes longer than the buckets so far
    double left = total_;
    std::size_t last = 0;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      const auto& one = seen_[i];
      if (one.ended + one.cut_off == 0) continue;
      last = i;
      longer *= 1 - one.ended / left;
      left -= one.ended + one.cut_off;
      if (longer <= 1 - percentile_) break;
    }
    return end_of_bucket(last);
  }

  double percentile_;
  std::array<bucket, std::size_t{octaves} * parts> seen_{};
  std::uint32_t total_ = 0;
  std::uint32_t since_estimate_ = estimate_every;
  duration estimated_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
