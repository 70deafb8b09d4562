// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/client/entrants.hpp"
#include "studies/shared/estimate.hpp"
#include "studies/shared/tally.hpp"
#include "studies/shared/trace.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace studies {

/// How much the two kinds of wrong decision weigh. Only their ratio matters: the figure is scaled so that
/// equal weights give the plain count.
struct weights {
  double let_through = 1;
  double refused = 1;
};

/// How one policy did in one run.
struct run_figures {
  std::size_t trace = 0;
  std::size_t entrant = 0;
  std::uint64_t seed = 0;
  tally counted{};
};

/// All runs of a study, and what they come to.
///
/// Each rate of calls counts alike, and each seed: a figure is the mean of the figures of its runs.
class figures {
 public:
  figures(std::vector<trace> traces, std::vector<entrant> entrants, std::vector<run_figures> runs)
      : traces_{std::move(traces)}, entrants_{std::move(entrants)}, runs_{std::move(runs)} {}

  [[nodiscard]] const std::vector<trace>& traces() const { return traces_; }
  [[nodiscard]] const std::vector<entrant>& entrants() const { return entrants_; }
  [[nodiscard]] bool has(trace_group group) const;

  /// Failures let through while bad, as a share of the calls wanted then. Nothing where nothing is bad.
  [[nodiscard]] std::optional<double> let_through(std::size_t entrant, std::size_t trace) const;
  /// Refused while good, as a share of the calls wanted then.
  [[nodiscard]] std::optional<double> refused(std::size_t entrant, std::size_t trace) const;
  /// Requests that got a good answer, as a share of all requests, of one trace.
  [[nodiscard]] double answered(std::size_t entrant, std::size_t trace) const;
  /// The same as the mean over all traces of the group.
  [[nodiscard]] double answered(std::size_t entrant, trace_group group) const;
  /// Wrong decisions in 1000 wanted calls, of one trace.
  [[nodiscard]] estimate wrong(std::size_t entrant, std::size_t trace, weights by = {}) const;
  /// The same as the mean over all traces of the group.
  [[nodiscard]] estimate wrong(std::size_t entrant, trace_group group, weights by = {}) const;

 private:
  template <class Share>
  [[nodiscard]] std::optional<double> mean_share(std::size_t entrant, std::size_t trace, Share share) const;
  template <class Figure, class Chosen>
  [[nodiscard]] estimate mean_of(std::size_t entrant, Figure figure, Chosen chosen) const;

  std::vector<trace> traces_;
  std::vector<entrant> entrants_;
  std::vector<run_figures> runs_;
};

}  // namespace studies
