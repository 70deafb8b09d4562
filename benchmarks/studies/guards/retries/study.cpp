// SPDX-License-Identifier: BSL-1.0
#include "studies/guards/retries/study.hpp"

#include "studies/guards/retries/entrants.hpp"
#include "studies/guards/retries/goals.hpp"
#include "studies/guards/retries/measured.hpp"
#include "studies/guards/retries/trace.hpp"
#include "studies/guards/retries/world.hpp"
#include "studies/shared/chart.hpp"
#include "studies/shared/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace studies::guards {

namespace {

/// No seed of the held-out traces is one of the others.
constexpr std::uint64_t first_held_out_seed = 1001;

bool is_ours(retry_entrant kind) {
  return kind == retry_entrant::ours || kind == retry_entrant::ours_with_breaker;
}

template <class Named>
void require_known(const std::vector<Named>& all, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (std::none_of(all.begin(), all.end(), [&](const Named& one) { return one.name == name; })) {
      throw std::runtime_error{"no such trace or policy: " + name};
    }
  }
}
template <class Named>
bool is_named(const Named& one, const std::vector<std::string>& names) {
  return names.empty() || std::find(names.begin(), names.end(), one.name) != names.end();
}

/// Who takes part. Who is to be judged takes the place of ours.
std::vector<retry_policy> participants(const std::string& judged, const std::vector<std::string>& names) {
  auto some = retry_policies();
  require_known(some, names);
  if (!judged.empty()) {
    const auto found =
        std::find_if(some.begin(), some.end(), [&](const retry_policy& one) { return one.name == judged; });
    if (found == some.end()) throw std::runtime_error{"no such policy: " + judged};
    const auto make = found->make;
    for (auto& one : some) {
      if (is_ours(one.kind)) one.make = make;
    }
  }
  std::erase_if(some, [&](const retry_policy& one) {
    if (one.kind == retry_entrant::none || is_ours(one.kind)) return false;
    return one.kind == retry_entrant::planted || !is_named(one, names);
  });
  return some;
}

retry_figures mean_of(const trace& here, const fleet& who, const make_client& make, std::uint64_t first,
                      std::uint64_t seeds) {
  retry_figures sum;
  for (auto seed = first; seed < first + seeds; ++seed) {
    const auto one = world{here, who, make, seed}.run();
    sum.calls += one.calls;
    sum.attempts += one.attempts;
    sum.answered += one.answered;
    sum.p99 += one.p99 / static_cast<double>(seeds);
    sum.recovery += one.recovery / static_cast<double>(seeds);
    sum.has_recovered = sum.has_recovered && one.has_recovered;
  }
  return sum;
}

std::string cell(const trace& here, const retry_figures& found) {
  const auto text =
      fmt::format("{:.2f} / {:.1f}", found.attempts / found.calls, 100 * found.answered / found.calls);
  switch (here.judged_by) {
    case aim::overload:
      return text + (found.has_recovered ? fmt::format(" / {:.0f} s", found.recovery) : " / never");
    case aim::light_errors:
      return text + fmt::format(" / {:.0f} ms", 1000 * found.p99);
    default:
      return text;
  }
}

measured measure(std::string title, const std::vector<trace>& traces, const fleet& who,
                 const std::vector<retry_policy>& policies, std::uint64_t first, std::uint64_t seeds) {
  measured all{std::move(title), traces, policies, {}};
  std::vector<row> table{{all.title}};
  for (const auto& here : traces) table.front().emplace_back(here.name);
  for (const auto& one : policies) {
    table.push_back({std::string{one.name}});
    auto& line = all.figures.emplace_back();
    for (const auto& here : traces) {
      line.push_back(mean_of(here, who, one.make, first, seeds));
      table.back().push_back(cell(here, line.back()));
    }
    fmt::print(stderr, "brownout: {}, {} is done\n", all.title, one.name);
  }
  print_table(table, stdout);
  return all;
}

/// Those of a kind that the plots show.
bool is_drawn(retry_entrant kind) {
  return kind == retry_entrant::none || kind == retry_entrant::peer || is_ours(kind);
}

void draw(const measured& all, const std::string& directory, std::string_view suffix) {
  std::vector<line_of_dots> attempts;
  std::vector<line_of_dots> lost;
  for (std::size_t i = 0; i < all.traces.size(); ++i) {
    attempts.push_back({all.traces[i].name, {}});
    lost.push_back({all.traces[i].name, {}});
    for (std::size_t k = 0; k < all.policies.size(); ++k) {
      const auto& one = all.policies[k];
      if (!is_drawn(one.kind)) continue;
      const auto& found = all.figures[k][i];
      attempts.back().dots.push_back({one.name, is_ours(one.kind), found.attempts / found.calls});
      lost.back().dots.push_back({one.name, is_ours(one.kind), 100 * (1 - found.answered / found.calls)});
    }
  }
  write_drawing(directory, fmt::format("guards-attempts{}.svg", suffix),
                draw_dots({"Attempts that reach the dependency for each call",
                           "attempts for each call; brownout without and with a breaker"},
                          0.01, 10, attempts));
  write_drawing(directory, fmt::format("guards-lost{}.svg", suffix),
                draw_dots({"Calls without an answer",
                           "calls without an answer, in %; brownout without and with a breaker"},
                          0.01, 100, lost));
}

}  // namespace

std::vector<goal> study_retries(const part_request& asked) {
  const auto policies = participants(asked.judged, asked.policies);
  auto traces = asked.held_out ? held_out_traces() : main_traces();
  require_known(traces, asked.traces);
  std::erase_if(traces, [&](const trace& one) { return !is_named(one, asked.traces); });
  const auto first = asked.held_out ? first_held_out_seed : 1;
  std::vector<goal> goals;
  const auto add = [&](const measured& found) {
    auto more = judge(found);
    goals.insert(goals.end(), more.begin(), more.end());
  };
  for (const auto& who : {fleet{20, 50}, fleet{2, 500}, fleet{500, 2}}) {
    if (asked.fleet != 0 && asked.fleet != who.clients) continue;
    const bool is_first = who.clients == 20;
    auto some = policies;
    auto few = traces;
    if (!is_first || asked.held_out) {
      std::erase_if(some, [](const retry_policy& one) { return one.kind == retry_entrant::other_budget; });
    }
    if (!is_first) {
      std::erase_if(some, [](const retry_policy& one) { return one.kind == retry_entrant::variant; });
      std::erase_if(few, [](const trace& one) { return one.is_layered; });
    }
    const auto found = measure(fmt::format("{} clients, {:.0f} calls/s each", who.clients, who.rate), few,
                               who, some, first, asked.seeds.value_or(1));
    add(found);
    if (is_first && !asked.plots.empty()) draw(found, asked.plots, asked.held_out ? "-held-out" : "");
  }
  return goals;
}

}  // namespace studies::guards
