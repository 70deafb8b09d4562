// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "harness/measuring.hpp"
#include "harness/scenario.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace benchmarks {

enum class verdict : std::uint8_t {
  met,
  met_nearly,  ///< over the limit, but by less than can be told apart
  missed,
  not_measured,
};

/// One goal of one row and what became of it.
struct judgement {
  std::string_view goal;
  double most = 0;
  verdict found = verdict::not_measured;
  bool in_doubt = false;  ///< not met, but more batches may change that
};

/// Every goal of the row.
[[nodiscard]] std::vector<judgement> judge(const goals& wanted, const measurement& found);

/// A goal that nobody measured is not met.
[[nodiscard]] bool all_met(const std::vector<judgement>& judged);
/// "met", or what was not. Empty when there is no goal.
[[nodiscard]] std::string summary(const std::vector<judgement>& judged);

}  // namespace benchmarks
