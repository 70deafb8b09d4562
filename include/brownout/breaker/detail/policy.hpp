// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/open_period.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/detail/live_value.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The options that are numbers, with what was left out filled in: what a circuit's decisions read.
struct recovery {
  open_period open_for;
  std::uint32_t probes;
  std::uint32_t successes;
  ramp_options ramp;
  duration lease;
  duration relapse_within;
  std::uint64_t seed;

  static recovery of(const breaker_options& given) {
    return {given.open_for,
            given.probes,
            given.successes != 0 ? given.successes : (std::max)(5U, given.probes),
            given.ramp,
            given.lease != duration{}
                ? given.lease
                : std::clamp(given.open_for.upper_bound(), breaker_options::default_lease,
                             breaker_options::longest_period),
            given.relapse_within,
            given.seed};
  }

  /// How many calls may be in flight in the half-open `seen`.
  [[nodiscard]] std::uint32_t limit(control_word seen) const noexcept {
    if (seen.is_ramping()) return seen.limit();
    // One at least: with fewer successes needed than there have been, the next one closes.
    return (std::min)(probes, successes > seen.succeeded() ? successes - seen.succeeded() : 1);
  }

  /// What follows when a half-open call has failed. `retry_after` as for `next_open`.
  [[nodiscard]] static control_word after_failure(control_word seen, duration retry_after) noexcept {
    if (seen.is_ramping() && seen.limit() > 1) return seen.with_end(0, seen.limit() - 1);
    return seen.next_open(false, retry_after);
  }
  /// The same when it has succeeded. `first_marks`: of the closed era that may begin.
  [[nodiscard]] control_word after_success(control_word seen, std::uint32_t first_marks) const noexcept {
    const auto streak = seen.succeeded() + 1;
    if (seen.is_ramping()) {
      const auto limit = seen.limit() + 1;
      if (streak < ramp.successes && limit < control_word::most_limit) return seen.with_end(streak, limit);
    } else {
      if (streak < successes) return seen.with_success();
      if (ramp.first > 0) return seen.next_on_ramp(ramp.first);
    }
    return seen.next_closed(first_marks);
  }

  [[nodiscard]] breaker_options options(std::string name) const {
    return {std::move(name), open_for, probes, successes, ramp, lease, relapse_within, seed};
  }
};

/// What breakers decide by: options and detector, both replaceable while they are read. Many breakers may
/// share one, as those of a registry's rule do.
template <class Detector>
class policy {
 public:
  /// Throws `std::invalid_argument` naming breaker, field, value and range.
  policy(const breaker_options& options, const Detector& detector)
      : policy{valid(options, options.name), valid(detector, options.name)} {}
  /// Precondition: both are valid.
  policy(const recovery& rules, const Detector& detector) : rules_{rules}, detector_{detector} {}

  [[nodiscard]] live_copy<recovery> rules() const noexcept { return rules_.read(); }
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE live_copy<Detector> detector() const noexcept {
    return detector_.read();
  }

  void replace(const recovery& rules) { rules_.write(rules); }
  void replace(const Detector& detector) { detector_.write(detector); }

  // Of the breaker called `name`, with what was left out filled in. These throw as above.
  static recovery valid(const breaker_options& options, std::string_view name) {
    of_breaker(name, [&] { options.validate(); });
    return recovery::of(options);
  }
  static Detector valid(const Detector& detector, std::string_view name) {
    of_breaker(name, [&] { detector.validate(control_word::most_marks); });
    return with_defaults(detector);
  }
  static Detector valid_replacing(const Detector& in_use, const Detector& detector, std::string_view name) {
    const auto next = valid(detector, name);
    of_breaker(name, [&] { next.validate_replacing(in_use); });
    return next;
  }

 private:
  static void of_breaker(std::string_view name, auto check) {
    // A name that is too long is refused itself.
    if (name.empty() || name.size() > breaker_options::longest_name) return check();
    name_owner("breaker '" + std::string{name} + "'", check);
  }

  live_value<recovery> rules_;
  live_value<Detector> detector_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
