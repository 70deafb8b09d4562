// SPDX-License-Identifier: BSL-1.0
//
// Measures circuit breakers beside each other; benchmarks/peers/run builds it and says what it could not
// build.
#include "harness/second_thread.hpp"
#include "harness/stopwatch.hpp"
#include "peers/entrant.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace benchmarks::peers {

void fail(std::string_view what) {
  fmt::print(stderr, "brownout_peers: {}\n", what);
  std::exit(1);
}

namespace {

constexpr auto usage = R"(brownout_peers [OPTION...]   measures circuit breakers and prints a table
  --rounds N    1 to 1000: how many times 20 batches of 0.2 ms are taken of each figure (25)
  --given FILE  rows from outside. A line is five or two fields with tabs between them:
                NAME, OPENS AT, ns on one thread, ns each on two, ns of a refusal; or NAME, WHY IT IS MISSING
  --once        only runs each breaker a few times
)";

constexpr std::size_t batches_in_a_round = 20;
constexpr auto longest_for_pairs = std::chrono::milliseconds{250};
/// Of the batch of one thread. A lock that two threads want makes it several times as long again, and on a
/// busy machine both are seldom left alone for long.
constexpr std::uint64_t shorter = 16;
constexpr std::size_t fewest_batches = 20;

struct request {
  int rounds = 25;
  std::string given{};
  bool once = false;
  bool help = false;
};

int count_of(std::string_view option, const std::string& value) {
  const bool is_number = !value.empty() && value.size() <= 4 &&
                         std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  const int number = is_number ? std::stoi(value) : 0;
  if (number < 1 || number > 1000) {
    throw std::runtime_error{fmt::format("{} is '{}'; allowed are 1 to 1000", option, value)};
  }
  return number;
}

request parse(int count, char** words) {
  request asked;
  for (int at = 1; at < count; ++at) {
    const std::string_view option = words[at];
    const auto value = [&]() -> std::string {
      if (++at == count) throw std::runtime_error{fmt::format("{} needs a value; see --help", option)};
      return words[at];
    };
    if (option == "--rounds") {
      asked.rounds = count_of(option, value());
    } else if (option == "--given") {
      asked.given = value();
    } else if (option == "--once") {
      asked.once = true;
    } else if (option == "--help") {
      asked.help = true;
    } else {
      throw std::runtime_error{fmt::format("unknown option '{}'; see --help", option)};
    }
  }
  return asked;
}

/// The batches of one figure.
struct figure {
  std::uint64_t times = 0;
  std::vector<double> costs{};

  void add(cost one) {
    if (one) costs.push_back(*one);
  }
  [[nodiscard]] std::string median() {
    if (costs.size() < fewest_batches) return "-";
    const auto middle = costs.begin() + static_cast<std::ptrdiff_t>(costs.size() / 2);
    std::nth_element(costs.begin(), middle, costs.end());
    return fmt::format("{:.1f}", *middle);
  }
};

struct measured {
  figure alone{}, together{}, refused{};
};

void add_round(const entrant& one, measured& of) {
  for (std::size_t batch = 0; batch < batches_in_a_round; ++batch) {
    of.alone.add(time_batch(one.succeed, of.alone.times));
    if (one.be_refused != nullptr) of.refused.add(time_batch(one.be_refused, of.refused.times));
  }
  if (!second_thread::possible()) return;
  second_thread other;
  const auto until = std::chrono::steady_clock::now() + longest_for_pairs;
  for (std::size_t found = 0; found < batches_in_a_round && std::chrono::steady_clock::now() < until;) {
    const auto both = other.time_on_both(one.succeed, of.together.times);
    if (both) ++found;
    of.together.add(both);
  }
}

/// Rounds of all breakers alternate, so that a bad second of the machine's spreads over all of them.
std::vector<measured> measure(const std::vector<entrant>& entrants, int rounds) {
  std::vector<measured> all(entrants.size());
  for (std::size_t i = 0; i < entrants.size(); ++i) {
    all[i].alone.times = operations_for_a_batch(entrants[i].succeed);
    all[i].together.times = std::max<std::uint64_t>(all[i].alone.times / shorter, 1);
    if (entrants[i].be_refused != nullptr)
      all[i].refused.times = operations_for_a_batch(entrants[i].be_refused);
  }
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < entrants.size(); ++i) add_round(entrants[i], all[i]);
  }
  return all;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields{""};
  for (const char c : line) {
    if (c == '\t') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

constexpr auto columns = "{:<28} {:<38} {:>12} {:>14} {:>12}\n";

using given_rows = std::vector<std::vector<std::string>>;

given_rows read_given(const std::string& file) {
  if (file.empty()) return {};
  std::ifstream lines{file};
  if (!lines) throw std::runtime_error{fmt::format("--given is '{}', which can't be read", file)};
  given_rows rows;
  for (std::string line; std::getline(lines, line);) {
    rows.push_back(fields_of(line));
    if (const auto count = rows.back().size(); count != 5 && count != 2) {
      throw std::runtime_error{fmt::format("--given: '{}' has {} fields; allowed are 5 or 2", line, count)};
    }
  }
  return rows;
}

void print_given(const given_rows& rows) {
  for (const auto& fields : rows) {
    if (fields.size() == 5) {
      fmt::print(columns, fields[0], fields[1], fields[2], fields[3], fields[4]);
    } else {
      fmt::print("{:<28} not measured: {}\n", fields[0], fields[1]);
    }
  }
}

int run(const request& asked) {
  if (asked.help) {
    fmt::print("{}", usage);
    return 0;
  }
  // Ours first, whatever order the linker brought them in.
  auto entrants = registered::all();
  std::stable_partition(entrants.begin(), entrants.end(),
                        [](const entrant& one) { return one.name == "brownout"; });
  for (const auto& one : entrants) {
    if (one.open != nullptr) one.open();
  }
  if (asked.once) {
    for (const auto& one : entrants) {
      one.succeed(3);
      if (one.be_refused != nullptr) one.be_refused(3);
    }
    return 0;
  }
  const auto given = read_given(asked.given);
  auto all = measure(entrants, asked.rounds);
  fmt::print(columns, "circuit breaker", "opens at", "1 thread, ns", "2, each, ns", "refused, ns");
  for (std::size_t i = 0; i < entrants.size(); ++i) {
    fmt::print(columns, entrants[i].name, entrants[i].opens_at, all[i].alone.median(),
               all[i].together.median(), all[i].refused.median());
  }
  print_given(given);
  return 0;
}

}  // namespace

}  // namespace benchmarks::peers

int main(int count, char** words) {
  try {
    return benchmarks::peers::run(benchmarks::peers::parse(count, words));
  } catch (const std::exception& error) {
    fmt::print(stderr, "brownout_peers: {}\n", error.what());
    return 2;
  }
}
