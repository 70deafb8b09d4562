// SPDX-License-Identifier: BSL-1.0
#include "studies/client/goals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace studies {

namespace {

constexpr double most_wrong_in_1000 = 7.6;
constexpr double most_wrong_of_dependencies = 11;

std::vector<std::size_t> entrants_of(const figures& found, entrant_kind kind) {
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    if (found.entrants()[i].kind == kind) which.push_back(i);
  }
  return which;
}

goal is_seldom_wrong(const figures& found, std::size_t which, double most) {
  const auto wrong = found.wrong(which, trace_group::listed);
  return {fmt::format("{}: wrong {:.2f} ± {:.2f} times in 1000, at most {}", found.entrants()[which].name,
                      wrong.mean, wrong.error, most),
          wrong.mean <= most};
}

goal is_first(const figures& found, trace_group group, weights by) {
  const auto order = ranking(found, group, by);
  const auto& first = found.entrants()[order.front()];
  return {fmt::format("first of {} traces, let through : refused = {} : {} (first: {})", name_of(group),
                      by.let_through, by.refused, first.name),
          first.kind == entrant_kind::ours};
}

}  // namespace

std::vector<comparison> compare_by_trace(const figures& found) {
  const auto ours = entrants_of(found, entrant_kind::ours);
  const auto peers = entrants_of(found, entrant_kind::peer);
  std::vector<comparison> all;
  if (ours.empty() || peers.empty()) return all;
  for (std::size_t trace = 0; trace < found.traces().size(); ++trace) {
    const auto wrong = [&](std::size_t entrant) { return found.wrong(entrant, trace).mean; };
    const auto best = *std::min_element(peers.begin(), peers.end(), [&](std::size_t one, std::size_t other) {
      return wrong(one) < wrong(other);
    });
    all.push_back({trace, best, ours.front(), wrong(best), wrong(ours.front())});
  }
  return all;
}

std::vector<std::size_t> ranking(const figures& found, trace_group group, weights by) {
  auto order = entrants_of(found, entrant_kind::peer);
  const auto ours = entrants_of(found, entrant_kind::ours);
  order.insert(order.end(), ours.begin(), ours.end());
  std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
    return found.wrong(one, group, by).mean < found.wrong(other, group, by).mean;
  });
  return order;
}

std::vector<goal> judge(const figures& found) {
  const auto ours = entrants_of(found, entrant_kind::ours);
  std::vector<goal> goals;
  if (ours.empty()) return {{"brownout takes part", false}};
  if (found.has(trace_group::listed)) {
    goals.push_back(is_seldom_wrong(found, ours.front(), most_wrong_in_1000));
    for (const auto which : entrants_of(found, entrant_kind::dependency)) {
      goals.push_back(is_seldom_wrong(found, which, most_wrong_of_dependencies));
    }
  }
  for (const auto& one : compare_by_trace(found)) {
    const auto& where = found.traces()[one.trace];
    if (where.group != trace_group::listed) continue;
    goals.push_back({fmt::format("trace {}: not worse by a fifth than {}", where.name,
                                 found.entrants()[one.best_peer].name),
                     !one.falls_behind()});
  }
  for (const auto group : all_groups) {
    if (!found.has(group)) continue;
    for (const weights by : {weights{1, 1}, weights{3, 1}, weights{1, 3}}) {
      goals.push_back(is_first(found, group, by));
    }
  }
  return goals;
}

}  // namespace studies
