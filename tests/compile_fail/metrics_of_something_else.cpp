// SPDX-License-Identifier: BSL-1.0
// Metrics are written from the snapshot of a whole system, not from that of one circuit.
// must say: observable_system
// must say: constraint
#include "brownout/breaker/snapshot.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/observe/prometheus_text.hpp"
#include "brownout/observe/system_metrics.hpp"
#include "brownout/system/snapshot.hpp"

#include <string_view>

enum class level { normal, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "emergency";
}

#ifdef MISTAKE
using reading = brownout::breaker_snapshot;
#else
using reading = brownout::system_snapshot<level>;
#endif

void scrape(brownout::prometheus_text& out, const reading& seen) {
  brownout::write_metrics(out, seen);
}
