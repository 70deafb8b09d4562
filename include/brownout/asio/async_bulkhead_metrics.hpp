// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/async_bulkhead_options.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/observe/detail/labelled_sink.hpp"
#include "brownout/observe/guard_metrics.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/metric_sink.hpp"
#include "brownout/version.hpp"

#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// Writes the metrics of an `async_bulkhead`: those of a bulkhead, `brownout_bulkhead_waiting`, and
/// `brownout_bulkhead_waits_total` with the kinds `expired` and `cancelled`.
template <metric_sink Sink>
void write_metrics(Sink& into, std::string_view guard, const async_bulkhead_snapshot& shown,
                   metric_labels with = {}) {
  const bulkhead_snapshot& as_others = shown;
  write_metrics(into, guard, as_others, with);
  detail::labelled_sink<Sink> out{into, with};
  out.family("brownout_bulkhead_waiting", metric_type::gauge, "Calls that wait for a place.");
  out.sample({{"guard", guard}}, shown.waiting);
  out.family("brownout_bulkhead_waits_total", metric_type::counter,
             "Waits for a place that ended without one.");
  out.sample({{"guard", guard}, {"kind", "expired"}}, shown.expired);
  out.sample({{"guard", guard}, {"kind", "cancelled"}}, shown.cancelled);
}

}  // namespace brownout::inline BROWNOUT_ABI
