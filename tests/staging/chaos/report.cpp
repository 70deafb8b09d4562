// SPDX-License-Identifier: BSL-1.0
#include "staging/chaos/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

namespace staging_chaos {

namespace {

/// What the cases of one kind showed together.
struct summary {
  std::size_t cases = 0;
  std::vector<double> detection{};
  std::vector<double> half_open_late{};
  std::vector<double> recovery{};
  std::size_t requests = 0;
  std::size_t refused = 0;
  double slowest = 0;
  std::size_t complaints = 0;

  void add(const case_result& one) {
    const auto note = [](std::vector<double>& into, const std::optional<seconds>& value) {
      if (value) into.push_back(value->count());
    };
    ++cases;
    note(detection, one.detection);
    note(half_open_late, one.half_open_late);
    note(recovery, one.recovery);
    requests += one.requests;
    refused += one.refused;
    slowest = (std::max)(slowest, one.slowest.count());
    complaints += one.complaints.size();
  }
};

/// The median and the greatest, or a dash.
std::string spread(std::vector<double> values) {
  if (values.empty()) return "-";
  std::sort(values.begin(), values.end());
  return fmt::format("{:.2f} / {:.2f}", values[values.size() / 2], values.back());
}

constexpr std::string_view colour_of(std::string_view state) {
  if (state == "open" || state == "EMERGENCY") return "#b3261e";
  if (state == "half_open" || state == "MINIMAL") return "#d9822b";
  if (state == "LIMITED") return "#e0b12c";
  if (state == "DEGRADED") return "#a8b545";
  return "#4c8c4a";
}

}  // namespace

std::size_t complaints_in(const std::vector<lane_record>& lanes) {
  std::size_t count = 0;
  for (const auto& lane : lanes) {
    for (const auto& one : lane.cases) count += one.complaints.size();
  }
  return count;
}

std::string text_report(const std::vector<lane_record>& lanes) {
  std::map<std::string, summary> kinds;
  summary all;
  for (const auto& lane : lanes) {
    for (const auto& one : lane.cases) {
      kinds[one.kind + (lane.cases.front().kind == "SIGKILL" ? " of " + one.victims : "")].add(one);
      all.add(one);
    }
  }
  std::string text =
      fmt::format("{:<26} {:>5} {:>15} {:>15} {:>15} {:>8} {:>7} {:>8} {:>6}\n", "fault", "cases",
                  "detected, s", "tested late, s", "closed, s", "requests", "refused", "slowest", "broken");
  const auto row = [&](std::string_view kind, const summary& one) {
    fmt::format_to(std::back_inserter(text),
                   "{:<26} {:>5} {:>15} {:>15} {:>15} {:>8} {:>7} {:>6.2f} s {:>6}\n", kind, one.cases,
                   spread(one.detection), spread(one.half_open_late), spread(one.recovery), one.requests,
                   one.refused, one.slowest, one.complaints);
  };
  for (const auto& [kind, one] : kinds) row(kind, one);
  row("all", all);
  text +=
      "\nTimes are the median and the greatest. Refused: 503 that were allowed. Broken: promises not kept.\n";
  for (const auto& lane : lanes) {
    for (const auto& one : lane.cases) {
      for (const auto& what : one.complaints)
        fmt::format_to(std::back_inserter(text), "BROKEN  {} of {}: {}\n", one.kind, one.victims, what);
    }
  }
  return text;
}

std::string timeline_svg(const lane_record& lane) {
  constexpr double shown = 120;  // seconds
  constexpr double left = 90;
  constexpr double per_second = 8;
  constexpr double row_height = 22;
  const auto x_of = [&](wall_time at) {
    const seconds after = at - lane.began;
    return left + per_second * std::clamp(after.count(), 0.0, shown);
  };
  std::vector<std::string> rows{"level"};
  for (const auto& one : lane.faults) {
    if (std::ranges::find(rows, one.dependency) == rows.end()) rows.push_back(one.dependency);
  }
  const auto height = row_height * static_cast<double>(rows.size()) + 50;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
      "{1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      left + per_second * shown + 20, height);
  const auto out = std::back_inserter(svg);
  const auto bar = [&](double y, double thick, wall_time from, wall_time until, std::string_view colour,
                       std::string_view title) {
    const double x = x_of(from);
    const double width = x_of(until) - x;
    if (width <= 0) return;
    fmt::format_to(
        out,
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"><title>{}</title>"
        "</rect>\n",
        x, y, width, thick, colour, title);
  };
  const auto end = lane.began + std::chrono::duration_cast<wall_time::duration>(seconds{shown});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double y = 20 + row_height * static_cast<double>(i);
    fmt::format_to(out, "<text x=\"8\" y=\"{:.1f}\">{}</text>\n", y + 10, rows[i]);
    std::string state = rows[i] == "level" ? "OPTIMAL" : "closed";
    auto since = lane.began;
    for (const auto& one : lane.changes) {
      if (one.subject != rows[i]) continue;
      bar(y, 9, since, one.at, colour_of(state), state);
      state = one.to;
      since = one.at;
    }
    bar(y, 9, since, end, colour_of(state), state);
    for (const auto& one : lane.faults) {
      if (one.dependency == rows[i]) bar(y + 11, 4, one.began, one.ended, "#333333", one.fault);
    }
  }
  for (double second = 0; second <= shown; second += 20) {
    fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"#555555\">{:.0f} s</text>\n",
                   left + per_second * second, height - 12, second);
  }
  return svg + "</svg>\n";
}

}  // namespace staging_chaos
