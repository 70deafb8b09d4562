// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/observe/prometheus_text.hpp"

namespace staging {

/// Writes the metrics of this process, with the names that Prometheus' client libraries give them. Reads them
/// from the system, and leaves out those that the system does not tell.
void write_process_metrics(brownout::prometheus_text& out);

}  // namespace staging
