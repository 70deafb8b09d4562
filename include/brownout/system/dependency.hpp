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

/// One dependency of a system, as its owner describes it.
struct dependency_options {
  std::string name;   ///< what metrics, logs and status pages call it; 1 to 128 bytes, no other's name
  double weight = 1;  ///< its share in the health score, relative to the others'; 0 to 1e9

  /// Whether the service can do without it. Not its weight: a required dependency caps the level, and
  /// optional ones, however heavy, never take the system's readiness away.
  brownout::criticality criticality = brownout::criticality::standard;

  /// Names of other dependencies that it stands on: while one of them is unwell, it is trusted less.
  std::vector<std::string> depends_on{};

  /// When its circuit opens. Default: at 10 failures in a row, as `standard_detector`; with 5, short blips
  /// took features away that worked (docs/studies/levels.md).
  consecutive_failures detector{10};

  /// How it recovers. The name is taken from above. Default: a fixed open period of 10 s, as long as an
  /// interval of probes, and no ramp, since one probe a period is what asks. Left out, `successes` are as
  /// many as the probes, and the lease is twice `timeout`, or the longest open period if that is longer.
  breaker_options breaker{.open_for = std::chrono::seconds{10}, .ramp = no_ramp};

  /// How to ask whether it is well. Empty: only real calls tell. Then its evidence is as old as the last
  /// call: a feature that the level has switched off makes none, so give a probe to whatever can lower the
  /// level by itself.
  brownout::probe probe{};

  duration timeout = std::chrono::seconds{5};  ///< a probe's deadline, 1 ms to 1 h; default 5 s

  /// What the service measures about it itself, such as the share of a connection pool in use. Asked at each
  /// step, on the stepping thread with no lock held: it must return soon. Empty, or giving nothing, or
  /// throwing: the calls alone tell.
  std::function<measurement()> measure{};

  recovery_options recovery{};  ///< how much is remembered of its outages, to predict the next one's end
};

/// A dependency at work: a circuit breaker, and the recent calls that its health is judged by.
///
/// `call`, `try_call` and `try_acquire` are the breaker's, measured: two clock readings and a short lock
/// more. Probes and real calls go the same way, so recovery needs no user traffic. Thread-safe.
template <clock_source Clock = monotonic_clock>
class dependency {
 public:
  /// How many recent calls its health is judged by.
  static constexpr std::size_t window = 20;

  using breaker_type = circuit_breaker<consecutive_failures, Clock>;

  /// A permit that measures. Otherwise as `brownout::permit`.
  class [[nodiscard]] permit {
   public:
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

  /// `stale_after`: calls that came before a silence as long as this are forgotten.
  dependency(const dependency_options& options, Clock clock,
             duration stale_after = evidence_options{}.stale_limit())
      : breaker_{options.detector, named(options), clock}, calls_{stale_after}, clock_{clock} {}

  [[nodiscard]] admission try_acquire() noexcept {
    auto inner = breaker_.try_acquire();
    const auto why = inner ? brownout::rejection{} : inner.rejection();
    return {permit{*this, *std::move(inner), clock_.now()}, why};
  }

  template <class F, classifier<std::invoke_result_t<F>> C = default_classifier>
  std::invoke_result_t<F> call(F&& function, const C& classify = {}) {
    return detail::call(*this, std::forward<F>(function), classify);
  }

  template <class F, classifier<std::invoke_result_t<F>> C = default_classifier>
  result<std::invoke_result_t<F>> try_call(F&& function, const C& classify = {}) {
    return detail::try_call(*this, std::forward<F>(function), classify);
  }

  [[nodiscard]] breaker_type& breaker() noexcept { return breaker_; }
  [[nodiscard]] const breaker_type& breaker() const noexcept { return breaker_; }
  [[nodiscard]] std::string_view name() const noexcept { return breaker_.name(); }

  /// The recent calls of an epoch of its circuit.
  [[nodiscard]] call_statistics statistics(std::uint64_t epoch) const noexcept {
    return calls_.statistics(epoch);
  }

  /// What the health score needs to know at `now`.
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
  static breaker_options named(const dependency_options& options) {
    auto named = options.breaker;
    named.name = options.name;
    // A probe settles its permit by its timeout; real calls to the same dependency are of the same order.
    if (named.successes == 0) named.successes = named.probes;
    if (named.lease == duration{}) {
      named.lease = (std::max)(named.open_for.upper_bound(), 2 * options.timeout);
    }
    return named;
  }

  /// Remembers a counted call under the epoch it left the circuit in: its own, or, of a probe that closed the
  /// circuit, the next one, whose first evidence it is. When the circuit has moved on since, the call says
  /// nothing about the time after.
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
