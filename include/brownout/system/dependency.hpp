// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/guarded_call.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/result.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/component_role.hpp"
#include "brownout/health/detail/call_counters.hpp"
#include "brownout/health/scorer_options.hpp"
#include "brownout/recovery/recovery_predictor.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
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

/// A circuit breaker that also counts its calls, as evidence for the health of the dependency.
///
/// `call`, `try_call` and `try_acquire` are those of the breaker. Counting costs one addition to a counter of
/// the thread's own; one call in sixteen is timed. Probes and real calls take the same way, so recovery needs
/// no user traffic. Thread-safe; calls are lock-free.
template <clock_source Clock = monotonic_clock>
class dependency {
 public:
  using breaker_type = circuit_breaker<consecutive_failures, Clock>;

  /// A `brownout::permit` that also counts its call.
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

    /// Reports how the call ended. See `brownout::permit::complete`.
    disposition complete(outcome result, duration retry_after = {}, std::string_view why = {}) noexcept {
      const bool is_probe = permit_.is_probe();
      const auto became = permit_.complete(result, retry_after, why);
      if (became == disposition::counted) {
        if (is_probe) [[unlikely]] {
          owner_->count_probe(permit_.epoch(), result, started_);
        } else {
          owner_->count(permit_.epoch(), result, started_);
        }
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
    time_point started_;  // `not_timed` of most calls
  };

  using admission = wrapped_admission<permit>;

  dependency(const dependency_options& options, Clock clock)
      : breaker_{options.detector, named(options), clock}, clock_{clock} {}

  [[nodiscard]] admission try_acquire() noexcept { return counted(breaker_.try_acquire()); }
  [[nodiscard]] admission try_acquire(detail::within_call within) noexcept {
    return counted(breaker_.try_acquire(within));
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

  /// What counts its calls.
  [[nodiscard]] detail::call_counters<>& counters() noexcept { return calls_; }
  [[nodiscard]] const detail::call_counters<>& counters() const noexcept { return calls_; }

 private:
  static constexpr time_point not_timed = (time_point::min)();

  [[nodiscard]] BROWNOUT_ALWAYS_INLINE admission counted(typename breaker_type::admission inner) noexcept {
    if (!inner) [[unlikely]] {
      const auto why = inner.rejection();
      return {permit{*this, *std::move(inner), not_timed}, why};
    }
    const auto started = calls_.is_timed(inner->epoch()) ? clock_.now() : not_timed;
    return {permit{*this, *std::move(inner), started}, brownout::rejection{}};
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

  /// Counts a call under the epoch that it was admitted in. If that is over, nobody asks for it any more.
  void count(std::uint64_t epoch, outcome result, time_point started) noexcept {
    if (result != outcome::success) return calls_.count_failure(epoch);
    calls_.count_success(epoch);
    if (started != not_timed) [[unlikely]]
      calls_.add_latency(epoch, clock_.now() - started);
  }
  /// The probe that closes the circuit is the first evidence of the epoch that begins. What others find out
  /// is in the circuit's word.
  void count_probe(std::uint64_t epoch, outcome result, time_point started) noexcept {
    const auto circuit = breaker_.status();
    if (circuit.state == circuit_state::closed && circuit.epoch == epoch + 1)
      count(circuit.epoch, result, started);
  }

  breaker_type breaker_;
  detail::call_counters<> calls_{};
  BROWNOUT_NO_UNIQUE_ADDRESS Clock clock_;
};

}  // namespace brownout::inline BROWNOUT_ABI
