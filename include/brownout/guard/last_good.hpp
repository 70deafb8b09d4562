// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/option_without_default.hpp"
#include "brownout/version.hpp"

#include <chrono>

namespace brownout::inline BROWNOUT_ABI {

/// What a `fallback` answers with: the answer of the latest call that succeeded.
///
///     const brownout::fallback front_page{brownout::last_good{.max_age = 5min}};
///     const brownout::pipeline guarded{front_page, database};
///
/// The fallback keeps one answer for all calls, whatever they ask for. So all calls through its pipeline must
/// ask the same question: a front page, a table of prices, a configuration. The account of a user is none,
/// since the next user would see it. If calls return different types, the latest answer of any type is kept,
/// and a call that returns another type finds none.
///
/// Only answers that the classifier of the call judges as a success are kept. An answer that came late is
/// kept too: it is as true as one that came in time, and in an overload there may be no other.
struct last_good {
  static constexpr duration shortest_age = std::chrono::milliseconds{1};  ///< the shortest `max_age`
  static constexpr duration longest_age = std::chrono::hours{720};        ///< the longest `max_age`

  /// How old the answer may be. Its age counts from the beginning of the call that had it, so that no answer
  /// is older than it seems. An older one is forgotten.
  /// Range: 1 ms to 720 h (30 days). It has no default: only you know how old an answer may be.
  option_without_default<duration> max_age;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const { detail::require_within("last_good.max_age", max_age, shortest_age, longest_age); }
};

}  // namespace brownout::inline BROWNOUT_ABI
