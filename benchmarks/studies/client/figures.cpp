// SPDX-License-Identifier: BSL-1.0
#include "studies/client/figures.hpp"

#include <algorithm>
#include <map>

namespace studies {

namespace {

double wrong_in_1000(const tally& counted, weights by) {
  const auto wrong = by.let_through * static_cast<double>(counted.failures_let_through) +
                     by.refused * static_cast<double>(counted.refused_while_good);
  return 2000 * wrong / (by.let_through + by.refused) / static_cast<double>(counted.calls());
}

double share_of(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

double answered_share(const tally& run) {
  return share_of(run.answered, run.requests);
}

}  // namespace

bool figures::has(trace_group group) const {
  return std::any_of(traces_.begin(), traces_.end(), [&](const trace& one) { return one.group == group; });
}

template <class Share>
std::optional<double> figures::mean_share(std::size_t entrant, std::size_t trace, Share share) const {
  running_mean all;
  for (const auto& run : runs_) {
    if (run.entrant != entrant || run.trace != trace) continue;
    if (const std::optional<double> one = share(run.counted)) all.add(*one);
  }
  return all.count > 0 ? std::optional{all.value()} : std::nullopt;
}

std::optional<double> figures::let_through(std::size_t entrant, std::size_t trace) const {
  return mean_share(entrant, trace, [](const tally& run) -> std::optional<double> {
    if (run.calls_while_bad == 0) return std::nullopt;
    return share_of(run.failures_let_through, run.calls_while_bad);
  });
}

std::optional<double> figures::refused(std::size_t entrant, std::size_t trace) const {
  return mean_share(entrant, trace, [](const tally& run) -> std::optional<double> {
    if (run.calls_while_good == 0) return std::nullopt;
    return share_of(run.refused_while_good, run.calls_while_good);
  });
}

template <class Figure, class Chosen>
estimate figures::mean_of(std::size_t entrant, Figure figure, Chosen chosen) const {
  // By trace before by seed: a trace with several rates must not count more than another.
  std::map<std::uint64_t, std::map<std::size_t, running_mean>> seeds;
  for (const auto& run : runs_) {
    if (run.entrant == entrant && chosen(run.trace)) seeds[run.seed][run.trace].add(figure(run.counted));
  }
  mean_of_seeds all;
  for (const auto& [seed, traces] : seeds) {
    running_mean of_seed;
    for (const auto& [trace, one] : traces) of_seed.add(one.value());
    all.add(of_seed.value());
  }
  return all.value();
}

double figures::answered(std::size_t entrant, std::size_t trace) const {
  return mean_of(entrant, answered_share, [&](std::size_t one) { return one == trace; }).mean;
}

double figures::answered(std::size_t entrant, trace_group group) const {
  return mean_of(entrant, answered_share, [&](std::size_t one) { return traces_[one].group == group; }).mean;
}

estimate figures::wrong(std::size_t entrant, std::size_t trace, weights by) const {
  return mean_of(
      entrant, [&](const tally& run) { return wrong_in_1000(run, by); },
      [&](std::size_t one) { return one == trace; });
}

estimate figures::wrong(std::size_t entrant, trace_group group, weights by) const {
  return mean_of(
      entrant, [&](const tally& run) { return wrong_in_1000(run, by); },
      [&](std::size_t one) { return traces_[one].group == group; });
}

}  // namespace studies
