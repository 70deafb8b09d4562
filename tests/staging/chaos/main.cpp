// SPDX-License-Identifier: BSL-1.0

// Breaks the real servers behind the staging server, under steady requests, and judges what its clients and
// its log saw. The limits and what each case does stand in campaign.cpp.

#include "staging/chaos/campaign.hpp"
#include "staging/chaos/machine_stalls.hpp"
#include "staging/chaos/report.hpp"
#include "staging/support/real_system.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace staging_chaos;

/// Runs the cases of a lane, as far as the servers behind it let it.
template <class Cases>
lane_record record_of(lane&& one, const Cases& cases) {
  try {
    cases(one);
  } catch (const std::exception& failed) {
    one.give_up(failed.what());
  }
  return one.take_record();
}

/// Runs the lanes side by side, each on a thread of its own.
std::vector<lane_record> side_by_side(const std::vector<std::function<lane_record()>>& lanes) {
  std::vector<std::future<lane_record>> running;
  for (const auto& one : lanes) running.push_back(std::async(std::launch::async, one));
  std::vector<lane_record> records;
  for (auto& one : running) records.push_back(one.get());
  return records;
}

/// One dependency at a time. Each lane breaks another real server and simulates the other dependencies, so
/// the lanes do not disturb each other.
std::vector<lane_record> break_one(int each, std::uint64_t seed, machine_stalls& stalls,
                                   const std::vector<std::string_view>& real) {
  std::vector<std::function<lane_record()>> lanes;
  for (const auto victim : real) {
    lanes.emplace_back([=, &stalls] {
      return record_of({std::string{victim}, {victim}, stalls, seed}, [&](lane& one) {
        for (int i = 0; i < each; ++i) {
          for (const auto how : all_faults) one.run_single(victim, how);
        }
      });
    });
  }
  return side_by_side(lanes);
}

/// Faults of several dependencies, and of the server itself. Every lane has all real servers, each behind a
/// proxy of its own.
std::vector<lane_record> break_many(int each, std::uint64_t seed, machine_stalls& stalls,
                                    const std::vector<std::string_view>& real) {
  const std::vector<void (*)(lane&)> kinds{
      [](lane& one) { one.run_together(2); }, [](lane& one) { one.run_together(3); },
      [](lane& one) { one.run_flapping(); },  [](lane& one) { one.run_slow_recovery(); },
      [](lane& one) { one.run_restart(); },   [](lane& one) { one.run_sigterm(); },
  };
  std::vector<std::function<lane_record()>> lanes;
  constexpr std::size_t side_by_side_lanes = 3;
  for (std::size_t number = 0; number < side_by_side_lanes; ++number) {
    lanes.emplace_back([=, &stalls] {
      return record_of({"several, " + std::to_string(number + 1), real, stalls, seed + number},
                       [&](lane& one) {
                         for (std::size_t i = number; i < kinds.size() * static_cast<std::size_t>(each);
                              i += side_by_side_lanes)
                           kinds[i % kinds.size()](one);
                       });
    });
  }
  return side_by_side(lanes);
}

}  // namespace

int main(int argc, char** argv) {
  int each = 3;
  std::uint64_t seed = 1;
  std::string directory;
  CLI::App options{"Breaks the real servers behind the staging server, and judges what its clients saw"};
  options.add_option("--each", each, "cases of each kind")->check(CLI::Range(1, 1000));
  options.add_option("--seed", seed, "chooses victims and faults of the cases with several");
  options.add_option("--report", directory, "writes the report and timelines there");
  CLI11_PARSE(options, argc, argv);

  try {
    machine_stalls stalls;
    const std::vector<std::string_view> real(std::begin(dependencies), std::end(dependencies));
    auto& system = staging_tests::real_system::instance();
    if (!system.has_openai()) {
      std::cout << "SKIPPED: chaos needs the OpenAI-compatible server, which can't run here\n";
      return 0;
    }
    auto lanes = break_one(each, seed, stalls, real);
    for (auto& one : break_many(each, seed, stalls, real)) lanes.push_back(std::move(one));

    const auto text = text_report(lanes);
    std::cout << text;
    if (!directory.empty()) {
      std::filesystem::create_directories(directory);
      std::ofstream{std::filesystem::path{directory} / "report.txt"} << text;
      for (const auto& one : lanes)
        std::ofstream{std::filesystem::path{directory} / (one.name + ".svg")} << timeline_svg(one);
    }
    return complaints_in(lanes) == 0 ? 0 : 1;
  } catch (const std::exception& failed) {
    std::cerr << "chaos: " << failed.what() << '\n';
    return 2;
  }
}
