// SPDX-License-Identifier: BSL-1.0
#include "studies/request.hpp"

namespace studies {

const std::string_view usage =
    R"(brownout_studies [OPTION...]   counts wrong decisions, side by side, in virtual time
  which decisions:
  --level          levels: four dependencies fail, and a service offers more or less
  --fleet          breakers of many clients that share a dependency
                   without either: the breaker of one client

  --check          exit status 1 unless our default meets the goals of the study; docs/studies/client.md has them
  --judge NAME     whether this policy would, in place of our default
  --trace NAME     only this trace; may be repeated
  --listed         only the traces of the published comparison (breakers, levels)
  --held-out       only those that nothing was tuned on (breakers, levels)
  --policy NAME    only this policy; may be repeated. Variants of ours take part only when named
  --variants       all of them
  --seeds N        how many seeds (20); the error of a figure falls with the root of it
  --reporting      seeds that nothing was tuned on (the default)
  --tuning         the other ones, without the traces that are held out
  --json FILE      writes the figures to a file too
  --plots DIR      writes plots to *.svg in a directory
  --list           prints traces and policies
)";

request parse(int count, char** words) {
  request asked;
  int at = 1;
  const auto value = [&]() -> std::string {
    if (at == count) throw std::runtime_error{std::string{words[at - 1]} + " needs a value"};
    return words[at++];
  };
  const auto ask_about = [&](subject one) {
    if (asked.about != subject::breakers && asked.about != one) {
      throw std::runtime_error{"--level and --fleet are two studies: one at a time"};
    }
    asked.about = one;
  };
  while (at < count) {
    const std::string_view option = words[at++];
    if (option == "--level") {
      ask_about(subject::levels);
    } else if (option == "--fleet") {
      ask_about(subject::fleet);
    } else if (option == "--check") {
      asked.check = true;
    } else if (option == "--judge") {
      asked.check = true;
      asked.judged = value();
    } else if (option == "--trace") {
      asked.traces.push_back(value());
    } else if (option == "--listed") {
      asked.only = trace_group::listed;
    } else if (option == "--held-out") {
      asked.only = trace_group::held_out;
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
  if (asked.only == trace_group::held_out && asked.seeds.first == seed_range::first_for_tuning) {
    throw std::runtime_error{"--held-out: nothing may be tuned on these traces"};
  }
  return asked;
}

}  // namespace studies
