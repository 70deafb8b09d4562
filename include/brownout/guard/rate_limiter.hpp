// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/atomics.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/detail/striped_total.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/wrapped_admission.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/detail/live_limits.hpp"
#include "brownout/guard/detail/token_bucket.hpp"
#include "brownout/guard/detail/token_limits.hpp"
#include "brownout/guard/rate.hpp"
#include "brownout/guard/rate_limiter_options.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// Limits how many calls are made in a time: a bucket of tokens. A call takes a token. Tokens come back at
/// the rate, until the bucket is full. If there is no token, the call is refused at once and learns when the
/// next token comes.
///
///     brownout::rate_limiter quota{{.name = "quota", .rate = brownout::per_second(100), .burst = 20}};
///     const auto admitted = quota.try_acquire();
///     if (!admitted) return respond(429, admitted.rejection().retry_after);
///
/// In any time `w`, at most burst + rate * w calls are admitted, whatever the number of threads.
///
/// Thread-safe throughout. Admissions, refusals and snapshots are lock-free, and allocate nothing. An
/// admission is a clock reading and one compare-and-swap of a word. A refusal writes only the total of
/// refusals, of which each thread has a stripe. Admissions are not counted: that would cost as much again
/// where the time is known. Not copyable or movable. It must outlive its reservations.
template <clock_source Clock = monotonic_clock, class Atomics = std_atomics>
class alignas(64) rate_limiter {
 public:
  /// What explanations and metrics call guards of this type.
  static constexpr auto kind = guard_kind::rate_limiter;
  static constexpr bool reads_clock = true;  ///< true: tokens come with time

  /// Tokens that were taken in advance. If it is destroyed without `use`, the call is not made: the tokens go
  /// back, if no other call has taken tokens since. Otherwise they are lost, since later calls were told
  /// their times after them. Move-only. One reservation is used by one thread at a time.
  class [[nodiscard]] reservation {
   public:
    /// The other reservation becomes empty.
    reservation(reservation&& other) noexcept
        : from_{std::exchange(other.from_, nullptr)},
          taken_{other.taken_},
          cost_{other.cost_},
          wait_{other.wait_} {}
    /// As above. What this reservation held is given back.
    reservation& operator=(reservation&& other) noexcept {
      if (this != &other) {
        cancel();
        from_ = std::exchange(other.from_, nullptr);
        taken_ = other.taken_;
        cost_ = other.cost_;
        wait_ = other.wait_;
      }
      return *this;
    }
    reservation(const reservation&) = delete;
    reservation& operator=(const reservation&) = delete;
    ~reservation() { cancel(); }

    /// How long to wait before the call, counted from `reserve`. 0: make it now.
    [[nodiscard]] duration wait() const noexcept { return wait_; }
    /// The call is made: its tokens are spent.
    void use() noexcept { from_ = nullptr; }
    /// The call is not made. Returns whether the tokens went back. Lock-free.
    bool cancel() noexcept {
      return from_ != nullptr && std::exchange(from_, nullptr)->bucket_.give_back(taken_, cost_);
    }
    /// True once used, cancelled or given away.
    [[nodiscard]] bool settled() const noexcept { return from_ == nullptr; }

   private:
    friend rate_limiter;
    reservation() = default;
    reservation(rate_limiter* from, std::uint64_t taken, detail::ticks cost, duration wait) noexcept
        : from_{from}, taken_{taken}, cost_{cost}, wait_{wait} {}

    rate_limiter* from_ = nullptr;  // null: settled
    std::uint64_t taken_ = 0;       // the limiter's word with this reservation, and none after it
    detail::ticks cost_ = 0;
    duration wait_{};
  };

  /// The bucket is full at first. Throws `std::invalid_argument` naming limiter, field, value and range.
  /// Without exceptions the assertion handler gets the text.
  explicit rate_limiter(rate_limiter_options options, Clock clock = Clock{})
      : limits_{options.valid_for(options.name).limits()},
        clock_{std::move(clock)},
        origin_{clock_.now()},
        options_{std::move(options)},
        name_{options_.name} {}

  rate_limiter(const rate_limiter&) = delete;
  rate_limiter& operator=(const rate_limiter&) = delete;

  /// Takes `tokens` at once, or none. A refusal says when there will be so many.
  ///
  /// Precondition: `tokens` is within 1 and the greatest burst that the limiter has had: a call that needs
  /// more could never be made. If the burst was lowered below `tokens`, the call is refused, and its
  /// `retry_after` is unknown.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE result<void> try_acquire(std::uint32_t tokens = 1) noexcept {
    return try_acquire_at(clock_.now(), tokens);
  }
  /// As above, at a time that the caller has read from the limiter's clock: no reading of its own. A time
  /// that is a little old costs the caller a little of its quota, and admits nothing extra.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE result<void> try_acquire_at(time_point now,
                                                                   std::uint32_t tokens = 1) noexcept {
    const auto at = detail::ticks_since(origin_, now);
    if (tokens == 1) [[likely]] {
      const auto missing = bucket_.take_one(limits_, at, always_mine);
      if (missing == 0) [[likely]] {
        return {};
      }
      if (missing != bucket::unsure) return refused(detail::to_duration(missing));
    }
    const auto answer = take(at, tokens, duration::zero());
    if (answer.how != bucket::fate::taken) return refused(answer.wait);
    return {};
  }

  /// Takes `tokens` now for a call that is made later, for callers that can wait without a thread. The
  /// reservation says how long. Refused, with nothing taken, if the wait is longer than `within` or
  /// `rate_limiter_options::most_wait`; then `retry_after` is the time until a call like this succeeds.
  /// Precondition: as for `try_acquire`.
  [[nodiscard]] wrapped_admission<reservation> reserve(std::uint32_t tokens = 1,
                                                       duration within = (duration::max)()) noexcept {
    const auto at = detail::ticks_since(origin_, clock_.now());
    const auto answer = take(at, tokens, (std::max)(within, duration::zero()));
    if (answer.how != bucket::fate::taken) return {reservation{}, refused(answer.wait).rejection()};
    return {reservation{this, answer.word, answer.cost, answer.wait}, {}};
  }

  /// Makes the call as a stage of a pipeline: `next(context)` if there is a token, or the rejection. If the
  /// pipeline has a clock of this type, its reading counts, and this limiter reads none.
  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) {
    const bool is_told = detail::tells_time_of<Next, Clock> && context.now != call_context::unknown;
    const auto admitted = try_acquire_at(is_told ? context.now : clock_.now());
    if (!admitted) [[unlikely]] {
      return admitted.rejection();
    }
    return next(context);
  }

  /// Replaces rate, burst and longest wait while calls run, at one moment. The tokens that are there stay, as
  /// far as the new burst has room for them: a greater burst fills at the rate. Tokens that reservations owe
  /// stay owed, for a year at most. An option that is left out gets its default. The name cannot change:
  /// leave it empty, or give the same.
  ///
  /// Throws `std::invalid_argument` naming limiter, field, value and range. Then nothing has changed. Callers
  /// wait for each other; calls do not wait for them.
  void reconfigure(const rate_limiter_options& options);
  /// The options in force, as a copy. `burst` is filled in if it was left out. Waits for `reconfigure`.
  [[nodiscard]] rate_limiter_options options() const {
    const std::lock_guard lock{changing_};
    return options_.with_burst();
  }

  /// What can be shown. Reads the clock. Changes nothing.
  [[nodiscard]] rate_limiter_snapshot snapshot() const noexcept;

  /// The name that was given at construction. Valid as long as the limiter is.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

 private:
  using bucket = detail::token_bucket<Atomics>;
  static constexpr auto always_mine = [] { return true; };

  [[nodiscard]] typename bucket::taking take(detail::ticks at, std::uint32_t tokens,
                                             duration within) noexcept {
    return bucket_.take(
        limits_, at, [this] { return ticks_now(); }, tokens, within, always_mine);
  }

  [[nodiscard]] detail::ticks ticks_now() const noexcept {
    return detail::ticks_since(origin_, clock_.now());
  }

  BROWNOUT_NOINLINE result<void> refused(duration wait) noexcept {
    refused_.add_one();
    return rejection{rejection_reason::rate_limited, wait, false, name_};
  }

  bucket bucket_{};
  detail::live_limits<Atomics> limits_;
  BROWNOUT_NO_UNIQUE_ADDRESS const Clock clock_;
  const time_point origin_;
  mutable std::mutex changing_{};
  rate_limiter_options options_;  // guarded by changing_
  detail::token_count
      tokens_while_closed_{};  // guarded by changing_: what there will be when the rate is no longer 0
  const std::string name_;
  detail::striped_total<Atomics> refused_{};
};

template <clock_source Clock, class Atomics>
void rate_limiter<Clock, Atomics>::reconfigure(const rate_limiter_options& options) {
  options.valid_for(name_);
  if (!options.name.empty() && options.name != name_) {
    detail::invalid_option("rate_limiter_options.name", "'" + options.name + "'", "'" + name_ + "'");
  }
  const std::lock_guard lock{changing_};
  auto next = options.limits();
  const auto furthest = next.furthest;
  auto seen = bucket_.word();
  const auto slot = bucket::slot_of(seen);
  const auto before = limits_.read(slot);
  limits_.allow(next.burst);
  auto tokens = tokens_while_closed_;
  while (true) {
    const auto now = ticks_now();
    if (!before.is_closed()) tokens = before.tokens_at(now, bucket::arrival_of(seen));
    const auto debt = next.is_closed() ? 0 : next.debt_with(tokens);
    if (!next.is_closed()) next.furthest = (std::max)(furthest, debt);
    limits_.write(1 - slot, next);
    if (bucket_.replace(seen, now + debt, 1 - slot)) break;
  }
  if (next.is_closed()) tokens_while_closed_ = tokens;
  options_ = options;
  options_.name = name_;
}

template <clock_source Clock, class Atomics>
rate_limiter_snapshot rate_limiter<Clock, Atomics>::snapshot() const noexcept {
  const auto seen = bucket_.word();
  auto shown =
      detail::shown_bucket(limits_.read(bucket::slot_of(seen)), bucket::arrival_of(seen), ticks_now());
  shown.refused = refused_.read();
  return shown;
}

}  // namespace brownout::inline BROWNOUT_ABI
