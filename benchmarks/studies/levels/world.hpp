// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/retail.hpp"
#include "studies/shared/trace.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace studies::levels {

/// What a call, or a probe, waits for an answer.
inline constexpr nanoseconds call_timeout = std::chrono::seconds{2};

/// What happens to all dependencies in one run. A probability of failure does not change within a phase.
struct world {
  std::array<truth, dependency_count> dependencies{};
  std::array<bool, dependency_count> probed{true, true, true, true};
  /// What probes meet, where it is not what calls meet.
  std::array<std::optional<truth>, dependency_count> met_by_probes{};
};

/// A world in which all four dependencies are well, until told otherwise.
class all_well {
 public:
  explicit all_well(std::uint64_t seed);
  all_well& but(dependency which, truth what_happens) {
    told_.dependencies[index(which)] = std::move(what_happens);
    return *this;
  }
  all_well& without_probe(dependency which) {
    told_.probed[index(which)] = false;
    return *this;
  }
  all_well& but_probes_of(dependency which, truth what_happens) {
    told_.met_by_probes[index(which)] = std::move(what_happens);
    return *this;
  }
  // NOLINTNEXTLINE(google-explicit-constructor): that is what it is for
  operator world() const { return told_; }

 private:
  world told_{};
};

// Stories of one seed have one tempo: what begins after the same times begins together.

/// Well for about 100 s, then `what`, then well again.
[[nodiscard]] truth for_a_while(const phase& what, nanoseconds about, std::uint64_t seed);
/// The same, and it begins later by `when`.
[[nodiscard]] truth later(const phase& what, nanoseconds when, nanoseconds about, std::uint64_t seed);

/// One kind of trouble. Its durations differ from seed to seed by up to 30 % either way.
struct trace {
  std::string_view name{};
  std::string_view what_happens{};
  trace_group group = trace_group::listed;
  double requests_per_second = 0;  ///< of each feature that needs a dependency
  world (*of)(std::uint64_t seed) = nullptr;
};

inline constexpr double busy = 2;  ///< requests a second
inline constexpr double quiet = 0.05;

[[nodiscard]] const std::vector<trace>& all_traces();
/// Those that nothing was tuned on, which `all_traces` holds too.
[[nodiscard]] std::vector<trace> held_out_traces();

}  // namespace studies::levels
