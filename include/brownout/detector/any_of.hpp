// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// Trips when one of several detectors does.
///
///     brownout::any_of{brownout::consecutive_failures{10}, brownout::failure_rate<>{.threshold = 0.2}}
///
/// The detectors share the bits of the control word for their counts. This limits the thresholds of
/// `consecutive_failures` and `failure_balance`:
///
/// | detectors | first | second | third | fourth |
/// |---|---|---|---|---|
/// | `any_of{a, b}` | 2046 | 4094 | | |
/// | `any_of{a, b, c}` | 2046 | 62 | 62 | |
/// | `any_of{a, any_of{b, c, d}}` | 2046 | 62 | 6 | 6 |
///
/// In these forms more than four are refused. Windows and `failures_within` count outside the word and have
/// their own limits. Where several detectors have the same count, a snapshot and the event of an opening show
/// the highest, whichever detector trips.
///
/// Each detector counts every call once. The detectors count one after the other: each window by itself, and
/// all counts in the circuit's word together. So two calls that end at the same moment may have one order in
/// one detector and the opposite order in another. A failure that would trip a detector in either order may
/// then trip none; the next failure does. The same order for all would need a lock around every call.
template <detector First, detector Second>
struct any_of {
  First first{};    ///< the first detector
  Second second{};  ///< the other detector; an `any_of` if there are more than two

  constexpr any_of() = default;
  /// Two detectors, each of which may be an `any_of`.
  constexpr any_of(const First& one, const Second& other) : first{one}, second{other} {}
  /// Three detectors: the second and the third become an `any_of`.
  template <class Third, class Fourth>
  requires std::is_same_v<Second, any_of<Third, Fourth>>
  constexpr any_of(const First& one, const Third& other, const Fourth& third)
      : first{one}, second{other, third} {}

  /// @name What the concept detector asks for
  /// @{

  /// `detector` says what this means.
  static constexpr bool reads_clock = First::reads_clock || Second::reads_clock;
  static constexpr bool times_calls = First::times_calls || Second::times_calls;
  static constexpr bool has_window = First::has_window || Second::has_window;
  static constexpr bool counts_overdue = First::counts_overdue || Second::counts_overdue;
  static_assert(!(First::counts_overdue && Second::counts_overdue), "one detector can count overdue calls");

  /// The histories of both detectors.
  template <class Atomics>
  struct history {
    /// Empty histories for these detectors.
    explicit history(const any_of& policy) : first{policy.first}, second{policy.second} {}
    BROWNOUT_NO_UNIQUE_ADDRESS typename First::template history<Atomics> first;    ///< of the first detector
    BROWNOUT_NO_UNIQUE_ADDRESS typename Second::template history<Atomics> second;  ///< of the other detector
  };
  /// The evidence of both detectors.
  template <class FirstEvidence, class SecondEvidence>
  struct evidence {
    FirstEvidence first;    ///< of the first detector
    SecondEvidence second;  ///< of the other detector
  };

  [[nodiscard]] constexpr bool is_bad(const call_sample& call) const noexcept {
    return first.is_bad(call) || second.is_bad(call);
  }
  [[nodiscard]] constexpr std::uint32_t first_marks(std::uint32_t most_marks) const noexcept {
    const share bits{most_marks};
    return first.first_marks(bits.most_of_first()) | second.first_marks(bits.most_of_second()) << bits.first;
  }
  template <class History>
  [[nodiscard]] auto record(History& past, const call_sample& call) const noexcept {
    auto one = first.record(past.first, call);
    auto other = second.record(past.second, call);
    return evidence<decltype(one), decltype(other)>{one, other};
  }
  template <class History>
  [[nodiscard]] auto read(const History& past, const call_sample& call) const noexcept {
    auto one = first.read(past.first, call);
    auto other = second.read(past.second, call);
    return evidence<decltype(one), decltype(other)>{one, other};
  }
  template <class History>
  void refresh(auto& seen, const History& past, const call_sample& call) const noexcept {
    first.refresh(seen.first, past.first, call);
    second.refresh(seen.second, past.second, call);
  }
  [[nodiscard]] constexpr judgement judge(const auto& seen, std::uint32_t marks, const call_sample& call,
                                          std::uint32_t most_marks) const noexcept {
    const share bits{most_marks};
    const auto one = first.judge(seen.first, bits.first_of(marks), call, bits.most_of_first());
    const auto other = second.judge(seen.second, bits.second_of(marks), call, bits.most_of_second());
    return {one.marks | other.marks << bits.first, one.trips || other.trips,
            one.trips ? one.cause : other.cause};
  }
  [[nodiscard]] constexpr epoch_statistics statistics(const auto& seen, std::uint32_t marks,
                                                      std::uint32_t most_marks) const noexcept {
    const share bits{most_marks};
    const auto one = first.statistics(seen.first, bits.first_of(marks), bits.most_of_first());
    const auto other = second.statistics(seen.second, bits.second_of(marks), bits.most_of_second());
    return {(std::max)(one.consecutive_failures, other.consecutive_failures),
            (std::max)(one.failure_balance, other.failure_balance), (std::max)(one.calls, other.calls),
            (std::max)(one.failures, other.failures), (std::max)(one.slow_calls, other.slow_calls)};
  }

  /// The limit of the detector that counts overdue calls.
  [[nodiscard]] constexpr duration overdue_after() const noexcept requires(counts_overdue) {
    if constexpr (First::counts_overdue) {
      return first.overdue_after();
    } else {
      return second.overdue_after();
    }
  }

  [[nodiscard]] constexpr any_of with_defaults() const noexcept {
    return {detail::with_defaults(first), detail::with_defaults(second)};
  }
  /// Throws `std::invalid_argument` naming field, value and range.
  constexpr void validate(std::uint32_t most_marks) const {
    const share bits{most_marks};
    if (bits.first < 2) {
      detail::invalid_option("any_of", "detectors nested too deep for their marks", "up to four detectors");
    }
    first.validate(bits.most_of_first());
    second.validate(bits.most_of_second());
  }
  constexpr void validate_replacing(const any_of& in_use) const {
    first.validate_replacing(in_use.first);
    second.validate_replacing(in_use.second);
  }
  /// @}

 private:
  /// How many bits of the marks each detector has. Marks with all bits set are not used, in either part.
  struct share {
    explicit constexpr share(std::uint32_t most_marks)
        : first{width_of(most_marks) / 2}, second{width_of(most_marks) - first} {}

    // std::bit_width returns int or, in older libraries, the type of its argument: a cast would be redundant
    // there.
    [[nodiscard]] static constexpr unsigned width_of(std::uint32_t marks) noexcept {
      return 32 - static_cast<unsigned>(std::countl_zero(marks));
    }

    [[nodiscard]] constexpr std::uint32_t most_of_first() const noexcept { return all(first) - 1; }
    [[nodiscard]] constexpr std::uint32_t most_of_second() const noexcept { return all(second) - 1; }
    [[nodiscard]] constexpr std::uint32_t first_of(std::uint32_t marks) const noexcept {
      return marks & all(first);
    }
    [[nodiscard]] constexpr std::uint32_t second_of(std::uint32_t marks) const noexcept {
      return marks >> first;
    }

    unsigned first;
    unsigned second;

   private:
    static constexpr std::uint32_t all(unsigned bits) noexcept { return (std::uint32_t{1} << bits) - 1; }
  };
};

/// From two detectors.
template <class First, class Second>
any_of(First, Second) -> any_of<First, Second>;
/// From three detectors.
template <class First, class Second, class Third>
any_of(First, Second, Third) -> any_of<First, any_of<Second, Third>>;

}  // namespace brownout::inline BROWNOUT_ABI
