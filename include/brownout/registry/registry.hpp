// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/detail/policy.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/registry/detail/key_hash.hpp"
#include "brownout/registry/detail/registry_shard.hpp"
#include "brownout/registry/keyed_breaker.hpp"
#include "brownout/registry/registry_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// What a registry has done since its construction. The figures are read one after the other, so they may be
/// a few calls apart.
struct registry_snapshot {
  std::size_t capacity = 0;
  std::size_t size = 0;           ///< breakers remembered now, with those just being built
  std::uint64_t evicted = 0;      ///< forgotten to make room
  std::uint64_t expired = 0;      ///< forgotten because nobody had looked them up for `idle_for`
  std::uint64_t turned_away = 0;  ///< look-ups that got a breaker which is not remembered
};

/// Circuit breakers by key, built on first use and bounded in number: one for each host, tenant or shard that
/// a service talks to.
///
/// **Full.** The breaker that goes is one of 16 looked at: one that is closed if there is any, and of those
/// the one used the longest ago. A circuit that refuses calls, that an operator holds, or that somebody has
/// a handle or permit of never goes. When of 64 looked at none can go, the newcomer gets a breaker that is
/// nobody else's and is forgotten with its last handle: its calls are neither refused nor mixed up with
/// another key's, and memory stays bounded by `capacity` and the handles held. The next look-up tries again
/// from where this one ended, so whatever can go is found. See docs/adr/0005.
///
/// **Hostile keys.** Any bytes, none included. Their hash is secret, so they can't be aimed. Keys above
/// `longest_key` bytes are never remembered. Strangers who make up keys can push out idle closed circuits,
/// but no open one.
///
/// **Threads.** Thread-safe throughout. A look-up that finds its breaker is lock-free and allocates
/// nothing. One that does not takes a lock, which others hold for a bounded number of steps only. No user
/// code runs under a lock. Handles may outlive the registry.
template <detector Detector = standard_detector, clock_source Clock = monotonic_clock>
class registry {
 public:
  using breaker_type = circuit_breaker<Detector, Clock>;
  using options_type = registry_options<Detector>;
  using handle = keyed_breaker<breaker_type>;

  static constexpr std::size_t longest_key = detail::key_hash::longest_key;  ///< bytes

  /// Throws `std::invalid_argument` naming rule, field, value and range.
  explicit registry(options_type options = {}, Clock clock = Clock{})
      : options_{validated(std::move(options))},
        keys_{shared(options_.keys)},
        prefixes_{shared(options_.prefixes)},
        otherwise_{shared(options_.breaker, options_.detector)},
        clock_{std::move(clock)},
        marked_at_{clock_.now()} {
    const auto by_match = [](const auto& one, const auto& other) { return one.match < other.match; };
    const auto longest_first = [](const auto& one, const auto& other) {
      return one.match.size() > other.match.size();
    };
    std::sort(keys_.begin(), keys_.end(), by_match);
    std::sort(prefixes_.begin(), prefixes_.end(), longest_first);
    // Enough of them that threads seldom meet, and few enough that a full one has plenty to choose from.
    const auto wanted = std::size_t{4} * (std::max)(1U, std::thread::hardware_concurrency());
    const auto shards = std::bit_floor(std::clamp<std::size_t>(options_.capacity / 128, 1, wanted));
    // An even share, and what some may get more than others: more than 8 standard deviations.
    const auto share = shards == 1 ? options_.capacity : options_.capacity / shards * 5 / 4 + 64;
    while (shards_.size() < shards) {
      shards_.emplace_back(new shard{hash_, static_cast<std::uint32_t>(share)});
    }
  }

  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;
  ~registry() = default;  // handles keep their breakers

  /// The breaker of `key`, built if the registry remembers none. Never empty; see
  /// `keyed_breaker::is_remembered`.
  ///
  /// Throws only when memory is short. However many threads ask for a new key at once, one breaker is built.
  [[nodiscard]] handle at(std::string_view key) {
    if (key.size() > longest_key) [[unlikely]] {
      return turn_away(key);
    }
    const detail::hashed_key hashed{key, hash_(key)};
    // relaxed: a turn late is a turn older, which only order of eviction depends on.
    const auto found = shard_of(hashed).find(hashed, turn_.load(std::memory_order_relaxed));
    if (found.object != nullptr) [[likely]] {
      return handle{found};
    }
    return create(hashed);
  }

  /// The breaker of `key` if the registry remembers it, otherwise an empty handle. A use, as `at` is.
  [[nodiscard]] handle find(std::string_view key) const {
    if (key.size() > longest_key) return {};
    const detail::hashed_key hashed{key, hash_(key)};
    const auto turn = turn_.load(std::memory_order_relaxed);  // as in at()
    const auto found = shard_of(hashed).find(hashed, turn);
    return handle{found.object != nullptr ? found : shard_of(hashed).find_surely(hashed, turn)};
  }

  /// Forgets a key, even one whose circuit is open: for a host that is gone. Handles keep their breaker; the
  /// next `at` builds another. False when the registry did not remember it.
  bool forget(std::string_view key) {
    if (key.size() > longest_key) return false;
    const detail::hashed_key hashed{key, hash_(key)};
    const bool forgotten = shard_of(hashed).forget(hashed);
    if (forgotten) size_.fetch_sub(1, std::memory_order_relaxed);  // a count, orders nothing
    return forgotten;
  }

  /// Calls `function` with a handle of every remembered breaker, without a lock. Not a use. Whatever is there
  /// from the beginning to the end is shown once; what comes or goes meanwhile, at most once. Allocates
  /// nothing.
  template <class F>
  void visit(F&& function) const {
    for (const auto& one : shards_) {
      std::uint32_t next = 0;
      while (const handle shown{one->next_from(next)}) std::invoke(function, shown);
    }
  }

  /// Forgets what nobody has looked up for `idle_for`; circuits that refuse calls or are held, and what
  /// somebody has a handle of, stay. Returns how many went. For a service whose keys change seldom: creating
  /// breakers does the same bit by bit.
  std::size_t evict_idle() {
    const auto horizon = idle_horizon();
    typename shard::losses lost;
    for (const auto& one : shards_) {
      for (std::uint32_t row = 0; one->expire(row, horizon, lost); ++row) {
      }
    }
    expired_.fetch_add(lost.expired, std::memory_order_relaxed);  // counts, order nothing
    size_.fetch_sub(lost.expired, std::memory_order_relaxed);
    return lost.expired;
  }

  [[nodiscard]] registry_snapshot snapshot() const noexcept {
    // relaxed: counts, which order nothing.
    return {options_.capacity, size_.load(std::memory_order_relaxed),
            evicted_.load(std::memory_order_relaxed), expired_.load(std::memory_order_relaxed),
            turned_away_.load(std::memory_order_relaxed)};
  }

  [[nodiscard]] const options_type& options() const noexcept { return options_; }

 private:
  using shard = detail::registry_shard<breaker_type>;

  static constexpr int most_looks = 4;  // of 16 breakers each

  struct leave_shard {
    void operator()(shard* left) const noexcept { left->leave(); }
  };

  using shared_policy = std::shared_ptr<detail::policy<Detector>>;

  /// A rule as keys look for it.
  struct rule {
    std::string match;
    shared_policy policy;
  };
  static std::vector<rule> shared(const std::vector<breaker_rule<Detector>>& rules) {
    std::vector<rule> made;
    for (const auto& one : rules) made.push_back({one.match, shared(one.breaker, one.detector)});
    return made;
  }
  static shared_policy shared(const breaker_options& breaker, const Detector& detector) {
    return std::make_shared<detail::policy<Detector>>(breaker, detector);
  }

  /// A place among `capacity`, given back unless it is used.
  struct reserved_place {
    registry& owner;
    bool is_mine = false;

    explicit reserved_place(registry& reserving) noexcept : owner{reserving} {}
    reserved_place(const reserved_place&) = delete;
    reserved_place& operator=(const reserved_place&) = delete;
    ~reserved_place() {
      if (is_mine) owner.size_.fetch_sub(1, std::memory_order_relaxed);  // a count, orders nothing
    }
  };

  static options_type validated(options_type options) {
    options.validate();
    return options;
  }

  [[nodiscard]] shard& shard_of(detail::hashed_key key) const noexcept {
    return *shards_[key.hash & (shards_.size() - 1)];
  }

  [[nodiscard]] const shared_policy& policy_of(std::string_view key) const noexcept {
    const auto named =
        std::lower_bound(keys_.begin(), keys_.end(), key,
                         [](const auto& one, std::string_view sought) { return one.match < sought; });
    if (named != keys_.end() && named->match == key) return named->policy;
    for (const auto& one : prefixes_) {
      if (key.starts_with(one.match)) return one.policy;
    }
    return otherwise_;
  }

  static std::string name_of(std::string_view key) {
    return std::string{key.substr(0, breaker_options::longest_name)};  // no longer than it must be
  }

  BROWNOUT_NOINLINE handle create(detail::hashed_key key) {
    const auto horizon = idle_horizon();
    // A turn of its own, between the look-ups before and after. relaxed: see at().
    const auto turn = turn_.fetch_add(2, std::memory_order_relaxed) + 1;
    auto& home = shard_of(key);
    reserved_place reserved{*this};
    const auto [found, is_new] = home.find_or_create(
        key, turn, [&] { return reserved.is_mine = reserve(home, horizon); }, policy_of(key.text),
        name_of(key.text), clock_);
    if (is_new) reserved.is_mine = false;
    return found.object != nullptr ? handle{found} : turn_away(key.text);
  }

  BROWNOUT_NOINLINE handle turn_away(std::string_view key) {
    auto* const alone = new detail::lone_breaker<breaker_type>{policy_of(key), name_of(key), clock_};
    turned_away_.fetch_add(1, std::memory_order_relaxed);  // a count, orders nothing
    return handle{{alone, &alone->node}};
  }

  /// Takes a place, another breaker's if it must. False when nothing that it looked at may go. Under the lock
  /// of `home`, so it waits for no other.
  bool reserve(shard& home, std::uint64_t horizon) noexcept {
    bool reserved = take_free_place();
    if (reserved && horizon == 0) return true;
    for (int look = 1; look <= most_looks; ++look) {
      // The last look is at home, where it can't fail for want of a lock.
      auto& looked_at = look == most_looks ? home : next_shard();
      const auto lost =
          &looked_at == &home ? home.evict(horizon, !reserved) : looked_at.try_evict(horizon, !reserved);
      auto freed = std::size_t{lost.expired} + lost.evicted;
      expired_.fetch_add(lost.expired, std::memory_order_relaxed);  // counts, order nothing
      evicted_.fetch_add(lost.evicted, std::memory_order_relaxed);
      if (freed > 0 && !std::exchange(reserved, true)) --freed;  // its place is ours
      size_.fetch_sub(freed, std::memory_order_relaxed);
      if (reserved) return true;
    }
    return false;
  }

  [[nodiscard]] shard& next_shard() noexcept {
    // relaxed: it need only spread the looks.
    return *shards_[hand_.fetch_add(1, std::memory_order_relaxed) % shards_.size()];
  }

  bool take_free_place() noexcept {
    auto taken = size_.load(std::memory_order_relaxed);  // a count, orders nothing
    while (taken < options_.capacity) {
      if (size_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }

  /// The turn such that what was last used in it or before has been idle for `idle_for`; 0: nothing has.
  std::uint64_t idle_horizon() {
    if (options_.idle_for == duration{}) return 0;
    const std::lock_guard lock{idle_mutex_};
    const auto now = clock_.now();
    if (now - marked_at_ >= options_.idle_for) {
      horizon_ = marked_turn_;
      marked_at_ = now;
      marked_turn_ = turn_.fetch_add(1, std::memory_order_relaxed);  // whoever comes later is in a later turn
    }
    return horizon_;
  }

  const options_type options_;
  std::vector<rule> keys_;      // sorted
  std::vector<rule> prefixes_;  // the longest first
  const shared_policy otherwise_;
  BROWNOUT_NO_UNIQUE_ADDRESS Clock clock_;
  const detail::key_hash hash_{};
  std::vector<std::unique_ptr<shard, leave_shard>> shards_{};

  // Written by whoever creates: the order in time that "used the longest ago" means. A breaker's last use is
  // the turn it was in, so a look-up reads no clock, and writes only into the breaker.
  std::atomic<std::uint64_t> turn_{1};
  std::atomic<std::size_t> size_{0};           // written by whoever creates or evicts; at most capacity
  std::atomic<std::size_t> hand_{0};           // written by whoever evicts: the shard to look at next
  std::atomic<std::uint64_t> evicted_{0};      // written by whoever evicts; a total
  std::atomic<std::uint64_t> expired_{0};      // written by whoever evicts; a total
  std::atomic<std::uint64_t> turned_away_{0};  // written by whoever finds no room; a total

  std::mutex idle_mutex_{};  // guards what follows
  time_point marked_at_;
  std::uint64_t marked_turn_ = 0;  // what was used in it or before, was used before marked_at_
  std::uint64_t horizon_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI
