// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/call.hpp"
#include "brownout/breaker/control_word.hpp"
#include "brownout/breaker/moment.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/atomics.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/window/consecutive_failures.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout {

/// May I call this dependency? Refuses calls while it fails, and finds out by few probes when it is back.
///
/// Thread-safe throughout. Every operation is lock-free and allocates nothing; on a closed circuit without
/// a counted failure admission and success are one load each. The clock is read only where a deadline
/// decides. Not copyable or movable: permits point to it, so it must outlive them.
template <class Detector = consecutive_failures, clock_source Clock = monotonic_clock,
          class Atomics = std_atomics>
class alignas(64) circuit_breaker {
 public:
  using permit = brownout::permit<circuit_breaker>;
  using admission = brownout::admission<circuit_breaker>;

  /// Throws `std::invalid_argument` naming field, value and range (without exceptions: the assertion
  /// handler).
  explicit circuit_breaker(Detector detector = {}, breaker_options options = {}, Clock clock = Clock{})
      : origin_{clock.now()}, detector_{detector}, clock_{std::move(clock)}, options_{std::move(options)} {
    detector_.validate();
    options_.validate();
    if (options_.lease == duration{}) {
      options_.lease = std::max(options_.open_for, breaker_options::default_lease);
    }
  }

  circuit_breaker(const circuit_breaker&) = delete;
  circuit_breaker& operator=(const circuit_breaker&) = delete;

  /// Asks to make one call. Closed: one load. Open: a rejection that says why and how long. At the deadline
  /// exactly one caller turns the circuit half-open and gets the first probe. Lock-free.
  [[nodiscard]] admission try_acquire() noexcept {
    // (1) acquire: synchronizes-with (2), so whoever is admitted sees what the transition to closed was based
    // on.
    const detail::control_word seen{control_.load(std::memory_order_acquire)};
    if (seen.is_clean()) [[likely]] {
      return admission{this, seen};
    }
    // Plain words in registers: returning the admission itself from out of line costs memory traffic.
    const auto slow = acquire_slowly(seen);
    return admission{slow.admitted_by, slow.token};
  }

  /// Calls `function` when admitted, returns what it returns and throws what it throws; `classify` judges
  /// either, by default as `default_classifier` says. Throws `call_rejected` instead of calling while the
  /// circuit refuses.
  ///
  /// The permit settles whatever is thrown, by `classify` too: then the call has no verdict and counts as
  /// nothing. What `function` returns must be movable, since it is judged before it is returned.
  template <class F, classifier<std::invoke_result_t<F>> C = default_classifier>
  std::invoke_result_t<F> call(F&& function, const C& classify = {}) {
    return detail::call(*this, std::forward<F>(function), classify);
  }

  /// The same with the refusal as a value; what `function` throws still passes through.
  template <class F, classifier<std::invoke_result_t<F>> C = default_classifier>
  result<std::invoke_result_t<F>> try_call(F&& function, const C& classify = {}) {
    return detail::try_call(*this, std::forward<F>(function), classify);
  }

  /// Holds the circuit open, until another of these four ends it. Results of calls still running come late.
  void force_open() noexcept { hold(circuit_state::forced_open); }
  /// Lets every call pass and measures none.
  void disable() noexcept { hold(circuit_state::disabled); }
  /// Lets every call pass and measures, but never opens: for trying a configuration on live traffic.
  void measure_only() noexcept { hold(circuit_state::metrics_only); }
  /// Closes the circuit with empty statistics, whatever its state.
  void reset() noexcept { hold(circuit_state::closed); }

  /// The state a moment ago. For display; to decide about a call, ask `try_acquire`. Wait-free.
  [[nodiscard]] circuit_state observed_state() const noexcept {
    // relaxed: nothing else is read on the strength of it.
    return detail::control_word{control_.load(std::memory_order_relaxed)}.state();
  }

  /// Everything there is to show, consistent in itself. Lock-free; changes no state and no statistics.
  [[nodiscard]] breaker_snapshot snapshot() const noexcept;

  [[nodiscard]] std::string_view name() const noexcept { return options_.name; }
  [[nodiscard]] const breaker_options& options() const noexcept { return options_; }

 private:
  friend permit;

  struct answer {
    circuit_breaker* admitted_by;  // null: refused
    detail::control_word token;    // the permit's, or the packed rejection
  };

  disposition record(detail::control_word token, outcome result) noexcept {
    // relaxed: only compared. The same word as at admission means closed, same epoch, no failures: a success
    // changes nothing, so nothing is written.
    if (result == outcome::success && control_.load(std::memory_order_relaxed) == token.bits) [[likely]] {
      return disposition::counted;
    }
    return record_slowly(token, result);
  }

  [[gnu::noinline]] answer acquire_slowly(detail::control_word seen) noexcept;
  [[gnu::noinline]] disposition record_slowly(detail::control_word token, outcome result) noexcept;
  [[gnu::noinline]] void give_back(detail::control_word token) noexcept;

  answer refuse(rejection_reason reason, duration retry_after) noexcept {
    rejections_.fetch_add(1, std::memory_order_relaxed);  // a total for display, orders nothing
    return {nullptr, admission::pack(reason, retry_after)};
  }

  /// Since construction. Read once for each decision.
  [[nodiscard]] duration elapsed() const noexcept { return clock_.now() - origin_; }

  /// When the era of `word` began, fixed to `now` if nobody has seen it yet. Nothing when the era is over.
  [[nodiscard]] std::optional<duration> moment_of(detail::control_word word, duration now) const noexcept {
    return moment_.fix(word.moment_key(), now, [&] {
      const detail::control_word current{control_.load(std::memory_order_acquire)};  // (1)
      return current.era() == word.era() && current.moment_key() == word.moment_key();
    });
  }

  /// Replaces `seen` by `next`; on failure `seen` is what stands there now.
  [[nodiscard]] bool replace(detail::control_word& seen, detail::control_word next) noexcept {
    // (2) release: publishes the new epoch, whose statistics are part of the same word. On failure (1) again.
    return control_.compare_exchange_weak(seen.bits, next.bits, std::memory_order_acq_rel,
                                          std::memory_order_acquire);
  }

  /// Replaces `seen` by a word of another era, with the moments of both fixed (see `detail::moment`).
  [[nodiscard]] bool begin_era(detail::control_word& seen, detail::control_word next, duration now) noexcept {
    if (!moment_of(seen, now)) {
      seen.bits = control_.load(std::memory_order_acquire);  // (1)
      return false;
    }
    if (!replace(seen, next)) return false;
    static_cast<void>(moment_of(next, now));  // nothing: the era is over already, its successor fixed it
    return true;
  }

  /// Closed to any state is a transition too: a reset begins an epoch with empty statistics.
  void hold(circuit_state state) noexcept {
    detail::control_word seen{control_.load(std::memory_order_acquire)};  // (1)
    while (!begin_era(seen, seen.next_epoch(state), elapsed())) {
    }
  }

  // Written by whoever causes a transition or counts a failure (2), read by every caller (1). Publishes
  // state, epoch and counts together.
  typename Atomics::template atomic<std::uint64_t> control_{0};
  mutable detail::moment<Atomics> moment_;  // what deadlines are counted from

  time_point origin_;
  Detector detector_;
  [[no_unique_address]] Clock clock_;
  breaker_options options_;

  // On the second cache line, so that a storm of rejections does not take the first one from the callers.
  typename Atomics::template atomic<std::uint64_t> rejections_{0};  // written by refused callers; a total
  typename Atomics::template atomic<std::uint64_t> late_{0};        // written by late reporters; a total
};

template <class Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::acquire_slowly(detail::control_word seen) noexcept -> answer {
  using enum circuit_state;
  for (;;) {
    const auto state = seen.state();
    if (state == closed || state == disabled || state == metrics_only) {
      return {this, seen.without_shortcut()};
    }
    if (state == forced_open) return refuse(rejection_reason::forced_open, rejection::unknown);

    // Read after the word, and again when that has changed: an older reading must not become the moment of a
    // later era, whose period would then have begun before it did.
    const auto now = elapsed();
    const auto begun = moment_of(seen, now);
    if (!begun) {
      seen.bits = control_.load(std::memory_order_acquire);  // (1)
      continue;
    }
    detail::control_word next;
    if (state == half_open && seen.in_use() < options_.probes) {
      next = seen.with_admission();
    } else {
      const auto wait = *begun + (state == open ? options_.open_for : options_.lease) - now;
      if (wait > duration::zero()) {
        return refuse(state == open ? rejection_reason::circuit_open : rejection_reason::probes_in_flight,
                      wait);
      }
      next = seen.next_epoch(half_open);  // the open period is over, or every probe is overdue: lost
    }
    if (begin_era(seen, next, now)) return {this, next.without_shortcut()};
  }
}

template <class Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_slowly(detail::control_word token,
                                                                     outcome result) noexcept {
  using enum circuit_state;
  if (result == outcome::ignored || result == outcome::cancelled) {
    give_back(token);
    return disposition::released;
  }
  const bool failed = result == outcome::failure;
  detail::control_word seen{control_.load(std::memory_order_acquire)};  // (1)
  while (seen.era() == token.era()) {
    bool done = false;
    if (seen.state() == half_open) {
      if (failed) {
        done = begin_era(seen, seen.next_epoch(open), elapsed());
      } else if (seen.succeeded() + 1 < options_.probes) {
        done = replace(seen, seen.with_success());
      } else {
        done = begin_era(seen, seen.next_epoch(closed), elapsed());
      }
    } else if (seen.state() == disabled) {
      return disposition::released;
    } else {  // closed or metrics_only: no other state issues permits
      const auto failures = failed ? seen.failures() + 1 : 0;
      if (seen.state() == closed && detector_.should_trip(failures)) {
        done = begin_era(seen, seen.next_epoch(open), elapsed());
      } else {
        const auto counted = failures < Detector::most ? failures : Detector::most;
        done = counted == seen.failures() || replace(seen, seen.with_failures(counted));
      }
    }
    if (done) return disposition::counted;
  }
  late_.fetch_add(1, std::memory_order_relaxed);  // a total for display, orders nothing
  return disposition::late;
}

template <class Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::give_back(detail::control_word token) noexcept {
  detail::control_word seen{control_.load(std::memory_order_acquire)};  // (1)
  while (seen.era() == token.era() && seen.state() == circuit_state::half_open) {
    if (replace(seen, seen.with_give_back())) return;
  }
}

template <class Detector, clock_source Clock, class Atomics>
breaker_snapshot circuit_breaker<Detector, Clock, Atomics>::snapshot() const noexcept {
  detail::control_word seen;
  std::optional<duration> begun;
  duration now{};
  while (!begun) {
    seen.bits = control_.load(std::memory_order_acquire);  // (1)
    now = elapsed();
    begun = moment_of(seen, now);
  }
  breaker_snapshot shown;
  shown.state = seen.state();
  shown.epoch = seen.epoch();
  shown.since = origin_ + *begun;
  shown.probes_needed = options_.probes;
  const auto left_of = [&](duration period) { return std::max(*begun + period - now, duration::zero()); };
  switch (seen.state()) {
    case circuit_state::closed:
    case circuit_state::metrics_only:
      shown.consecutive_failures = seen.failures();
      break;
    case circuit_state::half_open:
      shown.probes_succeeded = seen.succeeded();
      shown.probes_in_flight = seen.in_use() - seen.succeeded();
      if (seen.in_use() >= options_.probes) shown.retry_after = left_of(options_.lease);
      break;
    case circuit_state::open:
      shown.retry_after = left_of(options_.open_for);
      break;
    case circuit_state::forced_open:
      shown.retry_after = rejection::unknown;
      break;
    case circuit_state::disabled:
      break;
  }
  // relaxed: totals, read beside the word.
  shown.rejections = rejections_.load(std::memory_order_relaxed);
  shown.late_results = late_.load(std::memory_order_relaxed);
  return shown;
}

}  // namespace brownout
