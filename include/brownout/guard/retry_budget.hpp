// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/any_clock.hpp"
#include "brownout/core/atomics.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/detail/live_value.hpp"
#include "brownout/core/detail/thread_number.hpp"
#include "brownout/guard/detail/budget_word.hpp"
#include "brownout/guard/detail/validate_named.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// How many retries a `retry_budget` allows. Validated when the budget is built.
struct retry_budget_options {
  static constexpr std::size_t longest_name = 128;                      ///< the longest `name`, in bytes
  static constexpr double lowest_ratio = 0.001;                         ///< the lowest `ratio`
  static constexpr duration shortest_memory = std::chrono::seconds{1};  ///< the shortest `memory`
  static constexpr duration longest_memory = std::chrono::hours{1};     ///< the longest `memory`
  static constexpr std::uint32_t most_least = 1'000'000;                ///< the most `least`

  /// What metrics and errors call this budget.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// Retries that one success pays for.
  /// Range: 0.001 to 1. Default: 0.2, as in Finagle, tower, Envoy and failsafe-go. With 0.1, 1 to 2 % of the
  /// calls are lost at 10 % errors. Counted in 1/1024, rounded down.
  double ratio = 0.2;

  /// How long a success is remembered. A tenth of the tokens is forgotten in each tenth of this time, so that
  /// the budget follows the traffic.
  /// Range: 1 s to 1 h; counted in whole seconds, rounded down. Default: 10 s, as in Finagle and tower.
  duration memory = std::chrono::seconds{10};

  /// Tokens at first. At this many, forgetting stops, so that a dependency with little traffic has some
  /// retries too. Tokens that were spent come back by successes only.
  /// Range: 0 to 1,000,000. Default: 3, as in Envoy and failsafe-go.
  std::uint32_t least = 3;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_name("retry_budget_options.name", name);
    detail::require_within("retry_budget_options.ratio", ratio, lowest_ratio, 1.0);
    detail::require_within("retry_budget_options.memory", memory, shortest_memory, longest_memory);
    detail::require_within<std::uint32_t>("retry_budget_options.least", least, 0, most_least);
  }
};

/// What a retry budget shows. The totals are exact when no thread uses the budget.
struct retry_budget_snapshot {
  double tokens = 0;             ///< retries that it would allow now
  double ratio = 0;              ///< retries that one success pays for
  std::uint32_t least = 0;       ///< tokens at which forgetting stops
  std::uint64_t deposited = 0;   ///< successes
  std::uint64_t withdrawn = 0;   ///< retries that were allowed
  std::uint64_t given_back = 0;  ///< retries among them that were never started
  std::uint64_t refused = 0;     ///< retries that were not allowed
};

/// Limits the retries of all callers of one dependency to a share of their successes, so that retries cannot
/// prolong an outage. Hedges may share it.
///
///     brownout::retry_budget database_retries;   // one for each dependency
///     const brownout::retry again{.tries = 3, .budget = &database_retries, .idempotent = true};
///
/// - A success deposits `ratio` tokens. A failure deposits nothing: in a full outage retries soon stop.
/// - A retry takes one token. A first attempt takes none and is never refused.
/// - A tenth of the tokens is forgotten in each tenth of `memory`, down to `least`.
///
/// **Precision.** The retries of any interval are at most the tokens at its beginning, plus `ratio` x (the
/// successes of the interval + 64 for each of 8 stripes): from 20 tokens on, each thread deposits every 64th
/// success of its stripe only, for all 64. This holds for any number of threads.
///
/// **Cost.** A success: one load and one addition on a cache line of the thread, if there are 20 tokens or
/// more. Otherwise, and for a retry: a compare-and-swap, an addition and a coarse clock reading.
///
/// The clock is chosen at run time, so that every `retry` can hold a pointer to every budget. It is not read
/// for 63 of 64 successes.
///
/// Thread-safe; all operations except `reconfigure` and `options` are lock-free. It must outlive all that
/// hold a pointer to it. Not copyable, not movable.
//
// The padding gives the word a cache line of its own.
template <class Atomics = std_atomics>
class alignas(64) basic_retry_budget {  // NOLINT(clang-analyzer-optin.performance.Padding)
 public:
  /// Throws `std::invalid_argument` naming the budget, field, value and range. `clock`: any `clock_source`.
  explicit basic_retry_budget(retry_budget_options options = {}, const any_clock& clock = {})
      : options_{detail::valid("retry_budget", std::move(options))},
        clock_{clock},
        rules_{rules_of(options_)},
        word_{detail::budget_word::of(0, options_.least * detail::budget_word::token).bits} {}

  basic_retry_budget(const basic_retry_budget&) = delete;
  basic_retry_budget& operator=(const basic_retry_budget&) = delete;
  ~basic_retry_budget() = default;

  /// Tells it of a success, of a first attempt or of a retry.
  BROWNOUT_ALWAYS_INLINE void deposit() noexcept {
    if (const auto successes = due(); successes != 0) [[unlikely]] {
      add(successes, detail::coarse_now(clock_));
    }
  }
  /// The same, for a caller that knows the time of the budget's clock. A time that is some seconds old only
  /// forgets later.
  BROWNOUT_ALWAYS_INLINE void deposit_at(time_point now) noexcept {
    if (const auto successes = due(); successes != 0) [[unlikely]] {
      add(successes, now);
    }
  }

  /// Takes a token for one retry. False: there is none, so the retry must not be made. Ask when the retry is
  /// decided and not after its wait.
  [[nodiscard]] bool try_withdraw() noexcept { return try_withdraw_at(detail::coarse_now(clock_)); }
  /// The same, for a caller that knows the time of the budget's clock.
  [[nodiscard]] bool try_withdraw_at(time_point now) noexcept;

  /// Gives back the token of a retry that was never started. Precondition: a token was taken for it.
  void give_back() noexcept;

  /// Replaces the options, but not the name: leave it empty or give the same. Tokens and totals are kept.
  /// Throws as the constructor, and changes nothing then. May wait for another `reconfigure`.
  void reconfigure(const retry_budget_options& options) {
    detail::validate_named("retry_budget", options_.name, options);
    const std::lock_guard lock{changing_};
    options_.ratio = options.ratio;
    options_.memory = options.memory;
    options_.least = options.least;
    rules_.write(rules_of(options_));
  }
  /// The options in force. A copy.
  [[nodiscard]] retry_budget_options options() const {
    const std::lock_guard lock{changing_};
    return options_;
  }

  /// What is left of the budget, and totals, for display.
  [[nodiscard]] retry_budget_snapshot snapshot() const noexcept;

  /// Valid as long as the budget is.
  [[nodiscard]] std::string_view name() const noexcept { return options_.name; }

 private:
  using word = detail::budget_word;

  static constexpr std::uint32_t stripe_count = 8;

  /// What the threads of a stripe have done. Written by these threads; publishes nothing.
  struct alignas(64) stripe {
    typename Atomics::template atomic<std::uint64_t> sampled{0};  // successes; every 64th is deposited
    typename Atomics::template atomic<std::uint64_t> single{0};   // successes that were deposited at once
    typename Atomics::template atomic<std::uint64_t> withdrawals{0};
    typename Atomics::template atomic<std::uint64_t> returns{0};
    typename Atomics::template atomic<std::uint64_t> refusals{0};
  };

  static detail::budget_rules rules_of(const retry_budget_options& options) noexcept;

  [[nodiscard]] stripe& own() noexcept {
    return stripes_[detail::thread_number_for<Atomics>() % stripe_count];
  }
  [[nodiscard]] std::uint32_t ticks_at(time_point now) const noexcept {
    if (now <= origin_) return 0;  // a clock that was set back
    return static_cast<std::uint32_t>((std::min<std::int64_t>)((now - origin_) / word::tick, word::longest));
  }

  /// Counts a success. Returns for how many successes this thread has to deposit now.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE std::uint32_t due() noexcept {
    // relaxed, here and below: the word publishes nothing, and the counters order nothing.
    if (word{word_.load(std::memory_order_relaxed)}.tokens() >= word::plenty) [[likely]] {
      const auto before = own().sampled.fetch_add(1, std::memory_order_relaxed);
      return before % word::sample == word::sample - 1 ? word::sample : 0;
    }
    return 1;
  }
  BROWNOUT_NOINLINE void add(std::uint32_t successes, time_point now) noexcept;

  /// Replaces the word by `next(word)`.
  template <class Next>
  void change(Next next) noexcept {
    word seen{word_.load(std::memory_order_relaxed)};
    auto wanted = next(seen);
    while (!word_.compare_exchange_weak(seen.bits, wanted.bits, std::memory_order_relaxed,
                                        std::memory_order_relaxed)) {
      wanted = next(seen);
    }
  }

  mutable std::mutex changing_{};
  retry_budget_options options_;  // its name never changes; the rest is guarded by the mutex
  any_clock clock_;
  time_point origin_{detail::coarse_now(clock_)};
  detail::live_value<detail::budget_rules, Atomics> rules_;
  // Written by deposits and withdrawals; publishes nothing.
  alignas(64) typename Atomics::template atomic<std::uint64_t> word_;
  std::array<stripe, stripe_count> stripes_{};
};

/// The budget that programs use.
using retry_budget = basic_retry_budget<>;

template <class Atomics>
detail::budget_rules basic_retry_budget<Atomics>::rules_of(const retry_budget_options& options) noexcept {
  const auto worth = [&](std::uint32_t successes) {
    return static_cast<std::uint32_t>(options.ratio * successes * word::token);
  };
  const auto seconds = std::chrono::floor<std::chrono::seconds>(options.memory).count();
  return {worth(1), worth(word::sample), options.least * word::token, static_cast<std::uint32_t>(seconds)};
}

template <class Atomics>
void basic_retry_budget<Atomics>::add(std::uint32_t successes, time_point now) noexcept {
  const auto rules = rules_.read();
  const auto ticks = ticks_at(now);
  if (successes == 1) own().single.fetch_add(1, std::memory_order_relaxed);
  const auto worth = successes == 1 ? rules->one_success : rules->sampled_success;
  change([&](word seen) { return seen.at(ticks, *rules).plus(worth); });
}

template <class Atomics>
bool basic_retry_budget<Atomics>::try_withdraw_at(time_point now) noexcept {
  const auto rules = rules_.read();
  const auto ticks = ticks_at(now);
  auto seen = word_.load(std::memory_order_relaxed);
  for (;;) {
    const auto current = word{seen}.at(ticks, *rules);
    if (current.tokens() < word::token) {
      own().refusals.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    const auto next = word::of(current.ticks(), current.tokens() - word::token);
    if (word_.compare_exchange_weak(seen, next.bits, std::memory_order_relaxed, std::memory_order_relaxed)) {
      own().withdrawals.fetch_add(1, std::memory_order_relaxed);
      return true;
    }
  }
}

template <class Atomics>
void basic_retry_budget<Atomics>::give_back() noexcept {
  own().returns.fetch_add(1, std::memory_order_relaxed);
  change([](word seen) { return seen.plus(word::token); });
}

template <class Atomics>
retry_budget_snapshot basic_retry_budget<Atomics>::snapshot() const noexcept {
  const auto rules = rules_.read();
  const auto now = ticks_at(detail::coarse_now(clock_));
  const auto current = word{word_.load(std::memory_order_relaxed)}.at(now, *rules);
  retry_budget_snapshot shown;
  shown.tokens = current.tokens() / double{word::token};
  shown.ratio = rules->one_success / double{word::token};
  shown.least = rules->least / word::token;
  for (const auto& one : stripes_) {
    shown.deposited += one.sampled.load(std::memory_order_relaxed);
    shown.deposited += one.single.load(std::memory_order_relaxed);
    shown.withdrawn += one.withdrawals.load(std::memory_order_relaxed);
    shown.given_back += one.returns.load(std::memory_order_relaxed);
    shown.refused += one.refusals.load(std::memory_order_relaxed);
  }
  return shown;
}

}  // namespace brownout::inline BROWNOUT_ABI
