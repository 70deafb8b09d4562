// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/options.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/detector/count_window.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/time_window.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A detector and options that belong together.
///
///     brownout::circuit_breaker database{brownout::presets::polly("database")};
template <detector Detector>
struct preset {
  Detector detector{};
  breaker_options options{};
};

/// The figures that users of other libraries know, as those have them by default. Without any preset a
/// breaker has brownout's own, which were wrong less often; see docs/adr/0006.
///
/// What half-open means stays ours: a failed probe opens the circuit, whatever the others say.
namespace presets {

/// Opens at 50 % failures in the latest 100 calls, for 60 s; 10 probes. (There, the failure rate of the
/// probes decides, and calls slower than 60 s count as a rate of their own: add a `slow_call_rate`.)
[[nodiscard]] inline preset<failure_rate<count_window>> resilience4j(std::string name = {}) {
  return {{.threshold = 0.5, .minimum_calls = 100, .window = {100}},
          {.name = std::move(name),
           .open_for = std::chrono::seconds{60},
           .probes = 10,
           .successes = 10,
           .ramp = no_ramp}};
}

/// Opens at 10 % failures of at least 100 calls in 30 s, for 5 s; one probe.
[[nodiscard]] inline preset<failure_rate<time_window>> polly(std::string name = {}) {
  return {{.threshold = 0.1, .minimum_calls = 100, .window = {std::chrono::seconds{30}}},
          {.name = std::move(name), .open_for = std::chrono::seconds{5}, .successes = 1, .ramp = no_ramp}};
}

/// Opens at more than 5 failures in a row, for 60 s; one probe.
[[nodiscard]] inline preset<consecutive_failures> gobreaker(std::string name = {}) {
  return {{.threshold = 6},
          {.name = std::move(name), .open_for = std::chrono::seconds{60}, .successes = 1, .ramp = no_ramp}};
}

/// Opens at 50 % failures of at least 20 calls in 10 s, for 5 s; one probe.
[[nodiscard]] inline preset<failure_rate<time_window>> hystrix(std::string name = {}) {
  return {{.threshold = 0.5, .minimum_calls = 20, .window = {std::chrono::seconds{10}}},
          {.name = std::move(name), .open_for = std::chrono::seconds{5}, .successes = 1, .ramp = no_ramp}};
}

}  // namespace presets

}  // namespace brownout::inline BROWNOUT_ABI
