// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/key_hash.hpp"
#include "brownout/registry/detail/building_site.hpp"
#include "brownout/registry/detail/key_index.hpp"
#include "brownout/registry/detail/key_name.hpp"
#include "brownout/registry/detail/numbered_places.hpp"
#include "brownout/registry/detail/registered_breaker.hpp"
#include "brownout/registry/detail/told_breakers.hpp"
#include "brownout/registry/registry_listener.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A part of a registry: its keys, with a lock of their own for the threads that add or remove breakers.
///
/// The lock is held for a bounded number of steps. No code of the user runs under it and no memory is
/// allocated: breakers are built before it is taken, and destroyed after it was released. A shard ends when
/// its registry has left it and its last handle has gone.
template <class Breaker>
class alignas(64) registry_shard {
 public:
  using node = registered_breaker<Breaker>;
  using place = typename numbered_places<node>::place;
  using told_breakers = detail::told_breakers<Breaker>;

  /// How many breakers an eviction looks at, to drop the one that was used the longest ago.
  static constexpr std::uint32_t looked_at = 16;

  /// What a look-up that may build came to.
  struct creation {
    place found{};             // nothing: the key can't be registered now
    bool is_outdated = false;  // the rules have changed meanwhile: build it again
  };

  /// Room for `most` breakers, beside those that are being built and those that were erased and have handles
  /// left. `hash`: the registry's. `has_listener`: whether added and removed breakers are told of.
  registry_shard(const key_hash& hash, std::uint32_t most, bool has_listener)
      // One more, since room for a breaker is made when it is there already.
      : index_{most + 1}, places_{most + spare_places}, told_{has_listener}, hash_{hash} {}
  registry_shard(const registry_shard&) = delete;
  registry_shard& operator=(const registry_shard&) = delete;

  /// A reference to the breaker of `key`, which is in use at `tick`. Lock-free. Nothing if there is none, or
  /// perhaps while others come and go: then ask `find_surely`.
  [[nodiscard]] place find(const hashed_key& key, std::uint64_t tick) noexcept {
    place found;
    index_.find(key.hash, [&](std::uint32_t number) {
      const auto there = places_[number];
      BROWNOUT_PREFETCH(there.object);  // while its usage is waited for
      if (!there.use->try_refer(tick)) return false;
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
  [[nodiscard]] place find_surely(hashed_key key, std::uint64_t tick) {
    const std::lock_guard lock{mutex_};
    return referred(locate(key), tick);
  }

  /// A reference to the breaker of `key`, which is added if there is none.
  ///
  /// `build(object, number)` builds it, by the rules of `version`, with no lock held. Then `admit()` says,
  /// under the lock, whether the registry has room for it. If a listener is to be told of it, `added`
  /// holds it, and the caller calls `was_told` afterwards.
  template <class Build, class Admit>
  [[nodiscard]] creation find_or_add(hashed_key key, std::uint64_t tick, std::uint64_t version, Build build,
                                     Admit admit, told_breakers& added) {
    building_site<node> site{places_, mutex_};
    const auto known = site.find_or_take([&] { return referred(locate(key), tick); });
    if (!site.is_taken()) return {known};
    site.build(build);
    const std::lock_guard lock{mutex_};
    if (version < rules_version_) return {.is_outdated = true};
    if (const auto found = locate(key); found.object != nullptr) return {referred(found, tick)};
    if (is_closed_ || told_.has(key.text) || index_.is_full() || !admit()) return {};
    const auto built = site.keep();
    built.use->begin(tick, 2);  // the registry and the caller
    index_.insert(key.hash, built.object->number);
    places_.list(built.object->number);
    if (told_.is_used()) {
      added.take(built, removal_reason::erased);  // in case that it is, before the listener was told of it
      told_.add(added);
    }
    return {built};
  }

  /// The listener was told of the added breaker. Afterwards `added` is empty, unless the key was erased
  /// meanwhile: then the listener is still to be told of that.
  void was_told(hashed_key key, told_breakers& added) {
    const std::lock_guard lock{mutex_};
    if (locate(key).object != added.begin()->object) return;
    told_.remove(added);
    added.drop();
  }

  /// Looks at some breakers and removes those not used since the tick `cutoff`. If there are none and `room`
  /// is needed, removes one: of those with the least loss the one used the longest ago, and none that refuses
  /// calls, is held, or is referred to. Under the lock. Precondition: `removed` is empty.
  void evict(std::uint64_t cutoff, time_point now, bool room, told_breakers& removed) noexcept {
    place best;
    auto best_rank = std::pair{loss::refusal, std::uint64_t{0}};
    hand_ = places_.walk(hand_, looked_at, [&](place one) {
      if (!one.use->was_referred_to_once()) return;
      const auto rank = std::pair{one.object->loss_at(now), one.use->last_used()};
      if (rank.first == loss::refusal) return;
      if (rank.second <= cutoff) {
        remove(one, rank.first, now, removal_reason::expired, removed);
      } else if (rank < best_rank) {
        best = one;
        best_rank = rank;
      }
    });
    if (room && removed.empty() && best.object != nullptr) {
      remove(best, best_rank.first, now, removal_reason::evicted, removed);
    }
    told_.add(removed);
  }

  /// The same unless another thread has the lock: for a caller that has another lock and must not wait.
  void try_evict(std::uint64_t cutoff, time_point now, bool room, told_breakers& removed) noexcept {
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (lock.owns_lock()) evict(cutoff, now, room, removed);
  }

  /// Removes those of a row that were not used since the tick `cutoff`. False when there is no such row.
  /// Precondition: `removed` is empty.
  [[nodiscard]] bool expire(std::uint32_t row, std::uint64_t cutoff, time_point now, told_breakers& removed) {
    const std::lock_guard lock{mutex_};
    if (row >= places_.rows()) return false;
    places_.walk_row(row, [&](place one) {
      if (one.use->last_used() <= cutoff) {
        remove(one, loss::recovery, now, removal_reason::expired, removed);
      }
    });
    told_.add(removed);
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

  /// Erases a key, whatever the state of its breaker; handles keep that. With `only` given, the key is erased
  /// if it is this breaker's. False when there is no such key. Precondition: `removed` is empty.
  bool erase(hashed_key key, const node* only, told_breakers& removed) {
    const std::lock_guard lock{mutex_};
    const auto found = locate(key);
    if (found.object == nullptr || (only != nullptr && found.object != only)) return false;
    unregister(found);
    // While its addition is told of, its removal is left to the thread that tells: see `was_told`.
    if (told_.has(found.object)) return true;
    removed.take(found, removal_reason::erased);
    told_.add(removed);
    return true;
  }

  /// From now on no breaker is added by rules older than `version`. Calls `change` for each one that is
  /// there, under the lock.
  template <class Change>
  void change_rules(std::uint64_t version, Change change) {
    for (std::uint32_t row = 0;; ++row) {
      const std::lock_guard lock{mutex_};
      rules_version_ = version;
      if (row >= places_.rows()) return;
      places_.walk_row(row, [&](place one) { change(*one.object); });
    }
  }

  /// Removes every key, of which nothing is told. No key is added any more.
  void close() noexcept {
    for (std::uint32_t row = 0;; ++row) {
      told_breakers closed;
      const std::lock_guard lock{mutex_};
      is_closed_ = true;
      if (row >= places_.rows()) return;
      places_.walk_row(row, [&](place one) {
        unregister(one);
        closed.take(one, removal_reason::erased);
      });
    }
  }

  /// Ends the shard after its last owner: the registry is one, which has closed it.
  void disown() noexcept {
    // (1) release: an owner's last access comes before the end. acquire: with (1), as the last one.
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// Releases what was referred to; as the last one, ends it.
  static void release(place referred) noexcept {
    if (referred.use->release()) [[unlikely]]
      end(referred);
  }

 private:
  friend told_breakers;

  static constexpr std::uint32_t spare_places = 256;

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

  /// Nothing if there is nothing, or if it has as many references as can be counted.
  static place referred(place found, std::uint64_t tick) noexcept {
    return found.object != nullptr && found.use->try_refer(tick) ? found : place{};
  }

  /// Removes a breaker, unless it is referred to or more than `most` would be lost. Under the lock.
  void remove(place one, loss most, time_point now, removal_reason why, told_breakers& removed) noexcept {
    if (!one.use->claim()) return;
    if (one.object->loss_at(now) > most) {  // it has been used since it was looked at
      one.use->unclaim();
      return;
    }
    unregister(one);
    removed.take(one, why);
  }

  /// It is found no more. Under the lock.
  void unregister(place one) noexcept {
    index_.erase(hash_(one.object->breaker.name()), one.object->number);
    places_.hide(one.object->number);
    owners_.fetch_add(1, std::memory_order_relaxed);  // the caller is one, so there is one
  }

  void end(const told_breakers& removed) noexcept {
    if (told_.is_used()) {
      const std::lock_guard lock{mutex_};
      told_.remove(removed);
    }
    for (const auto& one : removed) {
      removed.reason() == removal_reason::erased ? release(one) : end(one);
    }
  }

  /// Destroys a breaker that has no references any more.
  static void end(place released) noexcept {
    auto* const home = released.object->home;
    if (home == nullptr) {
      delete static_cast<unregistered_breaker<Breaker>*>(released.use);
      return;
    }
    const auto number = released.object->number;
    std::destroy_at(released.object);
    {
      const std::lock_guard lock{home->mutex_};
      home->places_.vacate(number);
    }
    home->disown();
  }

  ~registry_shard() = default;

  key_index index_;
  numbered_places<node> places_;
  std::mutex mutex_{};  // for all changes of what stands above and below
  told_list<Breaker> told_;
  std::uint64_t rules_version_ = 0;  // of the rules by which breakers are added
  bool is_closed_ = false;
  std::uint32_t hand_ = 0;  // where the next eviction looks, as in the CLOCK algorithm
  const key_hash& hash_;    // the registry's, which is there while anything is removed
  // Written by threads that remove breakers, and at the end of an owner (1). The registry is an owner, and so
  // is each breaker that was removed and has not ended.
  std::atomic<std::size_t> owners_{1};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
