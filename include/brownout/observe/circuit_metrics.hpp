// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/observe/detail/labelled_sink.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/metric_sink.hpp"
#include "brownout/version.hpp"

#include <array>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

inline constexpr std::array all_circuit_states{circuit_state::closed,   circuit_state::half_open,
                                               circuit_state::open,     circuit_state::forced_open,
                                               circuit_state::disabled, circuit_state::metrics_only};
static_assert(all_circuit_states.size() == circuit_state_count);

template <class Out>
void write_circuit(Out& out, std::string_view dependency, const breaker_snapshot& circuit) {
  out.family("brownout_circuit_state", metric_type::gauge,
             "1 for the state that the circuit is in, 0 for the others.");
  for (const auto state : all_circuit_states) {
    out.sample({{"dependency", dependency}, {"state", to_string(state)}}, circuit.state == state ? 1 : 0);
  }
  out.family("brownout_circuit_epochs_total", metric_type::counter,
             "Times that the circuit changed its state or was reset.");
  out.sample({{"dependency", dependency}}, circuit.epoch);
}

template <class Out>
void begin_calls(Out& out) {
  out.family("brownout_dependency_calls_total", metric_type::counter,
             "Calls by their end. A slow call has a second kind, so do not add slow to the others.");
}

/// What a breaker counts of its calls.
template <class Out>
void write_counted_calls(Out& out, std::string_view dependency, const breaker_snapshot& circuit) {
  detail::begin_calls(out);
  const auto kind = [&](std::string_view name, auto count) {
    out.sample({{"dependency", dependency}, {"kind", name}}, count);
  };
  kind("failed", circuit.failed_results);
  kind("slow", circuit.slow_results);
  kind("rejected", circuit.rejections);
  kind("late", circuit.late_results);
}

}  // namespace detail

/// Writes the metrics of a breaker that belongs to no system. For several breakers, call it for each:
///
///     for (const auto& one : breakers) write_metrics(page, one.name(), one.snapshot());
///
/// The families are those of a system: `brownout_circuit_state`, `brownout_circuit_epochs_total`, and
/// `brownout_dependency_calls_total` with the kinds `failed`, `slow`, `rejected` and `late`. There is no kind
/// `successful`: a breaker does not count successes, so that a call on a healthy circuit is cheap. To get a
/// share of failures, count the calls in your own code.
///
/// `dependency`: value of the label with this name. Precondition: no two breakers on a page have the same
/// one, unless another label in `with` tells them apart.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view dependency, const breaker_snapshot& circuit,
                   metric_labels with = {}) {
  detail::labelled_sink<Sink> out{into, with};
  detail::write_circuit(out, dependency, circuit);
  detail::write_counted_calls(out, dependency, circuit);
}

}  // namespace brownout::inline BROWNOUT_ABI
