// SPDX-License-Identifier: BSL-1.0
//
// The study of guards: docs/studies/guards.md. `benchmarks/studies/run --guards` builds and starts it.
#include "studies/guards/limits/study.hpp"
#include "studies/guards/part.hpp"
#include "studies/guards/retries/study.hpp"
#include "studies/shared/goal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace studies;
using namespace studies::guards;

constexpr std::string_view usage =
    "brownout_guard_studies [--limits | --retries] [OPTION...]\n"
    "  --limits       adaptive limits and priorities only\n"
    "  --retries      retries and their budgets only\n"
    "  --held-out     the scenes and traces on which nothing was tuned\n"
    "  --seeds N      runs of each scene (3) and trace (1)\n"
    "  --trace NAME   of retries, only this trace; may be repeated\n"
    "  --policy NAME  for retries, only this one beside ours and no retry; may be repeated\n"
    "  --fleet N      of retries, only the fleet of 2, 20 or 500 clients\n"
    "  --check        exit status 1 if a goal is missed\n"
    "  --judge NAME   the same of another policy for retries\n"
    "  --plots DIR    writes plots to *.svg in a directory\n";

struct request {
  part_request part{};
  bool limits = true;
  bool retries = true;
  bool check = false;
  bool help = false;
};

request parse(int count, char** words) {
  request asked;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const auto value = [&]() -> std::string {
      if (++i == count) throw std::runtime_error{std::string{word} + " needs a value"};
      return words[i];
    };
    if (word == "--limits") {
      asked.retries = false;
    } else if (word == "--retries") {
      asked.limits = false;
    } else if (word == "--held-out") {
      asked.part.held_out = true;
    } else if (word == "--seeds") {
      asked.part.seeds = std::max(std::stoull(value()), 1ULL);
    } else if (word == "--check") {
      asked.check = true;
    } else if (word == "--judge") {
      asked.check = true;
      asked.limits = false;
      asked.part.judged = value();
    } else if (word == "--trace") {
      asked.part.traces.push_back(value());
    } else if (word == "--policy") {
      asked.part.policies.push_back(value());
    } else if (word == "--fleet") {
      asked.part.fleet = std::stoul(value());
    } else if (word == "--plots") {
      asked.part.plots = value();
    } else if (word == "--help") {
      asked.help = true;
    } else {
      throw std::runtime_error{"unknown option " + std::string{word} + "; see --help"};
    }
  }
  if (!asked.limits && !asked.retries) {
    throw std::runtime_error{"--limits excludes --retries and --judge"};
  }
  return asked;
}

int run(const request& asked) {
  std::vector<goal> goals;
  if (asked.limits) goals = study_limits(asked.part);
  if (asked.retries) {
    const auto more = study_retries(asked.part);
    goals.insert(goals.end(), more.begin(), more.end());
  }
  bool all_met = true;
  for (const auto& one : goals) {
    fmt::print("{} {}\n", one.met ? "met:   " : "MISSED:", one.what);
    all_met = all_met && one.met;
  }
  return asked.check && !all_met ? 1 : 0;
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
    fmt::print(stderr, "brownout_guard_studies: {}\n", error.what());
    return 2;
  }
}
