// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/atomics.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/detail/striped_total.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/detail/two_periods.hpp"
#include "brownout/guard/rate.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// How a sliding window behaves. Validated when the window is built.
struct sliding_window_options {
  static constexpr std::uint32_t most_calls = std::uint32_t{1} << 20;          ///< the most `calls`
  static constexpr duration shortest_period = std::chrono::milliseconds{100};  ///< the shortest `period`
  static constexpr duration longest_period = std::chrono::hours{24};           ///< the longest `period`
  static constexpr std::size_t longest_name = 128;  ///< the longest `name`, in bytes

  /// What metrics, logs and rejections call this window.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// How many calls in which period: `per_minute(60)` is 60 calls in a minute. 0 calls refuses every call.
  /// Range: a whole number of calls, 0 to 2^20, in 100 ms to 24 h. It has no default: a window without a rate
  /// does not compile.
  brownout::rate rate;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_name("sliding_window_options.name", name);
    if (!(rate.tokens() >= 0 && rate.tokens() <= most_calls && rate.tokens() <= std::floor(rate.tokens()))) {
      detail::invalid_option("sliding_window_options.rate", detail::to_text(rate.tokens()) + " calls",
                             "a whole number from 0 to " + detail::to_text(most_calls));
    }
    detail::require_within("sliding_window_options.rate", rate.period(), shortest_period, longest_period);
  }
};

/// A sliding window at one moment, for display.
struct sliding_window_snapshot {
  std::uint32_t limit = 0;                    ///< calls in a period
  duration period{};                          ///< the period
  std::uint32_t calls = 0;                    ///< calls that count now, rounded up
  duration retry_after = rejection::unknown;  ///< until a call may be made: 0 now, unknown if the limit is 0
  std::uint64_t refused = 0;                  ///< calls refused since construction
};

/// Limits how many calls are made in a period, for quotas that are counted: "60 a minute". Where only the
/// load matters, a `rate_limiter` is simpler.
///
///     brownout::sliding_window quota{{.name = "quota", .rate = brownout::per_minute(60)}};
///     const auto admitted = quota.try_acquire();
///     if (!admitted) return respond(429, admitted.rejection().retry_after);
///
/// It counts the calls of this period and of the period before. The period before counts by a share: the part
/// of it that is less than one period ago, as if its calls had come evenly. A call is admitted if at most
/// `limit` calls count with it.
///
/// **Its bound.** In each period, counted from the construction, at most `limit` calls. In any time `w`, at
/// most `limit` + `limit` * w / period: the calls of the period before may all have come at its end.
///
/// Thread-safe throughout. Admissions, refusals and snapshots are lock-free, and allocate nothing. An
/// admission is a clock reading, a division and one compare-and-swap of a word. A refusal writes only the
/// total of refusals, of which each thread has a stripe. Not copyable or movable.
template <clock_source Clock = monotonic_clock, class Atomics = std_atomics>
class alignas(64) sliding_window {
 public:
  /// What explanations and metrics call guards of this type.
  static constexpr auto kind = guard_kind::rate_limiter;
  static constexpr bool reads_clock = true;  ///< true: calls leave the window with time

  /// No call counts at first. Throws `std::invalid_argument` naming window, field, value and range. Without
  /// exceptions the assertion handler gets the text.
  explicit sliding_window(sliding_window_options options, Clock clock = Clock{})
      : period_{valid(options, options.name).rate.period()},
        clock_{std::move(clock)},
        origin_{clock_.now()},
        limit_{static_cast<std::uint32_t>(options.rate.tokens())},
        name_{std::move(options.name)} {}

  sliding_window(const sliding_window&) = delete;
  sliding_window& operator=(const sliding_window&) = delete;

  /// Asks to make `calls` calls, at least one. All are admitted, or none. A refusal says when they can be, if
  /// no others come before; at most 32 ns too late. Its `retry_after` is unknown if `calls` is more than the
  /// limit.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE result<void> try_acquire(std::uint32_t calls = 1) noexcept {
    return try_acquire_at(clock_.now(), calls);
  }
  /// As above, at a time that the caller has read from the clock of the window. If that time is of an earlier
  /// period than a call that was admitted, the window reads its clock.
  [[nodiscard]] result<void> try_acquire_at(time_point now, std::uint32_t calls = 1) noexcept {
    BROWNOUT_PRECONDITION(calls >= 1, "sliding_window::try_acquire of no call");
    auto at = period_.moment_since(origin_, now);
    // relaxed, here and below: the word publishes nothing but itself; see (1) for the one exception.
    auto seen = counts::of(word_.load(std::memory_order_relaxed));
    const auto limit = limit_.load(std::memory_order_relaxed);
    while (true) {
      if (seen.is_after(at)) [[unlikely]] {
        seen = caught_up(at);
      }
      auto next = seen.at(at);
      if (!period_.has_room(next, at, calls, limit)) [[unlikely]] {
        return refusal(period_.wait(next, at, calls, limit));
      }
      next.current += calls;
      auto word = seen.word();
      // (2) release: a thread that sees this word reads its clock after this thread has.
      if (word_.compare_exchange_weak(word, next.word(), std::memory_order_release,
                                      std::memory_order_relaxed)) [[likely]] {
        return {};
      }
      seen = counts::of(word);
    }
  }

  /// Makes the call as a stage of a pipeline: `next(context)` if it is admitted, or the rejection. If the
  /// pipeline has a clock of this type, its reading counts, and this window reads none.
  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) {
    const bool is_told = detail::tells_time_of<Next, Clock> && context.now != call_context::unknown;
    const auto admitted = try_acquire_at(is_told ? context.now : clock_.now());
    if (!admitted) [[unlikely]] {
      return admitted.rejection();
    }
    return next(context);
  }

  /// Replaces the limit while calls run. What has been counted stays. A call at the same moment may follow
  /// the old limit. Name and period cannot change: the counts would not fit. Leave the name empty, or give
  /// the same.
  ///
  /// Throws `std::invalid_argument` naming window, field, value and range. Then nothing has changed.
  void reconfigure(const sliding_window_options& options) {
    valid(options, name_);
    if (!options.name.empty() && options.name != name_) {
      detail::invalid_option("sliding_window_options.name", "'" + options.name + "'", "'" + name_ + "'");
    }
    if (options.rate.period() != period_.length()) {
      detail::invalid_option("sliding_window_options.rate", detail::to_text(options.rate.period()),
                             detail::to_text(period_.length()));
    }
    limit_.store(static_cast<std::uint32_t>(options.rate.tokens()), std::memory_order_relaxed);
  }
  /// The options in force. A copy.
  [[nodiscard]] sliding_window_options options() const {
    return {name_, {static_cast<double>(limit_.load(std::memory_order_relaxed)), period_.length()}};
  }

  /// What can be shown. Reads the clock. Changes nothing.
  [[nodiscard]] sliding_window_snapshot snapshot() const noexcept {
    const auto seen = counts::of(word_.load(std::memory_order_relaxed));
    const auto at = period_.moment_since(origin_, clock_.now());
    const auto limit = limit_.load(std::memory_order_relaxed);
    const auto shown = seen.at(at);
    return {limit, period_.length(), period_.weighted(shown, at),
            period_.has_room(shown, at, 1, limit) ? duration::zero() : period_.wait(shown, at, 1, limit),
            refused_.read()};
  }

  /// The name that was given at construction. Valid as long as the window is.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

 private:
  using counts = detail::period_counts;

  static const sliding_window_options& valid(const sliding_window_options& options, std::string_view name) {
    std::string whose{"sliding_window '"};
    whose.append(name.substr(0, sliding_window_options::longest_name)) += '\'';
    detail::validate_for(whose, [&] { options.validate(); });
    return options;
  }

  /// The counts, after they were found to be of a period after `at`. Either `at` is old, or the clock was set
  /// back. A new reading tells which: then `at` is that reading, and the counts count as of its period, so
  /// that what has been admitted stays admitted.
  BROWNOUT_NOINLINE counts caught_up(detail::period_moment& at) noexcept {
    // (1) acquire: synchronizes-with (2), so the reading comes after those of the threads that counted.
    auto word = word_.load(std::memory_order_acquire);
    while (true) {
      auto seen = counts::of(word);
      at = period_.moment_since(origin_, clock_.now());
      if (!seen.is_after(at)) return seen;
      seen.number = at.number;
      if (word_.compare_exchange_weak(word, seen.word(), std::memory_order_release,  // (2)
                                      std::memory_order_acquire)) {
        return seen;
      }
    }
  }

  BROWNOUT_NOINLINE rejection refusal(duration wait) noexcept {
    refused_.add_one();
    return {rejection_reason::rate_limited, wait, false, name_};
  }

  // Written by each admission (2), and when the clock was set back. Publishes itself.
  alignas(8) typename Atomics::template atomic<std::uint64_t> word_{0};
  const detail::counting_period period_;
  BROWNOUT_NO_UNIQUE_ADDRESS const Clock clock_;
  const time_point origin_;
  // Written by `reconfigure`, read by each call. Publishes only itself.
  typename Atomics::template atomic<std::uint32_t> limit_;
  const std::string name_;
  detail::striped_total<Atomics> refused_{};
};

}  // namespace brownout::inline BROWNOUT_ABI
