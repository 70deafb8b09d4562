// SPDX-License-Identifier: BSL-1.0
#include "staging/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace staging_load {

namespace {

constexpr auto columns = "{:<28} {:<8} {:>14} {:>10} {:>8} {:>8} {:>8} {:>6} {:>6} {:>12} {:>12}  {}\n";

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

template <class Kinds>
std::string kinds_text(const char* of, const Kinds& kinds) {
  std::string text;
  for (const auto& [kind, count] : kinds) text += fmt::format("; {} {}: {}", count, of, kind);
  return text;
}

std::string change_text(double before, double after) {
  return fmt::format("{:.1f} {:.1f}", before, after);
}

}  // namespace

std::vector<miss> missed_by(row& one, const goals& wanted) {
  std::vector<miss> missed;
  const auto judge = [&](const char* name, double share, const std::optional<double>& most) {
    const auto figure = one.found.percentile(share);
    if (most && !(figure <= *most))
      missed.push_back({fmt::format("{} {:.0f} > {:.0f} ms", name, figure, *most), true});
  };
  if (one.found.answered() == 0) missed.push_back({"no answer"});
  if (wanted.no_server_errors && one.found.server_errors() > 0) missed.push_back({"5xx"});
  if (wanted.no_errors && one.found.lost() > 0) missed.push_back({"errors"});
  judge("p95", 0.95, wanted.p95);
  judge("p99", 0.99, wanted.p99);
  judge("slowest", 1, wanted.slowest);
  const auto growth = one.after.resident - one.before.resident;
  if (wanted.growth && growth > *wanted.growth)
    missed.push_back({fmt::format("memory + {:.1f} > {:.1f} MiB", growth, *wanted.growth)});
  if (wanted.growth && one.after.descriptors > one.before.descriptors) missed.push_back({"descriptors"});
  return missed;
}

report::report() {
  print(fmt::format(columns, "phase", "target", "offered", "answers/s", "p50 ms", "p95 ms", "p99 ms", "5xx",
                    "errors", "RSS MiB", "descriptors", "goals"));
}

void report::add(const std::function<std::vector<judged_row>()>& phase) {
  for (int tries = 1;; ++tries) {
    auto rows = phase();
    std::vector<std::vector<miss>> missed;
    for (auto& [seen, wanted] : rows) missed.push_back(missed_by(seen, wanted));
    std::size_t all = 0;
    bool is_late = true;
    for (const auto& each : missed) {
      all += each.size();
      is_late = is_late && std::ranges::all_of(each, &miss::is_late);
    }
    const bool final = all == 0 || !is_late || tries == 3;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (final && !missed[i].empty()) ++missed_;
      print_row(std::move(rows[i].seen), rows[i].wanted, missed[i], final);
    }
    if (final) return;
  }
}

void report::add(judged_row one) {
  const auto missed = missed_by(one.seen, one.wanted);
  if (!missed.empty()) ++missed_;
  print_row(std::move(one.seen), one.wanted, missed, true);
}

void report::print_row(row one, const goals& wanted, const std::vector<miss>& missed, bool final) const {
  auto& found = one.found;
  const bool judged = wanted.no_server_errors || wanted.no_errors || wanted.p95 || wanted.p99 ||
                      wanted.slowest || wanted.growth;
  std::string verdict = judged ? "met" : "";
  for (const auto& each : missed)
    verdict = (&each == &missed.front() ? std::string{final ? "MISSED: " : "repeated: "} : verdict + ", ") +
              each.what;
  if (wanted.slowest) verdict += fmt::format("; slowest {:.1f} ms", found.percentile(1));
  verdict += kinds_text("503", found.refusals) + kinds_text("errors", found.errors);
  const auto per_second = found.seconds > 0 ? static_cast<double>(found.answered()) / found.seconds : 0;
  print(fmt::format(columns, one.phase, one.target, one.offered, fmt::format("{:.0f}", per_second),
                    fmt::format("{:.1f}", found.percentile(0.5)),
                    fmt::format("{:.1f}", found.percentile(0.95)),
                    fmt::format("{:.1f}", found.percentile(0.99)), found.server_errors(), found.lost(),
                    change_text(one.before.resident, one.after.resident),
                    fmt::format("{} {}", one.before.descriptors, one.after.descriptors), verdict));
}

void report::say(const std::string& line, bool missed) {
  if (missed) ++missed_;
  print(line + "\n");
}

void report::end() const {
  print(all_met() ? "All goals are met.\n" : fmt::format("{} goals are missed.\n", missed_));
}

}  // namespace staging_load
