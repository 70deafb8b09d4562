// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/registry/detail/key_hash.hpp"
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

/// What a registry holds, and what it has done since its construction. The figures are read one after the
/// other, so they may be a few calls apart.
struct registry_snapshot {
  std::size_t capacity = 0;
  std::size_t size = 0;                 ///< breakers registered now
  std::uint64_t evicted = 0;            ///< breakers removed to make room
  std::uint64_t expired = 0;            ///< breakers removed because they were idle for `idle_for`
  std::uint64_t erased = 0;             ///< breakers removed by `erase`
  std::uint64_t unregistered = 0;       ///< look-ups that got an unregistered breaker
  std::uint64_t listener_failures = 0;  ///< exceptions out of the listener
};

/// Circuit breakers by key: one for each host, tenant or shard that a service talks to. A breaker is built
/// when its key is looked up for the first time. The number of breakers is bounded.
///
///     brownout::registry<> hosts{{.capacity = 1000}};
///     auto answer = hosts.at(host).call([&] { return ask(host); });
///
/// **Terms.** A breaker is *registered* while look-ups find it. The registry *evicts* a breaker to make room
/// for another. A breaker *expires* when it was idle, that is not looked up, for `idle_for`. It is *erased*
/// when `erase` is called. All three *remove* it.
///
/// **Full.** A new key needs the place of another one. The registry looks at 16 breakers and evicts the one
/// that was used the longest ago; closed circuits go before others. It never evicts a circuit that refuses
/// calls or that an operator holds, nor a breaker that somebody has a handle or a permit of. After four looks
/// in vain the new key gets an *unregistered* breaker: no other look-up gets that breaker, and it ends with
/// its last handle. So no call is refused for want of room, no two keys share a breaker, and memory is
/// bounded by `capacity` and by the handles held. The next look-up of the key tries again. See docs/adr/0005.
///
/// **Keys** are any bytes, also none. Strangers may choose them: the hash of a key is secret, and made-up
/// keys can push out idle closed circuits only. Keys of up to 127 bytes are compared byte by byte. Longer
/// keys are compared by 128 bytes that are made of them: the first 90 to 93 bytes, dots, and a digest of the
/// whole key in 32 hexadecimal digits. The digest (SipHash-2-4-128) has a secret of the registry. Two
/// different long keys with the same beginning share a breaker with a probability of 2^-128, whoever chooses
/// them. A breaker's name is its key, or these 128 bytes; the digits differ from process to process.
///
/// **Threads.** Thread-safe throughout. A look-up that finds its breaker is lock-free and allocates nothing.
/// One that does not takes a lock, which others hold for a bounded number of steps only. No code of the user
/// runs under a lock: no listener, clock or detector, and nothing that a listener has captured. Handles may
/// outlive the registry.
template <detector Detector = standard_detector, clock_source Clock = monotonic_clock>
class registry {
 public:
  using breaker_type = circuit_breaker<Detector, Clock>;
  using options_type = registry_options<Detector>;
  using listener_type = registry_listener<breaker_type>;
  using handle = keyed_breaker<breaker_type>;

  /// The listener hears of breakers that are added and removed; default: nobody hears.
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
    // Enough shards that threads seldom meet, and few enough that a full one has plenty to choose from.
    const auto wanted = std::size_t{4} * (std::max)(1U, std::thread::hardware_concurrency());
    const auto shards = std::bit_floor(std::clamp<std::size_t>(capacity_ / 128, 1, wanted));
    // An even share, and what some may get more than others: more than 8 standard deviations.
    const auto share = shards == 1 ? capacity_ : capacity_ / shards * 5 / 4 + 64;
    const bool has_listener = listener_.added || listener_.removed;
    while (shards_.size() < shards) {
      shards_.emplace_back(new shard{hash_, static_cast<std::uint32_t>(share), has_listener});
    }
  }
  /// The same without a listener.
  template <std::same_as<Clock> Given>
  registry(options_type options, Given clock) : registry{std::move(options), {}, std::move(clock)} {}

  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;
  /// Handles keep their breakers. The others end here, and with them their listeners: until this returns,
  /// these may call the registry, which gives them unregistered breakers.
  ~registry() {
    for (const auto& one : shards_) one->close();
  }

  /// The breaker of `key`, built if the registry has none. Never an empty handle; see
  /// `keyed_breaker::was_registered`. However many threads look up a new key at once, all get one breaker.
  ///
  /// Throws only when memory is short, or what a copy of the clock throws; then nothing has changed.
  [[nodiscard]] handle at(std::string_view key) {
    if (key.size() > detail::key_name::longest_plain_key) [[unlikely]] {
      return at_long(key);
    }
    return look_up({key, hash_(key)});
  }

  /// The breaker of `key` if the registry has one, otherwise an empty handle. A use, as `at` is.
  [[nodiscard]] handle find(std::string_view key) const {
    return by_name(key, [this](detail::hashed_key sought) {
      const auto tick = tick_.load(std::memory_order_relaxed);  // as in look_up()
      const auto found = shard_of(sought).find(sought, tick);
      return handle{found.object != nullptr ? found : shard_of(sought).find_surely(sought, tick)};
    });
  }

  /// Removes a key, even one whose circuit is open: for a host that is gone. Handles keep their breaker; the
  /// next `at` builds another. False when the registry had no such key.
  bool erase(std::string_view key) {
    return by_name(key, [this](detail::hashed_key sought) { return erase(sought, nullptr); });
  }
  /// The same for the key of this breaker, if the registry still has this breaker: while it is visited, and
  /// for long keys. Precondition: the handle is not empty.
  bool erase(const handle& one) {
    const auto& node = one.node();
    return erase({node.breaker.name(), hash_(node.breaker.name())}, &node);
  }

  /// Calls `function` with a handle of every registered breaker, without a lock. Not a use. Breakers that are
  /// there from the beginning to the end are shown once; those that come or go meanwhile, at most once.
  /// Allocates nothing.
  template <class F>
  void visit(F&& function) const {
    for (const auto& one : shards_) {
      std::uint32_t next = 0;
      while (const handle shown{one->next_from(next)}) std::invoke(function, shown);
    }
  }

  /// Removes the breakers that have expired: see `registry_options::idle_for`. Circuits that refuse calls or
  /// are held, and those that somebody has a handle of, stay. Returns how many went. For a service whose keys
  /// change seldom: adding breakers does the same bit by bit.
  std::size_t remove_expired();

  /// Replaces the options while the registry is in use. All of them are replaced: what is left out gets its
  /// default; to change some, begin with `options()`.
  ///
  /// Breakers that are there follow the rules that their keys have now, as `circuit_breaker::reconfigure`
  /// says: states and statistics stay. Breakers that were reconfigured on their own stay as they are, and so
  /// may those that are not registered any more. Look-ups are not delayed.
  ///
  /// Throws `std::invalid_argument` naming rule, field, value and range; then nothing has changed. `capacity`
  /// must stay as it was. So must what a detector's history was built from, such as the size of its window,
  /// for each key: of a rule that is new, that of the rule which its keys had before.
  void reconfigure(options_type options);

  /// The options in force. A copy: not for the path of every call.
  [[nodiscard]] options_type options() const { return current_rules()->options(); }

  [[nodiscard]] registry_snapshot snapshot() const noexcept {
    // relaxed: counts, which order nothing.
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

  /// What `function` returns for what stands for the key.
  template <class F>
  auto by_name(std::string_view key, F function) const {
    if (key.size() <= detail::key_name::longest_plain_key) {
      return function(detail::hashed_key{key, hash_(key)});
    }
    const detail::key_name name{key, digest_(key)};
    return function(detail::hashed_key{name.view(), hash_(name.view())});
  }

  [[nodiscard]] BROWNOUT_ALWAYS_INLINE handle look_up(detail::hashed_key key) {
    // relaxed: a look-up that is late by a tick looks older, which only the order of eviction depends on.
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
    // relaxed: it need only spread the looks.
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

  // Written by the thread that adds a breaker or evicts idle ones: logical time. A breaker's last use is the
  // tick that it was in, so a look-up reads no clock, and writes only into the breaker.
  std::atomic<std::uint64_t> tick_{1};
  // Written by the thread that adds or removes; at most `capacity_`.
  std::atomic<std::size_t> size_{0};
  std::atomic<std::size_t> next_shard_{0};           // written by the thread that evicts: where it looks next
  std::atomic<std::uint64_t> evicted_{0};            // written by the thread that evicts; a total
  std::atomic<std::uint64_t> expired_{0};            // written by the thread that evicts; a total
  std::atomic<std::uint64_t> erased_{0};             // written by the thread that erases; a total
  std::atomic<std::uint64_t> unregistered_{0};       // written by the thread that finds no room; a total
  std::atomic<std::uint64_t> listener_failures_{0};  // written by the thread that tells; a total

  std::mutex reconfiguring_{};  // one thread at a time
  const std::shared_ptr<typename rules::pool_type> pool_ = std::make_shared<typename rules::pool_type>();
  mutable std::mutex rules_mutex_{};  // guards the next
  std::shared_ptr<const rules> rules_{};

  std::mutex idle_mutex_{};  // guards what follows
  time_point marked_at_;
  std::uint64_t marked_tick_ = 0;  // uses in this tick and before it are older than `marked_at_`
  duration idle_for_{};            // of the cutoff
  std::uint64_t cutoff_ = 0;       // breakers last used in this tick or before are idle; 0: none is
};

}  // namespace brownout::inline BROWNOUT_ABI

#include "brownout/registry/detail/registry_impl.hpp"
