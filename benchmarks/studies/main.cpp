// SPDX-License-Identifier: BSL-1.0
//
// The program that compares policies; `benchmarks/studies/run` builds and starts it.
#include "studies/client/entrants.hpp"
#include "studies/client/figures.hpp"
#include "studies/client/goals.hpp"
#include "studies/client/plots.hpp"
#include "studies/client/report.hpp"
#include "studies/client/study.hpp"
#include "studies/fleet/entrants.hpp"
#include "studies/fleet/goals.hpp"
#include "studies/fleet/plots.hpp"
#include "studies/fleet/report.hpp"
#include "studies/fleet/study.hpp"
#include "studies/fleet/trace.hpp"
#include "studies/levels/entrants.hpp"
#include "studies/levels/goals.hpp"
#include "studies/levels/plots.hpp"
#include "studies/levels/report.hpp"
#include "studies/levels/study.hpp"
#include "studies/levels/world.hpp"
#include "studies/request.hpp"
#include "studies/shared/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace studies;

/// The traces of a fleet are of one group.
template <class Trace>
std::string remark_on(const Trace& one) {
  if constexpr (requires { one.group; }) return fmt::format(" ({})", name_of(one.group));
  return {};
}

/// Whether a trace takes part without being named. Nothing is tuned on those that are held out.
template <class Trace>
bool takes_part(const request& asked, const Trace& one) {
  if constexpr (requires { one.group; }) {
    if (asked.only) return one.group == *asked.only;
    return one.group != trace_group::held_out || asked.seeds.first != seed_range::first_for_tuning;
  }
  return true;
}

std::string_view remark(auto kind) {
  using kinds = decltype(kind);
  return kind == kinds::variant ? " (variant)" : kind == kinds::planted ? " (planted)" : "";
}

template <class Trace, class Entrant>
void list(const std::vector<Trace>& traces, const std::vector<Entrant>& entrants) {
  for (const auto& one : traces) {
    fmt::print("trace {:<4} {}{}\n", one.name, one.what_happens, remark_on(one));
  }
  for (const auto& one : entrants) {
    fmt::print("policy {:<17} {}{}\n", one.name, one.what_it_does, remark(one.kind));
  }
}

/// What our library does that is told nothing.
template <class Kind>
bool is_default(Kind one) {
  if constexpr (requires { Kind::dependency; }) return one == Kind::ours || one == Kind::dependency;
  return one == Kind::ours;
}

/// Those who take part. Who is to be judged takes the place of each of our defaults.
template <class Entrant>
std::vector<Entrant> participants(const request& asked, const std::vector<Entrant>& all) {
  using kind = decltype(Entrant::kind);
  auto some = chosen(all, asked.policies, [&](const Entrant& one) {
    return one.kind != kind::planted && (asked.variants || one.kind != kind::variant);
  });
  if (asked.judged.empty()) return some;
  std::erase_if(some, [&](const Entrant& one) { return one.name == asked.judged && !is_default(one.kind); });
  const auto judged = chosen(all, {asked.judged}, [](const Entrant&) { return false; }).front();
  for (auto& one : some) {
    if (!is_default(one.kind)) continue;
    const auto place = one.kind;
    one = judged;
    one.kind = place;
  }
  return some;
}

/// One study as asked: its tables, its files, its goals. What it consists of is found by its types.
template <class Trace, class Entrant>
int conduct(const request& asked, const std::vector<Trace>& all_traces,
            const std::vector<Entrant>& all_entrants) {
  if (asked.list) {
    list(all_traces, all_entrants);
    return 0;
  }
  const auto traces =
      chosen(all_traces, asked.traces, [&](const Trace& one) { return takes_part(asked, one); });
  const auto entrants = participants(asked, all_entrants);
  const auto found = run_study(traces, entrants, asked.seeds, [](const Trace& done) {
    fmt::print(stderr, "brownout: trace {} is done\n", done.name);
  });
  print_tables(found, stdout);
  if (!asked.json.empty()) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(asked.json.c_str(), "w"),
                                                               &std::fclose};
    if (!file) throw std::runtime_error{"can't write " + asked.json};
    print_json(found, file.get());
  }
  if (!asked.plots.empty()) write_plots(found, asked.plots);
  if (!asked.check) return 0;
  const auto goals = judge(found);
  print_goals(goals, stdout);
  return std::all_of(goals.begin(), goals.end(), [](const goal& one) { return one.met; }) ? 0 : 1;
}

int run(const request& asked) {
  switch (asked.about) {
    case subject::levels:
      return conduct(asked, levels::all_traces(), levels::all_entrants());
    case subject::fleet:
      return conduct(asked, fleet::all_traces(), fleet::all_entrants());
    case subject::breakers:
      break;
  }
  return conduct(asked, all_traces(), all_entrants());
}

}  // namespace

int main(int count, char** words) {
  try {
    const auto asked = parse(count, words);
    if (asked.help) {
      fmt::print("{}", usage);
      return 0;
    }
    return run(asked);
  } catch (const std::exception& error) {
    fmt::print(stderr, "brownout_studies: {}\n", error.what());
    return 2;
  }
}
