// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "harness/measuring.hpp"
#include "harness/scenario.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace benchmarks {

enum class verdict : std::uint8_t { met, missed, not_measured };

/// One goal of one row and what became of it.
struct judgement {
  std::string goal;
  verdict found = verdict::not_measured;
  bool in_doubt = false;  ///< not met, but more batches may change that
};

/// Every goal of the row.
[[nodiscard]] std::vector<judgement> judge(const goals& wanted, const measurement& found);

/// All met, or what was not: a goal that nobody measured is not met.
[[nodiscard]] std::string summary(const std::vector<judgement>& judged);
[[nodiscard]] bool all_met(const std::vector<judgement>& judged);

}  // namespace benchmarks
