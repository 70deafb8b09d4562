// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/retail.hpp"
#include "studies/shared/trace.hpp"

#include "brownout/feature/dependency_set.hpp"

#include <chrono>
#include <concepts>
#include <optional>
#include <utility>
#include <vector>

namespace studies::levels {

/// What is offered at the moment.
struct offer {
  level at{};
  brownout::dependency_set refusing{};  ///< what needs one of these is off at any level

  friend bool operator==(const offer&, const offer&) = default;
};

/// Decides what the system offers and which calls it makes, in virtual time that never goes back.
///
/// - `step` does what is due and says when to come back; it appends the dependencies that are to be probed
///   now. `answer` reports what a probe found; another `step` follows it at once.
/// - `admit` and `report` are as in `decision_policy`, of one dependency.
template <class G>
concept governor = std::movable<typename G::permit> &&
    requires(G& decides, const G& seen, nanoseconds now, dependency which, typename G::permit permit,
             bool failed, std::vector<dependency>& to_probe) {
  { decides.step(now, to_probe) } -> std::same_as<nanoseconds>;
  decides.answer(which, now, failed);
  { decides.admit(which, now) } -> std::same_as<std::optional<typename G::permit>>;
  decides.report(std::move(permit), which, now, failed);
  { seen.offered() } -> std::same_as<offer>;
};

/// For those that look around at regular times.
inline constexpr nanoseconds look_every = std::chrono::milliseconds{100};

}  // namespace studies::levels
