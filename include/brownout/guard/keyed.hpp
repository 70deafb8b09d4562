// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/atomics.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/detail/key_hash.hpp"
#include "brownout/core/detail/secret_digest.hpp"
#include "brownout/core/detail/striped_total.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/detail/key_buckets.hpp"
#include "brownout/guard/detail/live_limits.hpp"
#include "brownout/guard/detail/token_limits.hpp"
#include "brownout/guard/keyed_rate_limiter_options.hpp"
#include "brownout/guard/rate_limiter.hpp"
#include "brownout/guard/rate_limiter_options.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// Guards of one kind by key. There is one kind: `keyed<rate_limiter<>>`.
template <class Guard>
class keyed {
  static_assert(sizeof(Guard*) == 0,
                "brownout: rate limiters are the only guards that are kept by key: keyed<rate_limiter<>>. "
                "Breakers by key are in a registry");
};

/// Rate limiters by key: one for each tenant, API key or address that calls a service. All have the same rate
/// and burst. Their number is bounded, and so is the memory.
///
///     brownout::keyed<brownout::rate_limiter<>> quotas{
///         {.name = "quotas", .rate = brownout::per_second(10), .burst = 10}};
///     const auto admitted = quotas.at(tenant).try_acquire();
///     if (!admitted) return respond(429, admitted.rejection().retry_after);
///
///     auto rows = brownout::pipeline{quotas.at(tenant), database}.try_call(query);
///
/// In any time `w`, at most burst + rate * w calls of a key are admitted, whatever the number of threads and
/// of other keys.
///
/// **Eviction.** A key without a bucket counts as one with a full bucket. So a bucket needs memory only while
/// it is not full. A new key gets a place that was never used, or that of a full bucket, which is *evicted*:
/// its key loses nothing. A bucket that is not full is never evicted.
///
/// **No room.** A key has up to 32 places to choose from, which it shares with other keys. If the buckets in
/// all of them are in use, a new key gets no bucket. Its calls take tokens from one bucket of this rate and
/// burst, which it shares with other keys that got none from these places. So such a key may get fewer calls
/// than its due, never more, and the memory stays bounded. It gets a bucket of its own as soon as one of
/// these places is free, and begins with the tokens of the shared bucket. The snapshot counts these calls
/// (`bucketless`): if there are any, the `capacity` is too small. Strangers who make up keys can thus take
/// tokens from other new keys, and never from a key that has a bucket.
///
/// **Keys** are any bytes. A key may be empty. Keys are not stored: a bucket knows its key by 63 bits of a
/// secret hash. Two keys that are chosen without knowledge of it share a bucket with a probability of 2^-63.
/// The hash of a key of more than 128 bytes is SipHash-2-4.
///
/// **Threads.** Thread-safe throughout. A call of a key that has a bucket is lock-free: a search, a clock
/// reading and one compare-and-swap. A call of another key takes one of 32 locks, which other threads hold
/// for a bounded number of steps and clock readings. Nothing is allocated after construction. Not copyable or
/// movable.
template <clock_source Clock, class Atomics>
class keyed<rate_limiter<Clock, Atomics>> {
 public:
  /// The rate limiter of one key: what to call, and a stage of a pipeline. A copyable value of two words,
  /// valid as long as the `keyed<rate_limiter<>>` is. It holds no bucket, so it may be kept. Thread-safe.
  class [[nodiscard]] handle {
   public:
    /// What explanations and metrics call guards of this type.
    static constexpr auto kind = guard_kind::rate_limiter;
    static constexpr bool reads_clock = true;  ///< true: tokens come with time

    /// As `rate_limiter::try_acquire`, with the same precondition. If the key got no bucket, the time in a
    /// refusal is that of the shared one.
    [[nodiscard]] BROWNOUT_ALWAYS_INLINE result<void> try_acquire(std::uint32_t tokens = 1) const noexcept {
      return try_acquire_at(from_->clock_.now(), tokens);
    }
    /// As above, at a time that the caller has read from the limiter's clock. For a key that has no bucket,
    /// the limiter reads its clock.
    [[nodiscard]] BROWNOUT_ALWAYS_INLINE result<void> try_acquire_at(
        time_point now, std::uint32_t tokens = 1) const noexcept {
      const auto at = detail::ticks_since(from_->origin_, now);
      if (tokens == 1) [[likely]] {
        const auto missing = from_->buckets_.take_one(tag_, from_->limits_, at);
        if (missing == 0) [[likely]] {
          return {};
        }
        if (missing > 0) return from_->refused(detail::to_duration(missing));
      }
      return from_->take(tag_, at, tokens);
    }

    /// Makes the call as a stage of a pipeline: `next(context)` if there is a token, or the rejection. If the
    /// pipeline has a clock of this type, its reading counts.
    template <class R, class Next>
    BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) const {
      const bool is_told = detail::tells_time_of<Next, Clock> && context.now != call_context::unknown;
      const auto admitted = try_acquire_at(is_told ? context.now : from_->clock_.now());
      if (!admitted) [[unlikely]] {
        return admitted.rejection();
      }
      return next(context);
    }

    /// What this key has: tokens, and the time until the next. `refused` is 0, since refusals are counted for
    /// all keys together. Reads the clock, and takes a lock for a bounded number of steps. Changes nothing.
    [[nodiscard]] rate_limiter_snapshot snapshot() const noexcept {
      const auto word = from_->buckets_.word(tag_);
      return detail::shown_bucket(from_->limits_.read(buckets::bucket::slot_of(word)),
                                  buckets::bucket::arrival_of(word), from_->ticks_now());
    }

    /// As of the `keyed<rate_limiter<>>`.
    [[nodiscard]] std::string_view name() const noexcept { return from_->name(); }
    /// The options in force. A copy.
    [[nodiscard]] keyed_rate_limiter_options options() const { return from_->options(); }

   private:
    friend keyed;
    handle(keyed* from, std::uint64_t tag) noexcept : from_{from}, tag_{tag} {}

    keyed* from_;
    std::uint64_t tag_;
  };

  /// All buckets are full at first. Throws `std::invalid_argument` naming limiter, field, value and range,
  /// `std::bad_alloc`, and what `std::random_device` throws. Without exceptions the assertion handler gets
  /// the text.
  explicit keyed(keyed_rate_limiter_options options, Clock clock = Clock{})
      : limits_{options.valid_for(options.name).limits()},
        clock_{std::move(clock)},
        origin_{clock_.now()},
        buckets_{options.capacity},
        options_{std::move(options)},
        name_{options_.name} {}

  keyed(const keyed&) = delete;
  keyed& operator=(const keyed&) = delete;

  /// The rate limiter of `key`. Takes no place, wait-free.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE handle at(std::string_view key) noexcept {
    const bool is_long = key.size() > detail::wide_key_hash::longest_key;
    return {this, buckets::tag_of(is_long ? hash_of_long(key) : hash_(key))};
  }

  /// Replaces rate and burst of all keys while calls run, at one moment for each key. The tokens that are
  /// there stay, as far as the new burst has room for them: a greater burst fills at the rate, also for keys
  /// without a bucket. An option that is left out gets its default. Name and capacity cannot change: leave
  /// the name empty, or give the same.
  ///
  /// Throws `std::invalid_argument` naming limiter, field, value and range. Then nothing has changed. Callers
  /// wait for each other; calls do not wait for them, except those of new keys, for a bounded number of
  /// steps. Looks at each place: about 1 ms for the default capacity.
  void reconfigure(const keyed_rate_limiter_options& options) {
    options.valid_for(name_);
    if (!options.name.empty() && options.name != name_) {
      detail::invalid_option("keyed_rate_limiter_options.name", "'" + options.name + "'", "'" + name_ + "'");
    }
    const std::lock_guard lock{changing_};
    if (options.capacity != options_.capacity) {
      detail::invalid_option("keyed_rate_limiter_options.capacity", detail::to_text(options.capacity),
                             detail::to_text(options_.capacity));
    }
    const auto next = options.limits();
    limits_.allow(next.burst);
    limits_.write(1 - buckets_.slot(), next);
    buckets_.change_limits(limits_, [this] { return ticks_now(); });
    options_ = options;
    options_.name = name_;
  }
  /// The options in force, as a copy. `burst` is filled in if it was left out. Waits for `reconfigure`.
  [[nodiscard]] keyed_rate_limiter_options options() const {
    const std::lock_guard lock{changing_};
    return options_.with_burst();
  }

  /// What can be shown. Reads the clock. Changes nothing. Lock-free. Looks at each place: about 0.1 ms for
  /// the default capacity.
  [[nodiscard]] keyed_rate_limiter_snapshot snapshot() const noexcept {
    const auto limits = limits_.read(buckets_.slot());
    return {limits.per_second, limits.burst,       buckets_.capacity(),  buckets_.count(limits_, ticks_now()),
            refused_.read(),   buckets_.evicted(), buckets_.bucketless()};
  }

  /// The name that was given at construction. Valid as long as the limiter is.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

 private:
  using buckets = detail::key_buckets<Atomics>;

  [[nodiscard]] BROWNOUT_NOINLINE std::uint64_t hash_of_long(std::string_view key) const noexcept {
    return digest_(key).low;
  }

  [[nodiscard]] detail::ticks ticks_now() const noexcept {
    return detail::ticks_since(origin_, clock_.now());
  }

  BROWNOUT_NOINLINE result<void> take(std::uint64_t tag, detail::ticks at, std::uint32_t tokens) noexcept {
    const auto answer = buckets_.take(
        tag, limits_, at, [this] { return ticks_now(); }, tokens);
    if (answer.how != buckets::bucket::fate::taken) return refused(answer.wait);
    return {};
  }
  BROWNOUT_NOINLINE result<void> refused(duration wait) noexcept {
    refused_.add_one();
    return rejection{rejection_reason::rate_limited, wait, false, name_};
  }

  detail::live_limits<Atomics> limits_;
  BROWNOUT_NO_UNIQUE_ADDRESS const Clock clock_;
  const time_point origin_;
  detail::wide_key_hash hash_{};
  detail::secret_digest digest_{};
  buckets buckets_;
  mutable std::mutex changing_{};
  keyed_rate_limiter_options options_;  // guarded by changing_
  const std::string name_;
  detail::striped_total<Atomics> refused_{};
};

}  // namespace brownout::inline BROWNOUT_ABI
