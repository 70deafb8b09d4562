// SPDX-License-Identifier: BSL-1.0
#include "harness/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace benchmarks {

namespace {

/// A median of hundreds of batches is not wrong by more than this.
constexpr double doubt = 1.15;

verdict compare(std::optional<double> found, double most) {
  if (!found) return verdict::not_measured;
  return *found <= most ? verdict::met : verdict::missed;
}

judgement judge_time(std::string_view what, std::optional<double> found, double most) {
  const auto outcome = compare(found, most);
  const bool clear = outcome == verdict::met || (found && *found > most * doubt);
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
  if (wanted.ratio) judged.push_back(judge_time("ratio", found.ratio, *wanted.ratio));
  if (wanted.growth) judged.push_back(judge_time("growth", found.growth, *wanted.growth));
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
