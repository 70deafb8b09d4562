// SPDX-License-Identifier: BSL-1.0
//
// The program that measures; `benchmarks/run` builds it and gives it what was counted outside.
#include "harness/measuring.hpp"
#include "harness/report.hpp"
#include "harness/scenario.hpp"
#include "harness/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace benchmarks;

/// Enough for medians that differ by a hundredth from run to run.
constexpr int usual_rounds = 25;

constexpr auto usage =
    R"(brownout_benchmarks [OPTION...]   measures every case against its floor and prints a table
  --check              exit status 1 if a goal is missed or was not measured
  --json FILE          writes the table to a file too
  --only CASE          only this case; may be repeated
  --rounds N           how many batches of 0.2 ms: N times 40, and N times 20 on two threads (25)
  --patience SECONDS   how long to go on with cases whose goals on time are narrowly missed (10); six times as long
                       when too few batches were left alone
  --given FILE         figures from outside, one a line: CASE, tab, WHAT, tab, number;
                       WHAT is `ratio`, `cost`, `floor` (both ns) or `instructions COMPILER`

  --list               prints the cases whose instructions can be counted
  --count CASE N       only runs the case N times, to be counted by callgrind
  --once               only runs every case and its floor a few times
)";

struct request {
  enum { measure, help, list, count, once } action = measure;
  bool check = false;
  std::vector<std::string> only{};
  std::uint64_t times = 0;
  int rounds = usual_rounds;
  std::chrono::duration<double> patience = std::chrono::seconds{10};
  std::string given{};
  std::string json{};
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
    } else if (option == "--json") {
      asked.json = value();
    } else if (option == "--only") {
      asked.only.push_back(value());
    } else if (option == "--rounds") {
      asked.rounds = std::stoi(value());
    } else if (option == "--patience") {
      asked.patience = std::chrono::duration<double>{std::stod(value())};
    } else if (option == "--given") {
      asked.given = value();
    } else if (option == "--list") {
      asked.action = request::list;
    } else if (option == "--count") {
      asked.action = request::count;
      asked.only = {value()};
      asked.times = std::stoull(value());
    } else if (option == "--once") {
      asked.action = request::once;
    } else if (option == "--help") {
      asked.action = request::help;
    } else {
      throw std::runtime_error{"unknown option " + std::string{option} + "; see --help"};
    }
  }
  return asked;
}

std::vector<scenario> chosen(const std::vector<std::string>& names) {
  const auto& all = registered::all();
  if (names.empty()) return all;
  std::vector<scenario> some;
  for (const auto& name : names) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    if (found == all.end()) throw std::runtime_error{"no such case: " + name};
    some.push_back(*found);
  }
  return some;
}

/// Of all cases, whichever are chosen: some share what one of them prepares.
void prepare() {
  for (const auto& one : registered::all()) {
    if (one.prepare != nullptr) one.prepare();
  }
}

void take_given(const std::string& file, std::vector<row>& rows) {
  std::ifstream lines{file};
  if (!lines) throw std::runtime_error{"can't read " + file};
  std::string name, what, number;
  while (std::getline(lines, name, '\t') && std::getline(lines, what, '\t') && std::getline(lines, number)) {
    const auto at =
        std::find_if(rows.begin(), rows.end(), [&](const row& one) { return one.what.name == name; });
    if (at == rows.end()) continue;
    constexpr std::string_view counted = "instructions ";
    if (what == "ratio")
      at->found.ratio = std::stod(number);
    else if (what == "cost")
      at->found.cost = std::stod(number);
    else if (what == "floor")
      at->found.floor_cost = std::stod(number);
    else if (what.starts_with(counted))
      at->found.instructions[what.substr(counted.size())] = std::stod(number);
    else
      throw std::runtime_error{"can't take '" + what + "' from " + file};
  }
}

/// Instructions over the floor's, where the floor is a row too.
void compare_instructions(std::vector<row>& rows) {
  for (auto& one : rows) {
    const auto floor = std::find_if(
        rows.begin(), rows.end(), [&](const row& other) { return other.what.name == one.what.beside.name; });
    if (floor == rows.end()) continue;
    for (const auto& [compiler, count] : one.found.instructions) {
      const auto least = floor->found.instructions.find(compiler);
      if (least != floor->found.instructions.end()) one.found.surplus[compiler] = count - least->second;
    }
  }
}

/// Whether more batches may change what is said of this row, and it is still worth waiting for them. Too few
/// batches say nothing about the code, so they are waited for longer than better ones.
bool needs_more(const row& one, std::chrono::duration<double> waited,
                std::chrono::duration<double> patience) {
  const auto judged = judge(one.what.wanted, one.found);
  return one.what.run != nullptr && std::any_of(judged.begin(), judged.end(), [&](const judgement& goal) {
           return goal.in_doubt && waited < (goal.found == verdict::not_measured ? 6 * patience : patience);
         });
}

/// Rounds of all cases alternate. A goal that is narrowly missed gets more of them: the median of more
/// batches, not the best of several tries, so that a goal that is really missed stays missed.
std::vector<row> measure(const std::vector<scenario>& cases, const request& asked) {
  using std::chrono::steady_clock;
  measuring all{cases};
  for (int round = 0; round < asked.rounds; ++round) {
    for (std::size_t i = 0; i < cases.size(); ++i) all.add_round(i);
  }
  std::vector<row> rows;
  for (std::size_t i = 0; i < cases.size(); ++i) rows.push_back({cases[i], all.result(i)});
  const auto began = steady_clock::now();
  for (bool any = true; any;) {
    any = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!needs_more(rows[i], steady_clock::now() - began, asked.patience)) continue;
      all.add_round(i);
      rows[i].found = all.result(i);
      any = true;
    }
  }
  return rows;
}

int report(const std::vector<row>& rows, const request& asked) {
  print_table(rows, stdout);
  if (!asked.json.empty()) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(asked.json.c_str(), "w"),
                                                               &std::fclose};
    if (!file) throw std::runtime_error{"can't write " + asked.json};
    print_json(rows, file.get());
  }
  const bool met = std::all_of(rows.begin(), rows.end(),
                               [](const row& one) { return all_met(judge(one.what.wanted, one.found)); });
  return asked.check && !met ? 1 : 0;
}

void list(const std::vector<scenario>& cases) {
  for (const auto& one : cases) {
    if (one.run != nullptr) fmt::print("{}\n", one.name);
  }
}

void run_once(const std::vector<scenario>& cases) {
  for (const auto& one : cases) {
    if (one.run == nullptr) continue;
    one.run(3);
    one.beside.run(3);
  }
}

int run(const request& asked) {
  const auto cases = chosen(asked.only);
  switch (asked.action) {
    case request::help:
      fmt::print("{}", usage);
      return 0;
    case request::list:
      list(cases);
      return 0;
    case request::count:
      prepare();
      cases.front().run(asked.times);
      return 0;
    case request::once:
      prepare();
      run_once(cases);
      return 0;
    case request::measure:
      break;
  }
  prepare();
  auto rows = measure(cases, asked);
  if (!asked.given.empty()) take_given(asked.given, rows);
  compare_instructions(rows);
  return report(rows, asked);
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(parse(count, words));
  } catch (const std::exception& error) {
    fmt::print(stderr, "brownout_benchmarks: {}\n", error.what());
    return 2;
  }
}
