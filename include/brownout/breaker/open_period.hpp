// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// Every open period has the same length. A plain duration converts to this rule: `.open_for = 20s`.
struct fixed_period {
  /// The length of an open period.
  /// Range: 1 ms to 24 h. Default: 30 s, as in opossum.
  duration length = std::chrono::seconds{30};

  /// The share of the length by which a period is longer or shorter at random, so that many clients of one
  /// dependency do not probe it together.
  /// Range: 0 to 0.5. Default: 0, so that `.open_for = 20s` means 20 s.
  double jitter = 0;
};

/// The first open period of an outage lasts `first`. Each further one is `factor` times as long as the one
/// before, up to `most`.
struct exponential_period {
  /// The first open period of an outage.
  /// Range: 1 ms to 24 h. Default: 1 s; by the defaults below, the seventh period is the longest.
  duration first = std::chrono::seconds{1};

  /// How many times as long as the one before each further period is.
  /// Range: 1 to 100. Default: 2, as in most backoffs.
  double factor = 2;

  /// The longest period, before the jitter.
  /// Range: `first` to 24 h. Default: 1 min, the fixed period of resilience4j and gobreaker.
  duration most = std::chrono::minutes{1};

  /// As `fixed_period::jitter`.
  /// Range: 0 to 0.5. Default: 0.2, because clients that were cut off together have the same periods.
  double jitter = 0.2;
};

/// Each open period of an outage lies at random between `first` and three times the one before, up to `most`:
/// "decorrelated jitter" (M. Brooker, "Exponential Backoff and Jitter", AWS 2015).
struct decorrelated_period {
  /// The shortest period, and the one that the first is drawn from.
  /// Range: 1 ms to 24 h. Default: 1 s, as `exponential_period`.
  duration first = std::chrono::seconds{1};

  /// The longest period.
  /// Range: `first` to 24 h. Default: 1 min, as `exponential_period`.
  duration most = std::chrono::minutes{1};
};

/// The k-th open period of an outage ends when `least` has passed and k + 4 calls have been refused in it.
/// After `most` it ends however few calls were refused.
///
/// An outage of any length at any call rate then costs about sqrt(2 n) probes for n refused calls. That
/// balances the cost of the probes against the delay until the recovery is noticed. docs/adr/0006 explains
/// the rule and lists the rules that it was compared with.
struct adaptive_period {
  /// How many more calls than the number of the period must be refused. At 50 calls a second and more these
  /// calls come before `least` has passed. At one call a second, without them the first probes of an outage
  /// would be most of its probes.
  static constexpr std::uint32_t head_start = 4;

  /// The shortest period.
  /// Range: 1 ms to 24 h. Default: 100 ms, part of the policy that was wrong least often (docs/adr/0006).
  duration least = std::chrono::milliseconds{100};

  /// The longest period.
  /// Range: `least` to 24 h. Default: 1 min, as `exponential_period`. It matters where calls are rare: at one
  /// call in 20 s, 30 s would make nearly every second call a probe, and 2 min would refuse calls for longer
  /// after the recovery. Both were wrong more often (docs/adr/0006).
  duration most = std::chrono::minutes{1};

  /// The jitter of `least` and `most`, as `fixed_period::jitter`.
  /// Range: 0 to 0.5. Default: 0.2, as `exponential_period`.
  double jitter = 0.2;
};

/// How long a circuit stays open: one of the rules above, or a duration.
class open_period {
 public:
  static constexpr duration shortest = std::chrono::milliseconds{1};  ///< the shortest period
  static constexpr duration longest = std::chrono::hours{24};         ///< the longest period
  /// Periods of one outage are numbered up to here and no further.
  static constexpr std::uint32_t most_number = 2047;

  /// Left out: the default of the place where the options are used, which fills it in.
  constexpr open_period() noexcept : kind_{kinds::left_out}, fixed_{} {}

  // NOLINTBEGIN(google-explicit-constructor): an option is set by naming what it is set to
  /// The same duration each time, with the jitter of `fixed_period`.
  template <class Rep, class Period>
  requires std::is_convertible_v<std::chrono::duration<Rep, Period>, duration>
  constexpr open_period(std::chrono::duration<Rep, Period> fixed) noexcept
      : kind_{kinds::fixed}, fixed_{detail::saturated(fixed)} {}
  /// Does not compile, with a message of one sentence: a number has no unit.
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr open_period(Number /*without_unit*/) noexcept : fixed_{} {
    static_assert(!std::is_arithmetic_v<Number>, "a time needs a unit: write .open_for = 20s");
  }
  /// Implicit, so that an option takes any of them.
  constexpr open_period(const fixed_period& kind) noexcept : kind_{kinds::fixed}, fixed_{kind} {}
  /// As above.
  constexpr open_period(const exponential_period& kind) noexcept
      : kind_{kinds::exponential}, exponential_{kind} {}
  /// As above.
  constexpr open_period(const decorrelated_period& kind) noexcept
      : kind_{kinds::decorrelated}, decorrelated_{kind} {}
  /// As above.
  constexpr open_period(const adaptive_period& kind) noexcept : kind_{kinds::adaptive}, adaptive_{kind} {}
  // NOLINTEND(google-explicit-constructor)

  /// Whether the default of a place is to be used. Precondition of all functions below: it is not left out.
  [[nodiscard]] constexpr bool is_left_out() const noexcept { return kind_ == kinds::left_out; }

  /// How long the period numbered `number` (from 1) of an outage lasts at least. `previous`: how long the one
  /// before lasted. `chance`: a number in [0, 1). Pure.
  [[nodiscard]] duration least(std::uint32_t number, duration previous, double chance) const noexcept {
    return with_kind([&](const auto& kind) { return least_of(kind, number, previous, chance); });
  }

  /// How long it lasts at most, if it lasts at least `least`. The two differ only if refused calls decide.
  [[nodiscard]] duration most(duration least) const noexcept {
    if (kind_ != kinds::adaptive) return least;
    return (std::max)(least, scaled(adaptive_.most, jitter_of(adaptive_, least)));
  }

  /// Whether a period goes on until as many calls as its number and the head start were refused.
  [[nodiscard]] bool waits_for_refusals() const noexcept { return kind_ == kinds::adaptive; }

  /// The longest that a period can be, jitter included.
  [[nodiscard]] duration upper_bound() const noexcept {
    return with_kind([](const auto& kind) { return upper_bound_of(kind); });
  }

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate(const std::string& field) const {
    with_kind([&](const auto& kind) { validate_kind(field, kind); });
  }

 private:
  enum class kinds : std::uint8_t { left_out, fixed, exponential, decorrelated, adaptive };

  /// Calls `visit` with the rule that this is.
  template <class Visitor>
  auto with_kind(const Visitor& visit) const -> decltype(visit(fixed_period{})) {
    switch (kind_) {
      case kinds::fixed:
        return visit(fixed_);
      case kinds::exponential:
        return visit(exponential_);
      case kinds::decorrelated:
        return visit(decorrelated_);
      case kinds::adaptive:
      case kinds::left_out:  // reads as the default of `adaptive_period`'s place: never asked, see above
        break;
    }
    return visit(adaptive_);
  }

  static double ratio(duration one, duration other) noexcept {
    return static_cast<double>(one.count()) / static_cast<double>(other.count());
  }
  /// The jitter that gave the least period this length. A Retry-After may have made the period longer; that
  /// part is not jitter.
  static double jitter_of(const adaptive_period& kind, duration least) noexcept {
    return std::clamp(ratio(least, kind.least), 1 - kind.jitter, 1 + kind.jitter);
  }
  static duration scaled(duration one, double by) noexcept {
    return duration{std::llround(static_cast<double>(one.count()) * by)};
  }
  /// Uniform in [1 - jitter, 1 + jitter).
  static double jittered(double jitter, double chance) noexcept { return 1 + jitter * (2 * chance - 1); }

  static duration least_of(const fixed_period& kind, std::uint32_t /*number*/, duration /*previous*/,
                           double chance) noexcept {
    return scaled(kind.length, jittered(kind.jitter, chance));
  }
  static duration least_of(const exponential_period& kind, std::uint32_t number, duration /*previous*/,
                           double chance) noexcept {
    const auto grown = (std::min)(std::pow(kind.factor, number - 1), ratio(kind.most, kind.first));
    return scaled(kind.first, grown * jittered(kind.jitter, chance));
  }
  static duration least_of(const decorrelated_period& kind, std::uint32_t number, duration previous,
                           double chance) noexcept {
    const auto last = number == 1 ? kind.first : std::clamp(previous, kind.first, kind.most);
    return (std::min)(kind.most, kind.first + scaled(3 * last - kind.first, chance));
  }
  static duration least_of(const adaptive_period& kind, std::uint32_t /*number*/, duration /*previous*/,
                           double chance) noexcept {
    return scaled(kind.least, jittered(kind.jitter, chance));
  }

  static duration upper_bound_of(const fixed_period& kind) noexcept {
    return scaled(kind.length, 1 + kind.jitter);
  }
  static duration upper_bound_of(const exponential_period& kind) noexcept {
    return scaled(kind.most, 1 + kind.jitter);
  }
  static duration upper_bound_of(const decorrelated_period& kind) noexcept { return kind.most; }
  static duration upper_bound_of(const adaptive_period& kind) noexcept {
    return scaled(kind.most, 1 + kind.jitter);
  }

  static void validate_jitter(const std::string& field, double jitter) {
    detail::require_within(field + ".jitter", jitter, 0.0, 0.5);
  }
  static void validate_kind(const std::string& field, const fixed_period& kind) {
    detail::require_within(field, kind.length, shortest, longest);
    validate_jitter(field, kind.jitter);
  }
  static void validate_kind(const std::string& field, const exponential_period& kind) {
    detail::require_within(field + ".first", kind.first, shortest, longest);
    detail::require_within(field + ".factor", kind.factor, 1.0, 100.0);
    detail::require_within(field + ".most", kind.most, kind.first, longest);
    validate_jitter(field, kind.jitter);
  }
  static void validate_kind(const std::string& field, const decorrelated_period& kind) {
    detail::require_within(field + ".first", kind.first, shortest, longest);
    detail::require_within(field + ".most", kind.most, kind.first, longest);
  }
  static void validate_kind(const std::string& field, const adaptive_period& kind) {
    detail::require_within(field + ".least", kind.least, shortest, longest);
    detail::require_within(field + ".most", kind.most, kind.least, longest);
    validate_jitter(field, kind.jitter);
  }

  // A std::variant by hand: every file that includes this header would compile the variant for longer than
  // all of this class.
  kinds kind_ = kinds::fixed;
  union {
    fixed_period fixed_;
    exponential_period exponential_;
    decorrelated_period decorrelated_;
    adaptive_period adaptive_;
  };
};
static_assert(std::is_trivially_copyable_v<open_period>);  // so that it can be replaced while in use

}  // namespace brownout::inline BROWNOUT_ABI
