// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/feature/caller_place.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// How a `dimmer` begins.
struct dimmer_options {
  /// The share of callers who are served, 0 to 1. Default 1: nothing is dimmed before there is a reason.
  double share = 1;

  /// Who comes first; any number. Default 0. Dimmers with one salt serve the same callers first, with
  /// different ones, such as the features' numbers, each its own.
  std::uint64_t salt = 0;

  /// Throws `std::invalid_argument` naming field, value and range.
  constexpr void validate() const { detail::require_within("dimmer_options.share", share, 0.0, 1.0); }
};

/// The share of callers who are served optional code, such as recommendations beside a product: the dimmer of
/// Klein, Maggio, Arzen and Hernandez-Rodriguez ("Brownout: Building More Robust Cloud Applications", ICSE
/// 2014), but for whole callers where they draw lots for each request.
///
/// Each caller has its place (`caller_place`) and is served while that is below the share, so its answer
/// changes only when the share passes its place. Share 0 serves nobody and 1 everybody, exactly.
///
/// Thread-safe. Every operation is wait-free and allocates nothing.
class dimmer {
 public:
  /// Throws `std::invalid_argument` naming field, value and range.
  explicit constexpr dimmer(dimmer_options options = {})
      : share_{checked(options).share}, salt_{options.salt} {}

  /// Whether this caller is served: one load, and the caller's place. Callers are numbers or texts.
  [[nodiscard]] bool admits(std::uint64_t caller) const noexcept {
    return caller_place(caller, salt_) < share();
  }
  [[nodiscard]] bool admits(std::string_view caller) const noexcept {
    return caller_place(caller, salt_) < share();
  }

  /// The share as last set; another thread may set it meanwhile.
  [[nodiscard]] double share() const noexcept {
    return share_.load(std::memory_order_relaxed);  // relaxed: see the member
  }

  /// Precondition: `share` is in [0, 1].
  void set(double share) noexcept {
    BROWNOUT_PRECONDITION(share >= 0 && share <= 1, "dimmer::set(): a share is in [0, 1]");
    share_.store(share, std::memory_order_relaxed);  // relaxed: see the member
  }

  [[nodiscard]] std::uint64_t salt() const noexcept { return salt_; }

 private:
  static constexpr const dimmer_options& checked(const dimmer_options& options) {
    options.validate();
    return options;
  }

  // Written by whoever controls it, read by every request. It stands for itself and publishes nothing else,
  // so relaxed is enough.
  std::atomic<double> share_;
  static_assert(std::atomic<double>::is_always_lock_free);
  const std::uint64_t salt_;
};

}  // namespace brownout::inline BROWNOUT_ABI
