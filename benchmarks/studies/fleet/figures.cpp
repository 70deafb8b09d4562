// SPDX-License-Identifier: BSL-1.0
#include "studies/fleet/figures.hpp"

namespace studies::fleet {

namespace {

std::optional<double> percent(std::optional<double> share) {
  return share ? std::optional{100 * *share} : std::nullopt;
}

}  // namespace

std::optional<double> wrong(const tally& run) {
  if (run.useful) return std::nullopt;
  const auto& counted = run.decided;
  return 1000 * static_cast<double>(counted.failures_let_through + counted.refused_while_good) /
         static_cast<double>(counted.calls());
}
std::optional<double> probes_a_second(const tally& run) {
  return run.probes_a_second;
}
std::optional<double> most_probes(const tally& run) {
  return run.most_probes;
}
std::optional<double> together(const tally& run) {
  return percent(run.together);
}
std::optional<double> load(const tally& run) {
  return run.load;
}
std::optional<double> useful(const tally& run) {
  return percent(run.useful);
}
std::optional<double> recovered_after(const tally& run) {
  return run.recovered_after;
}

}  // namespace studies::fleet
