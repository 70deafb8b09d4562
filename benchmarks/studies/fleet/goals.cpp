// SPDX-License-Identifier: BSL-1.0
#include "studies/fleet/goals.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace studies::fleet {

namespace {

constexpr double most_wrong_in_1000 = 20;
constexpr double most_probes_a_second = 35;
constexpr double least_useful = 50;     // %
constexpr double latest_recovery = 60;  // seconds; a stampede takes about 50 until there is capacity for all

std::optional<std::size_t> ours_of(const figures& found) {
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    if (found.entrants()[i].kind == entrant_kind::ours) return i;
  }
  return std::nullopt;
}

/// Figures of one trace, as far as it measures them.
class judge_of_trace {
 public:
  judge_of_trace(const figures& found, std::size_t ours, std::size_t trace, std::vector<goal>& goals)
      : found_{found}, ours_{ours}, trace_{trace}, goals_{goals} {}

  void at_most(std::string_view what, figures::metric metric, double limit) {
    if (const auto is = mean(ours_, metric))
      add(fmt::format("{} {:.1f}, at most {:g}", what, *is, limit), *is <= limit);
  }
  void at_least(std::string_view what, figures::metric metric, double limit) {
    if (const auto is = mean(ours_, metric))
      add(fmt::format("{} {:.1f}, at least {:g}", what, *is, limit), *is >= limit);
  }
  /// No peer does better; `sign` is 1 where less is better, -1 where more is.
  void first(std::string_view what, figures::metric metric, double sign) {
    if (!mean(ours_, metric)) return;
    std::size_t best = ours_;
    for (std::size_t i = 0; i < found_.entrants().size(); ++i) {
      if (found_.entrants()[i].kind != entrant_kind::peer) continue;
      if (sign * *mean(i, metric) < sign * *mean(best, metric)) best = i;
    }
    add(fmt::format("{} best of all (first: {})", what, found_.entrants()[best].name), best == ours_);
  }

 private:
  [[nodiscard]] std::optional<double> mean(std::size_t entrant, figures::metric metric) const {
    const auto figure = found_.of(entrant, trace_, metric);
    return figure ? std::optional{figure->mean} : std::nullopt;
  }
  void add(const std::string& what, bool met) {
    goals_.push_back({fmt::format("trace {}: {}", found_.traces()[trace_].name, what), met});
  }

  const figures& found_;
  std::size_t ours_;
  std::size_t trace_;
  std::vector<goal>& goals_;
};

}  // namespace

std::vector<goal> judge(const figures& found) {
  const auto ours = ours_of(found);
  if (!ours) return {{"brownout takes part", false}};
  std::vector<goal> goals;
  for (std::size_t trace = 0; trace < found.traces().size(); ++trace) {
    judge_of_trace of{found, *ours, trace, goals};
    of.at_most("W", wrong, most_wrong_in_1000);
    of.first("W", wrong, 1);
    of.at_most("probes a second", probes_a_second, most_probes_a_second);
    of.at_least("useful %", useful, least_useful);
    of.first("useful", useful, -1);
    of.at_most("95 % after s", recovered_after, latest_recovery);
  }
  return goals;
}

}  // namespace studies::fleet
