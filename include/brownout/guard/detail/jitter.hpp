// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/chance.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The random numbers of a thread: SplitMix64, for jitter and not for secrets. Each number also depends on
/// the moment at which it is drawn, because a fork copies the state.
class jitter_source {
 public:
  /// A number in [0, 1).
  [[nodiscard]] double next() noexcept {
    state_ += golden_gamma;
    return share_of(mixed(is_seeded_ ? state_ : state_ ^ moment()));
  }
  /// For tests and simulations that must repeat.
  void seed(std::uint64_t number) noexcept {
    state_ = number;
    is_seeded_ = true;
  }

 private:
  [[nodiscard]] static std::uint64_t moment() noexcept {
    return static_cast<std::uint64_t>(monotonic_clock{}.now().time_since_epoch().count());
  }

  // Different for each thread and each process: its address, and the time at which the thread first asks.
  std::uint64_t state_ = mixed(reinterpret_cast<std::uintptr_t>(this) ^ moment());
  bool is_seeded_ = false;
};

/// The source of the calling thread.
[[nodiscard]] inline jitter_source& thread_jitter() noexcept {
  thread_local jitter_source source;
  return source;
}

/// The share of `whole` that `chance` tells, at most `whole`. Not negative.
[[nodiscard]] constexpr duration part_of(duration whole, double chance) noexcept {
  return duration{static_cast<duration::rep>(static_cast<double>(whole.count()) * chance)};
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
