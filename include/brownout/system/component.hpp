// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/options.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/breaker/subscription.hpp"
#include "brownout/breaker/transition_event.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/histogram_snapshot.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/health/call_statistics.hpp"
#include "brownout/health/component_evidence.hpp"
#include "brownout/health/detail/call_counters.hpp"
#include "brownout/health/detail/call_totals.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {
class watched_component;
}  // namespace detail

/// What a supervisor watches, whatever its type: a `dependency` of any detector, or a `registry_dependency`.
///
/// For status pages and for the commands of operators, where the detector does not matter. Calls are made
/// through the object itself, whose type is known to the compiler: nothing on their path is virtual.
/// Thread-safe. It must outlive the supervisor that watches it.
class component {
 public:
  component(const component&) = delete;
  component& operator=(const component&) = delete;
  virtual ~component() {
    // relaxed: a correct program destroys the supervisor before this object, so the value is known here.
    BROWNOUT_PRECONDITION(!watched_.load(std::memory_order_relaxed),
                          "a dependency is destroyed before its supervisor: declare the supervisor after it");
  }

  /// How it was described when it was built.
  [[nodiscard]] const dependency_options& described() const noexcept { return described_; }
  /// `dependency_options::name`.
  [[nodiscard]] std::string_view name() const noexcept { return described_.name; }

  /// How its calls ended, since it was built. The numbers are read one after the other, so they may differ by
  /// a few calls. All zero for a registry.
  [[nodiscard]] call_counts calls() const noexcept {
    call_counts shown;
    const auto circuit = snapshot();
    shown.failed = circuit.failed_results;
    shown.rejected = circuit.rejections;
    shown.late = circuit.late_results;
    shown.slow = circuit.slow_results;
    const auto* const counted = counters();
    if (counted == nullptr) return shown;
    auto all = counted->read_all();
    all += counted->probes();
    shown.successful = all.successes;
    shown.failed = all.failures;
    shown.ignored = counted->ignored();
    return shown;
  }
  /// How long its successful calls took, in seconds. The counts are estimates: a call that was timed stands
  /// for those that were not. All zero for a registry. Allocates.
  [[nodiscard]] histogram_snapshot latencies() const {
    using seconds = std::chrono::duration<double>;
    const auto* const counted = counters();
    histogram_snapshot shown;
    std::uint64_t sum = 0;
    for (const auto count :
         counted != nullptr ? counted->latencies() : detail::call_counters<>::latency_counts{})
      shown.cumulative.push_back(sum += count);
    for (const auto bound : detail::call_counters<>::latency_bounds)
      shown.bounds.push_back(seconds{bound}.count());
    if (counted != nullptr) shown.sum = static_cast<double>(counted->read_all().microseconds) * 1e-6;
    return shown;
  }

  /// @name As in circuit_breaker
  /// @{

  /// As the member of `circuit_breaker` with this name.
  [[nodiscard]] virtual circuit_status status() const noexcept = 0;
  [[nodiscard]] virtual breaker_snapshot snapshot() const noexcept = 0;
  virtual void force_open() noexcept = 0;
  virtual void force_open_for(duration how_long) noexcept = 0;
  virtual void disable() noexcept = 0;
  virtual void disable_for(duration how_long) noexcept = 0;
  virtual void measure_only() noexcept = 0;
  virtual void reset() noexcept = 0;
  /// @}

 protected:
  /// Throws `std::invalid_argument` naming dependency, field, value and range.
  explicit component(dependency_options described) : described_{std::move(described)} {
    described_.validate();
  }

 private:
  friend class detail::watched_component;

  /// The share of calls that would pass, if it is known from elsewhere than calls. A supervisor asks it with
  /// no lock held.
  [[nodiscard]] virtual std::optional<double> share_that_passes() const { return std::nullopt; }

  // What a supervisor asks under its lock. None of these runs code of the user.

  /// How the calls of `epoch` ended.
  [[nodiscard]] virtual detail::call_totals calls_of(std::uint64_t epoch) const noexcept = 0;
  [[nodiscard]] virtual const detail::call_counters<>* counters() const noexcept = 0;
  /// How long an open period lasts at most that lasts at least `least`. The two differ if refused calls end
  /// it, unless it is as long as it is because the dependency asked for that.
  [[nodiscard]] virtual duration longest_period(duration least) const { return least; }
  /// Chooses how many calls are timed, see `call_counters::time_one_in`.
  virtual void time_one_in(std::uint32_t calls) noexcept = 0;
  /// Takes the permit of a probe and keeps it. Returns the rejection if the circuit refuses. At most one
  /// permit is kept.
  virtual std::optional<rejection> begin_probe() noexcept = 0;
  /// Settles that permit.
  virtual disposition end_probe(outcome result, std::string_view why) noexcept = 0;

  const dependency_options described_;
  // Written by the supervisor that begins or ends to watch it. Publishes nothing.
  std::atomic<bool> watched_{false};
};

}  // namespace brownout::inline BROWNOUT_ABI
