// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/key_hash.hpp"
#include "brownout/core/detail/secret_digest.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/registry/detail/key_name.hpp"
#include "brownout/registry/detail/registered_breaker.hpp"
#include "brownout/registry/detail/registry_shard.hpp"
#include "brownout/registry/detail/rule_set.hpp"
#include "brownout/registry/keyed_breaker.hpp"
#include "brownout/registry/registry_listener.hpp"
#include "brownout/registry/registry_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <concepts>
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

/// The size of a registry, and its totals since its construction. The numbers are read one after the other,
/// so they may differ by a few calls.
struct registry_snapshot {
  std::size_t capacity = 0;             ///< `registry_options::capacity`
  std::size_t size = 0;                 ///< breakers registered now
  std::uint64_t evicted = 0;            ///< breakers removed to make room
  std::uint64_t expired = 0;            ///< breakers removed because they were idle for `idle_for`
  std::uint64_t erased = 0;             ///< breakers removed by `erase`
  std::uint64_t unregistered = 0;       ///< look-ups that got an unregistered breaker
  std::uint64_t listener_failures = 0;  ///< exceptions that the listener threw
};

/// Where a visit in parts continues. Default: at the beginning.
struct registry_cursor {
  std::size_t shard = 0;    ///< the part of the registry in which the visit goes on
  std::uint32_t place = 0;  ///< the place in that part

  friend constexpr bool operator==(const registry_cursor&, const registry_cursor&) = default;
};

/// Circuit breakers by key: one for each host, tenant or shard that a service talks to. A breaker is built
/// when its key is looked up for the first time. The number of breakers is bounded.
///
///     brownout::registry<> hosts{{.capacity = 1000}};
///     auto answer = hosts.at(host).call([&] { return ask(host); });
///
/// **Terms.** A breaker is *registered* while look-ups find it. The registry *evicts* a breaker to make room
/// for another. A breaker *expires* when it has been idle (not looked up) for `idle_for`. It is *erased* when
/// `erase` is called. All three *remove* it.
///
/// **Full.** If the registry is full, a new key needs the place of another key. The registry looks at 16
/// breakers and evicts the least recently used one; closed circuits are evicted before others. It never
/// evicts a breaker whose circuit refuses calls or is held by an operator, or a breaker with a handle or a
/// permit. If four such looks find no breaker to evict, the new key gets an *unregistered* breaker: no other
/// look-up gets that breaker, and it ends with its last handle. So no call is refused because the registry is
/// full, no two keys share a breaker, and memory is bounded by `capacity` and by the number of handles. The
/// next look-up of the key tries again. See docs/adr/0005.
///
/// **Keys** are any bytes. A key may be empty. Strangers may choose the keys: the hash of a key is secret,
/// and made-up keys can evict only idle breakers with closed circuits. Keys of up to 127 bytes are compared
/// byte by byte. Longer keys are compared by 128 bytes that are made of them: the first 90 to 93 bytes, dots,
/// and a digest of the whole key in 32 hexadecimal digits. The digest (SipHash-2-4-128) has a secret of the
/// registry. Two different long keys with the same beginning share a breaker with a probability of 2^-128,
/// even if an attacker chooses them. The name of a breaker is its key, or these 128 bytes. The digits differ
/// from process to process.
///
/// **Threads.** Thread-safe throughout. A look-up that finds its breaker is lock-free and allocates nothing.
/// Other look-ups take a lock, which other threads hold for a bounded number of steps only. No user code runs
/// under a lock: no listener, no clock, no detector, and no destructor of an object that a listener has
/// captured. Handles may outlive the registry.
template <detector Detector = standard_detector, clock_source Clock = monotonic_clock>
class registry {
 public:
  /// The type of the breakers.
  using breaker_type = circuit_breaker<Detector, Clock>;
  /// The type of the options.
  using options_type = registry_options<Detector>;
  /// The type of the listener.
  using listener_type = registry_listener<breaker_type>;
  /// What a look-up returns. It keeps its breaker alive.
  using handle = keyed_breaker<breaker_type>;

  /// The listener is told of breakers that are added and removed. Default: no listener.
  ///
  /// Throws `std::invalid_argument` naming rule, field, value and range.
  explicit registry(options_type options = {}, listener_type listener = {}, Clock clock = Clock{})
      : capacity_{valid(options).capacity},
        listener_{std::move(listener)},
        clock_{std::move(clock)},
        marked_at_{clock_.now()} {
    auto first = std::make_shared<rules>(std::move(options));
    first->bind(pool_, 0);
    rules_ = std::move(first);
    // Enough shards that threads seldom meet, but not so many that a full shard has few breakers to choose
    // from.
    const auto wanted = std::size_t{4} * (std::max)(1U, std::thread::hardware_concurrency());
    const auto shards = std::bit_floor(std::clamp<std::size_t>(capacity_ / 128, 1, wanted));
    // An even share for each shard, and a reserve of more than 8 standard deviations, because some shards get
    // more keys than others.
    const auto share = shards == 1 ? capacity_ : capacity_ / shards * 5 / 4 + 64;
    const bool has_listener = listener_.added || listener_.removed;
    while (shards_.size() < shards) {
      shards_.emplace_back(new shard{hash_, static_cast<std::uint32_t>(share), has_listener});
    }
  }
  /// As above, without a listener.
  template <clock_source Given>
  requires std::convertible_to<Given, Clock> registry(options_type options, Given clock)
      : registry{std::move(options), {}, std::move(clock)} {}

  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;
  /// Breakers with handles stay alive. The others are destroyed here with their listeners. Until the
  /// destructor returns, these listeners may call the registry, which gives them unregistered breakers.
  ~registry() {
    for (const auto& one : shards_) one->close();
  }

  /// The breaker of `key`, built if the registry has none. Never an empty handle; see
  /// `keyed_breaker::was_registered`. If several threads look up a new key at the same time, all get the same
  /// breaker.
  ///
  /// Throws only if memory runs out, or if the copy of the clock throws. Then nothing has changed.
  [[nodiscard]] handle at(std::string_view key) {
    if (key.size() > detail::key_name::longest_plain_key) [[unlikely]] {
      return at_long(key);
    }
    return look_up({key, hash_(key)});
  }

  /// The breaker of `key` if the registry has one, otherwise an empty handle. Counts as a use, like `at`.
  [[nodiscard]] handle find(std::string_view key) const {
    return by_name(key, [this](detail::hashed_key sought) {
      const auto tick = tick_.load(std::memory_order_relaxed);  // as in look_up()
      const auto found = shard_of(sought).find(sought, tick);
      return handle{found.object != nullptr ? found : shard_of(sought).find_surely(sought, tick)};
    });
  }

  /// Removes a key, even if its circuit is open, for example because the host is gone. Handles keep their
  /// breaker alive. The next `at` builds a new breaker. False if the registry had no such key.
  bool erase(std::string_view key) {
    return by_name(key, [this](detail::hashed_key sought) { return erase(sought, nullptr); });
  }
  /// As above, for the key of this breaker, if the registry still has this breaker. Useful within `visit`,
  /// and for long keys. Precondition: the handle is not empty.
  bool erase(const handle& one) {
    const auto& node = one.node();
    return erase({node.breaker.name(), hash_(node.breaker.name())}, &node);
  }

  /// Calls `function` with a handle of every registered breaker, without a lock. Does not count as a use. A
  /// breaker that is registered during the whole call is shown once. A breaker that is added or removed
  /// meanwhile is shown at most once. Allocates nothing.
  template <class F>
  void visit(F&& function) const {
    for (const auto& one : shards_) {
      std::uint32_t next = 0;
      while (const handle shown{one->next_from(next)}) std::invoke(function, shown);
    }
  }

  /// As `visit`, in parts: shows up to `most` breakers, and moves `from` to where the next part begins.
  /// Returns true at the end of a round, when `from` is at the beginning again.
  template <class F>
  bool visit_some(registry_cursor& from, std::size_t most, F&& function) const {
    for (; from.shard < shards_.size(); from = {from.shard + 1, 0}) {
      for (; most > 0; --most) {
        const handle shown{shards_[from.shard]->next_from(from.place)};
        if (!shown) break;
        std::invoke(function, shown);
      }
      if (most == 0) return false;
    }
    from = {};
    return true;
  }

  /// Removes the breakers that have expired: see `registry_options::idle_for`. Breakers with a handle stay,
  /// and so do breakers whose circuit refuses calls or is held. Returns the number of removed breakers.
  /// Useful for a service whose keys change seldom. Otherwise each added breaker removes some expired ones.
  std::size_t remove_expired();

  /// Replaces the options while the registry is in use. All of them are replaced: an omitted option gets its
  /// default. To change some options, begin with `options()`.
  ///
  /// Registered breakers follow the new rules of their keys, as in `circuit_breaker::reconfigure`: states and
  /// statistics stay. Breakers that were reconfigured by themselves do not change. Breakers that are no
  /// longer registered may or may not change. Look-ups are not delayed. The registry keeps the policy of
  /// every match that it ever had a rule for (about 400 bytes each), because old breakers may still read it.
  ///
  /// Throws `std::invalid_argument` naming rule, field, value and range; then nothing has changed. `capacity`
  /// must not change. For each key, the options from which a detector's history was built, such as the size
  /// of its window, must not change either. For a new rule they must equal those of the rule that its keys
  /// had before.
  void reconfigure(options_type options);

  /// The options in force, as a copy. Too slow for the path of every call.
  [[nodiscard]] options_type options() const { return current_rules()->options(); }

  /// Size and totals. Thread-safe.
  [[nodiscard]] registry_snapshot snapshot() const noexcept {
    // relaxed: these are counts and order nothing.
    return {capacity_,
            size_.load(std::memory_order_relaxed),
            evicted_.load(std::memory_order_relaxed),
            expired_.load(std::memory_order_relaxed),
            erased_.load(std::memory_order_relaxed),
            unregistered_.load(std::memory_order_relaxed),
            listener_failures_.load(std::memory_order_relaxed)};
  }

 private:
  using shard = detail::registry_shard<breaker_type>;
  using told_breakers = typename shard::told_breakers;
  using rules = detail::rule_set<Detector>;

  static constexpr int most_looks = 4;  // of 16 breakers each

  struct leave_shard {
    void operator()(shard* left) const noexcept { left->disown(); }
  };

  static const options_type& valid(const options_type& options) {
    options.validate();
    return options;
  }

  [[nodiscard]] shard& shard_of(detail::hashed_key key) const noexcept {
    return *shards_[key.hash & (shards_.size() - 1)];
  }

  /// Returns what `function` returns for the name of the key (see `key_name`).
  template <class F>
  auto by_name(std::string_view key, F function) const {
    if (key.size() <= detail::key_name::longest_plain_key) {
      return function(detail::hashed_key{key, hash_(key)});
    }
    const detail::key_name name{key, digest_(key)};
    return function(detail::hashed_key{name.view(), hash_(name.view())});
  }

  [[nodiscard]] BROWNOUT_ALWAYS_INLINE handle look_up(detail::hashed_key key) {
    // relaxed: a look-up that reads an old tick looks older, which only affects the order of eviction.
    const auto found = shard_of(key).find(key, tick_.load(std::memory_order_relaxed));
    if (found.object != nullptr) [[likely]] {
      return handle{found};
    }
    return create(key);
  }
  BROWNOUT_NOINLINE handle at_long(std::string_view key) {
    return by_name(key, [this](detail::hashed_key sought) { return look_up(sought); });
  }
  BROWNOUT_NOINLINE handle create(detail::hashed_key key);
  [[nodiscard]] handle unregistered(std::string_view name, const rules& by);
  bool erase(detail::hashed_key key, const typename shard::node* only);

  [[nodiscard]] bool reserve(shard& home, std::uint64_t cutoff, time_point now,
                             told_breakers& removed) noexcept;
  [[nodiscard]] bool take_free_place() noexcept;
  [[nodiscard]] shard& next_shard() noexcept {
    // relaxed: it only has to spread the looks.
    return *shards_[next_shard_.fetch_add(1, std::memory_order_relaxed) % shards_.size()];
  }
  std::size_t count(const told_breakers& removed) noexcept;
  [[nodiscard]] std::uint64_t idle_cutoff(duration idle_for, std::uint64_t tick, time_point now);

  template <class F>
  void call_listener(F function) noexcept;
  void tell(const told_breakers& removed) noexcept;
  void tell(const handle& one, detail::hashed_key key, told_breakers& added) noexcept;

  [[nodiscard]] std::shared_ptr<const rules> current_rules() const {
    const std::lock_guard lock{rules_mutex_};
    return rules_;
  }

  const std::size_t capacity_;
  const listener_type listener_;
  BROWNOUT_NO_UNIQUE_ADDRESS const Clock clock_;
  const detail::key_hash hash_{};
  const detail::secret_digest digest_{};
  std::vector<std::unique_ptr<shard, leave_shard>> shards_{};  // never changed after construction

  // Logical time. Written by the thread that adds a breaker or evicts idle ones. The last use of a breaker is
  // stored as a tick, so a look-up reads no clock and writes only into the breaker.
  std::atomic<std::uint64_t> tick_{1};
  // Written by the thread that adds or removes; at most `capacity_`.
  std::atomic<std::size_t> size_{0};
  std::atomic<std::size_t> next_shard_{0};  // written by the thread that evicts: the next shard to look at
  std::atomic<std::uint64_t> evicted_{0};   // written by the thread that evicts; a total
  std::atomic<std::uint64_t> expired_{0};   // written by the thread that evicts; a total
  std::atomic<std::uint64_t> erased_{0};    // written by the thread that erases; a total
  std::atomic<std::uint64_t> unregistered_{0};       // written by the thread that finds no room; a total
  std::atomic<std::uint64_t> listener_failures_{0};  // written by the thread that calls the listener; a total

  std::mutex reconfiguring_{};  // one thread at a time
  const std::shared_ptr<typename rules::pool_type> pool_ = std::make_shared<typename rules::pool_type>();
  mutable std::mutex rules_mutex_{};  // guards the next member
  std::shared_ptr<const rules> rules_{};

  std::mutex idle_mutex_{};  // guards the members below
  time_point marked_at_;
  std::uint64_t marked_tick_ = 0;  // uses in this tick and before it are older than `marked_at_`
  duration idle_for_{};            // the `idle_for` of the cutoff
  std::uint64_t cutoff_ = 0;       // breakers last used in this tick or before are idle; 0: none is
};

}  // namespace brownout::inline BROWNOUT_ABI

#include "brownout/registry/detail/registry_impl.hpp"
