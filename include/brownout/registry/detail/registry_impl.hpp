// SPDX-License-Identifier: BSL-1.0
#pragma once

// How a registry adds and removes breakers. A look-up that finds its breaker does not need this.

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/registry/detail/key_name.hpp"
#include "brownout/registry/detail/registered_breaker.hpp"
#include "brownout/registry/registry.hpp"
#include "brownout/registry/registry_listener.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

template <detector Detector, clock_source Clock>
auto registry<Detector, Clock>::create(detail::hashed_key key) -> handle {
  auto& home = shard_of(key);
  for (;;) {
    const auto by = current_rules();
    // This creation has its own tick, between the ticks of the look-ups before and after it. relaxed: see
    // look_up(). The clock is read after the tick. So a use before this tick was also before `now`.
    const auto tick = tick_.fetch_add(2, std::memory_order_relaxed) + 1;
    const auto now = clock_.now();
    const auto cutoff = idle_cutoff(by->options().idle_for, tick - 1, now);
    const auto build = [&](auto* place, std::uint32_t number) {
      std::construct_at(place, number, &home, by->shared_policy_of(key.text), std::string{key.text}, clock_);
    };
    told_breakers added;
    typename shard::creation created;
    {
      told_breakers removed;
      const auto admit = [&] { return reserve(home, cutoff, now, removed); };
      created = home.find_or_add(key, tick, by->version(), build, admit, added);
      tell(removed);
    }
    if (created.is_outdated) continue;
    if (created.found.object == nullptr) return unregistered(key.text, *by);
    handle one{created.found};
    if (!added.empty()) tell(one, key, added);
    return one;
  }
}

template <detector Detector, clock_source Clock>
auto registry<Detector, Clock>::unregistered(std::string_view name, const rules& by) -> handle {
  auto* const alone =
      new detail::unregistered_breaker<breaker_type>{by.shared_policy_of(name), std::string{name}, clock_};
  unregistered_.fetch_add(1, std::memory_order_relaxed);  // a count, orders nothing
  return handle{{alone, &alone->node}};
}

template <detector Detector, clock_source Clock>
bool registry<Detector, Clock>::erase(detail::hashed_key key, const typename shard::node* only) {
  told_breakers removed;
  if (!shard_of(key).erase(key, only, removed)) return false;
  erased_.fetch_add(1, std::memory_order_relaxed);  // counts, order nothing
  size_.fetch_sub(1, std::memory_order_relaxed);
  tell(removed);
  return true;
}

template <detector Detector, clock_source Clock>
std::size_t registry<Detector, Clock>::remove_expired() {
  const auto by = current_rules();
  const auto tick = tick_.fetch_add(1, std::memory_order_relaxed);  // before the clock: see create()
  const auto now = clock_.now();
  const auto cutoff = idle_cutoff(by->options().idle_for, tick, now);
  if (cutoff == 0) return 0;
  std::size_t expired = 0;
  for (const auto& one : shards_) {
    for (std::uint32_t row = 0;; ++row) {
      told_breakers removed;
      if (!one->expire(row, cutoff, now, removed)) break;
      const auto freed = count(removed);
      size_.fetch_sub(freed, std::memory_order_relaxed);  // a count, orders nothing
      expired += freed;
      tell(removed);
    }
  }
  return expired;
}

template <detector Detector, clock_source Clock>
void registry<Detector, Clock>::reconfigure(options_type options) {
  options.validate();
  if (options.capacity != capacity_) {
    detail::invalid_option("registry_options.capacity", detail::to_text(options.capacity),
                           detail::to_text(capacity_) + ", as at construction (begin with options())");
  }
  const auto next = std::make_shared<rules>(std::move(options));
  for (;;) {
    const auto before = current_rules();
    next->validate_replacing(*before);  // runs user code
    const std::lock_guard lock{reconfiguring_};
    if (current_rules() != before) continue;  // another thread was quicker
    next->bind(pool_, before->version() + 1);
    next->apply();
    {
      const std::lock_guard publishing{rules_mutex_};
      rules_ = next;
    }
    for (const auto& one : shards_) {
      one->change_rules(next->version(), [&](auto& registered) {
        const auto key = registered.breaker.name();
        registered.follow(before->policy_of(key), next->policy_of(key));
      });
    }
    return;
  }
}

/// Takes one of the places of the capacity. If all are taken, evicts another breaker. False if it found no
/// breaker that may be evicted. Called under the lock of `home`, so it must not wait for the lock of another
/// shard.
template <detector Detector, clock_source Clock>
bool registry<Detector, Clock>::reserve(shard& home, std::uint64_t cutoff, time_point now,
                                        told_breakers& removed) noexcept {
  bool reserved = take_free_place();
  if (reserved && cutoff == 0) return true;
  for (int look = 1; look <= most_looks; ++look) {
    // The last look is at `home`, because the lock of `home` is held already.
    auto& looked_at = look == most_looks ? home : next_shard();
    if (&looked_at == &home) {
      home.evict(cutoff, now, !reserved, removed);
    } else {
      looked_at.try_evict(cutoff, now, !reserved, removed);
    }
    auto freed = count(removed);
    if (freed > 0 && !std::exchange(reserved, true)) --freed;  // one of these places is taken at once
    size_.fetch_sub(freed, std::memory_order_relaxed);         // a count, orders nothing
    if (reserved) return true;
  }
  return false;
}

template <detector Detector, clock_source Clock>
bool registry<Detector, Clock>::take_free_place() noexcept {
  auto taken = size_.load(std::memory_order_relaxed);  // a count, orders nothing
  while (taken < capacity_) {
    if (size_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

/// Adds removed breakers to the totals. Returns their number.
template <detector Detector, clock_source Clock>
std::size_t registry<Detector, Clock>::count(const told_breakers& removed) noexcept {
  const auto number = static_cast<std::size_t>(removed.end() - removed.begin());
  auto& total = removed.reason() == removal_reason::evicted ? evicted_ : expired_;
  total.fetch_add(number, std::memory_order_relaxed);  // a count, orders nothing
  return number;
}

/// The tick of the cutoff: breakers that were last used in this tick or earlier have been idle for
/// `idle_for`. 0: no breaker has. `now` was read after `tick` had begun.
template <detector Detector, clock_source Clock>
std::uint64_t registry<Detector, Clock>::idle_cutoff(duration idle_for, std::uint64_t tick, time_point now) {
  if (idle_for == duration{}) return 0;
  const std::lock_guard lock{idle_mutex_};
  if (std::exchange(idle_for_, idle_for) != idle_for) cutoff_ = 0;
  if (now - marked_at_ >= idle_for) {
    cutoff_ = marked_tick_;
    marked_at_ = now;
    marked_tick_ = tick;
  }
  return cutoff_;
}

/// Calls a function of the listener.
template <detector Detector, clock_source Clock>
template <class F>
void registry<Detector, Clock>::call_listener(F function) noexcept {
  const auto returns = [&] {
    function();
    return true;
  };
  if (detail::contained(returns, false)) return;
  listener_failures_.fetch_add(1, std::memory_order_relaxed);  // a count, orders nothing
}

/// Tells the listener of removed breakers.
template <detector Detector, clock_source Clock>
void registry<Detector, Clock>::tell(const told_breakers& removed) noexcept {
  if (!listener_.removed) return;
  for (const auto& one : removed) {
    call_listener([&] { listener_.removed(one.object->breaker.name(), removed.reason()); });
  }
}

/// Tells the listener of an added breaker. If the key was erased meanwhile, tells it of that too.
template <detector Detector, clock_source Clock>
void registry<Detector, Clock>::tell(const handle& one, detail::hashed_key key,
                                     told_breakers& added) noexcept {
  if (listener_.added) call_listener([&] { listener_.added(one); });
  shard_of(key).was_told(key, added);
  tell(added);
}

}  // namespace brownout::inline BROWNOUT_ABI
