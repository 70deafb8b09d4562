// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/net.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/wait_traits.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A clock of this library as Asio's timers want it.
template <class Clock>
struct timer_clock {
  using duration = brownout::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = brownout::time_point;
  static constexpr bool is_steady = true;

  [[nodiscard]] static time_point now() noexcept { return Clock{}.now(); }
};
/// The usual clock tells the time of `steady_timer`, whose queue then serves both.
template <class Clock>
using timer_clock_for =
    std::conditional_t<std::is_same_v<Clock, monotonic_clock>, std::chrono::steady_clock, timer_clock<Clock>>;

template <class Clock, class Executor>
using timer_for =
    net::basic_waitable_timer<timer_clock_for<Clock>, net::wait_traits<timer_clock_for<Clock>>, Executor>;

class deadline_entry;

/// Tells a call that its deadline was reached. It is a message to the executor of the call.
//
// An object of its own, because the call may end before the message comes. Then its memory is gone: it is
// that of the handler of the call, which may end with it.
class deadline_note {
 public:
  deadline_note(const deadline_note&) = delete;
  deadline_note& operator=(const deadline_note&) = delete;

  /// Null if the call has ended.
  [[nodiscard]] deadline_entry* call() const noexcept { return call_; }

 protected:
  /// `send` posts it.
  deadline_note(deadline_entry& call, void (*send)(std::shared_ptr<deadline_note>&&) noexcept) noexcept
      : call_{&call}, send_{send} {}
  ~deadline_note() = default;

 private:
  template <class, class>
  friend class deadline_queue;

  deadline_entry* call_;
  void (*send_)(std::shared_ptr<deadline_note>&&) noexcept;
  std::shared_ptr<deadline_note> after_{};
};

/// A call in a `deadline_queue`.
//
// Intrusive, so that a deadline costs no allocation of its own.
class deadline_entry {
 public:
  deadline_entry(const deadline_entry&) = delete;
  deadline_entry& operator=(const deadline_entry&) = delete;

 protected:
  using note_maker = std::shared_ptr<deadline_note> (*)(deadline_entry&) noexcept;

  /// `make_note` is called once when the deadline has passed, by the timer and with the lock of the queue.
  explicit deadline_entry(note_maker make_note) noexcept : make_note_{make_note} {}
  ~deadline_entry() = default;

 private:
  template <class, class>
  friend class deadline_queue;

  deadline_entry* before_ = nullptr;
  deadline_entry* after_ = nullptr;
  time_point when_{};
  note_maker make_note_;
  std::shared_ptr<deadline_note> note_{};  // from when the deadline was reached
};

/// Deadlines of calls that all have about the same time, so that they come in order: one timer for all. A
/// timer for each call would cost a system call for most of them.
///
/// Thread-safe by a lock that is held for a few instructions. It must be owned by a `std::shared_ptr`.
template <class Clock, class Executor>
class deadline_queue : public std::enable_shared_from_this<deadline_queue<Clock, Executor>> {
  using clock = timer_clock_for<Clock>;

 public:
  using executor_type = Executor;

  explicit deadline_queue(const Executor& executor) : executor_{executor}, timer_{std::in_place, executor} {}
  deadline_queue(const deadline_queue&) = delete;
  deadline_queue& operator=(const deadline_queue&) = delete;

  [[nodiscard]] Executor executor() const { return executor_; }
  [[nodiscard]] static time_point now() noexcept { return clock{}.now(); }

  /// Throws what a timer throws for want of memory. Then the entry has no deadline.
  void add(deadline_entry& entry, time_point when) {
    const std::lock_guard lock{mutex_};
    if (!timer_) return;  // it was stopped
    if (!is_armed_) {
      arm(first_ == nullptr ? when : (std::min)(when, first_->when_));
    } else if (when < armed_for_) {
      arm(when);
    }
    entry.when_ = when;
    // Threads may come a little out of order, and the time for a call may have been shortened.
    auto* before = last_;
    while (before != nullptr && before->when_ > when) before = before->before_;
    link_after(before, entry);
  }

  /// Ends the deadline of a call that has ended. A note that is under way does not reach it any more.
  void remove(deadline_entry& entry) noexcept {
    const std::lock_guard lock{mutex_};
    if (is_linked(entry)) unlink(entry);
    if (entry.note_ != nullptr) [[unlikely]] {
      entry.note_->call_ = nullptr;
    }
  }

  /// Forgets all deadlines.
  void clear() {
    const std::lock_guard lock{mutex_};
    clear_locked();
  }
  /// Forgets all deadlines, also those that come later. Ends the timer, since calls may keep this for longer
  /// than the context of the timer lives.
  void stop() {
    const std::lock_guard lock{mutex_};
    clear_locked();
    timer_.reset();
  }

 private:
  using timer = timer_for<Clock, Executor>;

  void clear_locked() {
    is_armed_ = false;
    while (first_ != nullptr) unlink(*first_);
    if (timer_) timer_->cancel();
  }
  [[nodiscard]] bool is_linked(const deadline_entry& entry) const noexcept {
    return entry.before_ != nullptr || first_ == &entry;
  }
  void link_after(deadline_entry* before, deadline_entry& entry) noexcept {
    entry.before_ = before;
    entry.after_ = std::exchange(before == nullptr ? first_ : before->after_, &entry);
    (entry.after_ == nullptr ? last_ : entry.after_->before_) = &entry;
  }
  void unlink(deadline_entry& entry) noexcept {
    (entry.before_ == nullptr ? first_ : entry.before_->after_) = entry.after_;
    (entry.after_ == nullptr ? last_ : entry.after_->before_) = entry.before_;
    entry.before_ = entry.after_ = nullptr;
  }

  // With the lock held. The timer is never set back when the first call ends, since that would cost a system
  // call for each call. It then fires for nothing once.
  void arm(time_point when) {
    is_armed_ = false;  // if there is no memory for the wait
    timer_->expires_at(when);
    timer_->async_wait([self = this->shared_from_this()](const error_code& error) {
      if (error != net::error::operation_aborted) self->tell_those_over();
    });
    armed_for_ = when;
    is_armed_ = true;
  }

  void tell_those_over() {
    std::shared_ptr<deadline_note> over;
    {
      const std::lock_guard lock{mutex_};
      is_armed_ = false;
      auto* end = &over;
      const auto at = now();
      while (first_ != nullptr && first_->when_ <= at) {
        auto& entry = *first_;
        unlink(entry);
        entry.note_ = entry.make_note_(entry);
        *end = entry.note_;
        end = &entry.note_->after_;
      }
    }
    // From here on the calls may end.
    while (over != nullptr) {
      auto note = std::exchange(over, std::move(over->after_));
      note->send_(std::move(note));
    }
    const std::lock_guard lock{mutex_};
    if (first_ != nullptr && (!is_armed_ || first_->when_ < armed_for_)) arm(first_->when_);
  }

  std::mutex mutex_;
  deadline_entry* first_ = nullptr;
  deadline_entry* last_ = nullptr;
  const Executor executor_;
  std::optional<timer> timer_;
  time_point armed_for_{};
  bool is_armed_ = false;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
