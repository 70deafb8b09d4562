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

judgement compare(std::string_view goal, std::optional<double> found, double most, double tolerance = 0) {
  if (!found) return {goal, most, verdict::not_measured};
  if (*found <= most) return {goal, most, verdict::met};
  return {goal, most, *found <= most + tolerance ? verdict::met_nearly : verdict::missed};
}

judgement compare_times(std::string_view goal, std::optional<double> found, double most,
                        double tolerance = 0) {
  auto judged = compare(goal, found, most, tolerance);
  judged.in_doubt = judged.found == verdict::not_measured ||
                    (judged.found == verdict::missed && *found <= (most + tolerance) * spread);
  return judged;
}

std::optional<double> of_compiler(const std::map<std::string, double>& counts, const std::string& compiler) {
  const auto found = counts.find(compiler);
  return found == counts.end() ? std::nullopt : std::optional{found->second};
}

std::optional<double> worst(const std::map<std::string, double>& by_compiler) {
  std::optional<double> most;
  for (const auto& [compiler, count] : by_compiler) most = std::max(most.value_or(count), count);
  return most;
}

}  // namespace

std::vector<judgement> judge(const goals& wanted, const measurement& found) {
  std::vector<judgement> judged;
  if (wanted.ratio) {
    const double tolerance = found.floor_cost ? resolution / *found.floor_cost : 0;
    judged.push_back(compare_times("ratio", found.ratio, *wanted.ratio, tolerance));
  }
  if (wanted.growth) judged.push_back(compare_times("growth", found.growth, *wanted.growth));
  if (wanted.instructions) {
    judged.push_back(compare("instructions", worst(found.instructions), *wanted.instructions));
  }
  if (wanted.surplus) {
    judged.push_back(compare("surplus, gcc", of_compiler(found.surplus, "gcc"), wanted.surplus->gcc));
    judged.push_back(compare("surplus, clang", of_compiler(found.surplus, "clang"), wanted.surplus->clang));
  }
  if (wanted.allocations) judged.push_back(compare("allocations", found.allocations, *wanted.allocations));
  return judged;
}

bool all_met(const std::vector<judgement>& judged) {
  return std::all_of(judged.begin(), judged.end(), [](const judgement& one) {
    return one.found == verdict::met || one.found == verdict::met_nearly;
  });
}

std::string summary(const std::vector<judgement>& judged) {
  std::string text = !judged.empty() && all_met(judged) ? "met" : "";
  for (const auto& one : judged) {
    if (one.found == verdict::met) continue;
    if (!text.empty()) text += ", ";
    text += one.found == verdict::missed         ? "MISSED: "
            : one.found == verdict::not_measured ? "NOT MEASURED: "
                                                 : "within 0.05 ns: ";
    text += one.goal;
  }
  return text;
}

}  // namespace benchmarks
