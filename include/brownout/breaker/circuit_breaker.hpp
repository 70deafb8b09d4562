// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/call.hpp"
#include "brownout/breaker/control_word.hpp"
#include "brownout/breaker/moment.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/breaker/outage.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/breaker/recovery.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/breaker/standard_detector.hpp"
#include "brownout/breaker/transition_event.hpp"
#include "brownout/breaker/transition_feed.hpp"
#include "brownout/core/atomics.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/invalid_option.hpp"
#include "brownout/core/live_value.hpp"
#include "brownout/window/detector.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout {

/// May I call this dependency? Refuses calls while it fails, and finds out by few probes when it is back.
///
/// Thread-safe throughout. Every operation is lock-free and allocates nothing; on a closed circuit without
/// a counted failure admission and success are one load each. The clock is read only where a deadline
/// decides. Not copyable or movable: permits point to it, so it must outlive them.
template <detector Detector = standard_detector, clock_source Clock = monotonic_clock,
          class Atomics = std_atomics>
class alignas(64) circuit_breaker {
 public:
  using permit = brownout::permit<circuit_breaker>;
  using admission = brownout::admission<circuit_breaker>;

  /// Throws `std::invalid_argument` naming field, value and range (without exceptions: the assertion
  /// handler).
  explicit circuit_breaker(Detector detector = {}, breaker_options options = {}, Clock clock = Clock{})
      : control_{detector.first_marks(detail::control_word::most_marks)},
        origin_{clock.now()},
        settings_{new settings{std::move(options), valid(detector), own_seed()}},
        history_{detector},
        clock_{std::move(clock)} {}

  circuit_breaker(const circuit_breaker&) = delete;
  circuit_breaker& operator=(const circuit_breaker&) = delete;

  /// Asks to make one call. Closed: one load. Open: a rejection that says why and how long. At the deadline
  /// exactly one caller turns the circuit half-open and gets the first probe. Lock-free.
  [[nodiscard]] admission try_acquire() noexcept {
    // (1) acquire: synchronizes-with (2), so whoever is admitted sees what the transition to closed was based
    // on.
    const detail::control_word seen{control_.load(std::memory_order_acquire)};
    if (seen.is_clean()) [[likely]] {
      return admission{this, seen, start()};
    }
    // Plain words in registers: returning the admission itself from out of line costs memory traffic.
    const auto slow = acquire_slowly(seen);
    return admission{slow.admitted_by, slow.token, start()};
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

  /// The longest that a circuit can be held for a time; what is longer is cut.
  static constexpr duration longest_hold = std::chrono::hours{24 * 7};

  /// Holds the circuit open, until another of these ends it. Results of calls still running come late. Like
  /// all of them lock-free, apart from what listeners do.
  void force_open() noexcept { hold(circuit_state::forced_open, duration::zero()); }
  /// The same for a time, in steps of 100 ms, rounded up: then calls probe it as after an open period. No
  /// time at all, or less, is the shortest.
  void force_open(duration how_long) noexcept { hold(circuit_state::forced_open, held(how_long)); }
  /// Lets every call pass and measures none.
  void disable() noexcept { hold(circuit_state::disabled, duration::zero()); }
  /// The same for a time, as above: then the circuit closes. Meanwhile each call reads the clock.
  void disable(duration how_long) noexcept { hold(circuit_state::disabled, held(how_long)); }
  /// Lets every call pass and measures, but never opens: for trying a configuration on live traffic.
  void measure_only() noexcept { hold(circuit_state::metrics_only, first_marks()); }
  /// Closes the circuit with empty statistics, whatever its state.
  void reset() noexcept { hold(circuit_state::closed, first_marks()); }

  /// Has `listener` hear of transitions, in order and with no lock held, for as long as the subscription
  /// lives; by default of outages as a whole, not of each probe. See `transition_listener`.
  ///
  /// Throws `std::invalid_argument` for an empty listener. The first of a breaker allocates 8 KiB. With
  /// listeners a transition takes a short lock; nothing else does.
  [[nodiscard]] subscription subscribe(transition_listener listener,
                                       announcements wanted = announcements::outages) {
    return subscription{feed(), std::move(listener), wanted};
  }

  /// The state a moment ago. For display; to decide about a call, ask `try_acquire`. Wait-free.
  [[nodiscard]] circuit_state observed_state() const noexcept {
    // relaxed: nothing else is read on the strength of it.
    return detail::control_word{control_.load(std::memory_order_relaxed)}.state();
  }

  /// Everything there is to show, consistent in itself. Lock-free; changes no state and no statistics.
  [[nodiscard]] breaker_snapshot snapshot() const noexcept;

  /// Replaces the options while the circuit is in use, all at once: state, counts and statistics stay. A
  /// period or lease that is running ends by the new ones where it depends on them. Whoever is deciding just
  /// now may still go by the old ones. The name stays; leave it empty or the same.
  ///
  /// Throws `std::invalid_argument` naming field, value and range; then nothing has changed. Callers wait for
  /// each other, but nobody else for them.
  void reconfigure(breaker_options options) {
    options.validate();
    if (!options.name.empty() && options.name != settings_->name) {
      detail::invalid_option("breaker_options.name", "'" + options.name + "'", "'" + settings_->name + "'");
    }
    settings_->recovery.store(detail::recovery::of(options, settings_->recovery.load().seed));
  }
  /// The same for the detector. Its window stays as it is, and so must the window's own options.
  void reconfigure(const Detector& detector) {
    valid(detector).validate_replacing(settings_->trips.load());
    settings_->trips.store(detector);
  }

  [[nodiscard]] std::string_view name() const noexcept { return settings_->name; }
  /// The options in force, with what was left out filled in. A copy: not for the path of every call.
  [[nodiscard]] breaker_options options() const {
    return settings_->recovery.load().options(settings_->name);
  }
  [[nodiscard]] Detector trips() const noexcept { return settings_->trips.load(); }

 private:
  friend permit;
  friend admission;

  struct no_start {};
  using start_time = std::conditional_t<Detector::times_calls, duration, no_start>;

  /// What seldom changes, apart from what every call touches.
  struct settings {
    settings(breaker_options&& options, const Detector& trips_at, std::uint64_t own_seed)
        : name{(options.validate(), std::move(options.name))},
          recovery{detail::recovery::of(options, own_seed)},
          trips{trips_at} {}

    const std::string name;
    detail::live_value<detail::recovery> recovery;
    detail::live_value<Detector> trips;

    std::mutex subscribing;                           // guards `feed` until it is there
    std::shared_ptr<detail::transition_feed> feed{};  // from the first subscription on
    // Written by whoever makes the feed (3), read by whoever causes a transition (4).
    typename Atomics::template atomic<detail::transition_feed*> announced_by{nullptr};
  };

  static const Detector& valid(const Detector& detector) {
    detector.validate(detail::control_word::most_marks);
    return detector;
  }
  /// Different for each breaker and each process.
  [[nodiscard]] std::uint64_t own_seed() const noexcept {
    return reinterpret_cast<std::uintptr_t>(this) ^
           static_cast<std::uint64_t>(monotonic_clock{}.now().time_since_epoch().count());
  }

  struct answer {
    circuit_breaker* admitted_by;  // null: refused
    detail::control_word token;    // the permit's, or the packed rejection
  };

  [[nodiscard]] start_time start() const noexcept {
    if constexpr (Detector::times_calls) {
      return elapsed();
    } else {
      return {};
    }
  }

  disposition record(detail::control_word token, start_time started, outcome result, duration wish) noexcept {
    if constexpr (!Detector::times_calls) {
      // relaxed: only compared. The same word as at admission means closed, same epoch, nothing marked: a
      // success changes nothing, so nothing is written.
      if (result == outcome::success && control_.load(std::memory_order_relaxed) == token.bits) [[likely]] {
        return disposition::counted;
      }
    }
    return record_slowly(token, started, result, wish);
  }

  [[gnu::noinline]] answer acquire_slowly(detail::control_word seen) noexcept;
  [[gnu::noinline]] disposition record_slowly(detail::control_word token, start_time started, outcome result,
                                              duration wish) noexcept;
  [[nodiscard]] bool record_call(detail::control_word seen, start_time started, bool failed,
                                 duration wish) noexcept;
  [[nodiscard]] bool record_probe(detail::control_word seen, bool failed, duration wish) noexcept;
  [[gnu::noinline]] void give_back(detail::control_word token) noexcept;

  static duration held(duration how_long) noexcept {
    return std::clamp(how_long, detail::control_word::unit, longest_hold);
  }
  static duration bounded(duration wish) noexcept {
    return std::clamp(wish, duration::zero(), breaker_options::most_retry_after);
  }

  answer refuse(rejection_reason reason, duration retry_after) noexcept {
    rejections_.fetch_add(1, std::memory_order_relaxed);  // a total for display, orders nothing
    return {nullptr, admission::pack(reason, retry_after)};
  }

  /// Since construction. Read once for each decision.
  [[nodiscard]] duration elapsed() const noexcept { return clock_.now() - origin_; }

  /// Whether the era of `word` goes on.
  [[nodiscard]] auto is_current(detail::control_word word) const noexcept {
    return [this, word] {
      const detail::control_word current{control_.load(std::memory_order_acquire)};  // (1)
      return current.era() == word.era() && current.moment_key() == word.moment_key();
    };
  }
  /// When the era of `word` began, fixed to `now` if nobody has seen it yet. Nothing when the era is over.
  [[nodiscard]] std::optional<duration> moment_of(detail::control_word word, duration now) const noexcept {
    return moment_.fix(word.moment_key(), now, is_current(word));
  }
  /// The period that the open era of `word` is in, computed if nobody has yet. Nothing when it is over.
  [[nodiscard]] std::optional<detail::outage> outage_of(detail::control_word word) const noexcept {
    const auto following = [&](std::uint64_t previous) {
      const auto rules = settings_->recovery.load();
      return detail::outage{previous}
          .next(rules.open_for, word.begins_outage(), word.wish(),
                detail::chance_of(rules.seed, word.epoch()))
          .bits;
    };
    const auto bits = outage_.fix(word.moment_key(), following, is_current(word));
    return bits ? std::optional{detail::outage{*bits}} : std::nullopt;
  }

  /// Replaces `seen` by `next`; on failure `seen` is what stands there now.
  [[nodiscard]] bool replace(detail::control_word& seen, detail::control_word next) noexcept {
    // (2) release: publishes the new epoch, whose statistics are part of the same word. On failure (1) again.
    return control_.compare_exchange_weak(seen.bits, next.bits, std::memory_order_acq_rel,
                                          std::memory_order_acquire);
  }

  /// Replaces `seen` by a word of another era, with the moments of both fixed, and of an open one the period
  /// (see `detail::era_value`). The period of the open era that it leaves was fixed by whoever found it over;
  /// an operator needs none, since what comes after is another outage.
  [[nodiscard]] bool begin_era(detail::control_word& seen, detail::control_word next, duration now) noexcept {
    if (!moment_of(seen, now)) {
      seen.bits = control_.load(std::memory_order_acquire);  // (1)
      return false;
    }
    const auto before = seen;
    if (!replace(seen, next)) return false;
    // Nothing when the era is over already: then its successor fixed it.
    const auto begun = moment_of(next, now);
    if (next.state() == circuit_state::open) static_cast<void>(outage_of(next));
    if (before.era() != next.era()) announce(before, next, begun.value_or(now));
    return true;
  }

  void announce(detail::control_word before, detail::control_word next, duration begun) noexcept {
    // (4) acquire: synchronizes-with (3), so a feed is whole for whoever sees it.
    auto* const feed = settings_->announced_by.load(std::memory_order_acquire);
    if (feed != nullptr) feed->publish({next.epoch(), before.state(), next.state(), origin_ + begun});
  }
  [[nodiscard]] std::shared_ptr<detail::transition_feed> feed() {
    const std::lock_guard lock{settings_->subscribing};
    if (!settings_->feed) {
      settings_->feed = std::make_shared<detail::transition_feed>(std::uint64_t{0});
      settings_->announced_by.store(settings_->feed.get(), std::memory_order_release);  // (3)
      // A read by writing, which has its place among all writes (2): transitions before it need not be waited
      // for, and whoever causes one after it sees the feed.
      const detail::control_word current{control_.fetch_add(0, std::memory_order_acq_rel)};
      settings_->feed->skip_to(current.epoch());
    }
    return settings_->feed;
  }

  [[nodiscard]] std::uint32_t first_marks() const noexcept {
    return settings_->trips.load().first_marks(detail::control_word::most_marks);
  }
  /// Whether a circuit that opens now, out of the closed `seen`, begins an outage. Only then is the numbering
  /// of open periods begun again.
  [[nodiscard]] bool begins_outage(detail::control_word seen, duration now) const noexcept {
    if (seen.is_begun_by_operator()) return true;
    const auto closed_at = moment_of(seen, now);
    return closed_at && now - *closed_at >= settings_->recovery.load().relapse_within;
  }
  /// How many calls may be in flight in the half-open `seen`.
  [[nodiscard]] static std::uint32_t limit_of(detail::control_word seen,
                                              const detail::recovery& rules) noexcept {
    if (seen.is_ramping()) return seen.limit();
    const auto needed = rules.successes > seen.succeeded() ? rules.successes - seen.succeeded() : 1;
    return std::min(rules.probes, needed);
  }
  /// How long the open `seen` goes on at least: 0 when a call may pass.
  [[nodiscard]] duration left_of(detail::control_word seen, const detail::outage& period, duration begun,
                                 duration now) const noexcept {
    const auto left = std::max(begun + period.least() - now, duration::zero());
    if (left > duration::zero() || !waits_for_refusals(seen, period)) return left;
    // Nobody can tell when the missing calls come; as long again is worth a try.
    const auto most = settings_->recovery.load().open_for.most(period.least());
    return std::clamp(begun + most - now, duration::zero(), period.least());
  }
  [[nodiscard]] static bool waits_for_refusals(detail::control_word seen,
                                               const detail::outage& period) noexcept {
    return period.waits_for_refusals() && seen.refused() < period.number();
  }

  /// Closed to any state is a transition too: a reset begins an epoch with empty statistics.
  void hold(circuit_state state, auto marks_or_time) noexcept {
    detail::control_word seen{control_.load(std::memory_order_acquire)};  // (1)
    while (!begin_era(seen, seen.next_held(state, marks_or_time), elapsed())) {
    }
  }

  // Written by whoever causes a transition or counts a failure (2), read by every caller (1). Publishes
  // state, epoch and counts together.
  typename Atomics::template atomic<std::uint64_t> control_;
  mutable detail::moment<Atomics> moment_;        // what deadlines are counted from
  mutable detail::era_value<Atomics> outage_{0};  // the latest open period

  time_point origin_;
  std::unique_ptr<settings> settings_;
  [[no_unique_address]] typename Detector::template history<Atomics> history_;
  [[no_unique_address]] Clock clock_;

  // On a cache line of their own, so that a storm of rejections does not take the first one from the callers.
  alignas(64) typename Atomics::template atomic<std::uint64_t> rejections_{0};  // by refused callers; a total
  typename Atomics::template atomic<std::uint64_t> late_{0};                    // by late reporters; a total
};

template <detector Detector, clock_source Clock, class Atomics>
auto circuit_breaker<Detector, Clock, Atomics>::acquire_slowly(detail::control_word seen) noexcept -> answer {
  using enum circuit_state;
  for (;;) {
    const auto state = seen.state();
    const bool is_held_for_ever = seen.held_for() == duration::zero();  // if it is held at all
    if (state == closed || state == metrics_only || (state == disabled && is_held_for_ever)) {
      return {this, seen.without_shortcut()};
    }
    if (state == forced_open && is_held_for_ever) {
      return refuse(rejection_reason::forced_open, rejection::unknown);
    }

    // Read after the word, and again when that has changed: an older reading must not become the moment of a
    // later era, whose period would then have begun before it did.
    const auto now = elapsed();
    const auto begun = moment_of(seen, now);
    const auto period = state == open ? outage_of(seen) : std::optional{detail::outage{}};
    if (!begun || !period) {
      seen.bits = control_.load(std::memory_order_acquire);  // (1)
      continue;
    }
    auto next = seen.next_half_open();  // its time is over, or every call is lost
    if (state == forced_open || state == disabled) {
      const auto left = *begun + seen.held_for() - now;
      if (left > duration::zero() && state == forced_open) return refuse(rejection_reason::forced_open, left);
      if (left > duration::zero()) return {this, seen.without_shortcut()};
      if (state == disabled) {
        next = seen.next_closed(first_marks());
        if (begin_era(seen, next, now)) seen = next;
        continue;  // as a call on a closed circuit
      }
    } else if (state == open) {
      const auto left = left_of(seen, *period, *begun, now);
      if (left > duration::zero()) {
        if (waits_for_refusals(seen, *period) && !replace(seen, seen.with_refusal())) continue;
        return refuse(rejection_reason::circuit_open, left);
      }
    } else {
      const auto rules = settings_->recovery.load();
      const auto left = *begun + rules.lease - now;
      if (seen.in_flight() < limit_of(seen, rules)) {
        next = seen.with_admission();
      } else if (left > duration::zero()) {
        if (!seen.is_ramping()) return refuse(rejection_reason::probes_in_flight, left);
        if (seen.succeeded() > 0 && !replace(seen, seen.with_no_row())) continue;
        return refuse(rejection_reason::recovering, left);
      }
    }
    if (begin_era(seen, next, now)) return {this, next.without_shortcut()};
  }
}

template <detector Detector, clock_source Clock, class Atomics>
disposition circuit_breaker<Detector, Clock, Atomics>::record_slowly(detail::control_word token,
                                                                     start_time started, outcome result,
                                                                     duration wish) noexcept {
  if (result == outcome::ignored || result == outcome::cancelled) {
    give_back(token);
    return disposition::released;
  }
  const bool failed = result == outcome::failure;
  const detail::control_word seen{control_.load(std::memory_order_acquire)};  // (1)
  if (seen.era() == token.era()) {
    if (seen.state() == circuit_state::disabled) return disposition::released;
    const bool counted = seen.state() == circuit_state::half_open ? record_probe(seen, failed, wish)
                                                                  : record_call(seen, started, failed, wish);
    if (counted) return disposition::counted;
  }
  late_.fetch_add(1, std::memory_order_relaxed);  // a total for display, orders nothing
  return disposition::late;
}

/// Closed or metrics_only. False: the era was over before the call could count.
template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::record_call(detail::control_word seen, start_time started,
                                                            bool failed, duration wish) noexcept {
  const auto era = seen.era();
  const auto rules = settings_->trips.load();
  call_sample call{seen.epoch(), failed};
  if constexpr (Detector::reads_clock) call.ended = elapsed();
  if constexpr (Detector::times_calls) call.took = call.ended - started;
  auto evidence = rules.record(history_, call);
  for (;;) {
    const auto judged = rules.judge(evidence, seen.marks(), call, detail::control_word::most_marks);
    bool done = false;
    if (judged.trips && seen.state() == circuit_state::closed) {
      const auto now = elapsed();
      done = begin_era(seen, seen.next_open(begins_outage(seen, now), bounded(wish)), now);
    } else {
      done = judged.marks == seen.marks() || replace(seen, seen.with_marks(judged.marks));
    }
    if (done) return true;
    // A window has taken the call in while its epoch went on: it counts, only for nothing any more.
    if (seen.era() != era) return Detector::has_window;
    evidence = rules.look(history_, call);
  }
}

/// Half-open. False: the era was over.
template <detector Detector, clock_source Clock, class Atomics>
bool circuit_breaker<Detector, Clock, Atomics>::record_probe(detail::control_word seen, bool failed,
                                                             duration wish) noexcept {
  const auto era = seen.era();
  const auto rules = settings_->recovery.load();
  do {
    bool done = false;
    if (failed && seen.is_ramping() && seen.limit() > 1) {
      done = replace(seen, seen.with_end(0, seen.limit() / 2));
    } else if (failed) {
      done = begin_era(seen, seen.next_open(false, bounded(wish)), elapsed());
    } else {
      const auto row = seen.succeeded() + 1;
      const auto limit = seen.limit() + 1;  // on the ramp
      if (!seen.is_ramping() && row < rules.successes) {
        done = replace(seen, seen.with_success());
      } else if (!seen.is_ramping() && rules.ramp.first > 0) {
        done = begin_era(seen, seen.next_on_ramp(rules.ramp.first), elapsed());
      } else if (seen.is_ramping() && row < rules.ramp.successes &&
                 limit < detail::control_word::most_limit) {
        done = replace(seen, seen.with_end(row, limit));
      } else {
        done = begin_era(seen, seen.next_closed(first_marks()), elapsed());
      }
    }
    if (done) return true;
  } while (seen.era() == era);
  return false;
}

template <detector Detector, clock_source Clock, class Atomics>
void circuit_breaker<Detector, Clock, Atomics>::give_back(detail::control_word token) noexcept {
  detail::control_word seen{control_.load(std::memory_order_acquire)};  // (1)
  while (seen.era() == token.era() && seen.state() == circuit_state::half_open) {
    if (replace(seen, seen.with_give_back())) return;
  }
}

template <detector Detector, clock_source Clock, class Atomics>
breaker_snapshot circuit_breaker<Detector, Clock, Atomics>::snapshot() const noexcept {
  detail::control_word seen;
  std::optional<duration> begun;
  std::optional<detail::outage> period;
  duration now{};
  do {
    seen.bits = control_.load(std::memory_order_acquire);  // (1)
    now = elapsed();
    begun = moment_of(seen, now);
    period = seen.state() == circuit_state::open ? outage_of(seen) : std::optional{detail::outage{}};
  } while (!begun || !period);

  const auto rules = settings_->recovery.load();
  breaker_snapshot shown;
  shown.state = seen.state();
  shown.epoch = seen.epoch();
  shown.since = origin_ + *begun;
  shown.probes_needed = rules.successes;
  switch (seen.state()) {
    case circuit_state::closed:
    case circuit_state::metrics_only: {
      const auto counted = settings_->trips.load().statistics(
          history_, seen.marks(), {.epoch = seen.epoch(), .ended = now}, detail::control_word::most_marks);
      shown.consecutive_failures = counted.consecutive_failures;
      shown.failure_balance = counted.failure_balance;
      shown.calls = counted.calls;
      shown.failures = counted.failures;
      shown.slow_calls = counted.slow_calls;
      break;
    }
    case circuit_state::half_open:
      if (seen.is_ramping()) shown.probes_needed = rules.ramp.successes;
      shown.probes_succeeded = seen.succeeded();
      shown.probes_in_flight = seen.in_flight();
      shown.in_flight_limit = limit_of(seen, rules);
      if (shown.probes_in_flight >= shown.in_flight_limit) {
        shown.retry_after = std::max(*begun + rules.lease - now, duration::zero());
      }
      break;
    case circuit_state::open:
      shown.open_period = period->number();
      shown.retry_after = left_of(seen, *period, *begun, now);
      break;
    case circuit_state::forced_open:
      shown.retry_after = seen.held_for() == duration::zero()
                              ? rejection::unknown
                              : std::max(*begun + seen.held_for() - now, duration::zero());
      break;
    case circuit_state::disabled:
      break;
  }
  // acquire (4), as in announce().
  if (const auto* feed = settings_->announced_by.load(std::memory_order_acquire)) {
    shown.listener_failures = feed->failures();
    shown.missed_transitions = feed->missed();
  }
  // relaxed: totals, read beside the word.
  shown.rejections = rejections_.load(std::memory_order_relaxed);
  shown.late_results = late_.load(std::memory_order_relaxed);
  return shown;
}

}  // namespace brownout
