// SPDX-License-Identifier: BSL-1.0
#pragma once

// The permit of an adaptive limit, and how the limit refuses, judges samples and changes.

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/chance.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A place for one call. Move-only; may cross threads, one at a time. A permit that is destroyed gives its
/// place back, without a sample of its latency.
template <clock_source Clock, class Atomics>
class [[nodiscard]] adaptive_limit<Clock, Atomics>::permit {
 public:
  permit(permit&& other) noexcept
      : limit_{std::exchange(other.limit_, nullptr)},
        admitted_{other.admitted_},
        begun_{other.begun_},
        has_started_{other.has_started_} {}
  /// The place of this permit goes back.
  permit& operator=(permit&& other) noexcept {
    if (this != &other) {
      release();
      limit_ = std::exchange(other.limit_, nullptr);
      admitted_ = other.admitted_;
      begun_ = other.begun_;
      has_started_ = other.has_started_;
    }
    return *this;
  }
  permit(const permit&) = delete;
  permit& operator=(const permit&) = delete;
  BROWNOUT_ALWAYS_INLINE ~permit() { release(); }

  /// A worker begins with the call now. With `target_delay`, the first time is a sample; otherwise, and for a
  /// settled permit, it does nothing.
  BROWNOUT_ALWAYS_INLINE void started() noexcept {
    if (limit_ == nullptr || has_started_) return;
    has_started_ = true;
    const auto target = limit_->signal_.load(std::memory_order_relaxed);
    if (target < 0) return;
    const auto now = limit_->clock_.now();
    limit_->note(admitted_, now - begun_ > duration{target}, false, now);
  }

  /// The call has ended: gives the place back. With `latency_budget`, a success is a sample: failures and
  /// refusals by others may be fast or slow for reasons of their own.
  BROWNOUT_ALWAYS_INLINE void complete(outcome result) noexcept {
    if (limit_ == nullptr) return;
    auto& limit = *limit_;
    const auto signal = limit.signal_.load(std::memory_order_relaxed);
    if (signal < 0 && result == outcome::success) {
      const auto now = limit.clock_.now();
      limit.note(admitted_, now - begun_ > duration{-signal}, true, now);
    }
    release();
  }

  /// True once completed, moved away or given back.
  [[nodiscard]] bool settled() const noexcept { return limit_ == nullptr; }

 private:
  friend adaptive_limit;

  permit() noexcept = default;
  permit(adaptive_limit& limit, word admitted, time_point begun) noexcept
      : limit_{&limit}, admitted_{admitted}, begun_{begun} {}

  BROWNOUT_ALWAYS_INLINE void release() noexcept {
    if (limit_ != nullptr) std::exchange(limit_, nullptr)->give_back();
  }

  adaptive_limit* limit_ = nullptr;
  word admitted_{};  // the word of the limit with this call in it
  time_point begun_{};
  bool has_started_ = false;
};

template <clock_source Clock, class Atomics>
typename adaptive_limit<Clock, Atomics>::admission adaptive_limit<Clock, Atomics>::refuse(
    word at, call_priority priority) noexcept {
  // Written by the first refusal of a window only, so that refusals do not fight for it.
  if (refused_.load(std::memory_order_relaxed) == 0) refused_.store(1, std::memory_order_relaxed);
  rejection why{.reason = rejection_reason::limit_reached, .guard = name()};
  if (at.in_flight() >= at.limit()) {
    own().full.fetch_add(1, std::memory_order_relaxed);
  } else {
    const auto number = (std::min)(static_cast<std::size_t>(priority), call_priority_count - 1);
    const auto before = own().sheds[number].fetch_add(1, std::memory_order_relaxed);
    // Two threads with one number may get the same jitter, which is no harm.
    const auto jitter =
        detail::chance_of(detail::thread_number_for<Atomics>() ^ std::uint64_t{number} << 32, before);
    const auto least = static_cast<double>(shed_for_.load(std::memory_order_relaxed));
    why.reason = rejection_reason::shed;
    why.retry_after = duration{static_cast<duration::rep>(least + least * jitter)};
  }
  return {permit{}, why};
}

/// Takes a sample of a call of this epoch. `counts_always`: also if it cannot change the verdict.
template <clock_source Clock, class Atomics>
void adaptive_limit<Clock, Atomics>::note(word admitted, bool is_above, bool counts_always,
                                          time_point now) noexcept {
  detail::limit_window at{window_.load(std::memory_order_relaxed)};
  detail::limit_window next;
  do {
    if (at.epoch() != admitted.epoch()) return;
    next = counts_always || at.needs(is_above) ? at.plus(is_above) : at;
    if (admitted.is_nearly_full()) next = next.noting_full();
  } while (next.bits != at.bits &&
           !window_.compare_exchange_weak(at.bits, next.bits, std::memory_order_relaxed,
                                          std::memory_order_relaxed));
  if (next.is_complete() && ticks(now) - began_.load(std::memory_order_relaxed) >= window.count())
      [[unlikely]] {
    control(now);
  }
}

/// Ends the window, unless another thread does.
template <clock_source Clock, class Atomics>
void adaptive_limit<Clock, Atomics>::control(time_point now) noexcept {
  {
    const turn mine{*this};
    if (!mine) return;
    const detail::limit_window ended{window_.load(std::memory_order_relaxed)};
    // Another thread may have ended it meanwhile.
    if (!ended.is_complete() || ticks(now) - began_.load(std::memory_order_relaxed) < window.count()) return;
    const bool refused = refused_.load(std::memory_order_relaxed) != 0;
    const bool by_delay = signal_.load(std::memory_order_relaxed) > 0;
    const auto verdict = by_delay ? ended.of_delays(refused) : ended.of_latencies(refused);
    const auto at = seen();
    const auto limit = detail::next_limit(at.limit(), verdict, least_.load(std::memory_order_relaxed),
                                          most_.load(std::memory_order_relaxed));
    if (limit == at.limit()) return begin_window(at.epoch(), now);
    const auto lowered = by_delay ? limit_change_cause::delay : limit_change_cause::latency;
    change(limit, limit > at.limit() ? limit_change_cause::demand : lowered, ended, now);
  }
  delivery_.deliver();
}

/// For the thread that has the turn: begins the next epoch, with this limit.
template <clock_source Clock, class Atomics>
void adaptive_limit<Clock, Atomics>::change(std::uint32_t limit, limit_change_cause cause,
                                            detail::limit_window decided, time_point now) noexcept {
  auto before = seen();
  auto after = before.with(limit);
  // relaxed: the work of calls that (4) publishes is passed on by every read-modify-write of the word.
  while (!word_.compare_exchange_weak(before.bits, after.bits, std::memory_order_relaxed,
                                      std::memory_order_relaxed)) {
    after = before.with(limit);
  }
  begin_window(after.epoch(), now);
  if (before.limit() == limit) return;
  const limit_change made{.number = ++changes_,
                          .at = now,
                          .from = before.limit(),
                          .to = limit,
                          .cause = cause,
                          .in_flight = before.in_flight(),
                          .samples = decided.samples(),
                          .above = decided.above()};
  last_change_.write(made);
  delivery_.push(made);
}

template <clock_source Clock, class Atomics>
void adaptive_limit<Clock, Atomics>::begin_window(std::uint32_t epoch, time_point now) noexcept {
  refused_.store(0, std::memory_order_relaxed);
  began_.store(ticks(now), std::memory_order_relaxed);
  window_.store(detail::limit_window::begun(epoch).bits, std::memory_order_relaxed);
}

template <clock_source Clock, class Atomics>
void adaptive_limit<Clock, Atomics>::apply(const adaptive_limit_options& options) noexcept {
  const bool by_delay = options.target_delay != duration{};
  signal_.store(by_delay ? options.target_delay.count() : -options.latency_budget.count(),
                std::memory_order_relaxed);
  lines_.store(detail::class_lines::of(options.shares).bits, std::memory_order_relaxed);
  shed_for_.store(options.shed_for.count(), std::memory_order_relaxed);
  least_.store(options.least, std::memory_order_relaxed);
  most_.store(options.most, std::memory_order_relaxed);
}

template <clock_source Clock, class Atomics>
void adaptive_limit<Clock, Atomics>::reconfigure(const adaptive_limit_options& options) {
  detail::validate_named("adaptive_limit", name_, options);
  {
    const std::lock_guard lock{changing_};
    options_ = options;
    options_.name = name_;
    for (;;) {
      // Another thread has the turn for some instructions only: it runs no code of the user meanwhile.
      const turn mine{*this};
      if (!mine) {
        std::this_thread::yield();
        continue;
      }
      apply(options_);
      // A new epoch in any case: the samples of the window were judged by the former options.
      change(std::clamp(seen().limit(), options_.least, options_.most), limit_change_cause::options, {},
             clock_.now());
      break;
    }
  }
  delivery_.deliver();
}

template <clock_source Clock, class Atomics>
adaptive_limit_snapshot adaptive_limit<Clock, Atomics>::snapshot() const noexcept {
  const auto at = seen();
  adaptive_limit_snapshot shown;
  shown.limit = at.limit();
  shown.in_flight = at.in_flight();
  shown.least = least_.load(std::memory_order_relaxed);
  shown.most = most_.load(std::memory_order_relaxed);
  for (const auto& one : stripes_) {
    shown.admitted += one.admissions.load(std::memory_order_relaxed);
    shown.limit_reached += one.full.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < call_priority_count; ++i) {
      shown.shed[i] += one.sheds[i].load(std::memory_order_relaxed);
    }
  }
  shown.last_change = *last_change_.read();
  shown.listener_failures = delivery_.failures();
  return shown;
}

}  // namespace brownout::inline BROWNOUT_ABI
