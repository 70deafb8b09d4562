// SPDX-License-Identifier: BSL-1.0
// A sink of metrics takes every kind of sample.
// must say: metric_sink
// must say: out.summary
#include "brownout/level/level_ladder.hpp"
#include "brownout/observe/histogram.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/system_metrics.hpp"
#include "brownout/system/snapshot.hpp"

#include <cstdint>
#include <string_view>

enum class level { normal, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "emergency";
}

struct sample_counter {
  int samples = 0;

  void family(std::string_view, brownout::metric_type, std::string_view) {}
  void sample(brownout::metric_labels, double) { ++samples; }
  void sample(brownout::metric_labels, std::uint64_t) { ++samples; }
  void sample(brownout::metric_labels, const brownout::histogram::snapshot&) { ++samples; }
#ifndef MISTAKE
  void summary(brownout::metric_labels, double, std::uint64_t) {
    ++samples;
  }
#endif
};

int count(const brownout::system_snapshot<level>& seen) {
  sample_counter counter;
  brownout::write_metrics(counter, seen);
  return counter.samples;
}
