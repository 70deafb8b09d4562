// SPDX-License-Identifier: BSL-1.0
#include "studies/levels/report.hpp"

#include "studies/levels/goals.hpp"
#include "studies/shared/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
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

constexpr std::array<column, 10> of_levels{{
    {"C", "cost", cost},
    {"C, 3 : 1", "cost_of_promises", cost_of_promises},
    {"C, 1 : 3", "cost_of_caution", cost_of_caution},
    {"too good s", "too_good_s", too_good},
    {"too bad s", "too_bad_s", too_bad},
    {"changes", "changes", changes},
    {"flaps", "flaps", flaps},
    {"to worse s", "to_worse_s", lateness_to_worse},
    {"to better s", "to_better_s", lateness_to_better},
    {"ends wrong %", "ends_wrong_percent", ends_wrong},
}};
constexpr std::array<column, 5> of_users{{
    {"failed in 1000", "failed_in_1000", failed_requests},
    {"off in vain", "off_in_vain_min", off_in_vain},
    {"on in vain", "on_in_vain_min", on_in_vain},
    {"shed", "shed_min", shed},
    {"good answers in 1000", "good_answers_in_1000", good_answers},
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

bool takes_part(const figures& found, trace_group group) {
  return std::any_of(found.traces().begin(), found.traces().end(),
                     [&](const trace& one) { return one.group == group; });
}

void print_means(const figures& found, trace_group group, std::string_view what,
                 std::span<const column> columns, std::FILE* to) {
  if (!takes_part(found, group)) return;
  row title{fmt::format("{}, {} traces", what, name_of(group))};
  for (const auto& one : columns) title.emplace_back(one.title);
  std::vector<row> rows{title};
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    row next{name_of(found.entrants()[i])};
    for (const auto& one : columns) {
      const auto figure = found.of(i, one.what, group);
      next.push_back(one.key.starts_with("cost") ? with_error(figure) : text_of(figure));
    }
    rows.push_back(next);
  }
  print_table(rows, to);
}

/// One or two figures a cell.
void print_by_trace(std::string_view what, const figures& found, trace_group group, figures::metric first,
                    figures::metric second, std::FILE* to) {
  if (!takes_part(found, group)) return;
  row title{std::string{what}};
  for (const auto& one : found.traces()) {
    if (one.group == group) title.emplace_back(one.name);
  }
  std::vector<row> rows{title};
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    row next{name_of(found.entrants()[i])};
    for (std::size_t j = 0; j < found.traces().size(); ++j) {
      if (found.traces()[j].group != group) continue;
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
  for (const auto group : all_groups) {
    print_means(found, group, "levels", of_levels, to);
    print_means(found, group, "users", of_users, to);
  }
  for (const auto group : all_groups) {
    print_by_trace("C", found, group, cost, nullptr, to);
    print_by_trace("too good s / too bad s", found, group, too_good, too_bad, to);
    print_by_trace("changes / flaps", found, group, changes, flaps, to);
    print_by_trace("to worse s / to better s", found, group, lateness_to_worse, lateness_to_better, to);
    print_by_trace("ends wrong %", found, group, ends_wrong, nullptr, to);
    print_by_trace("failed in 1000", found, group, failed_requests, nullptr, to);
    print_by_trace("off / on in vain", found, group, off_in_vain, on_in_vain, to);
  }
  print_comparison(found, to);
}

void print_json(const figures& found, std::FILE* to) {
  fmt::print(to, "[");
  const char* separator = "\n";
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    for (std::size_t j = 0; j < found.traces().size(); ++j) {
      fmt::print(to, "{}  {{\"policy\": \"{}\", \"trace\": \"{}\"", separator, found.entrants()[i].name,
                 found.traces()[j].name);
      const auto print = [&](std::span<const column> columns) {
        for (const auto& one : columns) {
          const auto figure = found.of(i, j, one.what);
          fmt::print(to, ", \"{}\": {}", one.key, figure ? fmt::format("{:.6g}", figure->mean) : "null");
        }
      };
      print(of_levels);
      print(of_users);
      fmt::print(to, "}}");
      separator = ",\n";
    }
  }
  fmt::print(to, "\n]\n");
}

}  // namespace studies::levels
