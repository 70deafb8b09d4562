// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/goals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace studies::levels {

namespace {

constexpr double highest_cost = 38;
constexpr double highest_cost_held_out = 40;
constexpr double highest_cost_of_noise = 10;
constexpr double longest_too_good = 15;         // seconds in ten minutes
constexpr double most_changes_for_nothing = 1;  // in ten minutes
constexpr double most_flaps = 0.5;

/// The right level never changes, and little happens that could be taken for an outage.
constexpr std::array<std::string_view, 3> calm{"6", "14", "19"};
/// Nothing but chance: a few errors, and the best level is right throughout.
constexpr std::array<std::string_view, 4> noise{"14", "19", "h1", "h2"};
/// Something is down or slow, and then well again.
constexpr std::array<std::string_view, 10> outages{"1", "2", "3", "4", "5", "9", "10", "15", "16", "17"};

std::vector<std::size_t> entrants_of(const figures& found, entrant_kind kind) {
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    if (found.entrants()[i].kind == kind) which.push_back(i);
  }
  return which;
}

goal at_most(std::string_view what, double is, double limit) {
  return {fmt::format("{}: {:.1f}, at most {:g}", what, is, limit), is <= limit};
}

goal is_first(const figures& found, trace_group group, std::size_t ours, std::string_view name,
              figures::metric price) {
  const auto of = [&](std::size_t entrant) { return found.of(entrant, price, group)->mean; };
  const auto peers = entrants_of(found, entrant_kind::peer);
  const auto best = *std::min_element(
      peers.begin(), peers.end(), [&](std::size_t one, std::size_t other) { return of(one) < of(other); });
  return {fmt::format("{}, {} traces: {:.1f}, less than {}'s {:.1f}", name, name_of(group), of(ours),
                      found.entrants()[best].name, of(best)),
          of(ours) < of(best)};
}

void judge_group(const figures& found, trace_group group, std::size_t ours, double limit,
                 std::vector<goal>& goals) {
  const auto reached = found.of(ours, cost, group);
  if (!reached) return;
  goals.push_back(at_most(fmt::format("C, {} traces", name_of(group)), reached->mean, limit));
  goals.push_back(at_most(fmt::format("seconds too good, {} traces", name_of(group)),
                          found.of(ours, too_good, group)->mean, longest_too_good));
  if (entrants_of(found, entrant_kind::peer).empty()) return;
  goals.push_back(is_first(found, group, ours, "C", cost));
  if (group == trace_group::listed) {
    goals.push_back(is_first(found, group, ours, "C, 3 : 1", cost_of_promises));
  }
}

template <std::size_t Count>
void judge_traces(const figures& found, std::size_t ours, const std::array<std::string_view, Count>& names,
                  std::string_view what, figures::metric count, double limit, std::vector<goal>& goals) {
  for (std::size_t trace = 0; trace < found.traces().size(); ++trace) {
    const auto name = found.traces()[trace].name;
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    goals.push_back(
        at_most(fmt::format("{} in trace {}", what, name), found.of(ours, trace, count)->mean, limit));
  }
}

}  // namespace

std::vector<comparison> compare_by_trace(const figures& found) {
  const auto ours = entrants_of(found, entrant_kind::ours);
  const auto peers = entrants_of(found, entrant_kind::peer);
  std::vector<comparison> all;
  if (ours.empty() || peers.empty()) return all;
  for (std::size_t trace = 0; trace < found.traces().size(); ++trace) {
    const auto price = [&](std::size_t entrant) { return found.of(entrant, trace, cost)->mean; };
    const auto best = *std::min_element(peers.begin(), peers.end(), [&](std::size_t one, std::size_t other) {
      return price(one) < price(other);
    });
    all.push_back({trace, best, price(best), *found.of(ours.front(), trace, cost)});
  }
  return all;
}

std::vector<goal> judge(const figures& found) {
  const auto all_ours = entrants_of(found, entrant_kind::ours);
  if (all_ours.empty()) return {{"brownout takes part", false}};
  const auto ours = all_ours.front();
  std::vector<goal> goals;
  judge_group(found, trace_group::listed, ours, highest_cost, goals);
  judge_group(found, trace_group::held_out, ours, highest_cost_held_out, goals);
  judge_traces(found, ours, noise, "C", cost, highest_cost_of_noise, goals);
  judge_traces(found, ours, calm, "changes", changes, most_changes_for_nothing, goals);
  judge_traces(found, ours, outages, "flaps", flaps, most_flaps, goals);
  return goals;
}

}  // namespace studies::levels
