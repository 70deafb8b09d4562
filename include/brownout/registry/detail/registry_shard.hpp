// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/registry/detail/key_hash.hpp"
#include "brownout/registry/detail/key_index.hpp"
#include "brownout/registry/detail/numbered_places.hpp"
#include "brownout/registry/detail/usage.hpp"
#include "brownout/version.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

template <class Breaker>
class registry_shard;

struct hashed_key {
  std::string_view text;
  std::uint32_t hash;
};

/// A breaker that is found by key. Lives as long as anyone refers to it: the registry while it remembers the
/// key, and each handle.
template <class Breaker>
struct registered_breaker {
  template <class Policy, class Clock>
  registered_breaker(std::uint32_t place, registry_shard<Breaker>* owner,
                     const std::shared_ptr<Policy>& policy, std::string&& name, const Clock& clock)
      : breaker{typename Breaker::shared_policy{policy}, std::move(name), clock},
        number{place},
        home{owner} {}
  registered_breaker(const registered_breaker&) = delete;
  registered_breaker& operator=(const registered_breaker&) = delete;

  BROWNOUT_NO_UNIQUE_ADDRESS Breaker breaker;  // its tail padding holds what follows
  const std::uint32_t number;
  registry_shard<Breaker>* const home;  // null: the registry had no room for it
};

/// One that the registry had no room for, with its only handle.
template <class Breaker>
struct lone_breaker : usage {
  template <class Policy, class Clock>
  lone_breaker(const std::shared_ptr<Policy>& policy, std::string&& name, const Clock& clock)
      : node{0, nullptr, policy, std::move(name), clock} {
    begin(0, 1);
  }

  registered_breaker<Breaker> node;
};

/// A part of a registry: its keys, with a lock of their own for whoever creates or evicts.
///
/// Ends when its registry has left it and the last handle has.
template <class Breaker>
class alignas(64) registry_shard {
 public:
  using node = registered_breaker<Breaker>;
  using place = typename numbered_places<node>::place;

  /// How many breakers an eviction looks at, to drop the one that was used the longest ago.
  static constexpr std::uint32_t looked_at = 16;

  struct losses {
    std::uint32_t expired = 0;
    std::uint32_t evicted = 0;
  };

  /// Room for `most` breakers, and for some that were forgotten and have handles left.
  registry_shard(const key_hash& hash, std::uint32_t most) : index_{most}, places_{most}, hash_{hash} {}
  registry_shard(const registry_shard&) = delete;
  registry_shard& operator=(const registry_shard&) = delete;

  /// A reference to the breaker of `key`, which was last used in `turn` from now on. Lock-free. Nothing if
  /// there is none, or perhaps while others come and go: ask again with `find_surely`.
  [[nodiscard]] place find(hashed_key key, std::uint64_t turn) noexcept {
    place found;
    index_.find(key.hash, [&](std::uint32_t number) {
      const auto there = places_[number];
      BROWNOUT_PREFETCH(there.object);  // while its usage is waited for
      if (!there.use->try_refer(turn)) return false;
      if (there.object->breaker.name() == key.text) [[likely]] {
        found = there;
        return true;
      }
      release(there);  // another key came into the place
      return false;
    });
    return found;
  }

  /// The same under the lock, so that nothing escapes it.
  [[nodiscard]] place find_surely(hashed_key key, std::uint64_t turn) {
    const std::lock_guard lock{mutex_};
    const auto found = locate(key);
    return found.object != nullptr && found.use->try_refer(turn) ? found : place{};
  }

  /// The same, built if there is none and `reserve`, asked under the lock, allows it. Nothing when it doesn't
  /// or there is no room. Says whether it was built.
  template <class Reserve, class Policy, class Clock>
  [[nodiscard]] std::pair<place, bool> find_or_create(hashed_key key, std::uint64_t turn, Reserve reserve,
                                                      const std::shared_ptr<Policy>& policy,
                                                      std::string&& name, const Clock& clock) {
    const std::lock_guard lock{mutex_};
    if (const auto found = locate(key); found.object != nullptr) {
      return {found.use->try_refer(turn) ? found : place{}, false};
    }
    if (!reserve() || index_.is_full() || places_.is_full()) return {place{}, false};
    const auto number = places_.emplace(this, policy, std::move(name), clock).number;
    places_[number].use->begin(turn, 2);  // the registry and the caller
    index_.insert(key.hash, number);
    return {places_[number], true};
  }

  /// Looks at some breakers and drops those not used since `horizon`; if there are none and `room` is needed,
  /// drops one that may be forgotten: one without trouble if there is any, the one used the longest ago.
  /// Under the lock.
  losses evict(std::uint64_t horizon, bool room) noexcept {
    losses lost;
    place best;
    auto best_rank = std::pair{need::indispensable, std::uint64_t{0}};
    hand_ = places_.walk(hand_, looked_at, [&](place one) {
      if (!one.use->was_referred_to_once()) return;
      const auto rank = std::pair{need_of(*one.object), one.use->last_turn()};
      if (rank.first == need::indispensable) return;
      if (rank.second <= horizon) {
        if (drop(one, rank.first)) ++lost.expired;
      } else if (rank < best_rank) {
        best = one;
        best_rank = rank;
      }
    });
    if (room && lost.expired == 0 && best.object != nullptr && drop(best, best_rank.first)) ++lost.evicted;
    return lost;
  }

  /// The same unless somebody has the lock: for a caller who has another's, and must not wait.
  losses try_evict(std::uint64_t horizon, bool room) noexcept {
    const std::unique_lock lock{mutex_, std::try_to_lock};
    return lock.owns_lock() ? evict(horizon, room) : losses{};
  }

  /// Drops those of a row that were not used since `horizon`; false when there is no such row.
  [[nodiscard]] bool expire(std::uint32_t row, std::uint64_t horizon, losses& lost) {
    const std::lock_guard lock{mutex_};
    if (row >= places_.rows()) return false;
    places_.walk_row(row, [&](place one) {
      if (one.use->last_turn() <= horizon && drop(one, need::memory)) ++lost.expired;
    });
    return true;
  }

  /// A reference to the breaker with the lowest number from `from` on, or nothing. `from` becomes the next.
  [[nodiscard]] place next_from(std::uint32_t& from) {
    const std::lock_guard lock{mutex_};
    for (;;) {
      const auto found = places_.first_from(from);
      if (found.object == nullptr) return {};
      from = found.object->number + 1;
      if (found.use->try_refer(0)) return found;
    }
  }

  /// Forgets a key, whatever the state of its breaker; handles keep that. False when there is none.
  bool forget(hashed_key key) {
    place found;
    {
      const std::lock_guard lock{mutex_};
      found = locate(key);
      if (found.object == nullptr) return false;
      index_.erase(key.hash, found.object->number);
      orphan(found);
    }
    release(found);  // the registry's reference
    return true;
  }

  /// Forgets every key; after the last handle the shard is deleted. Nobody looks up any more.
  void leave() noexcept {
    for (std::uint32_t row = 0; row < places_.rows(); ++row) {
      std::array<place, numbered_places<node>::row_size> orphans;
      auto end = orphans.begin();
      {
        const std::lock_guard lock{mutex_};
        places_.walk_row(row, [&](place one) {
          orphan(one);
          *end++ = one;
        });
      }
      for (auto one = orphans.begin(); one != end; ++one) release(*one);
    }
    disown();
  }

  /// Releases what was referred to; as the last one, ends it.
  static void release(place referred) noexcept {
    if (!referred.use->release()) [[likely]] {
      return;
    }
    end(referred);
  }

 private:
  /// How much is lost when a breaker is forgotten, least first.
  enum class need : std::uint8_t {
    none,           ///< closed
    memory,         ///< in trouble, but the next call would pass
    indispensable,  ///< refuses calls, or is held
  };

  /// Under the lock.
  [[nodiscard]] place locate(hashed_key key) const noexcept {
    place found;
    index_.find(key.hash, [&](std::uint32_t number) {
      if (places_[number].object->breaker.name() != key.text) return false;
      found = places_[number];
      return true;
    });
    return found;
  }

  static need need_of(const node& one) noexcept {
    switch (one.breaker.observed_state()) {
      case circuit_state::closed:
        return need::none;
      case circuit_state::open:
      case circuit_state::half_open:
        return one.breaker.snapshot().retry_after > duration::zero() ? need::indispensable : need::memory;
      case circuit_state::forced_open:
      case circuit_state::disabled:
      case circuit_state::metrics_only:
        break;  // held, until an operator ends it
    }
    return need::indispensable;
  }

  /// Drops a breaker, unless somebody refers to it or it is needed more than `most`. Under the lock.
  bool drop(place one, need most) noexcept {
    if (!one.use->claim()) return false;
    if (need_of(*one.object) > most) {  // since it was looked at, it has been used
      one.use->unclaim();
      return false;
    }
    index_.erase(hash_(one.object->breaker.name()), one.object->number);
    places_.hide(one.object->number);
    places_.destroy(one.object->number);
    return true;
  }

  /// Under the lock. The registry's reference is released after it.
  void orphan(place one) noexcept {
    places_.hide(one.object->number);
    owners_.fetch_add(1, std::memory_order_relaxed);  // the caller is one, so there is one
  }

  static void end(place orphaned) noexcept {
    auto* const home = orphaned.object->home;
    if (home == nullptr) {
      delete static_cast<lone_breaker<Breaker>*>(orphaned.use);
      return;
    }
    {
      const std::lock_guard lock{home->mutex_};
      home->places_.destroy(orphaned.object->number);
    }
    home->disown();
  }

  void disown() noexcept {
    // (1) release: an owner's last access comes before the end. acquire: with (1), as the last one.
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  ~registry_shard() = default;

  key_index index_;
  numbered_places<node> places_;
  std::mutex mutex_{};      // for all changes of what stands above and below
  std::uint32_t hand_ = 0;  // where the next eviction looks
  const key_hash& hash_;    // the registry's, which is there while anything is dropped
  // Written by the registry and by ends of orphans (1): the registry is one, and each breaker that was
  // forgotten with handles left.
  std::atomic<std::size_t> owners_{1};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
