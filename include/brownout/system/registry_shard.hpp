// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/options.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/system/key_hash.hpp"
#include "brownout/system/numbered_places.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <utility>

namespace brownout::detail {

template <class Breaker>
class registry_shard;

struct hashed_key {
  std::string_view text;
  std::uint32_t hash;
};

/// A breaker with what its registry and its handles need to know of it. Lives as long as anyone refers to it:
/// the registry while it remembers the key, and each handle.
template <class Breaker>
struct registered_breaker {
  template <class Detector, class Clock>
  registered_breaker(std::uint32_t place, registry_shard<Breaker>* owner, std::uint64_t turn,
                     std::uint32_t referrers, const Detector& detector, breaker_options&& options,
                     const Clock& clock)
      : breaker{detector, std::move(options), clock},
        last_used{turn},
        references{referrers},
        number{place},
        home{owner} {}

  void refer() noexcept { references.fetch_add(1, std::memory_order_relaxed); }  // from a reference there is

  void release() noexcept {
    // (1) release: what was done with the breaker comes before its end. acquire: as the last one, everyone's.
    if (references.fetch_sub(1, std::memory_order_acq_rel) != 1) [[likely]] {
      return;
    }
    if (home == nullptr) {
      delete this;
    } else {
      home->vacate(*this);
    }
  }

  // Its tail padding holds what follows.
  [[no_unique_address]] Breaker breaker;

  // Written by whoever looks it up; the registry's turn then. Only compared, so relaxed.
  std::atomic<std::uint64_t> last_used;
  // Written by the registry and by handles (1); tells who ends it.
  std::atomic<std::uint32_t> references;
  const std::uint32_t number;
  registry_shard<Breaker>* const home;  // null: the registry had no room for it
};

/// A part of a registry: its keys, under a lock of their own.
///
/// Look-ups share the lock; creating and evicting take it alone, for a bounded number of steps. No user code
/// runs under it. Ends when its registry has left it and the last handle has.
template <class Breaker>
class alignas(64) registry_shard {
 public:
  using node = registered_breaker<Breaker>;

  /// How many breakers an eviction looks at, to drop the one that was used the longest ago.
  static constexpr std::uint32_t looked_at = 16;

  struct losses {
    std::uint32_t expired = 0;
    std::uint32_t evicted = 0;
  };

  explicit registry_shard(const key_hash& hash) : hash_{hash} {}
  registry_shard(const registry_shard&) = delete;
  registry_shard& operator=(const registry_shard&) = delete;

  /// A reference to the breaker of `key`, which now was last used in `turn`; or null.
  [[nodiscard]] node* find(hashed_key key, std::uint64_t turn) const {
    const std::shared_lock lock{mutex_};
    return find_locked(key, turn);
  }

  /// The same, built if there is none, with its options. Says whether it was built.
  template <class Detector, class Clock>
  [[nodiscard]] std::pair<node*, bool> find_or_create(hashed_key key, std::uint64_t turn,
                                                      const Detector& detector, breaker_options&& options,
                                                      const Clock& clock) {
    const std::lock_guard lock{mutex_};
    if (auto* const found = find_locked(key, turn)) return {found, false};
    auto& made = places_.emplace(this, turn, 2U, detector, std::move(options), clock);
    try {
      index_.insert(slot{made.number, key.hash});
    } catch (...) {
      places_.hide(made.number);
      places_.destroy(made.number);
      throw;
    }
    return {&made, true};
  }

  /// Looks at some breakers and drops those not used since `horizon`; if there are none and `room` is needed,
  /// drops one that may be forgotten: one without trouble if there is any, the one used the longest ago.
  losses evict(std::uint64_t horizon, bool room) {
    const std::lock_guard lock{mutex_};
    losses lost;
    node* best = nullptr;
    auto best_rank = std::pair{need::indispensable, std::uint64_t{0}};
    hand_ = places_.walk(hand_, looked_at, [&](node& one) {
      const auto rank = std::pair{need_of(one), one.last_used.load(std::memory_order_relaxed)};
      if (rank.first == need::indispensable) return;
      if (rank.second <= horizon) {
        drop(one);
        ++lost.expired;
      } else if (rank < best_rank) {
        best = &one;
        best_rank = rank;
      }
    });
    if (room && lost.expired == 0 && best != nullptr) {
      drop(*best);
      ++lost.evicted;
    }
    return lost;
  }

  /// Drops those of a block that were not used since `horizon`; nothing when there is no such block.
  [[nodiscard]] bool expire(std::uint32_t block, std::uint64_t horizon, losses& lost) {
    const std::lock_guard lock{mutex_};
    if (block >= places_.blocks()) return false;
    places_.walk_block(block, [&](node& one) {
      if (one.last_used.load(std::memory_order_relaxed) > horizon) return;
      if (need_of(one) == need::indispensable) return;
      drop(one);
      ++lost.expired;
    });
    return true;
  }

  /// A reference to the breaker with the lowest number from `from` on, or null.
  [[nodiscard]] node* first_from(std::uint32_t from) const {
    const std::shared_lock lock{mutex_};
    auto* const found = places_.first_from(from);
    if (found != nullptr) found->refer();
    return found;
  }

  /// Forgets a key, whatever the state of its breaker; handles keep that.
  bool forget(hashed_key key) {
    node* found = nullptr;
    {
      const std::lock_guard lock{mutex_};
      const auto at = index_.find(probe{key, places_});
      if (at == index_.end()) return false;
      found = &places_[at->number];
      index_.erase(at);
      orphan(*found);
    }
    found->release();  // its end takes the lock
    return true;
  }

  /// Forgets every key; after the last handle the shard is deleted. Nobody looks up any more.
  void leave() noexcept {
    std::array<node*, numbered_places<node>::block_size> orphans{};
    for (std::uint32_t block = 0; block < places_.blocks(); ++block) {
      auto end = orphans.begin();
      {
        const std::lock_guard lock{mutex_};
        places_.walk_block(block, [&](node& one) {
          orphan(one);
          *end++ = &one;
        });
      }
      for (auto one = orphans.begin(); one != end; ++one) (*one)->release();
    }
    disown();
  }

 private:
  friend node;

  struct slot {
    std::uint32_t number;
    std::uint32_t hash;
  };

  struct probe {
    hashed_key key;
    const numbered_places<node>& places;
  };

  struct slot_hash {
    using is_transparent = void;
    std::size_t operator()(const slot& one) const noexcept { return one.hash; }
    std::size_t operator()(const probe& one) const noexcept { return one.key.hash; }
  };

  struct slot_equal {
    using is_transparent = void;
    bool operator()(const slot& one, const slot& other) const noexcept { return one.number == other.number; }
    bool operator()(const probe& one, const slot& other) const noexcept {
      return one.key.hash == other.hash && one.key.text == one.places[other.number].breaker.name();
    }
    bool operator()(const slot& one, const probe& other) const noexcept { return (*this)(other, one); }
  };

  /// How much is lost when a breaker is forgotten, least first.
  enum class need : std::uint8_t {
    none,           ///< closed
    memory,         ///< in trouble, but the next call would pass
    indispensable,  ///< refuses calls, held, or in somebody's hands
  };

  /// Called under the lock alone: then nobody can begin to refer to it.
  static need need_of(const node& one) noexcept {
    // (2) acquire: synchronizes-with (1), so what the last handle did with the breaker is seen, and done.
    if (one.references.load(std::memory_order_acquire) != 1) return need::indispensable;
    switch (one.breaker.observed_state()) {
      case circuit_state::closed:
        return need::none;
      case circuit_state::open:
      case circuit_state::half_open:
        return one.breaker.snapshot().retry_after > duration::zero() ? need::indispensable : need::memory;
      default:  // held, until an operator ends it
        return need::indispensable;
    }
  }

  node* find_locked(hashed_key key, std::uint64_t turn) const {
    const auto found = index_.find(probe{key, places_});
    if (found == index_.end()) return nullptr;
    auto& one = places_[found->number];
    one.refer();
    one.last_used.store(turn, std::memory_order_relaxed);
    return &one;
  }

  /// Under the lock alone, of a breaker that nobody refers to but the registry.
  void drop(node& one) {
    index_.erase(slot{one.number, hash_(one.breaker.name())});
    places_.hide(one.number);
    places_.destroy(one.number);
  }

  /// Under the lock alone. The registry's reference is released after it.
  void orphan(node& one) noexcept {
    places_.hide(one.number);
    owners_.fetch_add(1, std::memory_order_relaxed);  // from the owner that the caller is
  }

  /// The end of an orphan.
  void vacate(node& one) noexcept {
    {
      const std::lock_guard lock{mutex_};
      places_.destroy(one.number);
    }
    disown();
  }

  void disown() noexcept {
    // (3) release: an owner's last access comes before the end. acquire: as the last one, everyone's.
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  ~registry_shard() = default;

  mutable std::shared_mutex mutex_;  // guards all but owners_
  boost::unordered_flat_set<slot, slot_hash, slot_equal> index_;
  numbered_places<node> places_;
  std::uint32_t hand_ = 0;  // where the next eviction looks
  const key_hash& hash_;    // the registry's, which is there while anything is dropped
  // Written by the registry and by ends of orphans (3): the registry, and each breaker forgotten with handles
  // left.
  std::atomic<std::size_t> owners_{1};
};

}  // namespace brownout::detail
