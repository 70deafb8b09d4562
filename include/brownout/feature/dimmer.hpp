// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/caller_place.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// Options of a `dimmer`.
struct dimmer_options {
  /// The share of callers that are served: 0 to 1. Default 1: nothing is dimmed at first.
  double share = 1;

  /// Which callers are served first: any number. Default 0. Dimmers with equal salts serve the same callers
  /// first. Give each feature another salt, such as its number, so that each has its own order.
  std::uint64_t salt = 0;

  /// Throws `std::invalid_argument` naming field, value and range.
  constexpr void validate() const { detail::require_within("dimmer_options.share", share, 0.0, 1.0); }
};

/// The share of callers that get optional code, such as recommendations beside a product.
///
/// It is the dimmer of Klein, Maggio, Arzen and Hernandez-Rodriguez ("Brownout: Building More Robust Cloud
/// Applications", ICSE 2014), but chooses callers where theirs chooses requests at random. A caller is served
/// while its place (`caller_place`) is below the share. Its answer changes only when the share passes its
/// place. Share 0 serves no caller, and share 1 serves every caller.
///
/// Thread-safe. Every operation is wait-free and allocates nothing.
class dimmer {
 public:
  /// Throws `std::invalid_argument` naming field, value and range.
  explicit constexpr dimmer(dimmer_options options = {})
      : share_{checked(options).share}, salt_{options.salt} {}

  /// Whether this caller is served. A caller is a number or a text. Costs one load and `caller_place`.
  [[nodiscard]] bool admits(std::uint64_t caller) const noexcept {
    return caller_place(caller, salt_) < share();
  }
  /// As above, for a caller that is a text.
  [[nodiscard]] bool admits(std::string_view caller) const noexcept {
    return caller_place(caller, salt_) < share();
  }

  /// The share that was set last. Another thread may be changing it.
  [[nodiscard]] double share() const noexcept {
    return share_.load(std::memory_order_relaxed);  // relaxed: see the member
  }

  /// Sets the share. Precondition: it is in [0, 1].
  void set(double share) noexcept {
    BROWNOUT_PRECONDITION(share >= 0 && share <= 1, "dimmer::set(): a share is in [0, 1]");
    share_.store(share, std::memory_order_relaxed);  // relaxed: see the member
  }

  /// `dimmer_options::salt`.
  [[nodiscard]] std::uint64_t salt() const noexcept { return salt_; }

 private:
  static constexpr const dimmer_options& checked(const dimmer_options& options) {
    options.validate();
    return options;
  }

  // Written by the thread that controls the share, read by every request. It publishes nothing else, so
  // relaxed is enough.
  std::atomic<double> share_;
  static_assert(std::atomic<double>::is_always_lock_free);
  const std::uint64_t salt_;
};

}  // namespace brownout::inline BROWNOUT_ABI
