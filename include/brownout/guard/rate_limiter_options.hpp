// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/guard/detail/token_limits.hpp"
#include "brownout/guard/rate.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// Accepts the rate and the burst of the options called `whose`, and refuses others.
inline void require_bucket(std::string_view whose, const rate& given, std::uint32_t burst);
[[nodiscard]] inline std::uint32_t default_burst(const rate& given) noexcept;

}  // namespace detail

/// How a rate limiter behaves. Validated when the limiter is built.
struct rate_limiter_options {
  static constexpr double most_per_second = 1e9;  ///< the highest rate, in tokens a second
  /// The lowest rate, in tokens a second: one in a year.
  static constexpr double fewest_per_second = 1.0 / (365.0 * 24 * 60 * 60);
  static constexpr std::uint32_t most_burst = std::uint32_t{1} << 24;  ///< the largest `burst`
  static constexpr duration longest_wait = std::chrono::hours{1};      ///< the longest `most_wait`
  static constexpr std::size_t longest_name = 128;                     ///< the longest `name`, in bytes

  /// What metrics, logs and rejections call this limiter.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// How many tokens come back in which time. 0 refuses every call.
  /// Range: 0, or one a year to 10^9 a second. It has no default: a limiter without a rate does not compile.
  brownout::rate rate;

  /// Tokens in a full bucket: so many calls may come at one moment.
  /// Range: 1 to 2^24, and at most what the rate gives in a year. 0 means the default.
  /// Default: what the rate gives in 100 ms, but at least 1.
  std::uint32_t burst = 0;

  /// The longest wait of a reservation (`reserve`). `try_acquire` never waits.
  /// Range: 0 to 1 h. Default: 1 s, as long as ten default bursts last.
  duration most_wait = std::chrono::seconds{1};

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_name("rate_limiter_options.name", name);
    detail::require_bucket("rate_limiter_options", rate, burst);
    detail::require_within("rate_limiter_options.most_wait", most_wait, duration::zero(), longest_wait);
  }

  /// These options, for the limiter called `whose`. Throws as `validate`.
  const rate_limiter_options& valid_for(std::string_view whose) const {
    std::string text{"rate_limiter '"};
    text.append(whose.substr(0, longest_name)) += '\'';
    detail::validate_for(text, [&] { validate(); });
    return *this;
  }

  /// These options with their default burst, if it was left out.
  [[nodiscard]] rate_limiter_options with_burst() const {
    auto filled = *this;
    if (filled.burst == 0) filled.burst = detail::default_burst(rate);
    return filled;
  }
  /// Precondition: valid.
  [[nodiscard]] detail::token_limits limits() const {
    return detail::token_limits::of(rate, with_burst().burst, most_wait);
  }
};

/// A rate limiter at one moment, for display.
struct rate_limiter_snapshot {
  double rate_per_second = 0;                 ///< tokens that come back in a second
  std::uint32_t burst = 0;                    ///< tokens in a full bucket
  std::uint32_t tokens = 0;                   ///< whole tokens that are there
  duration retry_after = rejection::unknown;  ///< until a token is there: 0 now, unknown if the rate is 0
  std::uint64_t refused = 0;                  ///< calls refused since construction
};

namespace detail {

inline void require_bucket(std::string_view whose, const rate& given, std::uint32_t burst) {
  using ranges = rate_limiter_options;
  const auto each_second = given.per_second();
  const bool is_rate = given.tokens() >= 0 && each_second <= ranges::most_per_second &&
                       (each_second >= ranges::fewest_per_second || !(given.tokens() > 0));
  if (!is_rate) {
    invalid_option(std::string{whose} + ".rate", to_text(each_second) + "/s",
                   "0, or 1 a year to 1000000000/s");
  }
  if (burst == 0) return;
  require_within<std::uint32_t>(std::string{whose} + ".burst", burst, 1, ranges::most_burst);
  const auto in_a_year = each_second / ranges::fewest_per_second;
  if (given.tokens() > 0 && burst > in_a_year) {
    invalid_option(std::string{whose} + ".burst", to_text(burst),
                   "1 to " + to_text(static_cast<std::uint64_t>(in_a_year)) + ", the tokens of a year");
  }
}

[[nodiscard]] inline std::uint32_t default_burst(const rate& given) noexcept {
  return static_cast<std::uint32_t>(
      std::clamp(given.per_second() / 10, 1.0, double{rate_limiter_options::most_burst}));
}

/// A bucket at the time `now`.
[[nodiscard]] constexpr rate_limiter_snapshot shown_bucket(const token_limits& limits, ticks arrival,
                                                           ticks now) noexcept {
  rate_limiter_snapshot shown{.rate_per_second = limits.per_second, .burst = limits.burst};
  if (limits.is_closed()) return shown;
  const auto debt = std::clamp<ticks>(arrival - now, 0, limits.furthest);
  shown.tokens = static_cast<std::uint32_t>((std::max)(limits.tolerance - debt, ticks{0}) / limits.interval);
  shown.retry_after = to_duration((std::max)(debt + limits.interval - limits.tolerance, ticks{0}));
  return shown;
}

}  // namespace detail
}  // namespace brownout::inline BROWNOUT_ABI
