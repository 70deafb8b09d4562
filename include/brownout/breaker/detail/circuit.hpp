// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/announcer.hpp"
#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/era_state.hpp"
#include "brownout/breaker/detail/era_value.hpp"
#include "brownout/breaker/detail/outage.hpp"
#include "brownout/breaker/detail/policy.hpp"
#include "brownout/breaker/detail/rare_state.hpp"
#include "brownout/breaker/detail/transition_feed.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/bounded_text.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/chance.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/live_value.hpp"
#include "brownout/core/detail/striped_total.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The state of a circuit: its control word, what else belongs to the word's era, and how one word follows
/// another. The breaker decides; the circuit carries out.
///
/// Thread-safe; lock-free, apart from what listeners do.
template <class Detector, class Clock, class Atomics>
class circuit {
 public:
  using policy_type = detail::policy<Detector>;

  circuit(std::shared_ptr<policy_type> given, Clock clock)
      : control_{given->detector()->first_marks(control_word::most_marks)},
        origin_{clock.now()},
        policy_{given.get()},
        given_{std::move(given)},
        clock_{std::move(clock)} {}
  circuit(const circuit&) = delete;
  circuit& operator=(const circuit&) = delete;

  /// (1) acquire: synchronizes-with (2), so a thread that acts on a word sees what the transition to it was
  /// based on.
  [[nodiscard]] control_word word() const noexcept { return {control_.load(std::memory_order_acquire)}; }

  /// For the shortcut, which compares it, and for display. Relaxed: nothing else is read because of it.
  [[nodiscard]] control_word observed_word() const noexcept {
    return {control_.load(std::memory_order_relaxed)};
  }

  /// Options and detector in force.
  [[nodiscard]] const policy_type& policy() const noexcept {
    // (3) acquire: synchronizes-with (4), so a thread sees a policy as a whole.
    return *policy_.load(std::memory_order_acquire);
  }
  [[nodiscard]] live_copy<recovery> rules() const noexcept { return policy().rules(); }

  /// Gives this circuit a policy of its own: a copy with something replaced. The policy that it was given may
  /// belong to other circuits too, and may still be read.
  template <class Replace>
  void reconfigure(Replace replace) {
    auto& rare = rare_.make();
    const std::lock_guard lock{rare.reconfiguring};
    if (rare.own_policy) return replace(*rare.own_policy);
    auto own = std::make_unique<policy_type>(*policy().rules(), *policy().detector(), policy().left_out());
    replace(*own);
    policy_.store(own.get(), std::memory_order_release);  // (4)
    rare.own_policy = std::move(own);
  }

  /// Reads the policy `after` instead of `before` from now on, unless it has a policy of its own. Both must
  /// live as long as the policy that it was given. Lock-free.
  void follow(policy_type& before, policy_type& after) noexcept {
    auto* seen = &before;
    // (4). relaxed on failure: then the circuit has a policy of its own, and nothing is read.
    policy_.compare_exchange_strong(seen, &after, std::memory_order_release, std::memory_order_relaxed);
  }

  /// Keeps the text of a failure, unless there is no memory for it or one of a later epoch is kept. An empty
  /// text says that there is none any more.
  void note_failure(std::uint64_t epoch, std::string_view text, duration now) noexcept {
    rare_.note_failure(epoch, {bounded_text{text}, time_of(now)});
  }

  /// Makes room to count refused calls of many threads. To be called before another thread knows the circuit.
  void spread_refusals() { rare_.make().refusals = std::make_unique<striped_total<Atomics>>(); }
  /// That room; null if there is none.
  [[nodiscard]] striped_total<Atomics>* refusals() const noexcept { return rare_.refusals(); }

  /// The feed of this circuit's transitions, made when first asked for.
  [[nodiscard]] std::shared_ptr<transition_feed> feed() {
    // Read by writing (2), so that the reading has its place among all transitions.
    const auto read_epoch = [this] {
      return control_word{control_.fetch_add(0, std::memory_order_acq_rel)}.epoch();
    };
    return rare_.make().listeners.make_feed(read_epoch);
  }

  /// Since construction. Read once for each decision.
  [[nodiscard]] duration elapsed() const noexcept { return clock_.now() - origin_; }
  [[nodiscard]] time_point time_of(duration elapsed) const noexcept { return origin_ + elapsed; }
  /// The time since construction by a coarse reading of the clock. The rule in core/clock.hpp says where it
  /// may be used.
  [[nodiscard]] duration coarse_elapsed() const noexcept {
    return (std::max)(detail::coarse_now(clock_) - origin_, duration::zero());
  }

  /// Replaces `seen` by `next`. On failure `seen` becomes the current word.
  [[nodiscard]] bool replace(control_word& seen, control_word next) noexcept {
    // (2) release: publishes the new epoch, whose statistics are part of the same word. On failure (1) again.
    return control_.compare_exchange_weak(seen.bits, next.bits, std::memory_order_acq_rel,
                                          std::memory_order_acquire);
  }

  /// Of a new closed era.
  [[nodiscard]] std::uint32_t first_marks() const noexcept {
    return policy().detector()->first_marks(control_word::most_marks);
  }
  using era_state = detail::era_state;

  /// The era of `seen` now. Nothing when it is over; then `seen` becomes the current word.
  ///
  /// The clock is read after the word, and again when that has changed: an older reading must not become the
  /// moment of a later era, whose period would then have begun before it did. For the same reason a reading
  /// from before the era began, which a thread has that slept since, counts as its beginning.
  [[nodiscard]] std::optional<era_state> observe(control_word& seen) const noexcept {
    const auto now = elapsed();
    // Nearly always everything is fixed and still so, and rejections should cost little more than the clock.
    const auto key = seen.moment_key();
    const outage fixed{seen.state() == circuit_state::open ? outage_.fixed_in(key) : 1};
    if (const auto fixed_moment = moment_.fixed_in(key); fixed_moment && fixed.bits != 0 && word() == seen) {
      return era_state{seen, (std::max)(now, *fixed_moment), *fixed_moment, fixed};
    }
    const auto begun = moment_of(seen, now);
    const auto period = seen.state() == circuit_state::open ? outage_of(seen) : std::optional{outage{}};
    if (begun && period) return era_state{seen, (std::max)(now, *begun), *begun, *period};
    seen = word();
    return std::nullopt;
  }

  /// Replaces the word of `at` by `next`, which begins another era, and fixes when that begins and, if it is
  /// open, its period (see `era_value`). On failure `seen` becomes the current word.
  [[nodiscard]] bool begin_era(control_word& seen, control_word next, const era_state& at) noexcept {
    if (!settle_outage(at.word, next)) {
      seen = word();
      return false;
    }
    seen = at.word;
    if (!replace(seen, next)) return false;
    // Unless the era is over already: then its successor has fixed them.
    static_cast<void>(moment_of(next, at.now));
    if (next.state() == circuit_state::open) static_cast<void>(outage_of(next));
    return true;
  }

  /// Tells the listeners that `next` has followed the word of `at`, if that began another epoch.
  void announce(const era_state& at, control_word next, const grounds& why) noexcept {
    if (at.word.era() == next.era()) return;
    if (auto* const feed = rare_.feed()) {
      const auto begun = moment_of(next, at.now).value_or(at.now);
      feed->publish(event_of(at.word, next, time_of(begun), why));
    }
  }
  /// Tells the listeners, once, that the detector has tripped in the metrics_only epoch of `seen`.
  void announce_trip(control_word seen, const grounds& why) noexcept {
    auto* const feed = rare_.feed();
    if (feed == nullptr || feed->knows_of_trip(seen.epoch())) return;
    const auto now = elapsed();
    const auto begun = moment_of(seen, now).value_or(now);
    feed->publish_trip(event_of(seen, seen, time_of((std::max)(now, begun)), why));
  }

  /// For how long calls are refused, if a coarse reading of the clock is enough to know it: then more than
  /// `coarse_resolution`, and at most that much too long. Otherwise 0, and `observe` must decide.
  [[nodiscard]] duration surely_refuses_for(control_word seen) const noexcept {
    const auto key = seen.moment_key();
    const auto begun = moment_.fixed_in(key);
    duration length{};
    if (seen.is(circuit_state::open)) {
      const outage period{outage_.fixed_in(key)};  // none yet: its length is 0
      if (!period.waits_after(seen.refused())) length = period.least();
    } else if (seen.is(circuit_state::forced_open)) {
      length = seen.held_for();
    } else if (seen.is(circuit_state::half_open)) {
      const auto now = rules();
      if (seen.in_flight() >= now->limit(seen)) length = now->lease;
    }
    if (!begun || length <= coarse_resolution) return duration::zero();
    // Negative if the era is younger than the coarse reading.
    const auto left = length - (std::max)(coarse_elapsed() - *begun, duration::zero());
    return left > coarse_resolution && word() == seen ? left : duration::zero();
  }

  /// Whether an open period or an operator's hold lasts beyond `now`. For callers that have read the clock
  /// and must not read it again. Fixes nothing, so an era that no thread has observed lasts. Lock-free.
  [[nodiscard]] bool outlasts(time_point now) const noexcept {
    using enum circuit_state;
    const auto seen = word();
    const auto state = seen.state();
    if (state == closed || state == half_open) return false;
    if (state == metrics_only || (state != open && seen.is_held_for_ever())) return true;
    const auto begun = moment_.fixed_in(seen.moment_key());
    if (!begun) return true;
    const auto passed = (std::max)(now - origin_ - *begun, duration::zero());
    if (state != open) return seen.held_for() > passed;
    const outage period{outage_.fixed_in(seen.moment_key())};
    return period.bits == 0 || wait({seen, *begun + passed, *begun, period}) > duration::zero();
  }

  /// How long until a call may pass. 0: one may pass now.
  [[nodiscard]] duration wait(const era_state& at) const noexcept {
    return at.wait([this] { return rules(); });
  }

  /// The current era, whichever it is.
  [[nodiscard]] era_state look() const noexcept {
    auto seen = word();
    for (;;) {
      if (const auto at = observe(seen)) return *at;
    }
  }

  /// The part of a snapshot that shows what few circuits have.
  void show_rare(breaker_snapshot& shown) const noexcept { rare_.show(shown); }

 private:
  /// Different for each breaker, each process and each opening: processes that a fork made from one differ in
  /// the moments at which their circuits open.
  [[nodiscard]] std::uint64_t own_seed(control_word era) const noexcept {
    const auto opened = moment_.fixed_in(era.moment_key()).value_or(duration::zero());
    return reinterpret_cast<std::uintptr_t>(this) ^
           static_cast<std::uint64_t>(origin_.time_since_epoch().count()) ^
           mixed(static_cast<std::uint64_t>(opened.count()));
  }

  /// Whether the era of `era` goes on.
  [[nodiscard]] auto is_current(control_word era) const noexcept {
    return [this, era] {
      const auto current = this->word();
      return current.era() == era.era() && current.moment_key() == era.moment_key();
    };
  }

  /// When the era of `era` began, fixed to `now` if no thread has seen it yet. Nothing when the era is over.
  [[nodiscard]] std::optional<duration> moment_of(control_word era, duration now) const noexcept {
    return moment_.fix(era.moment_key(), now, is_current(era));
  }
  /// The period of the open era of `era`, computed if no thread has done so yet. Nothing when it is over.
  [[nodiscard]] std::optional<outage> outage_of(control_word era) const noexcept {
    const auto following = [&](std::uint64_t previous) {
      const auto now = rules();
      return outage{previous}
          .next(now->open_for, era.begins_outage(), era.retry_after(),
                chance_of(now->seed != 0 ? now->seed : own_seed(era), era.epoch()))
          .bits;
    };
    const auto bits = outage_.fix(era.moment_key(), following, is_current(era));
    return bits ? std::optional{outage{*bits}} : std::nullopt;
  }

  /// Before a circuit opens, the latest period goes over to the era that is left, so that no open era finds
  /// one of its own key that is 4096 epochs old. A circuit that an operator has held open begins anew. False
  /// when the era of `seen` is over.
  [[nodiscard]] bool settle_outage(control_word seen, control_word next) noexcept {
    const bool begins_anew = seen.state() == circuit_state::forced_open;
    if (next.state() != circuit_state::open && !begins_anew) return true;
    const auto latest = [&](std::uint64_t previous) {
      return begins_anew || previous == 0 ? outage::none : previous;
    };
    return outage_.fix(seen.moment_key(), latest, is_current(seen)).has_value();
  }

  // Written by threads that cause a transition or count a failure (2), read by every caller (1). Publishes
  // state, epoch and counts together.
  typename Atomics::template atomic<std::uint64_t> control_;
  mutable moment<Atomics> moment_{};      // what deadlines are counted from
  mutable era_value<Atomics> outage_{0};  // the latest open period

  const time_point origin_;
  // Written by threads that reconfigure (4), read where options decide (3).
  typename Atomics::template atomic<policy_type*> policy_;
  rare_state<policy_type, Atomics> rare_{};
  const std::shared_ptr<policy_type> given_;
  BROWNOUT_NO_UNIQUE_ADDRESS const Clock clock_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
