// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/health/detail/call_counters.hpp"
#include "brownout/registry/registry.hpp"
#include "brownout/system/component.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// How many keys of a registry refuse calls.
struct refusing_keys {
  std::size_t keys = 0;      ///< registered
  std::size_t refusing = 0;  ///< of these, those whose circuit refuses calls
};

/// A registry as one dependency of a system: many merchants, hosts or shards that are one dependency to the
/// features.
///
///     brownout::registry<> merchants{{.capacity = 1000}};
///     brownout::registry_dependency payments{merchants, {.name = "merchants", .weight = 0.3}};
///
/// Its score is 100 x the share of its keys whose circuit admits calls. Without keys it is unknown. Only the
/// score sees it: a feature that needs it stays on while any of its keys works, so its circuit shows as
/// closed. Each key's breaker goes on refusing its own calls.
///
/// A step of the supervisor looks at up to 1024 keys. With more keys it goes on at the next step, and the
/// share is that of the last complete round. Thread-safe. The registry must outlive it.
template <detector Detector = standard_detector, clock_source Clock = monotonic_clock>
class registry_dependency final : public component {
 public:
  /// The type of the registry.
  using registry_type = registry<Detector, Clock>;
  /// The type of its clock.
  using clock_type = Clock;

  /// How many keys are looked at in one step.
  static constexpr std::size_t most_looked_at = 1024;

  /// The calls and recoveries of the keys follow the options of the registry, so `options.breaker` has no
  /// meaning here. A registry cannot be probed: its calls probe each key.
  ///
  /// Throws `std::invalid_argument` naming dependency, field, value and range, also if there is a probe.
  registry_dependency(registry_type& watched, dependency_options options)
      : component{without_probe(std::move(options))}, registry_{watched} {}

  /// The registry.
  [[nodiscard]] registry_type& keys() const noexcept { return registry_; }

  /// The keys at the last complete round of looks. Zero before the first one.
  [[nodiscard]] refusing_keys last_seen() const {
    const std::lock_guard lock{mutex_};
    return seen_;
  }

  // Of the registry as a whole: always closed.
  /// The state of the registry as a whole, which is always closed.
  [[nodiscard]] circuit_status status() const noexcept override { return {}; }
  /// The state of the registry as a whole, which is always closed.
  [[nodiscard]] breaker_snapshot snapshot() const noexcept override { return {}; }

  /// @name Commands of operators, for each key
  /// @{

  /// As the member of `circuit_breaker` with this name, for each key that is registered now.
  void force_open() noexcept override {
    registry_.visit([](const auto& one) { one.force_open(); });
  }
  void force_open_for(duration how_long) noexcept override {
    registry_.visit([how_long](const auto& one) { one.force_open_for(how_long); });
  }
  void disable() noexcept override {
    registry_.visit([](const auto& one) { one.disable(); });
  }
  void disable_for(duration how_long) noexcept override {
    registry_.visit([how_long](const auto& one) { one.disable_for(how_long); });
  }
  void measure_only() noexcept override {
    registry_.visit([](const auto& one) { one.measure_only(); });
  }
  void reset() noexcept override {
    registry_.visit([](const auto& one) { one.reset(); });
  }
  /// @}

 private:
  static dependency_options without_probe(dependency_options options) {
    if (options.probe) {
      detail::invalid_option("dependency_options.probe of " + options.name, "a function",
                             "none: the calls of a registry probe each of its keys");
    }
    return options;
  }

  /// Looks at the next keys. A handle that is the last one of a breaker destroys it with its listeners, so no
  /// lock is held meanwhile. If two threads look at once, one of the two looks is dropped.
  [[nodiscard]] std::optional<double> share_that_passes() const override {
    std::unique_lock lock{mutex_};
    const auto began = next_;
    auto next = next_;
    auto round = round_;
    lock.unlock();
    const bool is_over = registry_.visit_some(next, most_looked_at, [&](const auto& one) {
      ++round.keys;
      if (one.status().retry_after > duration::zero()) ++round.refusing;
    });
    lock.lock();
    if (next_ == began) {
      next_ = next;
      round_ = is_over ? refusing_keys{} : round;
      if (is_over) seen_ = round;
    }
    if (seen_.keys == 0) return std::nullopt;
    return 1 - static_cast<double>(seen_.refusing) / static_cast<double>(seen_.keys);
  }

  [[nodiscard]] detail::call_totals calls_of(std::uint64_t /*epoch*/) const noexcept override { return {}; }
  [[nodiscard]] const detail::call_counters<>* counters() const noexcept override { return nullptr; }
  void time_one_in(std::uint32_t /*calls*/) noexcept override {}
  std::optional<rejection> begin_probe() noexcept override { return rejection{}; }  // has no probe
  disposition end_probe(outcome /*result*/, std::string_view /*why*/) noexcept override {
    return disposition::released;
  }

  registry_type& registry_;
  mutable std::mutex mutex_{};  // guards the members below
  mutable registry_cursor next_{};
  mutable refusing_keys round_{};  // so far
  mutable refusing_keys seen_{};   // of the last complete round
};

/// From a registry.
template <class Detector, class Clock>
registry_dependency(registry<Detector, Clock>&, dependency_options) -> registry_dependency<Detector, Clock>;

}  // namespace brownout::inline BROWNOUT_ABI
