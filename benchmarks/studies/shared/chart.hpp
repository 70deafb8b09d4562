// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/drawing.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace studies {

/// What a chart says about itself.
struct chart_title {
  std::string_view name;         ///< for who can't see it
  std::string_view explanation;  ///< above the chart
};

/// A bar in several parts, laid end to end.
struct bar {
  std::string_view name{};
  bool ours = false;
  std::vector<double> parts{};
};
struct bar_part {
  std::string_view colour;
  std::string_view meaning;
  double legend_width;  ///< pixels to the next one
};

/// One bar a line, the first on top.
[[nodiscard]] drawing draw_bars(const chart_title& title, const std::vector<bar_part>& parts,
                                const std::vector<bar>& bars);

struct dot {
  std::string_view name{};
  bool ours = false;
  double value = 0;
};
struct line_of_dots {
  std::string_view name{};
  std::vector<dot> dots{};
};

/// One line of dots each, on a logarithmic scale; what is less than `least` is shown there.
[[nodiscard]] drawing draw_dots(const chart_title& title, double least, double most,
                                const std::vector<line_of_dots>& lines);

/// Throws `std::runtime_error` when it can't.
void write_drawing(const std::string& directory, std::string_view name, const drawing& what);

namespace colours {
inline constexpr std::string_view too_good =
    "#d95f02";  ///< failures let through, levels that promise too much
inline constexpr std::string_view too_bad = "#7570b3";  ///< calls refused, levels that promise too little
inline constexpr std::string_view restless = "#e6ab02";
inline constexpr std::string_view ours = "#1b9e77";
inline constexpr std::string_view others = "#888888";
}  // namespace colours

}  // namespace studies
