// SPDX-License-Identifier: BSL-1.0
#include "service/recommendations.hpp"

#include <utility>

namespace staging {

namespace {

std::string prompt_about(const std::vector<std::string>& scarce) {
  std::string prompt{
      "Which of these products should a shop reorder first, and why? Answer in two sentences."};
  for (const auto& name : scarce) prompt.append("\n- ").append(name);
  return prompt;
}

}  // namespace

recommendation recommend(staging_system& system, inventory& stock,
                         const brownout::feature_view_for<features>& offered) {
  auto found = stock.report(offered);
  const auto& scarce = found.scarce;
  shortfall lacked;
  if (offered.available(feature::ai_recommendations)) {
    auto answer = system.recommend(prompt_about(scarce));
    if (answer.value) {
      return {.advice = {*std::move(answer.value)},
              .source = "openai",
              .reason = {},
              .lacked = std::move(found.lacked)};
    }
    lacked = {dependency::openai, std::move(answer.reason)};
  } else {
    lacked = shortfall_of(offered, feature::ai_recommendations);
  }
  recommendation ruled{.advice = {}, .source = "rules", .reason = lacked.reason, .lacked = {}};
  ruled.lacked = std::move(lacked);
  for (const auto& name : scarce) ruled.advice.push_back("Reorder " + name + ": it is nearly sold out.");
  if (scarce.empty())
    ruled.advice.emplace_back("Nothing is nearly sold out, or nothing is known about the stock.");
  return ruled;
}

}  // namespace staging
