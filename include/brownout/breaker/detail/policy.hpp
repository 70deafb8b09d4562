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

/// What an option means that is left out. It depends on the place where the options are used, and is the same
/// at construction and at every `reconfigure`.
struct breaker_defaults {
  open_period open_for = adaptive_period{};
  std::uint32_t successes = 3;  // or as many as `probes`, if these are more
  std::uint32_t ramp_first = 6;
  duration lease = breaker_options::default_lease;  // or the longest open period, if that is longer
};

/// The numeric options, with their defaults filled in. The decisions of a circuit read them.
struct recovery {
  open_period open_for;
  bool open_on_retry_after;
  std::uint32_t probes;
  std::uint32_t successes;  // with a probe rate: the number of results
  probe_rate_options probe_rate;
  ramp_options ramp;
  duration lease;
  duration relapse_within;
  std::uint64_t seed;

  static recovery of(const breaker_options& given, const breaker_defaults& left_out) {
    const auto open_for = given.open_for.is_left_out() ? left_out.open_for : given.open_for;
    auto ramp = given.ramp;
    if (ramp.first == ramp_options::left_out) ramp.first = left_out.ramp_first;
    const auto lease = given.lease != duration{} ? given.lease
                                                 : std::clamp(open_for.upper_bound(), left_out.lease,
                                                              breaker_options::longest_period);
    return {open_for,
            given.open_on_retry_after,
            given.probes,
            successes_of(given, left_out.successes),
            given.probe_rate,
            ramp,
            lease,
            given.relapse_within,
            given.seed};
  }

  /// How many successes, or results, end the half-open `seen`.
  [[nodiscard]] std::uint32_t needed(control_word seen) const noexcept {
    if (seen.is_ramping()) return ramp.successes;
    // A rate that is switched off while probes are in flight leaves a word with less room.
    return seen.is_by_rate() ? (std::min)(successes, control_word::most_rated) : successes;
  }
  /// How many calls may be in flight in the half-open `seen`.
  [[nodiscard]] std::uint32_t limit(control_word seen) const noexcept {
    if (seen.is_ramping()) return seen.limit();
    const auto all = needed(seen);
    const auto ended = seen.succeeded() + seen.failed();
    // At least one: if more calls have ended than are needed, the next call decides.
    return (std::min)(probes, all > ended ? all - ended : 1);
  }

  /// Whether a failure that asks for this wait opens the circuit, independent of all counts.
  [[nodiscard]] bool opens_on(duration retry_after) const noexcept {
    return open_on_retry_after && retry_after > duration::zero();
  }

  [[nodiscard]] breaker_options options(std::string name) const {
    // Left out if the rate decides, so that the returned options are valid and have the same meaning.
    const auto given = probe_rate.calls != 0 ? 0 : successes;
    return {std::move(name), open_for, open_on_retry_after, probes, given, probe_rate, ramp, lease,
            relapse_within,  seed};
  }

 private:
  static std::uint32_t successes_of(const breaker_options& given, std::uint32_t left_out) {
    if (given.probe_rate.calls != 0) return given.probe_rate.calls;
    return given.successes != 0 ? given.successes : (std::max)(left_out, given.probes);
  }
};

/// The options and the detector of breakers. Both can be replaced while they are read. Many breakers may
/// share one policy, for example those of one rule of a registry.
template <class Detector>
class policy {
 public:
  /// Throws `std::invalid_argument` naming breaker, field, value and range.
  policy(const breaker_options& options, const Detector& detector, const breaker_defaults& left_out = {})
      : left_out_{left_out},
        rules_{valid(options, options.name, left_out)},
        detector_{valid(detector, options.name)} {}
  /// Precondition: both are valid.
  policy(const recovery& rules, const Detector& detector, const breaker_defaults& left_out = {})
      : left_out_{left_out}, rules_{rules}, detector_{detector} {}

  [[nodiscard]] live_copy<recovery> rules() const noexcept { return rules_.read(); }
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE live_copy<Detector> detector() const noexcept {
    return detector_.read();
  }

  /// What options mean that are left out, also in options that replace these.
  [[nodiscard]] const breaker_defaults& left_out() const noexcept { return left_out_; }

  void replace(const recovery& rules) { rules_.write(rules); }
  void replace(const Detector& detector) { detector_.write(detector); }

  // For the breaker called `name`, with defaults filled in. These functions throw as above.
  static recovery valid(const breaker_options& options, std::string_view name,
                        const breaker_defaults& left_out = {}) {
    of_breaker(name, [&] { options.validate(); });
    return recovery::of(options, left_out);
  }
  static Detector valid(const Detector& detector, std::string_view name) {
    of_breaker(name, [&] { detector.validate(control_word::most_marks); });
    return detail::with_defaults(detector);
  }
  static Detector valid_replacing(const Detector& in_use, const Detector& detector, std::string_view name) {
    const auto next = valid(detector, name);
    of_breaker(name, [&] { next.validate_replacing(in_use); });
    return next;
  }

 private:
  static void of_breaker(std::string_view name, auto validate) {
    // If the name is too long, the name itself is refused.
    if (name.empty() || name.size() > breaker_options::longest_name) return validate();
    validate_for("breaker '" + std::string{name} + "'", validate);
  }

  const breaker_defaults left_out_{};
  live_value<recovery> rules_;
  live_value<Detector> detector_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
