// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/calls_in_flight.hpp"
#include "brownout/breaker/detail/circuit.hpp"
#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/outage.hpp"
#include "brownout/breaker/detail/permits_out.hpp"
#include "brownout/breaker/detail/policy.hpp"
#include "brownout/breaker/detail/result_totals.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/breaker/preset.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/breaker/subscription.hpp"
#include "brownout/breaker/transition_event.hpp"
#include "brownout/core/atomics.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/guarded_call.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {
template <class Breaker>
struct registered_breaker;  // a registry's
}  // namespace detail

/// Decides whether a dependency may be called. It refuses calls while the dependency fails, and finds out by
/// few probes when it works again.
///
/// Thread-safe throughout. Calls, results and snapshots are lock-free. They allocate nothing, with one
/// exception: the first failure that has a text. On a closed circuit without a counted failure an admission
/// is one load, and so is a success. The clock is read only where a deadline or the detector needs it. Not
/// copyable or movable: permits point to it, so it must outlive them.
template <detector Detector = standard_detector, clock_source Clock = monotonic_clock,
          class Atomics = std_atomics>
class alignas(64) circuit_breaker {
 public:
  /// The right to make one call.
  using permit = brownout::permit<circuit_breaker>;
  /// What `try_acquire` returns: a permit, or a rejection.
  using admission = brownout::admission<circuit_breaker>;

  /// A breaker with this detector and these options. What is left out, or given as `{}`, has its default.
  ///
  ///     brownout::circuit_breaker database{brownout::consecutive_failures{3}, {.name = "database"}};
  ///
  /// Functions that forward their arguments, as `std::make_unique` and `emplace`, take no braces alone. Name
  /// the type of the options there: `std::make_unique<circuit_breaker<>>(breaker_options{.name =
  /// "database"})`.
  ///
  /// Allocates about 1.6 KiB. A third of it counts refused calls, so that threads do not contend. (A
  /// registry's breaker does not have that part.)
  ///
  /// Throws `std::invalid_argument` naming field, value and range. Without exceptions the assertion handler
  /// gets that text.
  explicit circuit_breaker(Detector detector = {}, breaker_options options = {}, Clock clock = Clock{})
      : circuit_breaker{shared_policy{std::make_shared<detail::policy<Detector>>(options, detector)},
                        std::move(options.name), std::move(clock)} {
    circuit_.spread_refusals();
  }

  /// A breaker with the default detector and these options. Throws as above.
  ///
  ///     brownout::circuit_breaker database{{.name = "database"}};
  //
  // A template, so that `{}` means the detector above: if two constructors fit equally well, the compiler
  // takes the one that is not a template.
  template <class = void>
  explicit circuit_breaker(breaker_options options, Clock clock = Clock{})
      : circuit_breaker{Detector{}, std::move(options), std::move(clock)} {}

  /// A breaker with the options of another library: see `presets`. Throws as above.
  template <std::same_as<preset<Detector>> Preset>
  explicit circuit_breaker(Preset from, Clock clock = Clock{})
      : circuit_breaker{from.detector, std::move(from.options), std::move(clock)} {}

  /// For classes that wrap a breaker: `left_out` says what options mean that are left out.
  circuit_breaker(Detector detector, breaker_options options, Clock clock,
                  const detail::breaker_defaults& left_out)
      : circuit_breaker{
            shared_policy{std::make_shared<detail::policy<Detector>>(options, detector, left_out)},
            std::move(options.name), std::move(clock)} {
    circuit_.spread_refusals();
  }

  circuit_breaker(const circuit_breaker&) = delete;
  circuit_breaker& operator=(const circuit_breaker&) = delete;

  /// Asks to make one call, for callers that report the outcome by hand. A true admission holds a `permit`.
  /// Settle it by `permit::complete` when the call has ended, within `breaker_options::lease`. A false
  /// admission says why the circuit refuses and when to try again.
  ///
  /// - Closed: admits. One load, and one clock reading if the detector times calls.
  /// - Open: refuses until the open period is over. Then exactly one caller makes the circuit half-open and
  ///   gets the first probe.
  /// - Half-open: admits while a place is free. `call` describes calls within a call.
  ///
  /// A permit that is taken by hand is not bound to a thread. So calls that are made while it is held do not
  /// use its place. Thread-safe, lock-free.
  [[nodiscard]] admission try_acquire() noexcept { return acquire<false>(); }
  /// As above, for the `call` and `try_call` of a class that wraps a breaker. Calls within the call use the
  /// place of this permit. The permit must be settled on this thread.
  [[nodiscard]] admission try_acquire(detail::within_call) noexcept { return acquire<true>(); }

  /// Calls `function` if the circuit admits the call, returns what it returns and throws what it throws.
  /// Throws `call_rejected` instead of calling while the circuit refuses.
  ///
  /// `classify`, a `classifier`, judges how the call ended; default: `default_classifier`. If `classify`
  /// throws, `default_classifier` judges, and the caller still gets what `function` returned or threw. The
  /// permit settles in any case. What `function` returns must be movable, since it is judged before it is
  /// returned.
  ///
  /// **A call within a call.** `function` may call the same breaker again on the same thread, directly or
  /// through other breakers. While the circuit is half-open and has no free place, the inner call uses the
  /// place of the outer one: it is admitted, and its outcome does not count. The outcome of the outer call
  /// decides. This holds for `call`, `try_call` and `try_acquire`, for 8 inner calls of one place at a time,
  /// and for 8 half-open breakers at a time. An inner call on another thread is an ordinary call. Stackful
  /// coroutines that share a thread look like calls within each other, so they should use `try_acquire`.
  template <class F, class C = default_classifier>
  std::invoke_result_t<F> call(F&& function, const C& classify = {}) {
    return detail::call(*this, std::forward<F>(function), classify);
  }

  /// As `call`, but returns the rejection as a value. Exceptions of `function` still pass through.
  ///
  /// If `function` returns a `result` itself, as a `try_call` of an inner breaker does, this returns one
  /// `result` and not a `result` of a `result`. A rejection in it may come from either breaker. The rejection
  /// of an inner breaker does not count here.
  template <class F, class C = default_classifier>
  try_call_result_t<F> try_call(F&& function, const C& classify = {}) {
    return detail::try_call(*this, std::forward<F>(function), classify);
  }

  /// The longest time that a circuit can be held for. Longer times are cut to it.
  static constexpr duration longest_hold = std::chrono::hours{24 * 7};

  // Commands of operators. Lock-free, apart from what listeners do. If the circuit is in that state already,
  // nothing changes: no transition, no new epoch, and calls in flight count as before.

  /// Refuses every call until another command. Results of calls that still run are late.
  void force_open() noexcept { hold(circuit_state::forced_open, duration::zero()); }
  /// Refuses every call for `how_long`: 100 ms to `longest_hold`, rounded up to 100 ms; other times are cut
  /// to that range. Then calls probe the circuit, as after an open period.
  ///
  /// If the circuit is forced open already, it keeps its epoch. Only the end of the hold moves: to `how_long`
  /// from now, earlier or later. So a hold can be renewed any number of times. If it would then end more than
  /// 9.7 days after its beginning, it begins anew, which is a transition.
  void force_open_for(duration how_long) noexcept { hold(circuit_state::forced_open, held(how_long)); }
  /// Lets every call pass and measures none, until another command.
  void disable() noexcept { hold(circuit_state::disabled, duration::zero()); }
  /// Lets every call pass and measures none for `how_long`; range and repetition as for `force_open_for`.
  /// Then the circuit closes. Meanwhile each call reads the clock.
  void disable_for(duration how_long) noexcept { hold(circuit_state::disabled, held(how_long)); }
  /// Lets every call pass and measures it, but never opens. For trying options on live traffic.
  void measure_only() noexcept { hold(circuit_state::metrics_only); }
  /// Closes the circuit with empty statistics, whatever its state. A closed circuit begins a new epoch too.
  void reset() noexcept { hold(circuit_state::closed); }

  /// Opens the closed circuit as its detector does: for a program that knows from elsewhere that the
  /// dependency has failed. Returns whether it opened the circuit.
  ///
  /// This is not a command of an operator: an open period, probes and an outage follow as after a failure,
  /// and end without `reset`. A circuit in `metrics_only` tells its listeners that it would have opened. In
  /// any other state nothing happens.
  ///
  /// `why`: the text for listeners and `snapshot().last_failure`. It is cut to 119 bytes. Default: none.
  /// `retry_after`: the open period is at least that long, as in `permit::complete`. Default: no wait.
  /// Lock-free, apart from what listeners do. Allocates as `permit::complete` does.
  bool trip(std::string_view why = {}, duration retry_after = {}) noexcept;

  /// Calls `listener` for each transition and its reason, in order and with no lock held, until the
  /// subscription is destroyed. It runs on the thread that caused the transition, or on one that already
  /// delivers. `wanted`: default `outages`, which is the beginning and the end of each
  /// outage without the probes between them. See `transition_listener`.
  ///
  /// Throws `std::invalid_argument` for an empty listener. The first listener of a breaker allocates 12 KiB,
  /// in which 64 transitions can wait with their texts. With listeners each transition takes a short lock.
  /// Calls take none.
  [[nodiscard]] subscription subscribe(transition_listener listener,
                                       announcements wanted = announcements::outages) {
    return subscription{circuit_.feed(), std::move(listener), wanted};
  }

  /// The state a moment ago, for display. To decide about a call, ask `try_acquire`. Wait-free.
  [[nodiscard]] circuit_state observed_state() const noexcept { return circuit_.observed_word().state(); }

  /// The part of a snapshot that decisions need, for programs that ask often. For a closed circuit it takes
  /// one load, which may be a moment old, and no clock reading. Lock-free.
  [[nodiscard]] circuit_status status() const noexcept;

  /// Everything that can be shown, consistent in itself. Changes nothing. Lock-free.
  [[nodiscard]] breaker_snapshot snapshot() const noexcept;

  /// Replaces all options while the circuit is in use. State, counts and statistics stay. An option that is
  /// left out gets its default. To change one option, begin with `options()`. The name cannot change: leave
  /// it empty, or give the same.
  ///
  /// An open period that has begun keeps its length; `reset` ends it. Decisions at the same moment may follow
  /// the old options or the new ones. The length of a period that begins then is such a decision.
  ///
  /// Throws `std::invalid_argument` naming field, value and range. Then nothing has changed. Thread-safe:
  /// callers of `reconfigure` wait for each other, and no other caller waits.
  void reconfigure(const breaker_options& options);
  /// Replaces the detector, as above. The window keeps its calls, so its own options must stay the same.
  void reconfigure(const Detector& detector);

  /// The name that was given at construction. Valid as long as the breaker is.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  /// The options in force, as a copy: not for the path of every call. `successes` and `lease` are filled in
  /// if they were left out. They then stay as they are when these options are given to `reconfigure`.
  [[nodiscard]] breaker_options options() const { return circuit_.rules()->options(name_); }
  /// The detector in force. A copy.
  [[nodiscard]] Detector detector() const noexcept { return *circuit_.policy().detector(); }

 private:
  friend permit;
  friend admission;
  template <class>
  friend struct detail::registered_breaker;

  /// Options and detector. The breakers of a registry share one policy until they are reconfigured. It is a
  /// type of its own, so that neither `{}` nor a name converts to it.
  struct shared_policy {
    explicit shared_policy(std::shared_ptr<detail::policy<Detector>> shared) : content{std::move(shared)} {}
    std::shared_ptr<detail::policy<Detector>> content;
  };
  circuit_breaker(shared_policy policy, std::string name, Clock clock)
      : history_{*policy.content->detector()},
        circuit_{std::move(policy.content), std::move(clock)},
        name_{std::move(name)} {}

  struct nothing {};
  using failure_report = detail::failure_report;
  using era_state = typename detail::circuit<Detector, Clock, Atomics>::era_state;
  using start_time = std::conditional_t<Detector::times_calls, detail::call_start, nothing>;
  using in_flight_table =
      std::conditional_t<Detector::counts_overdue, detail::calls_in_flight<Atomics>, nothing>;

  struct answer {
    circuit_breaker* admitted_by;  // null: refused
    detail::control_word token;    // the permit's, or the packed rejection
  };

  template <bool WithinCall>
  [[nodiscard]] admission acquire() noexcept;

  [[nodiscard]] BROWNOUT_ALWAYS_INLINE start_time start(detail::control_word token) noexcept;
  disposition record(detail::control_word token, start_time started, outcome result, duration retry_after,
                     std::string_view why) noexcept {
    if constexpr (!Detector::times_calls || detail::has_needs_of_its_own<Detector>) {
      // The same word as at admission means closed, same epoch, nothing marked: a success changes nothing, so
      // nothing is written.
      if (result == outcome::success && circuit_.observed_word() == token) [[likely]] {
        return disposition::counted;
      }
    }
    if (result == outcome::failure) return record_failure(token, started, retry_after, why);
    return record_slowly(token, started, result);
  }

  BROWNOUT_NOINLINE answer acquire_slowly(detail::control_word seen) noexcept;
  BROWNOUT_NOINLINE answer acquire_slowly_for_call(detail::control_word seen) noexcept;
  BROWNOUT_NOINLINE answer acquire_by_coarse_clock(detail::control_word seen) noexcept;
  BROWNOUT_NOINLINE answer acquire_by_clock(detail::control_word seen) noexcept;
  BROWNOUT_NOINLINE disposition record_slowly(detail::control_word token, start_time started,
                                              outcome result) noexcept;
  BROWNOUT_NOINLINE disposition record_failure(detail::control_word token, start_time started,
                                               duration retry_after, std::string_view why) noexcept;
  BROWNOUT_NOINLINE disposition record_off_closed(detail::control_word seen, detail::control_word token,
                                                  start_time started, outcome result,
                                                  const failure_report& said) noexcept;
  BROWNOUT_ALWAYS_INLINE disposition record_call(detail::control_word seen, const call_sample& call,
                                                 const failure_report& said) noexcept;
  BROWNOUT_NOINLINE bool record_trip(detail::control_word& seen, const judgement& judged,
                                     const epoch_statistics& figures, detail::result_kind kind,
                                     const failure_report& said) noexcept;
  [[nodiscard]] disposition record_probe(detail::control_word seen, const call_sample& call,
                                         const failure_report& said) noexcept;
  [[nodiscard]] call_sample sample(detail::control_word seen, start_time started,
                                   outcome result) const noexcept;
  BROWNOUT_NOINLINE bool opens_at_once(detail::control_word seen, const failure_report& said) noexcept;
  [[nodiscard]] duration window_time() const noexcept;
  void give_place_back(detail::control_word token) noexcept;
  BROWNOUT_NOINLINE void give_back(detail::control_word token, start_time started) noexcept;
  BROWNOUT_NOINLINE void abandon(detail::control_word token, start_time started) noexcept;
  void count_overdue() noexcept;

  bool change(detail::control_word& seen, detail::control_word next, const era_state& at,
              const detail::grounds& why) noexcept;
  BROWNOUT_NOINLINE bool change_to_open(detail::control_word& seen, detail::control_word next,
                                        const era_state& at, const detail::grounds& why,
                                        detail::result_kind kind) noexcept;
  bool open(detail::control_word& seen, const era_state& at, duration retry_after, const detail::grounds& why,
            detail::result_kind kind) noexcept;
  void hold(circuit_state state) noexcept;
  void hold(circuit_state state, duration how_long) noexcept;
  [[nodiscard]] epoch_statistics counts(const era_state& at) const noexcept;
  [[nodiscard]] breaker_snapshot show(const era_state& at) const noexcept;
  static duration held(duration how_long) noexcept;
  static duration bounded(duration retry_after) noexcept;
  disposition late() noexcept;
  BROWNOUT_ALWAYS_INLINE disposition counted(detail::result_kind kind, std::uint64_t epoch,
                                             const failure_report& said) noexcept;
  answer refuse(rejection_reason reason, duration retry_after) noexcept;
  answer refuse_until_released() noexcept;

  BROWNOUT_NO_UNIQUE_ADDRESS typename Detector::template history<Atomics> history_;
  detail::circuit<Detector, Clock, Atomics> circuit_;

  // On a cache line of their own, so that a storm of rejections does not take the first line from the
  // callers. Written by refused callers, a total: of a registry's breaker all of them, otherwise those whom
  // no deadline refused.
  alignas(64) typename Atomics::template atomic<std::uint64_t> rejections_{0};
  detail::result_totals<Atomics, Detector::times_calls> totals_{};
  const std::string name_;
  BROWNOUT_NO_UNIQUE_ADDRESS in_flight_table in_flight_{};
  BROWNOUT_NO_UNIQUE_ADDRESS detail::permits_out permits_out_{name_};  // empty, unless lifetimes are checked
};

/// From a preset.
template <class Detector>
circuit_breaker(preset<Detector>) -> circuit_breaker<Detector>;
/// From a preset and a clock.
template <class Detector, class Clock>
circuit_breaker(preset<Detector>, Clock) -> circuit_breaker<Detector, Clock>;

}  // namespace brownout::inline BROWNOUT_ABI

#include "brownout/breaker/detail/circuit_breaker_admission.hpp"
#include "brownout/breaker/detail/circuit_breaker_operations.hpp"
#include "brownout/breaker/detail/circuit_breaker_results.hpp"
