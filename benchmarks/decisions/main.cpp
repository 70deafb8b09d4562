// SPDX-License-Identifier: BSL-1.0
//
// The program that compares policies; `benchmarks/decisions/run` builds and starts it.
#include "decisions/entrants.hpp"
#include "decisions/figures.hpp"
#include "decisions/goals.hpp"
#include "decisions/plots.hpp"
#include "decisions/report.hpp"
#include "decisions/study.hpp"
#include "decisions/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace decisions;

constexpr auto usage =
    R"(brownout_decisions [OPTION...]   counts the wrong decisions of breakers, side by side, in virtual time
  --check          exit status 1 unless our default is wrong 8 times in 1000 at most, behind the best peer by
                   a fifth in no listed trace, and first however the two kinds of wrong are weighed (3:1, 1:3)
  --trace NAME     only this trace; may be repeated
  --listed         only the traces of the published comparison
  --policy NAME    only this policy; may be repeated. Variants of ours take part only when named
  --variants       all of them
  --seeds N        how many seeds (20); the error of a figure falls with the root of it
  --reporting      seeds that nothing was tuned on (the default)
  --tuning         the other ones
  --json FILE      writes the figures to a file too
  --plots DIR      writes plots to decisions-*.svg in a directory
  --list           prints traces and policies
)";

struct request {
  bool help = false;
  bool list = false;
  bool check = false;
  bool variants = false;
  bool only_listed = false;
  std::vector<std::string> traces{};
  std::vector<std::string> policies{};
  seed_range seeds{};
  std::string json{};
  std::string plots{};
};

request parse(int count, char** words) {
  request asked;
  int at = 1;
  const auto value = [&]() -> std::string {
    if (at == count) throw std::runtime_error{std::string{words[at - 1]} + " needs a value"};
    return words[at++];
  };
  while (at < count) {
    const std::string_view option = words[at++];
    if (option == "--check") {
      asked.check = true;
    } else if (option == "--trace") {
      asked.traces.push_back(value());
    } else if (option == "--listed") {
      asked.only_listed = true;
    } else if (option == "--policy") {
      asked.policies.push_back(value());
    } else if (option == "--variants") {
      asked.variants = true;
    } else if (option == "--seeds") {
      asked.seeds.count = std::stoull(value());
      if (asked.seeds.count < 1 || asked.seeds.count > 1000) throw std::runtime_error{"--seeds: 1 to 1000"};
    } else if (option == "--reporting") {
      asked.seeds.first = seed_range::first_for_reporting;
    } else if (option == "--tuning") {
      asked.seeds.first = seed_range::first_for_tuning;
    } else if (option == "--json") {
      asked.json = value();
    } else if (option == "--plots") {
      asked.plots = value();
    } else if (option == "--list") {
      asked.list = true;
    } else if (option == "--help") {
      asked.help = true;
    } else {
      throw std::runtime_error{"unknown option " + std::string{option} + "; see --help"};
    }
  }
  return asked;
}

/// Those that are named, or those that take part without being named.
template <class T, class Default>
std::vector<T> chosen(const std::vector<T>& all, const std::vector<std::string>& names, Default by_default) {
  std::vector<T> some;
  if (names.empty()) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(some), by_default);
  }
  for (const auto& name : names) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const T& one) { return one.name == name; });
    if (found == all.end()) throw std::runtime_error{"no such trace or policy: " + name + "; see --list"};
    some.push_back(*found);
  }
  return some;
}

void list() {
  for (const auto& one : all_traces()) {
    fmt::print("trace {:<4} {}{}\n", one.name, one.what_happens,
               one.group == trace_group::extra ? " (extra)" : "");
  }
  for (const auto& one : all_entrants()) {
    fmt::print("policy {:<14} {}{}\n", one.name, one.what_it_does,
               one.kind == entrant_kind::variant ? " (variant)" : "");
  }
}

int run(const request& asked) {
  const auto traces = chosen(all_traces(), asked.traces, [&](const trace& one) {
    return !asked.only_listed || one.group == trace_group::listed;
  });
  const auto entrants = chosen(all_entrants(), asked.policies, [&](const entrant& one) {
    return asked.variants || one.kind != entrant_kind::variant;
  });
  const auto found = run_study(traces, entrants, asked.seeds, [](const trace& done) {
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

}  // namespace

int main(int count, char** words) {
  try {
    const auto asked = parse(count, words);
    if (asked.help) {
      fmt::print("{}", usage);
      return 0;
    }
    if (asked.list) {
      list();
      return 0;
    }
    return run(asked);
  } catch (const std::exception& error) {
    fmt::print(stderr, "brownout_decisions: {}\n", error.what());
    return 2;
  }
}
