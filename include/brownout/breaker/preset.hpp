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
template <class Detector>  // the breaker checks that it is one
struct preset {
  Detector detector{};        ///< when the circuit opens
  breaker_options options{};  ///< what follows then
};

/// The default figures of other libraries. With them a circuit opens and closes as in the original library.
/// Our tests follow the tests of each original. Without a preset a breaker has the figures of brownout, which
/// made fewer wrong decisions; see docs/adr/0006.
///
/// What differs from the originals:
/// - A result whose epoch is over changes nothing. Of the originals only gobreaker works like this.
/// - A success never opens the circuit. If a success brings a window to its minimum of calls, resilience4j
///   and Hystrix may open at once. A breaker of brownout opens at the next failure.
/// - If a probe never reports, a new probe is admitted after `breaker_options::lease`. In the originals it
///   keeps the circuit half-open, by default for ever.
/// - A call that is ignored or cancelled gives its place back and does not count. In the originals it may
///   count as a success (Polly), or keep its place.
namespace presets {

/// resilience4j: opens at 50 % failures in the latest 100 calls, for 60 s. Half-open, ten calls pass. When
/// all ten have reported, the circuit opens if 50 % of them failed, and closes otherwise.
///
/// Differs: resilience4j opens at 100 % calls slower than 60 s too. To time every call costs two clock
/// readings, so the preset does not do it. If you need it, put a `slow_call_rate<>{.threshold = 1,
/// .slower_than = 60s, .minimum_calls = 100}` beside the preset's detector in an `any_of`; the preset's
/// options are ready for it.
[[nodiscard]] inline preset<failure_rate<count_window>> resilience4j(std::string name = {}) {
  return {{.threshold = 0.5, .minimum_calls = 100, .window = {100}},
          {.name = std::move(name),
           .open_for = std::chrono::seconds{60},
           .probes = 10,
           .probe_rate = {.calls = 10, .failure_threshold = 0.5, .slow_threshold = 1},
           .ramp = no_ramp}};
}

/// Polly: opens at 10 % failures of at least 100 calls in 30 s, for 5 s. One probe decides.
[[nodiscard]] inline preset<failure_rate<time_window>> polly(std::string name = {}) {
  return {{.threshold = 0.1, .minimum_calls = 100, .window = {std::chrono::seconds{30}}},
          {.name = std::move(name), .open_for = std::chrono::seconds{5}, .successes = 1, .ramp = no_ramp}};
}

/// gobreaker: opens at more than five failures in a row, for 60 s. One probe decides.
[[nodiscard]] inline preset<consecutive_failures> gobreaker(std::string name = {}) {
  return {{.threshold = 6},
          {.name = std::move(name), .open_for = std::chrono::seconds{60}, .successes = 1, .ramp = no_ramp}};
}

/// Hystrix: opens at 50 % failures of at least 20 calls in 10 s, for 5 s. A single test call decides.
///
/// Differs: Hystrix judges a count that is up to 500 ms old, and cuts the percentage to a whole number. Its
/// thread pool refuses calls beyond ten at a time and counts them as failures.
[[nodiscard]] inline preset<failure_rate<time_window>> hystrix(std::string name = {}) {
  return {{.threshold = 0.5, .minimum_calls = 20, .window = {std::chrono::seconds{10}}},
          {.name = std::move(name), .open_for = std::chrono::seconds{5}, .successes = 1, .ramp = no_ramp}};
}

}  // namespace presets

}  // namespace brownout::inline BROWNOUT_ABI
