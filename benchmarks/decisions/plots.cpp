// SPDX-License-Identifier: BSL-1.0
#include "decisions/plots.hpp"

#include "decisions/drawing.hpp"
#include "decisions/goals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace decisions {

namespace {

using anchor = drawing::anchor;

constexpr std::string_view let_through_colour = "#d95f02";
constexpr std::string_view refused_colour = "#7570b3";
constexpr std::string_view our_colour = "#1b9e77";
constexpr std::string_view peer_colour = "#888888";

constexpr double left = 130;
constexpr double plot_width = 560;
constexpr double line_height = 24;
constexpr double top = 50;

void write(const std::string& directory, std::string_view name, const drawing& what) {
  const auto path = fmt::format("{}/{}", directory, name);
  std::ofstream file{path};
  file << what.finished();
  if (!file) throw std::runtime_error{"can't write " + path};
}

/// One bar a policy, the best first, in two parts.
drawing draw_policies(const figures& found) {
  const auto order = ranking(found, trace_group::listed, {});
  const auto wrong = [&](std::size_t which, weights by) {
    return found.wrong(which, trace_group::listed, by).mean;
  };
  double most = 0;
  for (const auto which : order) most = std::max(most, wrong(which, {}));
  const auto scale = plot_width / most;
  drawing all{left + plot_width + 60, top + line_height * static_cast<double>(order.size()) + 10,
              "Wrong decisions in 1000 calls by policy"};
  all.words(left, 16, "wrong decisions in 1000 calls, mean over the listed traces");
  all.bar(left, 26, 10, 10, let_through_colour);
  all.words(left + 15, 35, "failures let through while bad");
  all.bar(left + 220, 26, 10, 10, refused_colour);
  all.words(left + 235, 35, "calls refused while good");
  double y = top;
  for (const auto which : order) {
    // Weighing only one kind gives twice its part.
    const auto through = wrong(which, {.let_through = 1, .refused = 0}) / 2;
    const auto refused = wrong(which, {.let_through = 0, .refused = 1}) / 2;
    const auto& one = found.entrants()[which];
    all.words(left - 8, y + 14, one.name, anchor::end, one.kind == entrant_kind::ours);
    all.bar(left, y + 3, through * scale, line_height - 8, let_through_colour);
    all.bar(left + through * scale, y + 3, refused * scale, line_height - 8, refused_colour);
    all.words(left + (through + refused) * scale + 6, y + 14, fmt::format("{:.1f}", through + refused));
    y += line_height;
  }
  return all;
}

/// One line a trace, one dot a policy, from one wrong decision in 10000 calls on.
drawing draw_traces(const figures& found) {
  constexpr double least = 0.1;
  constexpr double most = 1000;
  const auto x_of = [&](double wrong) {
    return left + plot_width * std::log(std::max(wrong, least) / least) / std::log(most / least);
  };
  const auto height = top + line_height * static_cast<double>(found.traces().size());
  drawing all{left + plot_width + 60, height + 10, "Wrong decisions in 1000 calls by trace"};
  all.words(left, 16, "wrong decisions in 1000 calls, by trace; at the left edge: 0.1 or fewer");
  all.dot(left + 480, 12, 6, our_colour, "brownout");
  all.words(left + 490, 16, "brownout");
  for (double mark = least; mark <= most * 1.01; mark *= 10) {
    all.line(x_of(mark), top - 8, x_of(mark), height);
    all.words(x_of(mark), top - 12, fmt::format("{:g}", mark), anchor::middle);
  }
  double y = top + line_height / 2;
  for (std::size_t trace = 0; trace < found.traces().size(); ++trace) {
    all.words(left - 12, y + 4, found.traces()[trace].name, anchor::end);
    all.line(left, y, left + plot_width, y);
    // Ours last, on top of the others.
    for (const auto kind : {entrant_kind::peer, entrant_kind::ours}) {
      for (std::size_t i = 0; i < found.entrants().size(); ++i) {
        const auto& one = found.entrants()[i];
        if (one.kind != kind) continue;
        const auto wrong = found.wrong(i, trace).mean;
        const bool ours = kind == entrant_kind::ours;
        all.dot(x_of(wrong), y, ours ? 6 : 4, ours ? our_colour : peer_colour,
                fmt::format("{}: {:.1f}", one.name, wrong));
      }
    }
    y += line_height;
  }
  return all;
}

}  // namespace

void write_plots(const figures& found, const std::string& directory) {
  if (found.has(trace_group::listed)) {
    write(directory, "decisions-policies.svg", draw_policies(found));
  }
  write(directory, "decisions-traces.svg", draw_traces(found));
}

}  // namespace decisions
