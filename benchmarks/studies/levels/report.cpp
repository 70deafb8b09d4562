// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/report.hpp"

#include "studies/levels/goals.hpp"
#include "studies/shared/table.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace studies::levels {

namespace {

struct column {
  std::string_view title;
  std::string_view key;  ///< in JSON
  figures::metric what;
};

constexpr std::array<column, 13> columns{{
    {"too good s", "too_good_s", too_good},
    {"too bad s", "too_bad_s", too_bad},
    {"changes", "changes", changes},
    {"flaps", "flaps", flaps},
    {"off in vain", "off_though_working_min", off_though_working},
    {"on in vain", "on_though_failing_min", on_though_failing},
    {"failed in 1000", "failed_in_1000", failed_requests},
    {"to worse s", "to_worse_s", lateness_to_worse},
    {"to better s", "to_better_s", lateness_to_better},
    {"ends wrong %", "ends_wrong_percent", ends_wrong},
    {"C", "cost", cost},
    {"C, 3 : 1", "cost_of_promises", cost_of_promises},
    {"C, 1 : 3", "cost_of_caution", cost_of_caution},
}};

std::string name_of(const entrant& one) {
  return one.kind == entrant_kind::ours ? fmt::format("**{}**", one.name) : one.name;
}

std::string text_of(const std::optional<estimate>& one) {
  return one ? fmt::format("{:.1f}", one->mean) : "–";
}
std::string with_error(const std::optional<estimate>& one) {
  return one ? fmt::format("{:.1f} ± {:.1f}", one->mean, one->error) : "–";
}

void print_means(const figures& found, std::FILE* to) {
  row title{"mean over the traces"};
  for (const auto& one : columns) title.emplace_back(one.title);
  std::vector<row> rows{title};
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    row next{name_of(found.entrants()[i])};
    for (const auto& one : columns) {
      const auto figure = found.of(i, one.what);
      next.push_back(one.key.starts_with("cost") ? with_error(figure) : text_of(figure));
    }
    rows.push_back(next);
  }
  print_table(rows, to);
}

/// One or two figures a cell.
void print_by_trace(std::string_view what, const figures& found, figures::metric first,
                    figures::metric second, std::FILE* to) {
  row title{std::string{what}};
  for (const auto& one : found.traces()) title.emplace_back(one.name);
  std::vector<row> rows{title};
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    row next{name_of(found.entrants()[i])};
    for (std::size_t j = 0; j < found.traces().size(); ++j) {
      next.push_back(second == nullptr
                         ? text_of(found.of(i, j, first))
                         : text_of(found.of(i, j, first)) + "/" + text_of(found.of(i, j, second)));
    }
    rows.push_back(next);
  }
  print_table(rows, to);
}

void print_comparison(const figures& found, std::FILE* to) {
  std::vector<row> rows{{"trace", "best peer", "its C", "brownout", "± error", ""}};
  for (const auto& one : compare_by_trace(found)) {
    const auto& trace = found.traces()[one.trace];
    rows.push_back({fmt::format("{}: {}", trace.name, trace.what_happens),
                    found.entrants()[one.best_peer].name, fmt::format("{:.1f}", one.best),
                    fmt::format("{:.1f}", one.ours.mean), fmt::format("{:.1f}", one.ours.error),
                    one.falls_behind() ? "behind" : ""});
  }
  if (rows.size() > 1) print_table(rows, to);
}

}  // namespace

void print_tables(const figures& found, std::FILE* to) {
  print_means(found, to);
  print_by_trace("too good s / too bad s", found, too_good, too_bad, to);
  print_by_trace("changes / flaps", found, changes, flaps, to);
  print_by_trace("to worse s / to better s", found, lateness_to_worse, lateness_to_better, to);
  print_by_trace("ends wrong %", found, ends_wrong, nullptr, to);
  print_by_trace("off / on in vain", found, off_though_working, on_though_failing, to);
  print_by_trace("C", found, cost, nullptr, to);
  print_comparison(found, to);
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

}  // namespace studies::levels
