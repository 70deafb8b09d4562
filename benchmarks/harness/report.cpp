// SPDX-License-Identifier: BSL-1.0
#include "harness/report.hpp"

#include "harness/verdict.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace benchmarks {

namespace {

constexpr auto columns = "{:<38} {:>8}  {:<30} {:>8} {:>6} {:>6} {:>18} {:>6}  {:<58} {}\n";

std::string duration_text(std::optional<double> nanoseconds) {
  if (!nanoseconds) return "";
  if (*nanoseconds < 1e3) return fmt::format("{:.2f} ns", *nanoseconds);
  if (*nanoseconds < 1e6) return fmt::format("{:.2f} us", *nanoseconds / 1e3);
  return fmt::format("{:.0f} ms", *nanoseconds / 1e6);
}

std::string number_text(std::optional<double> value, std::string_view format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "";
}

std::string instructions_text(const std::map<std::string, double>& by_compiler) {
  std::string text;
  for (const auto& [compiler, count] : by_compiler) {
    text += fmt::format("{}{}", text.empty() ? "" : " / ", std::round(count * 10) / 10);
  }
  return text;
}

/// "clang / gcc instr.": whose counts stand in which order.
std::string instructions_title(const std::vector<row>& rows) {
  std::string text;
  for (const auto& one : rows) {
    for (const auto& [compiler, count] : one.found.instructions) {
      text += (text.empty() ? "" : " / ") + compiler;
    }
    if (!text.empty()) break;
  }
  return text + " instr.";
}

std::string goals_text(const std::vector<judgement>& judged) {
  std::string text;
  for (const auto& one : judged) text += (text.empty() ? "" : ", ") + one.goal;
  return text;
}

std::string json_number(std::optional<double> value) {
  return value ? fmt::format("{:.6g}", *value) : "null";
}

/// Names and goals hold no character below a space; quotation marks and backslashes may occur.
std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string json_instructions(const std::map<std::string, double>& by_compiler) {
  std::string text;
  for (const auto& [compiler, count] : by_compiler) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", json_string(compiler), json_number(count));
  }
  return "{" + text + "}";
}

}  // namespace

void print_table(const std::vector<row>& rows, std::FILE* to) {
  fmt::print(to, columns, "case", "cost", "floor", "cost", "ratio", "growth", instructions_title(rows),
             "allocs", "goals", "");
  for (const auto& [what, found] : rows) {
    const auto judged = judge(what.wanted, found);
    fmt::print(to, columns, what.name, duration_text(found.cost), what.beside.name,
               duration_text(found.floor_cost), number_text(found.ratio, "{:.2f}"),
               number_text(found.growth, "{:.2f}"), instructions_text(found.instructions),
               number_text(found.allocations, "{:.3g}"), goals_text(judged), summary(judged));
  }
}

void print_json(const std::vector<row>& rows, std::FILE* to) {
  fmt::print(to, "{{\"rows\": [");
  const char* separator = "\n";
  for (const auto& [what, found] : rows) {
    const auto judged = judge(what.wanted, found);
    fmt::print(
        to,
        "{}  {{\"case\": {}, \"ns\": {}, \"floor\": {}, \"floor_ns\": {}, \"ratio\": {}, \"growth\": {}, "
        "\"instructions\": {}, \"allocations\": {}, \"goals\": {}, \"met\": {}, \"result\": {}}}",
        separator, json_string(what.name), json_number(found.cost), json_string(what.beside.name),
        json_number(found.floor_cost), json_number(found.ratio), json_number(found.growth),
        json_instructions(found.instructions), json_number(found.allocations),
        json_string(goals_text(judged)), all_met(judged), json_string(summary(judged)));
    separator = ",\n";
  }
  fmt::print(to, "\n]}}\n");
}

}  // namespace benchmarks
