// SPDX-License-Identifier: BSL-1.0
#include "studies/fleet/report.hpp"

#include "studies/shared/table.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace studies::fleet {

namespace {

struct column {
  std::string_view title;
  std::string_view key;  ///< in JSON
  figures::metric what;
};

constexpr std::array<column, 7> columns{{
    {"W", "wrong_in_1000", wrong},
    {"probes a second", "probes_a_second", probes_a_second},
    {"most in 100 ms", "most_probes", most_probes},
    {"together %", "together_percent", together},
    {"load", "load", load},
    {"useful %", "useful_percent", useful},
    {"95 % after s", "recovered_after_s", recovered_after},
}};

std::string name_of(const entrant& one) {
  return one.kind == entrant_kind::ours ? fmt::format("**{}**", one.name) : one.name;
}

void print_trace(const figures& found, std::size_t trace, std::FILE* to) {
  // What a trace does not measure, nobody's run has.
  std::vector<column> measured;
  for (const auto& one : columns) {
    if (found.of(0, trace, one.what)) measured.push_back(one);
  }
  row title{fmt::format("{}: {}", found.traces()[trace].name, found.traces()[trace].what_happens)};
  for (const auto& one : measured) title.emplace_back(one.title);
  std::vector<row> rows{title};
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    row next{name_of(found.entrants()[i])};
    for (const auto& one : measured) {
      const auto figure = *found.of(i, trace, one.what);
      next.push_back(one.what == wrong ? fmt::format("{:.1f} ± {:.1f}", figure.mean, figure.error)
                                       : fmt::format("{:.1f}", figure.mean));
    }
    rows.push_back(next);
  }
  print_table(rows, to);
}

}  // namespace

void print_tables(const figures& found, std::FILE* to) {
  for (std::size_t i = 0; i < found.traces().size(); ++i) print_trace(found, i, to);
}

void print_json(const figures& found, std::FILE* to) {
  fmt::print(to, "[");
  const char* separator = "\n";
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    for (std::size_t j = 0; j < found.traces().size(); ++j) {
      fmt::print(to, "{}  {{\"policy\": \"{}\", \"trace\": \"{}\"", separator, found.entrants()[i].name,
                 found.traces()[j].name);
      for (const auto& one : columns) {
        const auto figure = found.of(i, j, one.what);
        fmt::print(to, ", \"{}\": {}", one.key, figure ? fmt::format("{:.6g}", figure->mean) : "null");
      }
      fmt::print(to, "}}");
      separator = ",\n";
    }
  }
  fmt::print(to, "\n]\n");
}

}  // namespace studies::fleet
