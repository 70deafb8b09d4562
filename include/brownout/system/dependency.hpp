// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/detail/policy.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/breaker/preset.hpp"
#include "brownout/core/atomics.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/guarded_call.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/wrapped_admission.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/health/detail/call_counters.hpp"
#include "brownout/system/component.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// What a dependency means by breaker options that are left out; `dependency_options::breaker` says why.
[[nodiscard]] inline breaker_defaults breaker_defaults_of(const dependency_options& described) {
  const bool probed = static_cast<bool>(described.probe);
  return {.open_for = adaptive_period{.most = std::chrono::seconds{probed ? 3 : 30}},
          .successes = probed ? 5U : 3U,
          .ramp_first = 0,
          .lease = 2 * described.timeout};
}

/// The breaker of a dependency and the counters of its calls: what a permit needs until its call has ended.
template <class Detector, class Clock, class Atomics = std_atomics>
struct dependency_core {
  dependency_core(const Detector& detector, const dependency_options& described, Clock time)
      : clock{time}, breaker{detector, named(described), time, breaker_defaults_of(described)} {
    calls.time_one_in(described.timed_one_in);
  }

  static breaker_options named(const dependency_options& described) {
    auto options = described.breaker;
    options.name = described.name;
    return options;
  }

  using place = typename call_counters<Atomics>::counts;

  void count(place& counted, outcome result, time_point started) noexcept {
    if (result != outcome::success) return calls.count_failure(counted);
    calls.count_success(counted);
    if (started != not_timed) [[unlikely]]
      calls.add_latency(counted, clock.now() - started);
  }
  /// The probe that closes the circuit is the first evidence of the epoch that begins. What other probes find
  /// out is in the circuit's word.
  void count_probe(std::uint64_t epoch, outcome result, time_point started) noexcept {
    const auto circuit = breaker.status();
    if (circuit.state == circuit_state::closed && circuit.epoch == epoch + 1)
      return count(calls.own(circuit.epoch), result, started);
    calls.count_probe(result == outcome::success);
  }

  static constexpr time_point not_timed = (time_point::min)();

  BROWNOUT_NO_UNIQUE_ADDRESS Clock clock;
  circuit_breaker<Detector, Clock, Atomics> breaker;
  call_counters<Atomics> calls{};
};

/// A `brownout::permit` that also counts its call. The core must outlive it.
template <class Core>
class [[nodiscard]] counting_permit {
 public:
  using inner_permit = typename decltype(Core::breaker)::permit;

  /// The permit of a call that was admitted.
  BROWNOUT_ALWAYS_INLINE counting_permit(Core& core, inner_permit&& inner) noexcept
      : core_{&core},
        permit_{std::move(inner)},
        place_{&core.calls.own(permit_.epoch())},
        started_{core.calls.is_timed(*place_) ? core.clock.now() : Core::not_timed} {}
  /// Of one that was refused: settled.
  explicit counting_permit(inner_permit&& inner) noexcept : permit_{std::move(inner)} {}
  counting_permit(counting_permit&&) noexcept = default;
  counting_permit& operator=(counting_permit&&) noexcept = default;
  counting_permit(const counting_permit&) = delete;
  counting_permit& operator=(const counting_permit&) = delete;
  /// Works like the destructor of `brownout::permit`, so that a permit destroyed by an exception is evidence
  /// here too.
  BROWNOUT_ALWAYS_INLINE ~counting_permit() {
    if (!settled() && is_unwinding()) complete(outcome::failure);
  }

  BROWNOUT_ALWAYS_INLINE disposition complete(outcome result, duration retry_after = {},
                                              std::string_view why = {}) noexcept {
    const auto became = permit_.complete(result, retry_after, why);
    if (became == disposition::counted) [[likely]] {
      // Counted under the epoch that it was admitted in. If that is over, no one asks for it any more.
      if (!permit_.is_probe()) [[likely]] {
        core_->count(*place_, result, started_);
      } else {
        core_->count_probe(permit_.epoch(), result, started_);
      }
    } else if (became == disposition::released && result == outcome::ignored) {
      core_->calls.count_ignored();
    }
    return became;
  }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return permit_.epoch(); }
  [[nodiscard]] bool is_probe() const noexcept { return permit_.is_probe(); }
  [[nodiscard]] bool settled() const noexcept { return permit_.settled(); }

 private:
  Core* core_ = nullptr;
  inner_permit permit_;
  typename Core::place* place_ = nullptr;  // of the thread that acquired it
  time_point started_ = Core::not_timed;   // of most calls
};

}  // namespace detail

/// A circuit breaker whose calls are also evidence for the health of a system.
///
///     brownout::dependency database{brownout::consecutive_failures{3}, {.name = "database", .probe = ping}};
///     auto rows = database.call([&] { return query("SELECT ..."); });
///
/// It is used as a `circuit_breaker` is, and has the same members. A supervisor that watches it gives it
/// probes, reads its health and takes it into the level. Probes and real calls take the same way, so recovery
/// needs no user traffic. It works without a supervisor too.
///
/// Counting costs one addition to a counter of the thread's own. One call in sixteen is timed
/// (`dependency_options::timed_one_in`). Thread-safe; calls are lock-free. Not copyable or movable. It must
/// outlive the supervisor that watches it. Permits that were taken by hand may outlive it.
template <detector Detector = standard_detector, clock_source Clock = monotonic_clock>
class dependency final : public component {
  using core = detail::dependency_core<Detector, Clock>;
  using counting_permit = detail::counting_permit<core>;

 public:
  /// The type of its breaker.
  using breaker_type = circuit_breaker<Detector, Clock>;
  /// The type of its detector.
  using detector_type = Detector;
  /// The type of its clock.
  using clock_type = Clock;

  /// The permit of a call by hand, as `brownout::permit`. It keeps what it needs of the dependency, so it may
  /// be settled or destroyed after the dependency: an event loop may end with calls in flight. Such a call
  /// may still open the circuit, and then the listeners run that are subscribed.
  class [[nodiscard]] permit {
   public:
    /// The other permit becomes settled: it reports nothing.
    permit(permit&&) noexcept = default;
    /// As above. A permit that this one held gives its place back.
    permit& operator=(permit&& other) noexcept {
      inner_ = std::move(other.inner_);  // gives the old call back while its core is still kept
      kept_ = std::move(other.kept_);
      return *this;
    }
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    ~permit() = default;

    /// Reports how the call ended. See `brownout::permit::complete`.
    disposition complete(outcome result, duration retry_after = {}, std::string_view why = {}) noexcept {
      return inner_.complete(result, retry_after, why);
    }
    /// The epoch it was issued in.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return inner_.epoch(); }
    /// Whether this permit holds a place of a half-open circuit: its call is a probe, or a call on the ramp.
    [[nodiscard]] bool is_probe() const noexcept { return inner_.is_probe(); }
    /// True once reported, given away or given back.
    [[nodiscard]] bool settled() const noexcept { return inner_.settled(); }

   private:
    friend dependency;
    permit(std::shared_ptr<core> kept, counting_permit&& inner) noexcept
        : kept_{std::move(kept)}, inner_{std::move(inner)} {}

    std::shared_ptr<core> kept_;  // destroyed after the permit that needs it
    counting_permit inner_;
  };
  /// What `try_acquire` returns: a permit, or a rejection.
  using admission = wrapped_admission<permit>;

  /// A dependency with this detector and these options. `options.name` must be given. Allocates about 5 KiB.
  ///
  /// Throws `std::invalid_argument` naming dependency, field, value and range.
  dependency(Detector detector, dependency_options options, Clock clock = Clock{})
      : component{std::move(options)},
        core_{std::make_shared<core>(detector, described(), std::move(clock))} {}

  /// A dependency with the default detector and these options. Throws as above.
  //
  // A template, so that `{}` means the detector above, as in `circuit_breaker`.
  template <class = void>
  explicit dependency(dependency_options options, Clock clock = Clock{})
      : dependency{Detector{}, std::move(options), std::move(clock)} {}

  /// A dependency with the detector and the breaker options of another library: see `presets`. The preset
  /// replaces `options.breaker`. Throws as above.
  template <std::same_as<preset<Detector>> Preset>
  dependency(Preset from, const dependency_options& options, Clock clock = Clock{})
      : dependency{from.detector, with_breaker(options, std::move(from.options)), std::move(clock)} {}

  /// Asks to make one call, for callers that report the outcome by hand; see `circuit_breaker::try_acquire`.
  /// The permit shares the ownership of the dependency's core, which costs two writes to a counter that all
  /// threads share. `call` and `try_call` do not.
  [[nodiscard]] admission try_acquire() noexcept {
    auto inner = core_->breaker.try_acquire();
    if (!inner) [[unlikely]] {
      const auto why = inner.rejection();
      return {permit{nullptr, counting_permit{*std::move(inner)}}, why};
    }
    return admission{permit{core_, counting_permit{*core_, *std::move(inner)}}};
  }
  /// As above, for `call` and `try_call`: the permit is settled on this thread, before the call returns.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE wrapped_admission<counting_permit> try_acquire(
      detail::within_call within) noexcept {
    auto& shared = *core_;
    auto inner = shared.breaker.try_acquire(within);
    if (!inner) [[unlikely]] {
      const auto why = inner.rejection();
      return {counting_permit{*std::move(inner)}, why};
    }
    return wrapped_admission<counting_permit>{counting_permit{shared, *std::move(inner)}};
  }

  /// @name As in circuit_breaker
  /// @{

  /// As the member of `circuit_breaker` with this name.
  template <class F, class C = default_classifier>
  std::invoke_result_t<F> call(F&& function, const C& classify = {}) {
    return detail::call(*this, std::forward<F>(function), classify);
  }
  template <class F, class C = default_classifier>
  try_call_result_t<F> try_call(F&& function, const C& classify = {}) {
    return detail::try_call(*this, std::forward<F>(function), classify);
  }

  // As the members of `circuit_breaker` with these names.

  void force_open() noexcept override { core_->breaker.force_open(); }
  void force_open_for(duration how_long) noexcept override { core_->breaker.force_open_for(how_long); }
  void disable() noexcept override { core_->breaker.disable(); }
  void disable_for(duration how_long) noexcept override { core_->breaker.disable_for(how_long); }
  void measure_only() noexcept override { core_->breaker.measure_only(); }
  void reset() noexcept override { core_->breaker.reset(); }
  bool trip(std::string_view why = {}, duration retry_after = {}) noexcept {
    return core_->breaker.trip(why, retry_after);
  }
  [[nodiscard]] circuit_state observed_state() const noexcept { return core_->breaker.observed_state(); }
  [[nodiscard]] circuit_status status() const noexcept override { return core_->breaker.status(); }
  [[nodiscard]] breaker_snapshot snapshot() const noexcept override { return core_->breaker.snapshot(); }
  [[nodiscard]] subscription subscribe(transition_listener listener,
                                       announcements wanted = announcements::outages) {
    return core_->breaker.subscribe(std::move(listener), wanted);
  }
  void reconfigure(const breaker_options& options) { core_->breaker.reconfigure(options); }
  void reconfigure(const Detector& detector) { core_->breaker.reconfigure(detector); }
  [[nodiscard]] breaker_options options() const { return core_->breaker.options(); }
  [[nodiscard]] Detector detector() const noexcept { return core_->breaker.detector(); }
  /// @}

 private:
  static dependency_options with_breaker(dependency_options options, breaker_options breaker) {
    options.breaker = std::move(breaker);
    options.breaker.name.clear();
    return options;
  }

  [[nodiscard]] detail::call_totals calls_of(std::uint64_t epoch) const noexcept override {
    return core_->calls.read(epoch);
  }
  [[nodiscard]] const detail::call_counters<>* counters() const noexcept override { return &core_->calls; }
  [[nodiscard]] duration longest_period(duration least) const override {
    const auto open_for = core_->breaker.options().open_for;
    constexpr double latest = 1;  // the greatest jitter
    const bool is_own = open_for.waits_for_refusals() && least <= open_for.least(1, {}, latest);
    return is_own ? open_for.upper_bound() : least;
  }
  void time_one_in(std::uint32_t calls) noexcept override { core_->calls.time_one_in(calls); }
  std::optional<rejection> begin_probe() noexcept override {
    auto inner = core_->breaker.try_acquire();
    if (!inner) return inner.rejection();
    probing_.emplace(*core_, *std::move(inner));
    return std::nullopt;
  }
  disposition end_probe(outcome result, std::string_view why) noexcept override {
    const auto became = probing_->complete(result, {}, why);
    probing_.reset();
    return became;
  }

  const std::shared_ptr<core> core_;
  std::optional<counting_permit> probing_{};  // guarded by the supervisor's lock
};

/// From a detector.
template <class Detector>
dependency(Detector, dependency_options) -> dependency<Detector>;
/// From a detector and a clock.
template <class Detector, class Clock>
dependency(Detector, dependency_options, Clock) -> dependency<Detector, Clock>;
/// From a preset.
template <class Detector>
dependency(preset<Detector>, dependency_options) -> dependency<Detector>;
/// From a preset and a clock.
template <class Detector, class Clock>
dependency(preset<Detector>, dependency_options, Clock) -> dependency<Detector, Clock>;

}  // namespace brownout::inline BROWNOUT_ABI
