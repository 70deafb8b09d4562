// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/tally.hpp"
#include "studies/shared/trace.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace studies::fleet {

/// What the whole fleet did within a tenth of a second.
struct moment {
  std::uint32_t wanted = 0;
  std::uint32_t reached = 0;    ///< calls that were let through
  std::uint32_t succeeded = 0;  ///< of those
  std::uint32_t probing = 0;    ///< times that a client let a call through after it had refused one
};

/// One run, moment by moment.
class history {
 public:
  static constexpr nanoseconds step = std::chrono::milliseconds{100};

  history() : moments_(truth::length / step) {}

  [[nodiscard]] moment& at(nanoseconds now) { return moments_[place(now)]; }
  [[nodiscard]] const moment& at(nanoseconds now) const { return moments_[place(now)]; }

 private:
  static std::size_t place(nanoseconds now) { return static_cast<std::size_t>(now / step); }
  std::vector<moment> moments_;
};

/// What a run comes to. Nothing where the trace has no such time.
struct tally {
  studies::tally decided{};
  std::optional<double> probes_a_second{};  ///< calls that reach the dead dependency, once it is known to be
  std::optional<double> most_probes{};      ///< of these in one moment
  std::optional<double> together{};  ///< clients that probe in the same moment, most, share of the fleet
  std::optional<double> load{};      ///< the return: most calls in a second, for each that it bears
  std::optional<double> useful{};    ///< overload: answers in time, share of what it can do
  double recovered_after = 0;        ///< seconds until 95 % of what is wanted succeeds again, and goes on to
};

[[nodiscard]] tally measure(const history& seen, const truth& what_happened, std::size_t clients);

}  // namespace studies::fleet
