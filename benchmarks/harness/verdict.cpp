// SPDX-License-Identifier: BSL-1.0
#include "harness/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace benchmarks {

namespace {

/// Loops of a few instructions can't be compared more finely than this, in nanoseconds: about a sixth of a
/// cycle. Whether one instruction more costs nothing or a tenth of the loop depends on what a neighbour does
/// with the other half of the core. Beside a clock reading of 27 ns it is nothing.
constexpr double resolution = 0.05;

/// The medians of two runs differ by less than this. Within it, a missed goal is in doubt.
constexpr double spread = 1.05;

verdict compare(std::optional<double> found, double most) {
  if (!found) return verdict::not_measured;
  return *found <= most ? verdict::met : verdict::missed;
}

judgement judge_time(std::string_view what, std::optional<double> found, double most, double tolerance) {
  const auto outcome = compare(found, most + tolerance);
  const bool clear = outcome == verdict::met || (found && *found > (most + tolerance) * spread);
  return {fmt::format("{} ≤ {}", what, most), outcome, !clear};
}

std::optional<double> worst(const std::map<std::string, double>& by_compiler) {
  std::optional<double> most;
  for (const auto& [compiler, count] : by_compiler) most = std::max(most.value_or(count), count);
  return most;
}

}  // namespace

std::vector<judgement> judge(const goals& wanted, const measurement& found) {
  std::vector<judgement> judged;
  const double tolerance = found.floor_cost ? resolution / *found.floor_cost : 0;
  if (wanted.ratio) judged.push_back(judge_time("ratio", found.ratio, *wanted.ratio, tolerance));
  if (wanted.growth) judged.push_back(judge_time("growth", found.growth, *wanted.growth, 0));
  if (wanted.instructions) {
    judged.push_back({fmt::format("instructions ≤ {}", *wanted.instructions),
                      compare(worst(found.instructions), *wanted.instructions)});
  }
  if (wanted.no_allocation) judged.push_back({"no allocation", compare(found.allocations, 0)});
  return judged;
}

std::string summary(const std::vector<judgement>& judged) {
  if (judged.empty()) return "";
  std::string missed;
  for (const auto& one : judged) {
    if (one.found == verdict::met) continue;
    missed += fmt::format("{}{}: {}", missed.empty() ? "" : "; ",
                          one.found == verdict::missed ? "MISSED" : "NOT MEASURED", one.goal);
  }
  return missed.empty() ? "met" : missed;
}

bool all_met(const std::vector<judgement>& judged) {
  return std::all_of(judged.begin(), judged.end(), [](const auto& one) { return one.found == verdict::met; });
}

}  // namespace benchmarks
