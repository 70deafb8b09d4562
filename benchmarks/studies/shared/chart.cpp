// SPDX-License-Identifier: BSL-1.0
#include "studies/shared/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <numeric>
#include <stdexcept>

namespace studies {

namespace {

using anchor = drawing::anchor;

constexpr double plot_width = 560;
constexpr double line_height = 24;
constexpr double top = 50;

/// Room for the names, on the left of the plot.
template <class Named>
double room_for_names(const std::vector<Named>& all) {
  std::size_t longest = 0;
  for (const auto& one : all) longest = std::max(longest, one.name.size());
  return std::max(130.0, 6.8 * static_cast<double>(longest) + 12);
}

double length_of(const bar& one) {
  return std::accumulate(one.parts.begin(), one.parts.end(), 0.0);
}

void draw_legend(drawing& all, const std::vector<bar_part>& parts, double left) {
  double x = left;
  for (const auto& one : parts) {
    all.bar(x, 26, 10, 10, one.colour);
    all.words(x + 15, 35, one.meaning);
    x += one.legend_width;
  }
}

}  // namespace

drawing draw_bars(const chart_title& title, const std::vector<bar_part>& parts,
                  const std::vector<bar>& bars) {
  const auto left = room_for_names(bars);
  double most = 0;
  for (const auto& one : bars) most = std::max(most, length_of(one));
  const auto scale = plot_width / most;
  drawing all{left + plot_width + 60, top + line_height * static_cast<double>(bars.size()) + 10, title.name};
  all.words(left, 16, title.explanation);
  draw_legend(all, parts, left);
  double y = top;
  for (const auto& one : bars) {
    all.words(left - 8, y + 14, one.name, anchor::end, one.ours);
    double x = left;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      all.bar(x, y + 3, one.parts[i] * scale, line_height - 8, parts[i].colour);
      x += one.parts[i] * scale;
    }
    all.words(x + 6, y + 14, fmt::format("{:.1f}", length_of(one)));
    y += line_height;
  }
  return all;
}

drawing draw_dots(const chart_title& title, double least, double most,
                  const std::vector<line_of_dots>& lines) {
  const auto left = room_for_names(lines);
  const auto x_of = [&](double value) {
    return left + plot_width * std::log(std::max(value, least) / least) / std::log(most / least);
  };
  const auto height = top + line_height * static_cast<double>(lines.size());
  drawing all{left + plot_width + 60, height + 10, title.name};
  all.words(left, 16, title.explanation);
  all.dot(left + 480, 12, 6, colours::ours, "brownout");
  all.words(left + 490, 16, "brownout");
  for (double mark = least; mark <= most * 1.01; mark *= 10) {
    all.line(x_of(mark), top - 8, x_of(mark), height);
    all.words(x_of(mark), top - 12, fmt::format("{:g}", mark), anchor::middle);
  }
  double y = top + line_height / 2;
  for (const auto& line : lines) {
    all.words(left - 12, y + 4, line.name, anchor::end);
    all.line(left, y, left + plot_width, y);
    // Ours last, on top of the others.
    for (const bool ours : {false, true}) {
      for (const auto& one : line.dots) {
        if (one.ours != ours) continue;
        all.dot(x_of(one.value), y, ours ? 6 : 4, ours ? colours::ours : colours::others,
                fmt::format("{}: {:.1f}", one.name, one.value));
      }
    }
    y += line_height;
  }
  return all;
}

void write_drawing(const std::string& directory, std::string_view name, const drawing& what) {
  const auto path = fmt::format("{}/{}", directory, name);
  std::ofstream file{path};
  file << what.finished();
  if (!file) throw std::runtime_error{"can't write " + path};
}

}  // namespace studies
