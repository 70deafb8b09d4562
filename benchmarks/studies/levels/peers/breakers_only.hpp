// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/levels/governor.hpp"
#include "studies/levels/peers/observed_dependencies.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace studies::levels {

/// No levels: a feature is off while a circuit that it needs refuses calls. Breakers and probes are ours.
class breakers_only {
 public:
  using permit = observed_dependencies<brownout::standard_detector>::permit;

  breakers_only(const system_options<>& given, const world& what_happens, std::uint64_t seed)
      : seen_{given, what_happens, seed} {}

  nanoseconds step(nanoseconds now, std::vector<dependency>& to_probe) {
    return std::min(seen_.step(now, to_probe), now + look_every);
  }
  void answer(dependency which, nanoseconds now, bool failed) { seen_.answer(which, now, failed); }
  std::optional<permit> admit(dependency which, nanoseconds now) { return seen_.admit(which, now); }
  void report(permit ended, dependency /*which*/, nanoseconds now, bool failed) {
    seen_.report(std::move(ended), now, failed);
  }
  [[nodiscard]] offer offered() const { return {ladder.best(), seen_.refusing()}; }

 private:
  observed_dependencies<brownout::standard_detector> seen_;
};
static_assert(governor<breakers_only>);

}  // namespace studies::levels
