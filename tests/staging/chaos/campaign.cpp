// SPDX-License-Identifier: BSL-1.0
#include "staging/chaos/campaign.hpp"

#include "staging/support/eventually.hpp"
#include "staging/support/real_system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <utility>

namespace staging_chaos {

namespace {

using namespace std::chrono_literals;
using staging_tests::eventually;
using staging_tests::real_system;

constexpr seconds half_open_limit{0.1};
constexpr seconds recovery_limit{2.0};
constexpr seconds status_limit{0.25};  // of an answer that asks no dependency
constexpr seconds own_work{0.1};       // of an answer or of probes, beside the time-outs that they add up
constexpr seconds start_limit{2.0};    // until a new server has asked its dependencies

std::string joined(const std::vector<std::string_view>& names) {
  std::string all;
  for (const auto one : names) all.append(all.empty() ? "" : ", ").append(one);
  return all;
}

std::string text_of(seconds value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", value.count());
  return text;
}

bool needs_no_dependency(const std::string& path) {
  return path != "/api/inventory/stats" && path != "/api/recommendations";
}

/// The time-outs that an answer adds up: of the cache and the database, and of the model after them.
seconds limit_of(const std::string& path) {
  if (needs_no_dependency(path)) return status_limit;
  return own_work + call_timeout * (path == "/api/inventory/stats" ? 2 : 3);
}

}  // namespace

/// A case that runs.
struct lane::judged {
  case_result result;
  std::vector<std::string_view> victims;
  std::size_t first_change;
  wall_time began;
  wall_time in_force{};                   // when all faults had begun: to stop or kill a server runs a script
  std::optional<wall_time> ended{};       // when all faults had ended
  std::optional<wall_time> restarted{};   // when a new server answered
  std::optional<wall_time> terminated{};  // when SIGTERM was sent
  std::vector<fault> faults{};            // in the order of the victims
  std::vector<std::size_t> spans{};       // in the record

  void complain(std::string what) { result.complaints.push_back(std::move(what)); }
};

lane::lane(std::string name, const std::vector<std::string_view>& real, machine_stalls& stalls,
           std::uint64_t seed)
    : stalls_{stalls}, random_{seed}, record_{.name = std::move(name), .began = now()}, server_{real} {}

lane_record lane::take_record() {
  record_.changes = server_.changes();
  return std::move(record_);
}

lane::judged lane::begin_case(std::string kind, const std::vector<std::string_view>& victims) {
  judged subject{.result = {.kind = std::move(kind), .victims = joined(victims)},
                 .victims = victims,
                 .first_change = 0,
                 .began = now()};
  if (!eventually(20s, [&] { return server_.is_well(); })) subject.complain("it was not well before");
  // Requests of the case before may still wait for a time-out.
  std::this_thread::sleep_for(100ms);
  static_cast<void>(server_.take_requests());
  subject.first_change = server_.changes().size();
  subject.began = now();
  return subject;
}

void lane::begin(judged& subject, std::string_view victim, fault how) {
  subject.faults.push_back(how);
  subject.spans.push_back(record_.faults.size());
  record_.faults.push_back({std::string{victim}, std::string{to_string(how)}, now()});
  if (how == fault::killed) {
    real_system::instance().server(victim).kill();
  } else if (how == fault::stopped) {
    real_system::instance().server(victim).freeze();
  } else {
    server_.way_to(victim).begin(how);
  }
  subject.in_force = now();
}

void lane::end(judged& subject) {
  for (std::size_t i = 0; i < subject.faults.size(); ++i) {
    const auto victim = subject.victims[i];
    const auto how = subject.faults[i];
    if (how == fault::killed) {
      real_system::instance().server(victim).restart();
    } else if (how == fault::stopped) {
      real_system::instance().server(victim).thaw();
    } else {
      server_.way_to(victim).end();
    }
    record_.faults[subject.spans[i]].ended = now();
  }
  subject.ended = now();
}

seconds lane::allowance(const judged& subject) const {
  return stalls_.longest(subject.began, now());
}

void lane::wait_until_open(judged& subject) {
  // As many probes as the threshold says, and one interval. A probe that hangs takes its time-out, and the
  // next one follows an interval later.
  seconds limit{};
  for (const auto one : subject.victims)
    limit =
        (std::max)(limit, threshold_of(one) * (call_timeout + probe_interval) + probe_interval + own_work);
  const auto open = [&](std::string_view one) { return server_.state_of(one) != "closed"; };
  const bool all_open = eventually(15s, [&] { return std::ranges::all_of(subject.victims, open); });
  const auto since = subject.restarted.value_or(subject.in_force);  // a new server finds out anew
  wall_time last = since;
  for (std::size_t i = subject.first_change; i < server_.changes().size(); ++i) {
    const auto& one = server_.changes()[i];
    if (one.from == "closed" && one.to == "open") last = (std::max)(last, one.at);
  }
  subject.result.detection = last - since;
  if (!all_open) return subject.complain("a circuit did not open");
  if (*subject.result.detection > limit + stalls_.total(since, last)) {
    subject.complain("detected after " + text_of(*subject.result.detection) + ", allowed " + text_of(limit));
  }
}

void lane::wait_until_tested(judged& subject) {
  const auto tested = [&](std::string_view victim) {
    const auto& all = server_.changes();
    return std::any_of(all.begin() + static_cast<std::ptrdiff_t>(subject.first_change), all.end(),
                       [&](const change& one) { return one.subject == victim && one.from == "half_open"; });
  };
  if (!eventually(10s, [&] { return std::ranges::all_of(subject.victims, tested); }))
    subject.complain("an open circuit was not tested");
}

void lane::wait_until_well(judged& subject) {
  const auto closed = [&](std::string_view one) { return server_.state_of(one) == "closed"; };
  const bool all_closed = eventually(15s, [&] { return std::ranges::all_of(dependencies, closed); });
  wall_time last = *subject.ended;
  for (std::size_t i = subject.first_change; i < server_.changes().size(); ++i) {
    const auto& one = server_.changes()[i];
    if (one.to == "closed" && one.subject != "level") last = (std::max)(last, one.at);
  }
  subject.result.recovery = last - *subject.ended;
  if (!all_closed) {
    subject.complain("a circuit did not close");
  } else if (*subject.result.recovery > recovery_limit + open_time + stalls_.total(*subject.ended, last)) {
    subject.complain("closed after " + text_of(*subject.result.recovery));
  }
  // The score is 100 when the latest calls have pushed the failures out of its window.
  if (!eventually(30s, [&] { return server_.is_well(); })) subject.complain("it did not return to OPTIMAL");
}

void lane::finish_case(judged& subject) {
  wait_until_well(subject);
  judge_changes(subject);
  judge_requests(subject);
  for (const auto& where : server_.leaks()) subject.complain("a secret was in " + where);
  note(std::move(subject.result));
}

void lane::give_up(std::string why) {
  note({.kind = "campaign", .victims = record_.name, .complaints = {std::move(why)}});
}

void lane::note(case_result&& result) {
  for (const auto& what : result.complaints)
    fmt::print(stderr, "BROKEN  {} of {}: {}\n", result.kind, result.victims, what);
  record_.cases.push_back(std::move(result));
}

void lane::judge_changes(judged& subject) {
  const auto& all = server_.changes();
  std::map<std::string, wall_time> opened;
  for (std::size_t i = subject.first_change; i < all.size(); ++i) {
    const auto& one = all[i];
    if (one.subject == "level") continue;
    if (one.to == "open") {
      opened[one.subject] = one.at;
      if (one.reason.empty()) subject.complain("the log does not say why " + one.subject + " opened");
      if (std::ranges::find(subject.victims, one.subject) == subject.victims.end())
        subject.complain(one.subject + " opened, which had no fault (" + one.reason + ")");
    } else if (one.to == "half_open" && opened.contains(one.subject)) {
      const seconds late = one.at - opened[one.subject] - open_time;
      auto& latest = subject.result.half_open_late;
      latest = latest ? (std::max)(*latest, late) : late;
      if (late > half_open_limit + allowance(subject))
        subject.complain(one.subject + " was tested " + text_of(late) + " after the end of its open period");
    }
  }
}

void lane::judge_requests(judged& subject) {
  double lost = 0;
  for (const auto one : subject.victims) lost += weight_of(one);
  const bool may_be_emergency = 100 - lost < 40;
  const auto allowed = allowance(subject);
  for (const auto& one : server_.take_requests()) {
    ++subject.result.requests;
    subject.result.slowest = (std::max)(subject.result.slowest, one.took);
    const auto when = text_of(one.at - subject.began);
    const bool ends = subject.terminated && one.at + 10s >= *subject.terminated &&
                      (!subject.restarted || one.at <= *subject.restarted);
    if (ends && one.at + one.took >= *subject.terminated) continue;  // no server is there to answer
    const bool starts =
        subject.restarted && one.at >= *subject.restarted && one.at - *subject.restarted < start_limit;
    const bool may_refuse = one.path == "/readyz" || one.path == "/health" || !needs_no_dependency(one.path);
    if (one.status == 503 && may_refuse && (may_be_emergency || starts)) {
      ++subject.result.refused;
    } else if (one.status != 200) {
      subject.complain(one.path + " answered " + std::to_string(one.status) + " after " + when);
    }
    if (one.took > limit_of(one.path) + allowed)
      subject.complain(one.path + " took " + text_of(one.took) + " after " + when);
  }
}

std::vector<std::string_view> lane::some_victims(std::size_t count) {
  std::vector<std::string_view> all(std::begin(dependencies), std::end(dependencies));
  std::shuffle(all.begin(), all.end(), random_);
  all.resize(count);
  return all;
}

fault lane::some_fault() {
  return faults_on_the_way[random_() % std::size(faults_on_the_way)];
}

void lane::run_single(std::string_view victim, fault how) {
  auto subject = begin_case(std::string{to_string(how)}, {victim});
  begin(subject, victim, how);
  if (how == fault::half_failing) {
    std::this_thread::sleep_for(1500ms);  // every other connection works: the circuit may stay closed
  } else {
    wait_until_open(subject);
    wait_until_tested(subject);
  }
  end(subject);
  finish_case(subject);
}

void lane::run_together(std::size_t victims) {
  auto subject = begin_case(victims == 2 ? "two at once" : "three at once", some_victims(victims));
  for (const auto one : subject.victims) begin(subject, one, some_fault());
  wait_until_open(subject);
  wait_until_tested(subject);
  end(subject);
  finish_case(subject);
}

void lane::run_flapping() {
  auto subject = begin_case("flapping", some_victims(1));
  const auto victim = subject.victims.front();
  begin(subject, victim, fault::refused);
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{100 + random_() % 400});
    if (i % 2 == 0) {
      server_.way_to(victim).end();
    } else {
      server_.way_to(victim).begin(fault::refused);
    }
  }
  end(subject);
  finish_case(subject);
}

void lane::run_slow_recovery() {
  auto subject = begin_case("slow recovery", some_victims(1));
  begin(subject, subject.victims.front(), fault::refused);
  wait_until_open(subject);
  server_.way_to(subject.victims.front()).begin(fault::slow);
  std::this_thread::sleep_for(1s);
  end(subject);
  finish_case(subject);
}

void lane::run_restart() {
  auto subject = begin_case("restart within", some_victims(1));
  begin(subject, subject.victims.front(), some_fault());
  wait_until_open(subject);
  subject.terminated = now();
  server_.restart();
  subject.restarted = now();
  wait_until_open(subject);
  end(subject);
  finish_case(subject);
}

void lane::run_sigterm() {
  auto subject = begin_case("SIGTERM within", some_victims(1));
  begin(subject, subject.victims.front(), some_fault());
  std::this_thread::sleep_for(std::chrono::milliseconds{random_() % 2000});
  subject.terminated = now();
  const auto status = server_.terminate(5s);
  if (!status) {
    subject.complain("it did not end within 5 s of SIGTERM");
  } else if (*status != 0) {
    subject.complain("it ended with status " + std::to_string(*status));
  }
  server_.restart();
  subject.restarted = now();
  end(subject);
  finish_case(subject);
}

}  // namespace staging_chaos
