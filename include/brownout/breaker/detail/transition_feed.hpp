// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/transition_event.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

class transition_feed;

/// What delivers later, while this thread must not run listeners. See `deferred_delivery`.
class feed_deferral {
 public:
  feed_deferral() = default;
  feed_deferral(const feed_deferral&) = delete;
  feed_deferral& operator=(const feed_deferral&) = delete;
  virtual ~feed_deferral() = default;

  /// Takes the feed over; false if there is no room.
  virtual bool defer(transition_feed& feed) noexcept = 0;

  /// That of this thread; null: listeners may run.
  [[nodiscard]] static feed_deferral*& current() noexcept {
    static thread_local feed_deferral* mine = nullptr;
    return mine;
  }
};

/// Delivers the transitions of one breaker to its listeners in the order of their epochs, even if they are
/// published in another order.
///
/// Thread-safe. One thread delivers at a time. If another thread publishes meanwhile, it leaves the event to
/// the delivering thread. A thread that has delivered its share hands over to the next thread that publishes.
/// The mutex is held for a bounded number of steps. In these steps no code of a listener runs, not even its
/// destructor, and nothing is allocated. The feed must not be destroyed while one of its operations runs.
class transition_feed {
 public:
  /// How far an event may be ahead of the oldest event that is not delivered yet. This many events with their
  /// texts take 11 KiB.
  static constexpr std::uint64_t capacity = 64;
  /// How many events a thread delivers before it hands over.
  static constexpr std::uint32_t share = 16;

  /// The first event to deliver is that of epoch `epoch + 1`; older ones are ignored.
  explicit transition_feed(std::uint64_t epoch) noexcept : next_{epoch + 1} {}

  transition_feed(const transition_feed&) = delete;
  transition_feed& operator=(const transition_feed&) = delete;

  /// Takes a transition that has happened. Delivers it and all transitions that follow without a gap, unless
  /// another thread is delivering. If an earlier event is not published yet, the later event waits for it.
  /// `cycle` and `outage_lasted` of the event are filled in here.
  ///
  /// Call it after the transition, when the caller holds nothing that other threads wait for. Allocates
  /// nothing. It waits for a listener on another thread only in one case: to take over from a thread that has
  /// delivered its share. It waits for one event at most. It never waits inside a listener of any feed,
  /// because two threads could then wait for each other.
  void publish(const transition_event& event) noexcept;

  /// Takes the news that the detector has tripped in the metrics_only epoch of the event, as `publish` does.
  /// The news is delivered after the transition to that epoch and before the next transition, once for each
  /// epoch. If the next transition has been delivered already, the news is dropped.
  ///
  /// Ignored while the news of an earlier epoch waits. The next failed call of the epoch publishes it again.
  void publish_trip(const transition_event& event) noexcept;
  /// Whether the feed has taken this news already. Wait-free.
  [[nodiscard]] bool knows_of_trip(std::uint64_t epoch) const noexcept {
    return trip_epoch_.load(std::memory_order_relaxed) >= epoch;
  }

  /// Delivers what was published while its delivery was deferred, unless another thread is delivering.
  void deliver_what_waits() noexcept {
    std::unique_lock lock{mutex_};
    deliver_or_leave(lock);
  }

  /// Continues after epoch `epoch`: does not wait for events up to that epoch.
  void skip_to(std::uint64_t epoch) noexcept {
    std::unique_lock lock{mutex_};
    next_ = (std::max)(next_, epoch + 1);
    deliver(lock);
  }

  /// The listener receives the events that it wants, beginning with the next event that is delivered. Returns
  /// the id for `unsubscribe`, which is never 0. Throws `std::invalid_argument` for an empty listener, and
  /// `std::bad_alloc`.
  [[nodiscard]] std::uint64_t subscribe(transition_listener listener, announcements wanted);

  /// When it returns, the listener does not run, will not run again, and is destroyed. If the listener is
  /// running, it waits for its end. If the listener calls it itself, it does not wait, and the listener is
  /// destroyed when it has returned. A second call does the same.
  void unsubscribe(std::uint64_t id) noexcept;

  /// The number of transitions that no listener received. They are dropped if `capacity` further transitions
  /// happen while a listener blocks, or while a thread sleeps between a transition and its publication.
  [[nodiscard]] std::uint64_t missed() const noexcept { return missed_.load(std::memory_order_relaxed); }

  /// How many times a listener threw.
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

 private:
  struct subscriber {
    std::uint64_t id;
    transition_listener listener;
    announcements wanted;
  };

  [[nodiscard]] const transition_event& place_of(std::uint64_t epoch) const noexcept {
    return kept_[epoch % capacity];
  }
  [[nodiscard]] bool is_kept(std::uint64_t epoch) const noexcept { return place_of(epoch).epoch == epoch; }

  [[nodiscard]] bool has_next() const noexcept { return trip_is_next() || is_kept(next_); }
  [[nodiscard]] bool trip_is_next() const noexcept { return trip_waits_ && trip_.epoch < next_; }

  void keep(const transition_event& event) noexcept;
  [[nodiscard]] transition_event take_next() noexcept;
  void deliver_or_leave(std::unique_lock<std::mutex>& lock) noexcept;
  void take_over(std::unique_lock<std::mutex>& lock) noexcept;
  void deliver(std::unique_lock<std::mutex>& lock) noexcept;
  void tell(const subscriber& told, const transition_event& event,
            std::unique_lock<std::mutex>& lock) noexcept;

  /// While it exists, this thread runs a listener, or the destructor of a listener, of any feed.
  class within_listener {
   public:
    within_listener() noexcept : outer_{std::exchange(flag(), true)} {}
    within_listener(const within_listener&) = delete;
    within_listener& operator=(const within_listener&) = delete;
    ~within_listener() { flag() = outer_; }

    [[nodiscard]] static bool& flag() noexcept {
      static thread_local bool within = false;
      return within;
    }

   private:
    bool outer_;
  };

  std::mutex mutex_{};               // guards everything below but the totals
  std::condition_variable ended_{};  // notified when a listener or a delivery ends

  std::uint64_t next_;                             // the epoch to be delivered next
  std::array<transition_event, capacity> kept_{};  // by epoch; a place with another epoch: not there
  std::uint32_t openings_ = 0;                     // of the outage, at the event delivered last
  time_point outage_began_{};                      // at the first of these

  transition_event trip_{};  // news of a metrics_only epoch
  bool trip_waits_ = false;  // to be delivered
  // The epoch of the latest such news. Written by a thread that holds the mutex. Read without the mutex, so
  // that later failures need no lock, and then checked again with the mutex.
  std::atomic<std::uint64_t> trip_epoch_{0};

  // Totals for display; relaxed, because they order nothing. Written by a thread that holds the mutex.
  // Snapshots read them without the mutex.
  std::atomic<std::uint64_t> missed_{0};
  std::atomic<std::uint64_t> failures_{0};

  std::list<subscriber> subscribers_{};  // their ids ascend
  std::uint64_t next_id_ = 1;

  std::thread::id deliverer_{};                                     // default value: no thread delivers
  std::uint32_t delivered_ = 0;                                     // by this deliverer
  std::uint64_t ended_deliverers_ = 0;                              // how many have stopped
  bool has_successor_ = false;                                      // a thread waits to take over
  std::uint64_t running_ = 0;                                       // the id of the listener, 0: none
  std::list<subscriber>::iterator following_ = subscribers_.end();  // the next subscriber to look at
  std::list<subscriber> retired_{};  // listeners that run and have unsubscribed themselves
};

inline void transition_feed::publish(const transition_event& event) noexcept {
  std::unique_lock lock{mutex_};
  if (event.epoch < next_) return;  // dropped while its publisher slept
  keep(event);
  deliver_or_leave(lock);
}

inline void transition_feed::publish_trip(const transition_event& event) noexcept {
  std::unique_lock lock{mutex_};
  if (trip_waits_ || knows_of_trip(event.epoch) || event.epoch + 1 < next_) return;
  trip_ = event;
  trip_waits_ = true;
  trip_epoch_.store(event.epoch, std::memory_order_relaxed);
  deliver_or_leave(lock);
}

/// The lock is held at the beginning and at the end, as in the functions below.
inline void transition_feed::deliver_or_leave(std::unique_lock<std::mutex>& lock) noexcept {
  if (auto* const later = feed_deferral::current(); later != nullptr && later->defer(*this)) return;
  if (deliverer_ == std::thread::id{}) return deliver(lock);
  if (delivered_ >= share && !has_successor_ && !within_listener::flag()) take_over(lock);
}

inline void transition_feed::take_over(std::unique_lock<std::mutex>& lock) noexcept {
  has_successor_ = true;
  ended_.wait(lock, [this, before = ended_deliverers_] { return ended_deliverers_ != before; });
  has_successor_ = false;
  if (deliverer_ == std::thread::id{}) deliver(lock);  // else a third thread was faster
}

inline std::uint64_t transition_feed::subscribe(transition_listener listener, announcements wanted) {
  if (!listener) invalid_option("transition_listener", "empty", "a function");
  std::list<subscriber> added;
  added.push_back({0, std::move(listener), wanted});
  const std::lock_guard lock{mutex_};
  added.front().id = next_id_++;
  subscribers_.splice(subscribers_.end(), added);
  return subscribers_.back().id;
}

inline void transition_feed::unsubscribe(std::uint64_t id) noexcept {
  std::list<subscriber> removed;  // destroyed after the lock is released
  std::unique_lock lock{mutex_};
  auto found = subscribers_.begin();
  while (found != subscribers_.end() && found->id != id) ++found;
  if (found != subscribers_.end()) {
    if (found == following_) ++following_;
    removed.splice(removed.end(), subscribers_, found);
  }
  if (running_ != id) return;
  if (deliverer_ == std::this_thread::get_id()) {
    retired_.splice(retired_.end(), removed);  // its code is running: `tell` destroys it later
  } else {
    ended_.wait(lock, [&] { return running_ != id; });  // it will not run again: it is in no list
  }
}

/// Drops the oldest events if there is no place: those that are kept, and those that are not published yet.
inline void transition_feed::keep(const transition_event& event) noexcept {
  kept_[event.epoch % capacity] = event;
  if (event.epoch - next_ < capacity) return;
  auto oldest = event.epoch - capacity + 1;
  while (!is_kept(oldest)) ++oldest;
  if (!subscribers_.empty()) missed_.fetch_add(oldest - next_, std::memory_order_relaxed);
  next_ = oldest;
  openings_ = 0;  // an outage may have begun or ended among the dropped ones
}

inline transition_event transition_feed::take_next() noexcept {
  if (trip_is_next()) {
    trip_waits_ = false;
    return trip_;
  }
  auto event = place_of(next_++);
  if (event.to == circuit_state::open && ++openings_ == 1) outage_began_ = event.at;
  event.cycle = openings_;
  if (event.to == circuit_state::open || event.to == circuit_state::half_open) return event;
  if (openings_ > 0) event.outage_lasted = event.at - outage_began_;
  openings_ = 0;
  return event;
}

/// Events and listeners that are added within a listener are found by these loops: there is no recursion.
inline void transition_feed::deliver(std::unique_lock<std::mutex>& lock) noexcept {
  deliverer_ = std::this_thread::get_id();
  for (delivered_ = 0; has_next() && !(delivered_ >= share && has_successor_);) {
    ++delivered_;
    const auto event = take_next();
    const auto newcomer = next_id_;
    following_ = subscribers_.begin();
    while (following_ != subscribers_.end() && following_->id < newcomer) {
      const auto& told = *following_++;
      if (is_announced(event, told.wanted)) tell(told, event, lock);
    }
  }
  deliverer_ = {};
  ++ended_deliverers_;
  if (has_successor_) ended_.notify_all();
}

inline void transition_feed::tell(const subscriber& told, const transition_event& event,
                                  std::unique_lock<std::mutex>& lock) noexcept {
  running_ = told.id;  // so no thread destroys it
  lock.unlock();
  const bool returned = [&] {
    const within_listener here;
    const auto returns = [&] {
      told.listener(event);
      return true;
    };
    return contained(returns, false);
  }();
  lock.lock();
  if (!returned) failures_.fetch_add(1, std::memory_order_relaxed);
  std::list<subscriber> retired;
  retired.splice(retired.end(), retired_);
  if (!retired.empty()) {
    lock.unlock();
    const within_listener here;
    retired.clear();
    lock.lock();
  }
  running_ = 0;
  ended_.notify_all();
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
