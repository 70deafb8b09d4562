// SPDX-License-Identifier: BSL-1.0
#include "studies/shared/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace studies {

namespace {

/// Characters, not bytes: of UTF-8 all but the continuation bytes.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char one) { return (one & 0xc0) != 0x80; }));
}

}  // namespace

void print_table(const std::vector<row>& rows, std::FILE* to) {
  std::vector<std::size_t> widths(rows.front().size(), 3);
  for (const auto& one : rows) {
    for (std::size_t i = 0; i < one.size(); ++i) widths[i] = std::max(widths[i], width(one[i]));
  }
  const auto print_row = [&](const row& one) {
    for (std::size_t i = 0; i < one.size(); ++i) {
      const std::string space(widths[i] - width(one[i]), ' ');
      fmt::print(to, "| {}{}{} ", i == 0 ? "" : space, one[i], i == 0 ? space : "");
    }
    fmt::print(to, "|\n");
  };
  print_row(rows.front());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    fmt::print(to, "|{}{}", std::string(widths[i] + 1, '-'), i == 0 ? "-" : ":");
  }
  fmt::print(to, "|\n");
  std::for_each(rows.begin() + 1, rows.end(), print_row);
  fmt::print(to, "\n");
}

}  // namespace studies
