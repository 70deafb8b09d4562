// SPDX-License-Identifier: BSL-1.0
#include "studies/client/report.hpp"

#include "studies/shared/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace studies {

namespace {

std::string percent(std::optional<double> share) {
  if (!share) return "–";
  const auto text = fmt::format("{:.1f}", *share * 100);
  if (text == "0.0" || text == "100.0") return text.substr(0, text.size() - 2);
  return text.starts_with("0.") ? text.substr(1) : text;
}

std::string text_of(estimate one) {
  return fmt::format("{:.1f} ± {:.1f}", one.mean, one.error);
}

std::string name_of(const entrant& one) {
  return one.kind == entrant_kind::ours ? fmt::format("**{}**", one.name) : one.name;
}

void print_shares(const figures& found, trace_group group, std::FILE* to) {
  row title{"let through % / refused %"};
  for (const auto& one : found.traces()) {
    if (one.group == group) title.emplace_back(one.name);
  }
  title.emplace_back("W");
  title.emplace_back("answered %");
  std::vector<row> rows{title};
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    row next{name_of(found.entrants()[i])};
    for (std::size_t j = 0; j < found.traces().size(); ++j) {
      if (found.traces()[j].group != group) continue;
      next.push_back(percent(found.let_through(i, j)) + "/" + percent(found.refused(i, j)));
    }
    next.push_back(text_of(found.wrong(i, group)));
    next.push_back(percent(found.answered(i, group)));
    rows.push_back(next);
  }
  print_table(rows, to);
}

/// `figure` of each entrant in each trace.
template <class Figure>
void print_each(const figures& found, trace_group group, std::string what, Figure figure, std::FILE* to) {
  row title{std::move(what)};
  for (const auto& one : found.traces()) {
    if (one.group == group) title.emplace_back(one.name);
  }
  std::vector<row> rows{title};
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    row next{name_of(found.entrants()[i])};
    for (std::size_t j = 0; j < found.traces().size(); ++j) {
      if (found.traces()[j].group == group) next.push_back(fmt::format("{:.1f}", figure(i, j)));
    }
    rows.push_back(next);
  }
  print_table(rows, to);
}

void print_comparison(const figures& found, std::FILE* to) {
  std::vector<row> rows{
      {"trace", "group", "best peer", "its W", "brownout", "± error", "its answered %", "brownout", ""}};
  const auto all = compare_by_trace(found);
  for (const auto& one : all) {
    const auto& where = found.traces()[one.trace];
    rows.push_back({fmt::format("{}: {}", where.name, where.what_happens), std::string{name_of(where.group)},
                    found.entrants()[one.best_peer].name, fmt::format("{:.2f}", one.best_wrong),
                    fmt::format("{:.2f}", one.our_wrong),
                    fmt::format("{:.2f}", found.wrong(one.ours, one.trace).error),
                    percent(found.answered(one.best_peer, one.trace)),
                    percent(found.answered(one.ours, one.trace)), one.falls_behind() ? "behind" : ""});
  }
  if (!all.empty()) print_table(rows, to);
}

void print_ranking(const figures& found, trace_group group, std::FILE* to) {
  constexpr weights by_count{1, 1};
  constexpr weights by_failures{3, 1};
  constexpr weights by_refusals{1, 3};
  std::vector<row> rows{{"W, let through : refused =", "1 : 1", "3 : 1", "1 : 3"}};
  for (const auto which : ranking(found, group, by_count)) {
    row next{name_of(found.entrants()[which])};
    for (const auto by : {by_count, by_failures, by_refusals}) {
      next.push_back(text_of(found.wrong(which, group, by)));
    }
    rows.push_back(next);
  }
  print_table(rows, to);
}

std::string json_number(std::optional<double> value) {
  return value ? fmt::format("{:.6g}", *value) : "null";
}

}  // namespace

void print_tables(const figures& found, std::FILE* to) {
  for (const auto group : all_groups) {
    if (!found.has(group)) continue;
    fmt::print(to, "Traces: {}\n\n", name_of(group));
    print_shares(found, group, to);
    print_each(
        found, group, "wrong in 1000 calls",
        [&](std::size_t entrant, std::size_t trace) { return found.wrong(entrant, trace).mean; }, to);
    print_each(
        found, group, "answered %",
        [&](std::size_t entrant, std::size_t trace) { return 100 * found.answered(entrant, trace); }, to);
    print_ranking(found, group, to);
  }
  print_comparison(found, to);
}

void print_goals(const std::vector<goal>& goals, std::FILE* to) {
  for (const auto& one : goals) fmt::print(to, "{} {}\n", one.met ? "met:   " : "MISSED:", one.what);
}

void print_json(const figures& found, std::FILE* to) {
  fmt::print(to, "[");
  const char* separator = "\n";
  for (std::size_t i = 0; i < found.entrants().size(); ++i) {
    for (std::size_t j = 0; j < found.traces().size(); ++j) {
      const auto wrong = found.wrong(i, j);
      fmt::print(to,
                 "{}  {{\"policy\": \"{}\", \"trace\": \"{}\", \"let_through\": {}, \"refused\": {}, "
                 "\"answered\": {:.6g}, \"wrong_in_1000\": {:.6g}, \"error\": {:.3g}}}",
                 separator, found.entrants()[i].name, found.traces()[j].name,
                 json_number(found.let_through(i, j)), json_number(found.refused(i, j)), found.answered(i, j),
                 wrong.mean, wrong.error);
      separator = ",\n";
    }
  }
  fmt::print(to, "\n]\n");
}

}  // namespace studies
