// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <chrono>

namespace brownout::inline BROWNOUT_ABI {

/// A number of tokens in a time: `per_second(100)`, `per_minute(60)`, `per_hour(0.5)`, or
/// `rate{5, std::chrono::seconds{10}}`. A value.
class rate {
 public:
  /// So many tokens in each period.
  constexpr rate(double tokens, duration period) noexcept : tokens_{tokens}, period_{period} {}

  /// Tokens in each period.
  [[nodiscard]] constexpr double tokens() const noexcept { return tokens_; }
  /// The period.
  [[nodiscard]] constexpr duration period() const noexcept { return period_; }
  /// The same rate in tokens for each second.
  [[nodiscard]] constexpr double per_second() const noexcept {
    return tokens_ / std::chrono::duration<double>{period_}.count();
  }

  friend constexpr bool operator==(const rate&, const rate&) = default;

 private:
  double tokens_;
  duration period_;
};

/// So many tokens a second.
[[nodiscard]] constexpr rate per_second(double tokens) noexcept {
  return {tokens, std::chrono::seconds{1}};
}
/// So many tokens a minute.
[[nodiscard]] constexpr rate per_minute(double tokens) noexcept {
  return {tokens, std::chrono::minutes{1}};
}
/// So many tokens an hour.
[[nodiscard]] constexpr rate per_hour(double tokens) noexcept {
  return {tokens, std::chrono::hours{1}};
}

}  // namespace brownout::inline BROWNOUT_ABI
