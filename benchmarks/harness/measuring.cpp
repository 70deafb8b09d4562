// SPDX-License-Identifier: BSL-1.0
#include "harness/measuring.hpp"

#include "floors.hpp"
#include "harness/allocations.hpp"
#include "harness/second_thread.hpp"
#include "harness/stopwatch.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace benchmarks {

namespace {

constexpr int pairs_in_a_round = 40;
/// On a busy machine both threads are seldom left alone: then a round ends with fewer.
constexpr int quadruples_in_a_round = 20;
constexpr auto longest_for_quadruples = std::chrono::milliseconds{100};
/// Of the usual batch: both threads must be left alone for four of them.
constexpr std::uint64_t shorter = 4;
/// Fewer than this say nothing.
constexpr std::size_t fewest_pairs = 50;
constexpr std::size_t fewest_quadruples = 20;

std::optional<double> median(std::vector<double> samples, std::size_t fewest) {
  if (samples.size() < fewest) return std::nullopt;
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

}  // namespace

measuring::measuring(const std::vector<scenario>& rows) : rows_{rows}, samples_(rows.size()) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].run == nullptr) continue;
    samples_[i].times = operations_for_a_batch(rows[i].run);
    samples_[i].floor_times = operations_for_a_batch(rows[i].beside.run);
    samples_[i].unwritten_times = operations_for_a_batch(floors::two_loads.run);
  }
}

void measuring::add_round(std::size_t row) {
  if (rows_[row].run == nullptr) return;
  compare_with_floor(rows_[row], samples_[row]);
  if (rows_[row].wanted.growth && second_thread::possible()) compare_threads(rows_[row], samples_[row]);
}

void measuring::compare_with_floor(const scenario& row, samples& of) {
  const auto measure_row = [&] {
    const auto before = allocations_so_far();
    const auto found = time_batch(row.run, of.times);
    of.allocations += allocations_so_far() - before;
    of.operations += of.times;
    return found;
  };
  const auto measure_floor = [&] { return time_batch(row.beside.run, of.floor_times); };

  for (int pair = 0; pair < pairs_in_a_round; ++pair) {
    cost own, floor;
    // Each goes first half of the times: what drifts meanwhile favours neither.
    if (pair % 2 == 0) {
      own = measure_row();
      floor = measure_floor();
    } else {
      floor = measure_floor();
      own = measure_row();
    }
    if (!own || !floor) continue;
    of.costs.push_back(*own);
    of.floor_costs.push_back(*floor);
    of.ratios.push_back(*own / *floor);
  }
}

void measuring::compare_threads(const scenario& row, samples& of) {
  second_thread other;
  const auto unwritten = floors::two_loads.run;
  const auto times = std::max<std::uint64_t>(of.times / shorter, 1);
  const auto unwritten_times = std::max<std::uint64_t>(of.unwritten_times / shorter, 1);
  const auto until = std::chrono::steady_clock::now() + longest_for_quadruples;
  for (int found = 0; found < quadruples_in_a_round && std::chrono::steady_clock::now() < until;) {
    const auto alone = time_batch(row.run, times);
    const auto together = other.time_on_both(row.run, times);
    const auto floor_together = other.time_on_both(unwritten, unwritten_times);
    const auto floor_alone = time_batch(unwritten, unwritten_times);
    if (!alone || !together || !floor_together || !floor_alone) continue;
    ++found;
    of.growths.push_back((*together / *alone) / (*floor_together / *floor_alone));
  }
}

measurement measuring::result(std::size_t row) const {
  const auto& of = samples_[row];
  measurement found;
  found.cost = median(of.costs, fewest_pairs);
  found.floor_cost = median(of.floor_costs, fewest_pairs);
  found.ratio =
      rows_[row].known_ratio != nullptr ? rows_[row].known_ratio() : median(of.ratios, fewest_pairs);
  found.growth = median(of.growths, fewest_quadruples);
  if (of.operations > 0)
    found.allocations = static_cast<double>(of.allocations) / static_cast<double>(of.operations);
  return found;
}

}  // namespace benchmarks
