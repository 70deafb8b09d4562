// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What the samples of a window say about the limit.
enum class limit_verdict : std::uint8_t { keep, lower, raise };

/// The samples of a window of an adaptive limit, as one 64-bit number:
///
///     63..40  epoch of the limit in which the samples began
///     38      whether calls in flight reached nine tenths of the limit
///     37..19  samples
///     18..0   samples above the target
///
/// Samples that do not fit are left out: there is room for 524,287 in a window.
struct limit_window {
  static constexpr int epoch_at = 40;
  static constexpr int samples_at = 19;
  static constexpr std::uint64_t full_bit = std::uint64_t{1} << 38;
  static constexpr std::uint32_t most_samples = (1U << 19) - 1;
  /// A window with fewer samples says nothing.
  static constexpr std::uint32_t least_samples = 10;

  std::uint64_t bits = 0;

  [[nodiscard]] static constexpr limit_window begun(std::uint32_t epoch) noexcept {
    return {std::uint64_t{epoch} << epoch_at};
  }
  [[nodiscard]] constexpr std::uint32_t epoch() const noexcept {
    return static_cast<std::uint32_t>(bits >> epoch_at);
  }
  [[nodiscard]] constexpr bool was_full() const noexcept { return (bits & full_bit) != 0; }
  [[nodiscard]] constexpr std::uint32_t samples() const noexcept {
    return static_cast<std::uint32_t>(bits >> samples_at & most_samples);
  }
  [[nodiscard]] constexpr std::uint32_t above() const noexcept {
    return static_cast<std::uint32_t>(bits & most_samples);
  }
  [[nodiscard]] constexpr bool is_complete() const noexcept { return samples() >= least_samples; }

  [[nodiscard]] constexpr limit_window noting_full() const noexcept { return {bits | full_bit}; }
  [[nodiscard]] constexpr limit_window plus(bool is_above) const noexcept {
    if (samples() == most_samples) return *this;
    return {bits + (std::uint64_t{1} << samples_at) + (is_above ? 1 : 0)};
  }

  /// Whether one more sample can change the verdict on delays. Once there are enough samples, only the first
  /// one on target can. So a busy window is written a few times only.
  [[nodiscard]] constexpr bool needs(bool is_above) const noexcept {
    return !is_complete() || (!is_above && above() == samples());
  }

  /// The verdict on delays: too many calls are in flight if every sample was above the target. `refused`:
  /// whether a call was refused.
  [[nodiscard]] constexpr limit_verdict of_delays(bool refused) const noexcept {
    return above() == samples() ? limit_verdict::lower : wanted(refused);
  }
  /// The verdict on latencies: too many calls are in flight if more than a tenth of the samples was above the
  /// budget, which means that their 90th percentile is.
  [[nodiscard]] constexpr limit_verdict of_latencies(bool refused) const noexcept {
    return above() * 10 > samples() ? limit_verdict::lower : wanted(refused);
  }

 private:
  [[nodiscard]] constexpr limit_verdict wanted(bool refused) const noexcept {
    return refused || was_full() ? limit_verdict::raise : limit_verdict::keep;
  }
};

/// The next limit: nine tenths, or a twentieth and one more. Always within [least, most].
[[nodiscard]] constexpr std::uint32_t next_limit(std::uint32_t limit, limit_verdict verdict,
                                                 std::uint32_t least, std::uint32_t most) noexcept {
  if (verdict == limit_verdict::lower) limit = limit * 9 / 10;
  if (verdict == limit_verdict::raise) limit += limit / 20 + 1;
  return std::clamp(limit, least, most);
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
