// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/guard/detail/live_limits.hpp"
#include "brownout/guard/detail/token_bucket.hpp"
#include "brownout/guard/detail/token_limits.hpp"
#include "brownout/guard/rate_limiter_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Buckets of tokens by the hash of their key. A place for a bucket has 16 bytes. The number of places never
/// changes.
///
/// **Places.** They form groups of up to 32. The hash of a key says its group, and where in the group a
/// search begins. A search ends at a place that was never used, since used places never become unused.
///
/// **New keys.** A key that is not found takes a place that was never used, or that of the bucket that has
/// been full for the longest time. A full bucket is worth nothing: its key gets another full one. A bucket
/// that is not full keeps its place.
///
/// **Debt of a group.** If no bucket of the group is full, calls of keys without a place take their tokens
/// from one bucket that they share. A key that gets a place later begins with the debt of that bucket, so
/// that no key has more tokens than one bucket gives.
///
/// **Threads.** Calls of keys that have a place are lock-free. Calls of others take a lock. The word of a
/// bucket decides between a call and an eviction: a thread that gives a place to another key first marks the
/// place, then replaces the word, and then writes the new key. A call that read the old word fails to replace
/// it, and a call that reads the new word sees the mark or the new key.
template <class Atomics>
class key_buckets {
 public:
  using bucket = token_bucket<Atomics>;
  using taking = typename bucket::taking;
  static constexpr std::size_t group_size = 32;

  explicit key_buckets(std::size_t capacity)
      : groups_{(capacity + group_size - 1) / group_size},
        size_{(capacity + groups_ - 1) / groups_},
        places_(groups_ * size_),
        without_place_(groups_) {}

  /// What stands for a key here. Two keys of different hashes differ, except in the lowest bit.
  static constexpr std::uint64_t tag_of(std::uint64_t hash) noexcept { return hash | 1; }

  /// Takes one token of the bucket of a key, as `token_bucket::take_one`.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE ticks take_one(std::uint64_t tag, const live_limits<Atomics>& limits,
                                                      ticks at) noexcept {
    place* const own = find(tag);
    if (own == nullptr) [[unlikely]] {
      return bucket::unsure;
    }
    return own->tokens.take_one(limits, at, belongs{own, tag});
  }

  /// Takes `tokens` of the bucket of a key, or none. `now` reads the clock.
  template <class Now>
  BROWNOUT_NOINLINE taking take(std::uint64_t tag, const live_limits<Atomics>& limits, ticks at, Now now,
                                std::uint32_t tokens) noexcept {
    BROWNOUT_PRECONDITION(tokens >= 1 && tokens <= limits.greatest_burst(),
                          "a call needs at least one token of a rate_limiter, and at most its burst");
    if (place* const own = find(tag)) {
      const auto answer = own->tokens.take(limits, at, now, tokens, duration::zero(), belongs{own, tag});
      if (answer.how != bucket::fate::not_mine) return answer;
    }
    if (limits.interval(slot()) == 0) return {};  // there are no tokens, for anybody
    auto& home = section_of(tag);
    const std::lock_guard lock{home.changing};
    if (place* const own = find(tag)) {  // no place changes its key now
      return own->tokens.take(limits, at, now, tokens, duration::zero(), [] { return true; });
    }
    return take_without_place(tag, limits, (std::max)(at, now()), now, tokens, home);
  }

  /// The arrival time of the bucket of a key, and the slot of its limits.
  [[nodiscard]] std::uint64_t word(std::uint64_t tag) noexcept {
    const std::lock_guard lock{section_of(tag).changing};
    const place* const own = find(tag);
    return own != nullptr ? own->tokens.word() : without_place_.data()[group_of(tag)].word();
  }

  /// Lets all buckets follow the limits of the other slot, which were written there. Full buckets lose their
  /// place. So their keys, as all keys without a place, begin with the debt of the group, which is what a
  /// full bucket lacks if the burst has grown. Precondition: one thread at a time.
  template <class Now>
  void change_limits(const live_limits<Atomics>& limits, Now now) {
    const auto next = 1 - slot();
    const auto before = limits.read(1 - next);
    const auto after = limits.read(next);
    const auto change = [&](place& one) {
      const auto owner = one.holder.load(std::memory_order_relaxed);  // relaxed: as (1), under the lock
      auto seen = one.tokens.word();
      while (owner != never_used && bucket::slot_of(seen) != next) {
        const auto at = now();
        const auto arrival = bucket::arrival_of(seen);
        const bool is_full = owner == vacated || (!before.is_closed() && arrival <= at);
        if (is_full ? hand_over(one, seen, vacated, after.is_closed() ? frozen_full : at, next)
                    : one.tokens.replace(seen, moved(before, after, arrival, at), next)) {
          break;
        }
      }
    };
    // (3) release: publishes the limits of the slot to threads that add buckets.
    slot_.store(next, std::memory_order_release);
    for (std::size_t group = 0; group < groups_; ++group) {
      const std::lock_guard lock{sections_[group % sections].changing};
      auto& shared = without_place_[group];
      auto debt = shared.word();
      if (bucket::slot_of(debt) != next) {
        shared.replace(debt, moved(before, after, bucket::arrival_of(debt), now()), next);
      }
      for (auto i = group * size_; i < (group + 1) * size_; ++i) change(places_[i]);
    }
  }

  /// The slot of the limits in force.
  [[nodiscard]] std::uint32_t slot() const noexcept { return slot_.load(std::memory_order_acquire); }  // (3)

  [[nodiscard]] std::size_t capacity() const noexcept { return places_.size(); }
  /// How many keys have a bucket that is not full at this time. Looks at each place.
  [[nodiscard]] std::size_t count(const live_limits<Atomics>& limits, ticks now) const noexcept {
    return static_cast<std::size_t>(std::count_if(places_.begin(), places_.end(), [&](const place& one) {
      const auto word = one.tokens.word();
      const auto arrival = bucket::arrival_of(word);
      return arrival > (limits.interval(bucket::slot_of(word)) == 0 ? frozen_full : now);
    }));
  }
  [[nodiscard]] std::uint64_t evicted() const noexcept {
    return sum([](const section& one) { return one.evictions.load(std::memory_order_relaxed); });
  }
  [[nodiscard]] std::uint64_t bucketless() const noexcept {
    return sum([](const section& one) { return one.shared_calls.load(std::memory_order_relaxed); });
  }

 private:
  template <class T>
  using atomic = typename Atomics::template atomic<T>;

  // What stands in a place that has no key. A key has the lowest bit.
  static constexpr std::uint64_t never_used = 0;
  static constexpr std::uint64_t changing_hands = 2;
  static constexpr std::uint64_t vacated = 4;

  struct place {
    // Written under the lock of the section. Publishes the word of the key (2).
    alignas(16) atomic<std::uint64_t> holder{never_used};
    bucket tokens{};
  };
  static_assert(sizeof(atomic<std::uint64_t>) != 8 || sizeof(place) == 16);

  struct belongs {
    const place* one;
    std::uint64_t tag;
    // relaxed: the word was read before, by an acquire that synchronizes with the release of `replace` if
    // another key has the place.
    bool operator()() const noexcept { return one->holder.load(std::memory_order_relaxed) == tag; }
  };

  static constexpr std::size_t sections = 32;
  struct alignas(64) section {
    std::mutex changing{};  // for what places have which key, and for the buckets of keys without a place
    // Written under the lock. Totals that publish nothing, so relaxed is enough.
    atomic<std::uint64_t> evictions{0};
    atomic<std::uint64_t> shared_calls{0};
  };

  [[nodiscard]] BROWNOUT_ALWAYS_INLINE std::uint64_t group_of(std::uint64_t tag) const noexcept {
    return (tag >> 32) * groups_ >> 32;
  }
  [[nodiscard]] section& section_of(std::uint64_t tag) noexcept {
    return sections_.data()[group_of(tag) % sections];
  }

  /// Calls `look` with each place of the group of a key, in the order of a search, until it returns true.
  template <class Look>
  BROWNOUT_ALWAYS_INLINE void search(std::uint64_t tag, Look look) noexcept {
    auto* const first = places_.data() + group_of(tag) * size_;
    auto* const end = first + size_;
    auto* at = first + ((tag & 0xffff'ffff) * size_ >> 32);
    for (auto left = size_; left > 0 && !look(*at); --left) {
      if (++at == end) at = first;
    }
  }

  /// The place of a key, or null.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE place* find(std::uint64_t tag) noexcept {
    place* found = nullptr;
    search(tag, [&](place& one) BROWNOUT_INLINE_LAMBDA {
      // (1) acquire: synchronizes-with (2), so this thread sees the word of the key.
      const auto seen = one.holder.load(std::memory_order_acquire);
      if (seen == tag) found = &one;
      return seen == tag || seen == never_used;
    });
    return found;
  }

  /// For a key that has no place. Precondition: its section is locked; `at` was read after that.
  template <class Now>
  taking take_without_place(std::uint64_t tag, const live_limits<Atomics>& limits, ticks at, Now now,
                            std::uint32_t tokens, section& home) noexcept {
    const auto in_force = slot();
    const auto by = limits.read(in_force);
    auto& shared = without_place_.data()[group_of(tag)];
    auto debt = shared.word();
    if (bucket::slot_of(debt) != in_force) {  // the limits are being changed
      const auto arrival = moved(limits.read(1 - in_force), by, bucket::arrival_of(debt), at);
      if (shared.replace(debt, arrival, in_force)) debt = bucket::word_of(arrival, in_force);
    }
    if (by.is_closed() || tokens > by.burst) return {};
    if (bucket::arrival_of(debt) - at > by.furthest) debt = shared.catch_up(debt, by.furthest, at, now);
    const auto next = [&] { return (std::max)(bucket::arrival_of(debt), at) + by.interval * tokens; };
    const auto ahead = next() - at - by.tolerance;
    if (ahead > 0) return {bucket::fate::refused, to_duration(ahead)};
    while (place* const free = worthless(tag, limits, at, now)) {
      if (give(*free, tag, next(), in_force, at, home)) return {bucket::fate::taken, duration::zero()};
    }
    home.shared_calls.fetch_add(1, std::memory_order_relaxed);
    shared.replace(debt, next(), in_force);
    return {bucket::fate::taken, duration::zero()};
  }

  /// A place that a new key may have, or null. If it has to read the clock, `at` is the new reading
  /// afterwards. Precondition: its section is locked.
  template <class Now>
  place* worthless(std::uint64_t tag, const live_limits<Atomics>& limits, ticks& at, Now now) noexcept {
    place* best = nullptr;
    auto earliest = at;
    search(tag, [&](place& one) {
      const auto word = one.tokens.word();
      const auto arrival = bucket::arrival_of(word);
      const auto slot = bucket::slot_of(word);
      if (one.holder.load(std::memory_order_relaxed) == never_used) {  // relaxed: as (1), under the lock
        best = &one;
        return true;
      }
      if (limits.interval(slot) == 0) return false;  // no arrival time; the limits are being changed
      if (arrival <= earliest) {
        best = &one;
        earliest = arrival;
      } else if (arrival - at > limits.furthest(slot)) {  // the clock was set back
        one.tokens.catch_up(word, limits.furthest(slot), at, now);
      }
      return false;
    });
    return best;
  }

  /// Gives a place to another key. False if its bucket is not full any more. Precondition: its section is
  /// locked.
  bool give(place& one, std::uint64_t tag, ticks arrival, std::uint32_t slot, ticks at,
            section& home) noexcept {
    const auto before = one.holder.load(std::memory_order_relaxed);  // relaxed: written under the lock only
    auto seen = one.tokens.word();
    if (before != never_used && bucket::arrival_of(seen) > at) return false;
    const bool is_given = hand_over(one, seen, tag, arrival, slot);
    if (is_given && (before & 1) != 0) home.evictions.fetch_add(1, std::memory_order_relaxed);
    return is_given;
  }

  /// Replaces owner and word of a place if its word is `seen`. Precondition: its section is locked.
  static bool hand_over(place& one, std::uint64_t& seen, std::uint64_t owner, ticks arrival,
                        std::uint32_t slot) noexcept {
    const auto before = one.holder.load(std::memory_order_relaxed);  // relaxed: as (1), under the lock
    // relaxed: the release of `replace` publishes it.
    one.holder.store(changing_hands, std::memory_order_relaxed);
    const bool is_replaced = one.tokens.replace(seen, arrival, slot);
    // (2) release: publishes the word.
    one.holder.store(is_replaced ? owner : before, std::memory_order_release);
    return is_replaced;
  }

  // While the rate is 0, a bucket has no arrival time. What stands there are the tokens that it lacks to the
  // greatest burst of all, in 2^-32. So a bucket whose rate is 0 from the beginning will be full.
  static constexpr ticks frozen_full = 0;
  static constexpr token_count full{rate_limiter_options::most_burst, 0};
  static constexpr double frozen_unit = 4'294'967'296.0;
  static constexpr ticks frozen(token_count tokens) noexcept {
    return ((full.whole - tokens.whole) << 32) - static_cast<ticks>(tokens.part * frozen_unit);
  }
  static constexpr token_count thawed(ticks lacking) noexcept {
    const auto there = (full.whole << 32) - lacking;
    return {there >> 32, static_cast<double>(there & 0xffff'ffff) / frozen_unit};
  }

  /// The arrival time by other limits. The tokens stay as far as there is room.
  static ticks moved(const token_limits& before, const token_limits& next, ticks arrival,
                     ticks now) noexcept {
    const auto tokens = before.is_closed() ? thawed(arrival) : before.tokens_at(now, arrival);
    return next.is_closed() ? frozen(tokens) : now + next.debt_with(tokens);
  }

  template <class Total>
  [[nodiscard]] std::uint64_t sum(Total total) const noexcept {
    std::uint64_t all = 0;
    for (const auto& one : sections_) all += total(one);
    return all;
  }

  const std::size_t groups_;
  const std::size_t size_;  // of a group
  std::vector<place> places_;
  std::vector<bucket> without_place_;  // one for each group; changed under the lock of its section
  std::array<section, sections> sections_{};
  // Written by the thread that changes the limits (3). Which of them are in force for new buckets.
  atomic<std::uint32_t> slot_{0};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
