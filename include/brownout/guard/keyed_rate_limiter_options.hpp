// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/guard/detail/token_limits.hpp"
#include "brownout/guard/rate.hpp"
#include "brownout/guard/rate_limiter_options.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// How a `keyed<rate_limiter<>>` behaves. Validated when it is built or reconfigured.
struct keyed_rate_limiter_options {
  static constexpr std::size_t most_capacity = std::size_t{1} << 24;  ///< the largest `capacity`
  static constexpr std::size_t longest_name = 128;                    ///< the longest `name`, in bytes

  /// What metrics, logs and rejections call this limiter.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// How many tokens come back to the bucket of each key in which time. 0 refuses every call.
  /// Range: 0, or one a year to 10^9 a second. It has no default: a limiter without a rate does not compile.
  brownout::rate rate;

  /// Tokens in a full bucket: so many calls of a key may come at one moment.
  /// Range: 1 to 2^24, and at most what the rate gives in a year. 0 means the default.
  /// Default: what the rate gives in 100 ms, but at least 1, as for a `rate_limiter`.
  std::uint32_t burst = 0;

  /// How many keys have a bucket of their own at most; rounded up, by less than a thirty-second part. It
  /// can't be changed later. A bucket needs 16 bytes, which are allocated when the limiter is built.
  ///
  /// Only a key whose bucket is not full needs one: a key that made a call within the last burst / rate. Give
  /// twice the number of keys for which that is true at a time. Then fewer than one such key in 60,000 finds
  /// no bucket. Range: 1 to 2^24. Default: 65,536, for 30,000 such keys in 1 MiB.
  std::size_t capacity = 65'536;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_name("keyed_rate_limiter_options.name", name);
    detail::require_bucket("keyed_rate_limiter_options", rate, burst);
    detail::require_within<std::size_t>("keyed_rate_limiter_options.capacity", capacity, 1, most_capacity);
  }

  /// These options, for the limiter called `whose`. Throws as `validate`.
  const keyed_rate_limiter_options& valid_for(std::string_view whose) const {
    std::string text{"keyed<rate_limiter> '"};
    text.append(whose.substr(0, longest_name)) += '\'';
    detail::validate_for(text, [&] { validate(); });
    return *this;
  }

  /// These options with their default burst, if it was left out.
  [[nodiscard]] keyed_rate_limiter_options with_burst() const {
    auto filled = *this;
    if (filled.burst == 0) filled.burst = detail::default_burst(rate);
    return filled;
  }
  /// Precondition: valid.
  [[nodiscard]] detail::token_limits limits() const {
    return detail::token_limits::of(rate, with_burst().burst, duration::zero());
  }
};

/// A `keyed<rate_limiter<>>` at one moment, for display. The numbers are read one after the other, so they
/// may differ by a few calls.
struct keyed_rate_limiter_snapshot {
  double rate_per_second = 0;    ///< tokens that come back in a second, for each key
  std::uint32_t burst = 0;       ///< tokens in a full bucket
  std::size_t capacity = 0;      ///< keys that can have a bucket
  std::size_t keys = 0;          ///< keys whose bucket is not full; only these need one
  std::uint64_t refused = 0;     ///< calls refused since construction
  std::uint64_t evicted = 0;     ///< full buckets given to another key since construction
  std::uint64_t bucketless = 0;  ///< calls since construction of keys that got no bucket: see `keyed`
};

}  // namespace brownout::inline BROWNOUT_ABI
