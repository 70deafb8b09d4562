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

constexpr auto columns = "{:<38} {:>9}  {:<29} {:>9} {:>15} {:>12} {:>18} {:>10}   {}\n";

std::string duration_text(std::optional<double> nanoseconds) {
  if (!nanoseconds) return "";
  if (*nanoseconds < 1e3) return fmt::format("{:.2f} ns", *nanoseconds);
  if (*nanoseconds < 1e6) return fmt::format("{:.2f} us", *nanoseconds / 1e3);
  return fmt::format("{:.0f} ms", *nanoseconds / 1e6);
}

/// The figure, and the most that it may be.
std::string with_goal(std::string figure, std::optional<double> most) {
  if (most) figure += fmt::format(" ≤ {}", *most);
  return figure;
}

std::string number_text(std::optional<double> value) {
  return value ? fmt::format("{:.2f}", *value) : "";
}

std::string instructions_text(const std::map<std::string, double>& by_compiler) {
  std::string text;
  for (const auto& [compiler, count] : by_compiler) {
    text += fmt::format("{}{}", text.empty() ? "" : " / ", std::round(count));
  }
  return text;
}

/// The count with its goal; with a goal for the surplus, that is in it too: "783 / 803, +157 ≤ 240 / +180 ≤
/// 200".
std::string instructions_cell(const scenario& what, const measurement& found) {
  auto text = with_goal(instructions_text(found.instructions), what.wanted.instructions);
  if (what.wanted.surplus && !found.surplus.empty()) {
    const char* separator = ", ";
    for (const auto& [compiler, count] : found.surplus) {
      const auto most = compiler == "clang" ? what.wanted.surplus->clang : what.wanted.surplus->gcc;
      text += fmt::format("{}+{} ≤ {}", separator, std::round(count), most);
      separator = " / ";
    }
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

std::string json_goals(const std::vector<judgement>& judged) {
  std::string text;
  for (const auto& one : judged) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", json_string(one.goal), json_number(one.most));
  }
  return "{" + text + "}";
}

}  // namespace

void print_table(const std::vector<row>& rows, std::FILE* to) {
  fmt::print(to, columns, "case", "cost", "floor", "cost", "ratio", "growth", instructions_title(rows),
             "allocs", "goals");
  for (const auto& [what, found] : rows) {
    const auto allocations = found.allocations ? fmt::format("{:.3g}", *found.allocations) : "";
    fmt::print(to, columns, what.name, duration_text(found.cost), what.beside.name,
               duration_text(found.floor_cost), with_goal(number_text(found.ratio), what.wanted.ratio),
               with_goal(number_text(found.growth), what.wanted.growth), instructions_cell(what, found),
               with_goal(allocations, what.wanted.allocations), summary(judge(what.wanted, found)));
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
        json_instructions(found.instructions), json_number(found.allocations), json_goals(judged),
        all_met(judged), json_string(summary(judged)));
    separator = ",\n";
  }
  fmt::print(to, "\n]}}\n");
}

}  // namespace benchmarks
