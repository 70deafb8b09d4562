// SPDX-License-Identifier: BSL-1.0
#include "studies/guards/limits/study.hpp"

#include "studies/guards/limits/peers.hpp"
#include "studies/guards/limits/server.hpp"
#include "studies/guards/limits/shipped.hpp"
#include "studies/shared/chart.hpp"
#include "studies/shared/goal.hpp"
#include "studies/shared/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace studies::guards {

namespace {

using namespace std::chrono_literals;

/// No directory: no plot.
struct plot_file {
  std::string directory{};
  std::string name{};
};

struct entrant {
  std::string_view name;
  make_limiter make;
  bool is_ours = false;
};

template <class Limiter>
make_limiter peer() {
  return [](const scene&) { return std::make_unique<Limiter>(); };
}
make_limiter ours(brownout::adaptive_limit_options options) {
  return [options](const scene&) { return std::make_unique<shipped>(options); };
}

double between(double now, double inside, double outside) {
  return now >= 40 && now < 80 ? inside : outside;
}
auto steady(double load) {
  return [load](double) { return load; };
}

std::vector<scene> limit_scenes() {
  return {
      {.name = "capacity 1, 1/2, 1",
       .load = steady(1.2),
       .working = [](double now) { return between(now, 0.5, 1); }},
      {.name = "overload x1.5", .load = steady(1.5)},
      {.name = "dependency +200 ms, async",
       .load = steady(0.6),
       .not_blocking = [](double now) { return between(now, 0.2, 0); }},
      {.name = "dependency +100 ms, blocking",
       .load = steady(0.6),
       .blocking = [](double now) { return between(now, 0.1, 0); }},
      {.name = "half load", .load = steady(0.5)},
      {.name = "bursts x2", .load = [](double now) { return std::fmod(now, 10) < 1 ? 2.0 : 0.5; }},
  };
}

/// Written after the options had their defaults; nothing is tuned on them.
std::vector<scene> held_out_scenes() {
  return {
      {.name = "exponential service, x1.5", .load = steady(1.5), .times = service::exponential},
      {.name = "bimodal service, x1.5", .load = steady(1.5), .times = service::bimodal},
      {.name = "ramp from 0.5 to 2", .load = [](double now) { return 0.5 + 1.5 * std::min(now / 100, 1.0); }},
      {.name = "two callers, one server, x1.5", .load = steady(1.5), .limits = 2},
      {.name = "capacity steps of 10 %",
       .load = steady(1.2),
       .working = [](double now) { return 1 - 0.1 * (static_cast<int>(now / 10) % 5); }},
  };
}

std::vector<entrant> limit_entrants() {
  return {{"none", peer<without_limit>()},
          {"Vegas (Netflix default)", peer<vegas>()},
          {"Gradient2 (Netflix default)", peer<gradient2>()},
          {"AIMD (Netflix default)", peer<aimd>()},
          {"brpc auto", peer<brpc_auto>()},
          {"ours, latency_budget 300 ms", ours({.latency_budget = 300ms})},
          {"ours, target_delay 5 ms", ours({.target_delay = 5ms}), true}};
}

/// The means over the seeds.
figures mean_of(const scene& here, const make_limiter& make, std::uint64_t seeds) {
  figures sum;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto one = server{here, make, seed}.run();
    sum.in_time += one.in_time / static_cast<double>(seeds);
    sum.p99 += one.p99 / static_cast<double>(seeds);
    for (std::size_t i = 0; i < 4; ++i) {
      sum.offered[i] += one.offered[i];
      sum.succeeded[i] += one.succeeded[i];
    }
    if (seed == 1) sum.callers = one.callers;
  }
  return sum;
}

/// The best of several limits that are fixed multiples of the workers that work.
figures oracle(const scene& here, std::uint64_t seeds) {
  figures best;
  for (const double factor : {1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0}) {
    const auto found = mean_of(
        here,
        [factor](const scene& of) {
          return std::make_unique<fixed>([factor, &of](double now) {
            const bool waits = of.not_blocking(now) > 0 || of.not_blocking(now + 0.1) > 0 ||
                               of.not_blocking(std::max(now - 0.3, 0.0)) > 0;
            const double one = factor * scene::workers * of.working(now);
            return (one + (waits ? 1000 : 0)) / static_cast<double>(of.limits);
          });
        },
        seeds);
    if (found.in_time > best.in_time * 1.001) best = found;
  }
  return best;
}

std::vector<goal> compare_limits(std::string_view title, const std::vector<scene>& scenes,
                                 std::uint64_t seeds, const plot_file& plot) {
  std::vector<row> table{{std::string{title}}};
  std::vector<figures> best;
  for (const auto& here : scenes) {
    table.front().emplace_back(here.name);
    best.push_back(oracle(here, seeds));
  }
  table.push_back({"best fixed limit"});
  for (const auto& one : best) table.back().push_back(fmt::format("100 / {:.0f}", one.p99 * 1000));
  std::vector<goal> goals;
  std::vector<line_of_dots> lost;
  for (const auto& here : scenes) lost.push_back({here.name, {}});
  for (const auto& who : limit_entrants()) {
    table.push_back({std::string{who.name}});
    for (std::size_t i = 0; i < scenes.size(); ++i) {
      const auto found = mean_of(scenes[i], who.make, seeds);
      const double in_time = 100 * found.in_time / best[i].in_time;
      table.back().push_back(fmt::format("{:.1f} / {:.0f}", in_time, found.p99 * 1000));
      lost[i].dots.push_back({who.name, who.is_ours, 100 - in_time});
      if (!who.is_ours) continue;
      goals.push_back(
          {fmt::format("{}: {:.1f} % of the best fixed limit, at least 97", scenes[i].name, in_time),
           in_time >= 97});
      goals.push_back({fmt::format("{}: p99 {:.2f} times that of the best fixed limit, at most 1.1",
                                   scenes[i].name, found.p99 / best[i].p99),
                       found.p99 <= 1.1 * best[i].p99});
    }
    std::fprintf(stderr, "brownout: %.*s is done\n", static_cast<int>(who.name.size()), who.name.data());
  }
  print_table(table, stdout);
  if (!plot.directory.empty()) {
    write_drawing(plot.directory, plot.name,
                  draw_dots({"Answers in time that a limit loses",
                             "answers in time that are lost, in % of those with the best fixed limit"},
                            0.1, 100, lost));
  }
  return goals;
}

std::vector<scene> priority_scenes(bool with_callers, service times) {
  const std::array<double, 4> mixed{0.2, 0.3, 0.3, 0.2};
  std::vector<scene> all;
  const auto add = [&](std::string_view name, double load, std::array<double, 4> classes) {
    all.push_back({.name = name,
                   .load = steady(load),
                   .times = times,
                   .classes = classes,
                   .with_callers = with_callers});
  };
  add("x1.2", 1.2, mixed);
  add("x1.5", 1.5, mixed);
  add("x2.5", 2.5, mixed);
  add("x1.5, highest class alone", 1.5, {1, 0, 0, 0});
  add("x1.5, lowest class alone", 1.5, {0, 0, 0, 1});
  return all;
}

/// Of the class that is served in part: how much of what they asked for the best fifth and the worst fifth of
/// its callers got, in per cent. The further apart, the fewer callers are served now and then.
std::string best_and_worst_callers(const figures& found) {
  std::vector<double> got;
  for (std::size_t i = 0; i < 4; ++i) {
    const double share = found.succeeded[i] / std::max(found.offered[i], 1.0);
    if (share < 0.1 || share > 0.9) continue;
    for (const auto& [asked, admitted] : found.callers[i]) {
      if (asked >= 20) got.push_back(100.0 * admitted / asked);
    }
    break;
  }
  std::sort(got.begin(), got.end());
  const auto fifth = static_cast<std::ptrdiff_t>(got.size() / 5);
  if (fifth == 0) return "";
  const auto mean = [&](auto from, auto to) {
    return std::accumulate(from, to, 0.0) / static_cast<double>(fifth);
  };
  return fmt::format("; callers {:.0f} to {:.0f}", mean(got.end() - fifth, got.end()),
                     mean(got.begin(), got.begin() + fifth));
}

std::vector<goal> compare_priorities(std::string_view title, bool with_callers, service times,
                                     std::uint64_t seeds, const plot_file& plot) {
  const auto scenes = priority_scenes(with_callers, times);
  const std::vector<entrant> entrants{{"one limit for all", peer<without_classes>()},
                                      {"partitions (Netflix)", peer<partitions>()},
                                      {"admission level (DAGOR)", peer<admission_level>()},
                                      {"ours, shares", ours({.target_delay = 5ms}), true}};
  std::vector<row> table{{std::string{title}}};
  for (const auto& here : scenes) table.front().emplace_back(here.name);
  std::vector<goal> goals;
  std::vector<bar> bars;
  for (const auto& who : entrants) {
    table.push_back({std::string{who.name}});
    for (const auto& here : scenes) {
      const auto found = mean_of(here, who.make, seeds);
      std::array<double, 4> success{};
      for (std::size_t i = 0; i < 4; ++i) {
        success[i] = 100 * found.succeeded[i] / std::max(found.offered[i], 1.0);
      }
      if (here.name == "x1.5") {
        bars.push_back({who.name, who.is_ours, {}});
        for (std::size_t i = 0; i < 4; ++i) {
          bars.back().parts.push_back(100 * here.load(0) * here.classes[i] * success[i] / 100);
        }
      }
      const double used = 100 * found.in_time / (scene::capacity * (scene::ends - scene::counted_from));
      table.back().push_back(fmt::format("{:.1f} {:.1f} {:.1f} {:.1f}; all {:.1f}{}", success[0], success[1],
                                         success[2], success[3], used,
                                         with_callers ? best_and_worst_callers(found) : ""));
      if (!who.is_ours || here.name.substr(0, 4) != "x1.5") continue;
      goals.push_back(
          {fmt::format("{}, {}: {:.1f} % of the capacity is used, at least 99", title, here.name, used),
           used >= 99});
      if (here.name != "x1.5") continue;
      goals.push_back(
          {fmt::format("{}, x1.5: {:.2f} % of the highest class, at least 99.5", title, success[0]),
           success[0] >= 99.5});
      goals.push_back({fmt::format("{}, x1.5: {:.2f} % of the second class, at least 97", title, success[1]),
                       success[1] >= 97});
    }
    std::fprintf(stderr, "brownout: %.*s is done\n", static_cast<int>(who.name.size()), who.name.data());
  }
  print_table(table, stdout);
  if (!plot.directory.empty()) {
    write_drawing(plot.directory, plot.name,
                  draw_bars({"Answers by class of the call",
                             "load of 1.5 times the capacity: answers by class, in % of the capacity"},
                            {{colours::ours, "highest class", 110},
                             {colours::too_bad, "second class", 110},
                             {colours::restless, "third class", 110},
                             {colours::too_good, "lowest class", 110}},
                            bars));
  }
  return goals;
}

}  // namespace

std::vector<goal> study_limits(const part_request& asked) {
  std::vector<goal> goals;
  const auto add = [&](std::vector<goal> more) { goals.insert(goals.end(), more.begin(), more.end()); };
  const auto seeds = asked.seeds.value_or(3);
  const auto plot = [&](std::string_view name) {
    return plot_file{asked.plots, fmt::format("{}{}.svg", name, asked.held_out ? "-held-out" : "")};
  };
  const std::string title = "in time, % of best / p99 ms";
  if (asked.held_out) {
    add(compare_limits(title, held_out_scenes(), seeds, plot("guards-limits")));
    add(compare_priorities("exponential", false, service::exponential, seeds, plot("guards-classes")));
    add(compare_priorities("bimodal, with callers", true, service::bimodal, seeds, {}));
  } else {
    add(compare_limits(title, limit_scenes(), seeds, plot("guards-limits")));
    add(compare_priorities("classes", false, service::log_normal, seeds, plot("guards-classes")));
    add(compare_priorities("with callers", true, service::log_normal, seeds, {}));
  }
  return goals;
}

}  // namespace studies::guards
