// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/figures.hpp"

namespace studies::levels {

namespace {

constexpr double ten_minutes = 600;

double in_ten_minutes(double counted, const tally& run) {
  return counted * ten_minutes / run.observed;
}

double weighed(const tally& run, double of_too_good, double of_too_bad) {
  const auto wrong = 2 * (of_too_good * run.too_good + of_too_bad * run.too_bad) / (of_too_good + of_too_bad);
  return in_ten_minutes(wrong + seconds_a_flap * static_cast<double>(run.flaps()), run);
}

std::optional<double> mean_of(double sum, std::uint64_t count) {
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

}  // namespace

std::optional<double> too_good(const tally& run) {
  return in_ten_minutes(run.too_good, run);
}
std::optional<double> too_bad(const tally& run) {
  return in_ten_minutes(run.too_bad, run);
}
std::optional<double> changes(const tally& run) {
  return in_ten_minutes(static_cast<double>(run.changes), run);
}
std::optional<double> flaps(const tally& run) {
  return in_ten_minutes(static_cast<double>(run.flaps()), run);
}
std::optional<double> off_in_vain(const tally& run) {
  return in_ten_minutes(run.off_in_vain / 60, run);
}
std::optional<double> shed(const tally& run) {
  return in_ten_minutes(run.shed / 60, run);
}
std::optional<double> on_in_vain(const tally& run) {
  return in_ten_minutes(run.on_in_vain / 60, run);
}
std::optional<double> failed_requests(const tally& run) {
  return mean_of(1000 * static_cast<double>(run.failed), run.requests);
}
std::optional<double> good_answers(const tally& run) {
  return mean_of(1000 * static_cast<double>(run.requests - run.failed - run.turned_away), run.requests);
}
std::optional<double> lateness_to_worse(const tally& run) {
  return mean_of(run.late_to_fall, run.falls);
}
std::optional<double> lateness_to_better(const tally& run) {
  return mean_of(run.late_to_rise, run.rises);
}

std::optional<double> ends_wrong(const tally& run) {
  return run.ends_wrong ? 100 : 0;
}

std::optional<double> cost(const tally& run) {
  return weighed(run, 1, 1);
}
std::optional<double> cost_of_promises(const tally& run) {
  return weighed(run, 3, 1);
}
std::optional<double> cost_of_caution(const tally& run) {
  return weighed(run, 1, 3);
}

}  // namespace studies::levels
