// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/detector/count_window.hpp"
#include "brownout/detector/detail/any_history.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/failure_balance.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/failures_within.hpp"
#include "brownout/detector/slow_call_rate.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/detector/time_window.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// A detector that is chosen at run time, for example by a configuration file. It holds one of the detectors
/// that its constructors take, and decides as this one does.
///
///     brownout::any_detector chosen_by(const config& read) {
///       if (read.policy == "rate") return brownout::failure_rate<>{.threshold = read.threshold};
///       return brownout::consecutive_failures{.threshold = read.failures};
///     }
///     brownout::circuit_breaker<brownout::any_detector> database{chosen_by(read), {.name = "database"}};
///
/// **Cost.** On a closed circuit that has nothing to count, a call costs two loads, as with the detector in
/// it: without counted failures, or with a full count window of good calls. Elsewhere the detector is asked,
/// and that takes some 10 ns longer, because its type is looked up. A breaker has the size of one with a
/// window, and a permit has room for a time. Only the window that is in use is allocated.
///
/// **Live changes.** `reconfigure` may change the thresholds. The kind of the detector and the window must
/// stay, because the breaker keeps what it has counted. Another kind is refused.
///
/// **Not among them:** `slow_call_rate` with `slow_calls::in_flight`, because every admission would have to
/// ask whether calls are watched; `any_of`; detectors that are not part of the library. An `any_detector` may
/// itself be part of an `any_of`. There every call is timed.
class any_detector {
 public:
  /// Holds a `standard_detector`.
  constexpr any_detector() noexcept : any_detector{standard_detector{}} {}
  // Implicit, so that a detector can be passed where an any_detector is wanted.
  /// @name From one detector
  /// @{

  /// Takes over a detector with its options.
  constexpr any_detector(const standard_detector& one) noexcept : kind_{kinds::standard}, standard_{one} {}
  constexpr any_detector(const consecutive_failures& one) noexcept
      : kind_{kinds::consecutive}, consecutive_{one} {}
  constexpr any_detector(const failure_balance& one) noexcept : kind_{kinds::balance}, balance_{one} {}
  constexpr any_detector(const failures_within& one) noexcept : kind_{kinds::within}, within_{one} {}
  constexpr any_detector(const failure_rate<count_window>& one) noexcept
      : kind_{kinds::latest_failed}, latest_failed_{one} {}
  constexpr any_detector(const failure_rate<time_window>& one) noexcept
      : kind_{kinds::timed_failed}, timed_failed_{one} {}
  constexpr any_detector(const slow_call_rate<count_window>& one) noexcept
      : kind_{kinds::latest_slow}, latest_slow_{one} {}
  constexpr any_detector(const slow_call_rate<time_window>& one) noexcept
      : kind_{kinds::timed_slow}, timed_slow_{one} {}
  /// @}

  /// The kind of the detector in it, for messages and logs: "standard detector", "consecutive failures",
  /// "failure balance", "failures within a period", "failure rate", "failure rate over time", "slow call
  /// rate" or "slow call rate over time".
  [[nodiscard]] constexpr std::string_view name() const noexcept;

  /// The detector in it, or null if that is of another type: `chosen.get_if<consecutive_failures>()`. Valid
  /// as long as this object is, and until it is assigned to.
  template <class Detector>
  [[nodiscard]] constexpr const Detector* get_if() const noexcept {
    return visit([]<class Held>(const Held& one) -> const Detector* {
      if constexpr (std::is_same_v<Held, Detector>) {
        return &one;
      } else {
        return nullptr;
      }
    });
  }

  /// Calls `visitor` with the detector in it and returns what it returns. The visitor must return the same
  /// type for each detector.
  template <class Visitor>
  constexpr auto visit(Visitor&& visitor) const {
    switch (kind_) {
      case kinds::standard:
        break;
      case kinds::consecutive:
        return visitor(consecutive_);
      case kinds::balance:
        return visitor(balance_);
      case kinds::within:
        return visitor(within_);
      case kinds::latest_failed:
        return visitor(latest_failed_);
      case kinds::timed_failed:
        return visitor(timed_failed_);
      case kinds::latest_slow:
        return visitor(latest_slow_);
      case kinds::timed_slow:
        return visitor(timed_slow_);
    }
    return visitor(standard_);
  }

  // What the concept `detector` asks for. Its comment says what each of these means. The constants are the
  // most that a detector in it may need; the history knows what this one needs. The functions are templates,
  // so that a file that uses no any_detector does not compile them for eight detectors.
  /// @name What the concept detector asks for
  /// @{

  /// `detector` says what this means.
  static constexpr bool reads_clock = true;
  static constexpr bool times_calls = true;
  static constexpr bool has_window = true;
  static constexpr bool counts_overdue = false;
  template <class Atomics>
  using history = detail::any_history<Atomics>;
  using evidence = detail::any_evidence;

  template <class = void>
  [[nodiscard]] constexpr bool is_bad(const call_sample& call) const noexcept {
    return visit([&](const auto& one) { return one.is_bad(call); });
  }
  template <class = void>
  [[nodiscard]] constexpr std::uint32_t first_marks(std::uint32_t most_marks) const noexcept {
    return visit([&]<class D>(const D& one) { return one.first_marks(most_marks - added<D>) + added<D>; });
  }
  template <class Atomics>
  [[nodiscard]] evidence record(detail::any_history<Atomics>& past, const call_sample& call) const noexcept {
    return visit(
        [&]<class D>(const D& one) { return evidence{one.record(past.template of<D>(past), call)}; });
  }
  template <class Atomics>
  [[nodiscard]] evidence read(const detail::any_history<Atomics>& past,
                              const call_sample& call) const noexcept {
    return visit([&]<class D>(const D& one) { return evidence{one.read(past.template of<D>(past), call)}; });
  }
  template <class Atomics>
  void refresh(evidence& seen, const detail::any_history<Atomics>& past,
               const call_sample& call) const noexcept {
    visit([&]<class D>(const D& one) {
      const auto& its_past = past.template of<D>(past);
      decltype(one.read(its_past, call)) its_evidence = seen;
      one.refresh(its_evidence, its_past, call);
      seen = its_evidence;
    });
  }
  template <class = void>
  [[nodiscard]] constexpr judgement judge(const evidence& seen, std::uint32_t marks, const call_sample& call,
                                          std::uint32_t most_marks) const noexcept {
    return visit([&]<class D>(const D& one) {
      auto judged = one.judge(seen, marks - added<D>, call, most_marks - added<D>);
      judged.marks += added<D>;
      return judged;
    });
  }
  template <class = void>
  [[nodiscard]] constexpr epoch_statistics statistics(const evidence& seen, std::uint32_t marks,
                                                      std::uint32_t most_marks) const noexcept {
    return visit(
        [&]<class D>(const D& one) { return one.statistics(seen, marks - added<D>, most_marks - added<D>); });
  }

  template <class = void>
  [[nodiscard]] constexpr any_detector with_defaults() const noexcept {
    return visit([](const auto& one) { return any_detector{detail::with_defaults(one)}; });
  }
  /// Throws `std::invalid_argument` naming field, value and range.
  template <class = void>
  void validate(std::uint32_t most_marks) const {
    visit([&]<class D>(const D& one) { one.validate(most_marks - added<D>); });
  }
  /// The kind of the detector and its window stay. Throws as above.
  template <class = void>
  void validate_replacing(const any_detector& in_use) const {
    if (kind_ != in_use.kind_) {
      detail::invalid_option(
          "any_detector", name(),
          std::string{in_use.name()} + ": a breaker in use keeps the kind of its detector");
    }
    visit([&]<class D>(const D& one) {
      if (const auto* const before = in_use.get_if<D>()) one.validate_replacing(*before);
    });
  }
  /// @}

 private:
  enum class kinds : std::uint8_t {
    standard,
    consecutive,
    balance,
    within,
    latest_failed,
    timed_failed,
    latest_slow,
    timed_slow
  };

  /// The marks of a detector that times calls are one higher here than they are there. So they are never 0,
  /// and a breaker that sees 0 need not time the call.
  template <class Detector>
  static constexpr std::uint32_t added = Detector::times_calls ? 1 : 0;

  kinds kind_;
  // A std::variant by hand, as in open_period.
  union {
    standard_detector standard_;
    consecutive_failures consecutive_;
    failure_balance balance_;
    failures_within within_;
    failure_rate<count_window> latest_failed_;
    failure_rate<time_window> timed_failed_;
    slow_call_rate<count_window> latest_slow_;
    slow_call_rate<time_window> timed_slow_;
  };
};

constexpr std::string_view any_detector::name() const noexcept {
  switch (kind_) {
    case kinds::standard:
      return "standard detector";
    case kinds::consecutive:
      return "consecutive failures";
    case kinds::balance:
      return "failure balance";
    case kinds::within:
      return "failures within a period";
    case kinds::latest_failed:
      return "failure rate";
    case kinds::timed_failed:
      return "failure rate over time";
    case kinds::latest_slow:
      return "slow call rate";
    case kinds::timed_slow:
      return "slow call rate over time";
  }
  return "invalid";
}

}  // namespace brownout::inline BROWNOUT_ABI
