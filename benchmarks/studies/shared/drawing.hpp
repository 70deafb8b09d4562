// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace studies {

/// Text of an SVG in the making. Coordinates are pixels, from the upper left.
///
/// It shows on light and on dark pages: words and lines have the page's own colour where it is known, a grey
/// that can be read on both where not.
class drawing {
 public:
  enum class anchor { start, middle, end };

  drawing(double width, double height, std::string_view title) {
    text_ = fmt::format(
        R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}" height="{:.0f}" )"
        R"(font-family="sans-serif" font-size="12" role="img"><title>{}</title>)"
        "\n",
        width, height, width, height, title);
  }

  void words(double x, double y, std::string_view what, anchor where = anchor::start, bool bold = false) {
    constexpr std::string_view names[] = {"start", "middle", "end"};
    text_ += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{} fill="#777">{}</text>)"
                         "\n",
                         x, y, names[static_cast<int>(where)], bold ? R"( font-weight="bold")" : "", what);
  }
  void bar(double x, double y, double width, double height, std::string_view colour) {
    text_ += fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"/>)"
                         "\n",
                         x, y, width, height, colour);
  }
  void line(double x, double y, double to_x, double to_y) {
    text_ += fmt::format(
        R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="#999" stroke-opacity=".4"/>)"
        "\n",
        x, y, to_x, to_y);
  }
  /// `hint` is shown by pointing at it.
  void dot(double x, double y, double radius, std::string_view colour, std::string_view hint) {
    text_ += fmt::format(
        R"(<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="{}" fill-opacity=".8"><title>{}</title></circle>)"
        "\n",
        x, y, radius, colour, hint);
  }
  [[nodiscard]] std::string finished() const { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

}  // namespace studies
