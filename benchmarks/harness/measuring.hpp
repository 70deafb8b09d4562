// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "harness/scenario.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace benchmarks {

/// What is known about one row. Costs and ratios are medians over all batches that were not disturbed.
struct measurement {
  std::optional<double> cost{};        ///< nanoseconds an operation, one thread
  std::optional<double> floor_cost{};  ///< the same of the floor
  std::optional<double> ratio{};       ///< of neighbouring batches, which the machine's mood treats alike
  std::optional<double> growth{};
  std::optional<double> allocations{};           ///< an operation
  std::map<std::string, double> instructions{};  ///< an iteration, by compiler; counted outside
  std::map<std::string, double> surplus{};       ///< the same over the floor's, if that is a row too
};

/// Measures rows against their floors, in alternating batches.
///
/// Why not Google Benchmark: it times one benchmark after the other, at best in random order, and keeps a
/// repetition that was preempted. On a shared machine the load changes between two benchmarks by more than
/// the goals allow. Here a ratio is taken between two batches 0.2 ms apart, a disturbed one is left out, and
/// the rounds of all rows alternate, so that a bad second of the machine's spreads over all of them. A gate
/// needs this; a second stopwatch for the same rows would only give people two figures to choose from.
///
/// Growth is the cost to each of two threads over the cost to one alone, divided by the same of the floor
/// measured between them: two loads of a word that nobody writes can't contend, so whatever slows those down
/// when both processors work (they may be two halves of one) is the machine and not the code.
class measuring {
 public:
  explicit measuring(const std::vector<scenario>& rows);

  /// One more round of batches of the given row.
  void add_round(std::size_t row);
  [[nodiscard]] measurement result(std::size_t row) const;

 private:
  struct samples {
    std::uint64_t times = 0, floor_times = 0, unwritten_times = 0;  // operations in a batch
    std::vector<double> costs{}, floor_costs{}, ratios{}, growths{};
    std::uint64_t operations = 0, allocations = 0;
  };

  void compare_with_floor(const scenario& row, samples& of);
  void compare_threads(const scenario& row, samples& of);

  const std::vector<scenario>& rows_;
  std::vector<samples> samples_;
};

}  // namespace benchmarks
