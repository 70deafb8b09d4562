// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/policy.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace studies {

/// Envoy's outlier detection as one host sees it: ejected after 5 failures in a row, for 30 s times the
/// number of ejections, 300 s at most; looked at every 10 s, when a host that is in lowers that number.
///
/// Envoy itself would not do so here: by default it ejects 10 % of the hosts of a cluster at most
/// (`max_ejection_percent`), and not even one of a few (`always_eject_one_host` is false). So it never ejects
/// the only host. The entry shows what its rule would decide if it were let. The panic threshold is left out.
///
/// Read in the page "Outlier detection (proto)" of the API reference, Envoy 1.31 and later.
class envoy {
 public:
  struct permit {};

  std::optional<permit> admit(nanoseconds now) {
    sweep_until(now);
    return ejected_ ? std::nullopt : std::optional{permit{}};
  }

  void report(permit /*permit*/, nanoseconds now, bool failed) {
    sweep_until(now);
    in_a_row_ = failed ? in_a_row_ + 1 : 0;
    if (in_a_row_ < 5 || ejected_) return;
    in_a_row_ = 0;
    ejected_ = true;
    ejected_at_ = now;
    ++ejections_;
  }

 private:
  void sweep_until(nanoseconds now) {
    for (; next_sweep_ <= now; next_sweep_ += std::chrono::seconds{10}) {
      const auto lasts =
          std::min<nanoseconds>(std::chrono::seconds{30} * ejections_, std::chrono::seconds{300});
      if (!ejected_) {
        ejections_ = std::max<std::int64_t>(ejections_ - 1, 0);
      } else if (next_sweep_ >= ejected_at_ + lasts) {
        ejected_ = false;
        in_a_row_ = 0;
      }
    }
  }

  nanoseconds next_sweep_ = std::chrono::seconds{10};
  bool ejected_ = false;
  nanoseconds ejected_at_{};
  std::int64_t ejections_ = 0;
  std::uint32_t in_a_row_ = 0;
};
static_assert(decision_policy<envoy>);

}  // namespace studies
