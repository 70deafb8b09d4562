// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/option_without_default.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// What becomes of a value that a function returned after its deadline.
enum class late_value : std::uint8_t {
  keep,     ///< the caller gets it
  discard,  ///< it is destroyed, and the caller gets the rejection `timed_out`
};

/// A stage of a pipeline that gives a call a deadline.
///
///     brownout::pipeline guarded{brownout::timeout{.limit = 2s}, database};
///     guarded.try_call([&](const brownout::call_context& call) {
///       return query("SELECT ...", call.deadline);
///     });
///
/// A function that blocks cannot be stopped from outside, so it is told: `call_context::deadline` is the
/// nearest deadline of all time-outs around it. The function passes it to its driver, its socket or its own
/// loop. With a time-out the function must take the context. Otherwise the program does not compile: a
/// time-out that the function does not know about would do nothing. `ignoring_deadline` says that this is
/// meant.
///
/// - If the deadline has passed before the call, the call is not made: `deadline_passed`.
/// - If the function returns a value after the deadline, the call has failed for what stands outside: a
///   breaker counts a failure. The caller still gets the value, unless `late` says otherwise.
/// - An exception of the function passes unchanged.
///
/// A policy: copyable, and used by any number of threads. It costs one reading of the clock for the whole
/// pipeline, and a coarse one after the call. No thread, no timer, no allocation.
struct timeout {
  /// What explanations and metrics call guards of this type.
  static constexpr auto kind = guard_kind::timeout;
  static constexpr bool reads_clock = true;                                   ///< true: it sets a deadline
  static constexpr duration shortest_limit = std::chrono::microseconds{100};  ///< the shortest `limit`
  static constexpr duration longest_limit = std::chrono::hours{24};           ///< the longest `limit`

  /// The name in rejections, valid there as long as the pipeline is. An asynchronous call copies its
  /// pipeline, so its rejections leave this name out.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// How long the call may take. Outside of a `retry` it limits all attempts together, inside each attempt.
  /// Range: 100 us to 24 h. It has no default: the right limit is the time that you accept for the slowest
  /// call that is still worth its answer, for example the 99.9th percentile.
  option_without_default<duration> limit;

  /// What becomes of a value that comes late.
  /// Default: keep. The work is done, and the caller may still have a use for the answer.
  late_value late = late_value::keep;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_within("timeout.limit", limit, shortest_limit, longest_limit);
    detail::require_name("timeout.name", name);
  }

  /// As `guard_stage` says.
  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) const {
    auto inner = context;
    if (inner.now >= inner.deadline) [[unlikely]] {
      if (inner.now == call_context::unknown) {  // a stage of the user makes an attempt of its own
        inner.now = next.clock().now();
        next.set_late(false);
      }
      if (inner.now >= inner.deadline) {
        return rejection{rejection_reason::deadline_passed, rejection::unknown, false, name};
      }
    }
    // No overflow: a deadline that exists is later than now, and the longest limit is a day.
    inner.deadline = (std::min)(inner.deadline, inner.now + duration{limit});
    auto answer = next(inner);
    // A refusal stays what it is.
    if (detail::has_passed(next.clock(), inner.deadline) && answer.has_value()) [[unlikely]] {
      next.set_late(true);
      if (context.report != nullptr) context.report->late = true;
      if (late == late_value::discard) {
        return rejection{rejection_reason::timed_out, rejection::unknown, true, name};
      }
    }
    return answer;
  }
};

namespace detail {
template <class F>
struct deadline_ignored {
  F function;

  decltype(auto) operator()(const call_context&) { return std::invoke(function); }
  decltype(auto) operator()(const call_context&) const requires std::invocable<const F&> {
    return std::invoke(function);
  }
};
}  // namespace detail

/// A function for a pipeline with a `timeout` that does not want to know the deadline. Its calls take as long
/// as they take. The time-out then only judges: a call that ends late has failed.
template <class F>
[[nodiscard]] constexpr auto ignoring_deadline(F&& function) {
  static_assert(std::invocable<std::decay_t<F>&>,
                "brownout: ignoring_deadline takes a function without arguments: one that takes the context "
                "of the call knows the deadline");
  return detail::deadline_ignored<std::decay_t<F>>{std::forward<F>(function)};
}

}  // namespace brownout::inline BROWNOUT_ABI
