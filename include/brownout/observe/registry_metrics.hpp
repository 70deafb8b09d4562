// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/observe/circuit_metrics.hpp"
#include "brownout/observe/detail/labelled_sink.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/metric_sink.hpp"
#include "brownout/registry/registry.hpp"
#include "brownout/version.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// Writes size and totals of a registry.
///
/// `with`: labels that each sample gets. They tell several registries on one page apart. Default: none.
template <metric_sink Sink>
void write_metrics(Sink& into, const registry_snapshot& counted, metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_registry_capacity", metric_type::gauge, "Most breakers that the registry holds.");
  out.sample({}, counted.capacity);
  out.family("brownout_registry_size", metric_type::gauge, "Breakers that are registered.");
  out.sample({}, counted.size);
  out.family(
      "brownout_registry_removed_total", metric_type::counter,
      "Breakers that were removed: evicted to make room, expired because idle, erased by the program.");
  out.sample({{"reason", "evicted"}}, counted.evicted);
  out.sample({{"reason", "expired"}}, counted.expired);
  out.sample({{"reason", "erased"}}, counted.erased);
  out.family("brownout_registry_unregistered_total", metric_type::counter,
             "Look-ups that found no room and got an unregistered breaker.");
  out.sample({}, counted.unregistered);
  out.family("brownout_registry_listener_failures_total", metric_type::counter,
             "Exceptions that the registry's listener threw.");
  out.sample({}, counted.listener_failures);
}

/// Writes size and totals of a registry, and how many of its breakers are in each state. Looks at each
/// breaker, without a lock.
///
/// No key is on the page. Strangers may choose the keys, and each key would add series to the database of
/// Prometheus that stay after the breaker is gone. Write a few known keys by themselves:
///
///     if (const auto one = hosts.find("payments")) write_metrics(page, one.name(), one.snapshot());
template <metric_sink Sink, detector Detector, clock_source Clock>
void write_metrics(Sink& into, const registry<Detector, Clock>& watched, metric_labels with = {}) {
  brownout::write_metrics(into, watched.snapshot(), with);
  std::array<std::uint64_t, circuit_state_count> in_state{};
  watched.visit([&](const auto& one) { ++in_state[static_cast<std::size_t>(one.observed_state())]; });
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_registry_circuits", metric_type::gauge, "Registered breakers by state.");
  for (const auto state : detail::all_circuit_states) {
    out.sample({{"state", to_string(state)}}, in_state[static_cast<std::size_t>(state)]);
  }
}

}  // namespace brownout::inline BROWNOUT_ABI
