// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/guarded_call.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/result.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/recent_calls.hpp"
#include "brownout/health/scorer_options.hpp"
#include "brownout/recovery/recovery_predictor.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Options of one dependency of a system.
struct dependency_options {
  std::string name;   ///< name in metrics, logs and status pages: 1 to 128 bytes, unique in the system
  double weight = 1;  ///< share in the health score, relative to the other weights: 0 to 1e9; default 1

  /// Whether the service can do without it. Default: standard. Criticality is not weight: a required
  /// dependency caps the level, and optional ones never make the system unready.
  brownout::criticality criticality = brownout::criticality::standard;

  /// Names of other dependencies that this one needs. While one of them is unwell, the score of this one is
  /// lowered. Default: none.
  std::vector<std::string> depends_on{};

  /// When its circuit opens. Default: 10 failures in a row, as in `standard_detector`. With 5, short blips
  /// switched off features that worked (docs/studies/levels.md).
  consecutive_failures detector{10};

  /// How its circuit recovers. Leave `name` empty: it is taken from above. Default: a fixed open period of 10
  /// s, which is one interval of probes, and no ramp. `successes` left out means as many as `probes`. `lease`
  /// left out means twice `timeout`, or the longest open period if that is longer.
  breaker_options breaker{.open_for = std::chrono::seconds{10}, .ramp = no_ramp};

  /// Asks the dependency whether it is well. Default (empty): only real calls give evidence. A feature that
  /// is switched off makes no calls, so give a probe to each dependency that can lower the level alone.
  brownout::probe probe{};

  duration timeout = std::chrono::seconds{5};  ///< deadline of a probe: 1 ms to 1 h; default 5 s

  /// Returns what the service itself measures about the dependency, for example the share of a connection
  /// pool in use. It is called at each step on the stepping thread, with no lock held, and must return soon.
  /// Default (empty): only calls give evidence. An exception counts as no measurement.
  std::function<measurement()> measure{};

  recovery_options recovery{};  ///< how many of its outages are remembered for predictions
};

/// A circuit breaker with the recent calls that the health of the dependency is judged by.
///
/// `call`, `try_call` and `try_acquire` are those of the breaker, with a measurement: two clock readings and
/// a short lock more. Probes and real calls take the same way, so recovery needs no user traffic.
/// Thread-safe.
template <clock_source Clock = monotonic_clock>
class dependency {
 public:
  /// How many recent calls the health is judged by.
  static constexpr std::size_t window = 20;

  using breaker_type = circuit_breaker<consecutive_failures, Clock>;

  /// A `brownout::permit` that also measures how long the call took.
  class [[nodiscard]] permit {
   public:
    permit(permit&&) noexcept = default;
    permit& operator=(permit&&) noexcept = default;
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    /// Works like the destructor of `brownout::permit`, so that a permit destroyed by an exception is
    /// evidence here too.
    ~permit() {
      if (!settled() && detail::is_unwinding()) complete(outcome::failure);
    }

    /// Reports how the call ended, and measures how long it took. See `brownout::permit::complete`.
    disposition complete(outcome result, duration retry_after = {}, std::string_view why = {}) noexcept {
      const auto became = permit_.complete(result, retry_after, why);
      if (became == disposition::counted) {
        owner_->observe(permit_, result, started_, owner_->clock_.now());
      }
      return became;
    }
    /// True once reported, given away or given back.
    [[nodiscard]] bool settled() const noexcept { return permit_.settled(); }

   private:
    friend dependency;
    permit(dependency& owner, typename breaker_type::permit&& inner, time_point started) noexcept
        : owner_{&owner}, permit_{std::move(inner)}, started_{started} {}

    dependency* owner_;
    typename breaker_type::permit permit_;
    time_point started_;
  };

  using admission = wrapped_admission<permit>;

  /// `stale_after`: a time without calls that is longer than this empties the recent calls.
  dependency(const dependency_options& options, Clock clock,
             duration stale_after = evidence_options{}.stale_limit())
      : breaker_{options.detector, named(options), clock}, calls_{stale_after}, clock_{clock} {}

  [[nodiscard]] admission try_acquire() noexcept { return measured(breaker_.try_acquire()); }
  [[nodiscard]] admission try_acquire(detail::within_call within) noexcept {
    return measured(breaker_.try_acquire(within));
  }

  template <class F, class C = default_classifier>
  std::invoke_result_t<F> call(F&& function, const C& classify = {}) {
    return detail::call(*this, std::forward<F>(function), classify);
  }

  template <class F, class C = default_classifier>
  try_call_result_t<F> try_call(F&& function, const C& classify = {}) {
    return detail::try_call(*this, std::forward<F>(function), classify);
  }

  [[nodiscard]] breaker_type& breaker() noexcept { return breaker_; }
  [[nodiscard]] const breaker_type& breaker() const noexcept { return breaker_; }
  [[nodiscard]] std::string_view name() const noexcept { return breaker_.name(); }

  /// The recent calls of an epoch of its circuit.
  [[nodiscard]] call_statistics statistics(std::uint64_t epoch) const noexcept {
    return calls_.statistics(epoch);
  }

  /// The evidence for the health score at `now`.
  [[nodiscard]] component_evidence evidence(const circuit_status& circuit, time_point now) const noexcept {
    const auto recent = statistics(circuit.epoch);
    return {.state = circuit.state,
            .calls = recent.calls,
            .successes = recent.successes,
            .mean_latency = recent.mean_latency,
            .probes_needed = circuit.probes_needed,
            .probes_succeeded = circuit.probes_succeeded,
            .age = (std::max)(now - recent.last, duration::zero())};
  }

 private:
  [[nodiscard]] admission measured(typename breaker_type::admission inner) noexcept {
    const auto why = inner ? brownout::rejection{} : inner.rejection();
    return {permit{*this, *std::move(inner), clock_.now()}, why};
  }

  static breaker_options named(const dependency_options& options) {
    auto named = options.breaker;
    named.name = options.name;
    // A probe settles its permit within its timeout. Real calls to the dependency take about as long.
    if (named.successes == 0) named.successes = named.probes;
    if (named.lease == duration{}) {
      named.lease = (std::max)(named.open_for.upper_bound(), 2 * options.timeout);
    }
    return named;
  }

  /// Remembers a counted call under the epoch in which it left the circuit. That is its own epoch, or for a
  /// probe that closed the circuit the next one. If the circuit has changed again since, the call says
  /// nothing about the present.
  void observe(const typename breaker_type::permit& settled, outcome result, time_point started,
               time_point ended) noexcept {
    const auto circuit = breaker_.status();
    if (circuit.epoch != settled.epoch() + (settled.is_probe() ? 1 : 0)) return;
    if (circuit.state == circuit_state::closed || circuit.state == circuit_state::metrics_only) {
      calls_.record(circuit.epoch, result == outcome::success, ended - started, ended);
    }
  }

  breaker_type breaker_;
  recent_calls<window> calls_;
  BROWNOUT_NO_UNIQUE_ADDRESS Clock clock_;
};

}  // namespace brownout::inline BROWNOUT_ABI
