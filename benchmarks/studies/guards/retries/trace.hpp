// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/service.hpp"

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

namespace studies::guards {

enum class condition { up, refuses, hangs };

/// What a trace is judged by.
enum class aim {
  outage,         ///< few attempts for each call
  heavy_errors,   ///< the same
  light_errors,   ///< many answers
  interruptions,  ///< many answers
  overload,       ///< an early recovery
};

/// What happens to a dependency. Times are in seconds since the start.
struct trace {
  std::string_view name;
  std::string_view what_happens;
  aim judged_by;
  /// Calls that are counted, by their start.
  std::function<bool(double)> is_counted;
  /// No calls begin from here on.
  double ends = 90;
  /// Calls a second, as a multiple of the usual ones.
  std::function<double(double)> load = [](double) { return 1.0; };
  std::function<condition(double)> state = [](double) { return condition::up; };
  /// Share of the attempts that fail fast while it is up.
  std::function<double(double)> errors = [](double) { return 0.0; };
  /// As a multiple of the usual load.
  std::function<double(double)> capacity = [](double) { return 1.4; };
  service times = service::log_normal;
  /// Of an overload: when its cause is over.
  double over_at = 0;
  /// Clients call services, which call the dependency; both retry.
  bool is_layered = false;
  /// One client makes four fifths of all calls.
  bool is_uneven = false;
};

[[nodiscard]] std::vector<trace> main_traces();
/// Written after the retry had its defaults; nothing is tuned on them.
[[nodiscard]] std::vector<trace> held_out_traces();

/// Clients of one dependency, and the calls of each in a second.
struct fleet {
  std::size_t clients;
  double rate;
};

}  // namespace studies::guards
