// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/observe/histogram.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <string_view>

namespace brownout::inline BROWNOUT_ABI {

/// Takes families of metrics and their samples, for example a `prometheus_text`. `write_metrics` feeds any
/// such type.
///
/// Beyond the syntax: `family` begins a family, and the samples that follow belong to it. A family may begin
/// again later, with the same type; the sink keeps all samples of a family together, as Prometheus demands.
/// The sink copies the texts. It makes bytes harmless that its format cannot hold.
template <class S>
concept metric_sink = requires(S& out, std::string_view text, metric_type type, const metric_labels& with,
                               double value, std::uint64_t count, const histogram::snapshot& shown) {
  out.family(text, type, text);
  out.sample(with, value);
  out.sample(with, count);
  out.sample(with, shown);
  out.summary(with, value, count);
};

}  // namespace brownout::inline BROWNOUT_ABI
