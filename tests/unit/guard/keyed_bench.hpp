// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/guard/keyed.hpp"
#include "unit/guard/token_bench.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

namespace guard_test {

using brownout::keyed;
using brownout::keyed_rate_limiter_options;

/// Rate limiters by key whose clock is moved by hand.
template <class Atomics = brownout::std_atomics>
struct keyed_bench {
  explicit keyed_bench(keyed_rate_limiter_options options) : quotas{std::move(options), clock} {}

  bool try_acquire(std::string_view key) { return quotas.at(key).try_acquire().has_value(); }

  /// How many calls of this key are admitted at this moment.
  std::uint32_t admitted_now(std::string_view key) {
    std::uint32_t admitted = 0;
    while (try_acquire(key)) ++admitted;
    return admitted;
  }

  manual_clock clock;
  keyed<rate_limiter<manual_clock, Atomics>> quotas;
};

}  // namespace guard_test
