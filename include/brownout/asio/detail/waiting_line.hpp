// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/async_bulkhead_options.hpp"
#include "brownout/asio/detail/context_end.hpp"
#include "brownout/asio/detail/deadline_queue.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// How the wait for a place ended.
enum class wait_end {
  place,  // it got one
  cancelled,
  lost,  // with the execution context: the handler is not called
};

/// A call in the line for a place.
//
// Intrusive, so that a place in the line costs no allocation of its own.
class waiter : public deadline_entry {
 protected:
  /// `told` is called at most once, without the lock: by the thread that hands a place over, by the one that
  /// cancels all waits, or by the one that ends the context. `make_note`: see `deadline_entry`.
  waiter(void (*told)(waiter&, wait_end), note_maker make_note) noexcept
      : deadline_entry{make_note}, told_{told} {}
  ~waiter() = default;

 private:
  template <class, class>
  friend class waiting_line;

  waiter* older_ = nullptr;
  waiter* newer_ = nullptr;
  bool waits_ = false;
  void (*told_)(waiter&, wait_end);
};

/// The places of a bulkhead, and the calls that wait for one. A place that is given back goes to the next
/// waiter directly: it is never free while a call waits.
///
/// Thread-safe by a lock that is held for a few instructions.
template <class Clock, class Executor>
class waiting_line final : public context_listener {
  using deadlines = deadline_queue<Clock, Executor>;

 public:
  [[nodiscard]] static std::shared_ptr<waiting_line> make(const Executor& executor,
                                                          const async_bulkhead_options& options) {
    auto made = std::make_shared<waiting_line>(executor, options);
    context_end::tell(executor, made, made->registration_);
    return made;
  }
  /// For `make`.
  waiting_line(const Executor& executor, const async_bulkhead_options& options)
      : name_{options.name}, options_{options}, deadlines_{std::make_shared<deadlines>(executor)} {}

  [[nodiscard]] Executor executor() const { return deadlines_->executor(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// Takes a place if there is one. `waits_otherwise`: a call that gets none waits, and is not refused.
  [[nodiscard]] bool try_take(bool waits_otherwise) {
    const std::lock_guard lock{mutex_};
    const bool is_free = shown_.in_flight < options_.limit;
    if (is_free) {
      take_locked();
    } else if (!waits_otherwise) {
      ++shown_.refused;
    }
    return is_free;
  }

  enum class answer { taken, waits, full, ended };
  /// Takes a place, or gets in line for one. If it waits, the waiter may be gone when this returns.
  [[nodiscard]] answer take_or_wait(waiter& one) {
    const std::lock_guard lock{mutex_};
    if (shown_.in_flight < options_.limit) {
      take_locked();
      return answer::taken;
    }
    if (has_ended_) return answer::ended;
    if (shown_.waiting >= options_.most_waiting) {
      ++shown_.refused;
      return answer::full;
    }
    deadlines_->add(one, deadlines_->now() + options_.longest_wait);  // may throw
    link(one);
    return answer::waits;
  }

  /// Gives a place back, to the next waiter if there is one.
  void give_back() {
    waiter* next = nullptr;
    {
      const std::lock_guard lock{mutex_};
      --shown_.in_flight;
      next = next_locked();
    }
    if (next != nullptr) next->told_(*next, wait_end::place);
  }

  /// Takes a waiter out of the line because it was cancelled. False if it has got a place, or is out already.
  [[nodiscard]] bool leave(waiter& one) noexcept {
    const std::lock_guard lock{mutex_};
    if (!one.waits_) return false;
    unlink(one);
    ++shown_.cancelled;
    return true;
  }
  /// Takes the waiter out of the line that this note tells of. Null if it is out already.
  [[nodiscard]] waiter* expire(const deadline_note& note) noexcept {
    const std::lock_guard lock{mutex_};
    auto* const one = static_cast<waiter*>(note.call());
    if (one == nullptr) return nullptr;
    unlink(*one);
    ++shown_.expired;
    return one;
  }

  /// Cancels all waits.
  void cancel() { end_all(wait_end::cancelled); }
  /// Cancels all waits, also those that come later, and ends the timer: permits may keep this for longer than
  /// the context of the timer lives.
  void stop() { end(wait_end::cancelled); }
  /// As above, and calls no handler.
  void context_ends() noexcept override { end(wait_end::lost); }

  /// Replaces limit and bounds.
  void reconfigure(const async_bulkhead_options& options) {
    {
      const std::lock_guard lock{mutex_};
      options_ = options;
      options_.name = name_;
    }
    for (;;) {
      waiter* next = nullptr;
      {
        const std::lock_guard lock{mutex_};
        next = next_locked();
      }
      if (next == nullptr) return;
      next->told_(*next, wait_end::place);
    }
  }
  [[nodiscard]] async_bulkhead_options options() const {
    const std::lock_guard lock{mutex_};
    return options_;
  }
  [[nodiscard]] async_bulkhead_snapshot snapshot() const {
    const std::lock_guard lock{mutex_};
    auto shown = shown_;
    shown.limit = options_.limit;
    return shown;
  }

 private:
  void end(wait_end how) {
    {
      const std::lock_guard lock{mutex_};
      has_ended_ = true;
    }
    end_all(how);
    deadlines_->stop();
  }
  void end_all(wait_end how) {
    for (;;) {
      waiter* one = nullptr;
      {
        const std::lock_guard lock{mutex_};
        if (oldest_ == nullptr) return;
        one = oldest_;
        unlink(*one);
        ++shown_.cancelled;
      }
      one->told_(*one, how);
    }
  }
  void take_locked() noexcept {
    ++shown_.in_flight;
    ++shown_.admitted;
  }
  /// Gives a place to the next waiter, if there are both.
  [[nodiscard]] waiter* next_locked() noexcept {
    if (oldest_ == nullptr || shown_.in_flight >= options_.limit) return nullptr;
    const bool newest_first = options_.adaptive_lifo && shown_.waiting > options_.most_waiting / 2;
    auto& next = newest_first ? *newest_ : *oldest_;
    unlink(next);
    take_locked();
    return &next;
  }
  void link(waiter& one) noexcept {
    one.waits_ = true;
    one.older_ = std::exchange(newest_, &one);
    (one.older_ == nullptr ? oldest_ : one.older_->newer_) = &one;
    ++shown_.waiting;
  }
  void unlink(waiter& one) noexcept {
    one.waits_ = false;
    (one.older_ == nullptr ? oldest_ : one.older_->newer_) = one.newer_;
    (one.newer_ == nullptr ? newest_ : one.newer_->older_) = one.older_;
    one.older_ = one.newer_ = nullptr;
    --shown_.waiting;
    deadlines_->remove(one);
  }

  const std::string name_;  // read without the lock
  mutable std::mutex mutex_;
  async_bulkhead_options options_;
  async_bulkhead_snapshot shown_{};
  waiter* oldest_ = nullptr;
  waiter* newest_ = nullptr;
  bool has_ended_ = false;
  std::shared_ptr<deadlines> deadlines_;
  context_end::registration registration_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
