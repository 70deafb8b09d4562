// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/option_without_default.hpp"
#include "brownout/guard/detail/attempt_times.hpp"
#include "brownout/guard/detail/validate_named.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// How calls are hedged. Validated when the `hedge` is built.
struct hedge_options {
  static constexpr std::uint32_t most_extra = 3;    ///< the most `extra`
  static constexpr std::size_t longest_name = 128;  ///< the longest `name`, in bytes

  /// What metrics and logs call this hedge.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// A further attempt starts when this share of the attempts would have had an answer.
  /// Range: 0.5 to 0.999. Default: 0.95, as in "The Tail at Scale" (Dean and Barroso, 2013): at most one call
  /// in twenty is made twice.
  double percentile = 0.95;

  /// A fixed time for the same. It fits one kind of call at one time, so the percentile is better.
  /// Range: 1 ms to 1 h. Default: none.
  std::optional<duration> after{};

  /// Attempts beside the first one, at most. Range: 1 to 3. Default: 1.
  std::uint32_t extra = 1;

  /// Limits the extra attempts of all calls together, also when every call has become slow. It must outlive
  /// the hedge. A `ratio` of 0.05 fits the default percentile. It has no default: without a budget, a slow
  /// dependency gets twice its load.
  option_without_default<retry_budget*> budget;

  /// Whether a call may be made twice. It has no default, and must be true: a wrong hedge orders twice.
  option_without_default<bool> idempotent;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_name("hedge_options.name", name);
    detail::require_within("hedge_options.percentile", percentile, 0.5, 0.999);
    if (after) {
      detail::require_within<duration>("hedge_options.after", *after, std::chrono::milliseconds{1},
                                       std::chrono::hours{1});
    }
    detail::require_within<std::uint32_t>("hedge_options.extra", extra, 1, most_extra);
    if (budget == nullptr) {
      detail::invalid_option("hedge_options.budget", "null", "the address of a retry_budget");
    }
    if (!idempotent) detail::invalid_option("hedge_options.idempotent", "false", "true");
  }
};

/// A hedge at one moment, for display.
struct hedge_snapshot {
  std::optional<duration> delay{};  ///< until a further attempt starts; empty: too few attempts were seen
  std::uint64_t calls = 0;          ///< hedged calls that were started
  std::uint64_t extra = 0;          ///< further attempts that were started
  std::uint64_t won = 0;            ///< calls whose answer came from a further attempt
  std::uint64_t suppressed = 0;     ///< further attempts that an empty budget refused
};

/// Calls again if the answer takes longer than usual, and takes the first answer: for the tail of latencies.
/// It is used by `async_hedge`, and made once for each kind of call.
///
///     brownout::retry_budget hedges{{.ratio = 0.05}};
///     brownout::hedge searches{{.budget = &hedges, .idempotent = true}};
///
/// It learns how long attempts take. An attempt that was cancelled because another one won enters as "longer
/// than this": without them the estimate would fall, and with each call there would be more hedges. Until 100
/// attempts have ended no call is hedged.
///
/// Thread-safe, by a lock that is held for a few instructions, and for about a thousand at every 16th answer.
/// Not copyable or movable.
class hedge {
 public:
  /// Throws `std::invalid_argument` naming hedge, field, value and range.
  explicit hedge(hedge_options options) : options_{detail::valid("hedge", std::move(options))} {}
  hedge(const hedge&) = delete;
  hedge& operator=(const hedge&) = delete;

  /// The options that it was built with.
  [[nodiscard]] const hedge_options& options() const noexcept { return options_; }
  /// Valid as long as the hedge is.
  [[nodiscard]] std::string_view name() const noexcept { return options_.name; }

  /// How long to wait for an answer before a further attempt. Empty: there is none yet.
  [[nodiscard]] std::optional<duration> delay() const {
    if (options_.after) return options_.after;
    const std::lock_guard lock{mutex_};
    return times_.value();
  }

  // For code that makes hedged calls.

  /// A call was started. Returns `delay()`.
  [[nodiscard]] std::optional<duration> begin() {
    {
      const std::lock_guard lock{mutex_};
      ++shown_.calls;
    }
    return delay();
  }
  /// Asks for a further attempt. An empty budget suppresses it.
  [[nodiscard]] bool try_extra() {
    const bool is_paid = options_.budget->try_withdraw();
    const std::lock_guard lock{mutex_};
    ++(is_paid ? shown_.extra : shown_.suppressed);
    return is_paid;
  }
  /// An attempt has succeeded and won.
  void note_winner(duration took, bool was_extra) {
    options_.budget->deposit();
    const std::lock_guard lock{mutex_};
    if (was_extra) ++shown_.won;
    times_.add(took);
  }
  /// An attempt has ended that lost: it would have taken longer than this.
  void note_loser(duration ran) {
    const std::lock_guard lock{mutex_};
    times_.add_longer_than(ran);
  }

  /// How often attempts were made, and which won. Thread-safe.
  [[nodiscard]] hedge_snapshot snapshot() const {
    auto shown = [this] {
      const std::lock_guard lock{mutex_};
      return shown_;
    }();
    shown.delay = delay();
    return shown;
  }

 private:
  const hedge_options options_;
  mutable std::mutex mutex_{};
  mutable detail::attempt_times times_{options_.percentile};
  hedge_snapshot shown_{};
};

}  // namespace brownout::inline BROWNOUT_ABI
