// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/estimate.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace studies {

/// All runs of a study, and the means over them: each seed counts alike, and each trace.
template <class Trace, class Entrant, class Tally>
class results {
 public:
  struct run {
    std::size_t trace = 0;
    std::size_t entrant = 0;
    std::uint64_t seed = 0;
    Tally counted{};
  };
  /// A figure of one run; nothing where there is nothing to measure.
  using metric = std::optional<double> (*)(const Tally&);

  results(std::vector<Trace> traces, std::vector<Entrant> entrants, std::vector<run> runs)
      : traces_{std::move(traces)}, entrants_{std::move(entrants)}, runs_{std::move(runs)} {}

  [[nodiscard]] const std::vector<Trace>& traces() const { return traces_; }
  [[nodiscard]] const std::vector<Entrant>& entrants() const { return entrants_; }

  /// The mean over the seeds of one trace; nothing if no run measured it.
  [[nodiscard]] std::optional<estimate> of(std::size_t entrant, std::size_t trace, metric what) const {
    return mean(entrant, what, [&](std::size_t one) { return one == trace; });
  }
  /// The mean over all traces.
  [[nodiscard]] std::optional<estimate> of(std::size_t entrant, metric what) const {
    return mean(entrant, what, [](std::size_t) { return true; });
  }
  /// The mean over the traces of one group; nothing if none of them took part.
  template <class Group>
  [[nodiscard]] std::optional<estimate> of(std::size_t entrant, metric what, Group group) const {
    return mean(entrant, what, [&](std::size_t one) { return traces_[one].group == group; });
  }

 private:
  template <class Chosen>
  [[nodiscard]] std::optional<estimate> mean(std::size_t entrant, metric what, Chosen chosen) const {
    std::map<std::uint64_t, running_mean> seeds;
    for (const auto& one : runs_) {
      if (one.entrant != entrant || !chosen(one.trace)) continue;
      if (const auto measured = what(one.counted)) seeds[one.seed].add(*measured);
    }
    if (seeds.empty()) return std::nullopt;
    mean_of_seeds all;
    for (const auto& [seed, figure] : seeds) all.add(figure.value());
    return all.value();
  }

  std::vector<Trace> traces_;
  std::vector<Entrant> entrants_;
  std::vector<run> runs_;
};

}  // namespace studies
