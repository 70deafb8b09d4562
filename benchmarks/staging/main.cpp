// SPDX-License-Identifier: BSL-1.0

// The load plan of the example server. benchmarks/staging/run builds and starts this program;
// docs/benchmarks.md says what it measures.

#include "staging/bad_link.hpp"
#include "staging/beside_slow.hpp"
#include "staging/generator.hpp"
#include "staging/report.hpp"
#include "staging/resources.hpp"
#include "staging/subjects.hpp"
#include "staging/support/eventually.hpp"
#include "staging/support/proxy.hpp"
#include "staging/throughput.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace staging_load;
using staging_tests::eventually;
using seconds = std::chrono::duration<double>;

constexpr goals none{};
constexpr goals steady{.no_server_errors = true, .no_errors = true, .p95 = 500, .p99 = 1'000};
// The burst may be more than the machine can do. Then requests wait, also some that come right after it, and
// those for which there is no room get a 503. Each is answered.
constexpr goals under_burst{.no_errors = true};
constexpr goals prompt{.no_server_errors = true, .no_errors = true, .slowest = 250};

struct lengths {
  seconds ramp{20};
  seconds sustained{30};
  seconds burst{5};
  seconds backlog{5};
  seconds recovery{10};
  seconds each{10};  // of the other phases
  std::uint64_t direct_requests = 1'000'000;
  std::uint64_t proxied_requests = 200'000;
  int rounds = 14;
};
const lengths full{};
const lengths quick{.ramp = seconds{4},
                    .sustained = seconds{4},
                    .burst = seconds{2},
                    .backlog = seconds{2},
                    .recovery = seconds{4},
                    .each = seconds{2},
                    .direct_requests = 200'000,
                    .proxied_requests = 20'000,
                    .rounds = 3};

/// A way to a server.
struct way {
  std::string name;
  int port;
  pid_t server;
  std::size_t connections = 1'000;

  [[nodiscard]] target where() const {
    return {.port = port, .request = request_for("/health"), .connections = connections};
  }
};

void run_rates(report& out, const way& to, const lengths& lasts, bool judged) {
  const std::vector<segment> plan{{"ramp", 100, 500, lasts.ramp},
                                  {"sustained", 500, 500, lasts.sustained},
                                  {"burst", 5'000, 5'000, lasts.burst},
                                  {"right after the burst", 500, 500, lasts.backlog},
                                  {"recovery from the burst", 500, 500, lasts.recovery}};
  constexpr goals wanted[]{steady, steady, under_burst, under_burst, steady};
  out.add([&] {
    const auto before = resources_of(to.server);
    auto found = at_rates(to.where(), plan);
    const auto after = resources_of(to.server);
    std::vector<judged_row> rows;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      const auto& part = plan[i];
      const auto offered = part.from == part.to ? fmt::format("{:.0f}/s", part.to)
                                                : fmt::format("{:.0f}-{:.0f}/s", part.from, part.to);
      rows.push_back(
          {{part.name, to.name, offered, std::move(found[i]), before, after}, judged ? wanted[i] : none});
    }
    return rows;
  });
}

/// A phase that is one row.
template <class Measure>
void run(report& out, const way& to, const std::string& phase, const std::string& offered,
         const goals& wanted, Measure measure) {
  out.add([&] {
    const auto before = resources_of(to.server);
    auto found = measure();
    row seen{phase, to.name, offered, std::move(found), before, resources_of(to.server)};
    return std::vector<judged_row>{{std::move(seen), wanted}};
  });
}

void run_clients(report& out, const way& to, const lengths& lasts) {
  for (const std::size_t clients : {100U, 500U, 1'000U}) {
    run(out, to, "clients that keep asking", fmt::format("{} clients", clients), steady,
        [&] { return by_clients(to.where(), clients, UINT64_MAX, lasts.each); });
  }
}

void run_link(report& out, const way& to, const lengths& lasts, const std::string& name, impairment how) {
  const bad_link between{to.port, how};
  auto through = to.where();
  through.port = between.port();
  auto wanted = steady;
  *wanted.p95 += static_cast<double>(how.latency.count());
  *wanted.p99 += static_cast<double>(how.latency.count());
  run(out, to, name, "500/s", wanted, [&] {
    return std::move(at_rates(through, {{name, 500, 500, lasts.each}}).front());
  });
}

void run_links(report& out, const way& to, const lengths& lasts) {
  for (const auto latency : {50ms, 200ms, 500ms})
    run_link(out, to, lasts, fmt::format("latency {} ms", latency.count()), {.latency = latency});
  for (const double loss : {0.01, 0.05, 0.1})
    run_link(out, to, lasts, fmt::format("loss {:.0f} %", 100 * loss), {.loss = loss});
}

void run_slow(report& out, const way& to, const lengths& lasts, std::size_t count) {
  const auto length = std::chrono::ceil<std::chrono::seconds>(lasts.each);
  run(out, to, "/livez, /readyz beside slow", fmt::format("{} slow", count), prompt,
      [&] { return ask_beside_slow(to.port, count, length); });
}

/// Asks so often in ten parts. What a server needs once, it has after the first part.
void run_many(report& out, const way& to, example_server& server, std::uint64_t requests) {
  constexpr goals served{.no_server_errors = true, .no_errors = true};
  constexpr goals flat{.no_server_errors = true, .no_errors = true, .growth = 4};
  constexpr int parts = 10;
  const auto idle = resources_of(to.server);
  // The system closes descriptors a little after the client has.
  const auto settled = [&] {
    static_cast<void>(
        eventually(3s, [&] { return resources_of(to.server).descriptors <= idle.descriptors; }));
    return resources_of(to.server);
  };
  outcome rest;
  resources first;
  std::string samples;
  for (int part = 0; part < parts; ++part) {
    auto found = by_clients(to.where(), 100, requests / parts, seconds{600});
    server.forget_log();
    const auto now = settled();
    samples += fmt::format(" {:.1f}", now.resident);
    if (part == 0) {
      first = now;
      const auto number = found.requests;
      out.add({{"many requests, first tenth", to.name, fmt::format("{} in all", number), std::move(found),
                idle, now},
               served});
      continue;
    }
    rest.requests += found.requests;
    rest.seconds += found.seconds;
    for (const auto& [status, count] : found.statuses) rest.statuses[status] += count;
    for (const auto& [who, count] : found.refusals) rest.refusals[who] += count;
    for (const auto& [why, count] : found.errors) rest.errors[why] += count;
    rest.latencies.insert(rest.latencies.end(), found.latencies.begin(), found.latencies.end());
  }
  first.descriptors = idle.descriptors;
  const auto number = rest.requests;
  out.add({{"many requests, the rest", to.name, fmt::format("{} in all", number), std::move(rest), first,
            settled()},
           flat});
  out.say("  RSS after each tenth, MiB:" + samples);
}

void run_plan(report& out, const lengths& lasts) {
  {
    example_server server;
    const bare_server bare{server};
    const way direct{"direct", server.port(), server.id()};
    run_rates(out, direct, lasts, true);
    run_rates(out, {"bare", bare.port(), bare.id(), bare_server::connections}, lasts, false);
    run_clients(out, direct, lasts);
    run_links(out, direct, lasts);
    run_slow(out, direct, lasts, 300);
    server.forget_log();
  }
  {
    example_server server;
    const staging_tests::proxy front{
        server.port(), 0, {{"STAGING_A_AGENT_PORT", std::to_string(server.agent_port())}}};
    const way proxied{"HAProxy", front.port(), server.id()};
    run_rates(out, proxied, lasts, true);
    run_clients(out, proxied, lasts);
    run_links(out, proxied, lasts);
    run_slow(out, proxied, lasts, 1'500);
    run_many(out, proxied, server, lasts.proxied_requests);
  }
  {
    example_server server;
    run_many(out, {"direct", server.port(), server.id()}, server, lasts.direct_requests);
  }
}

std::string first_line_of(const char* file, const std::string& with) {
  std::ifstream text{file};
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with(with))
      return line.substr(line.find(": ") == std::string::npos ? 0 : line.find(": ") + 2);
  }
  return "";
}

std::string machine() {
  return fmt::format("{}, {} processors; load {}", first_line_of("/proc/cpuinfo", "model name"),
                     std::thread::hardware_concurrency(), first_line_of("/proc/loadavg", ""));
}

/// Both ends of thousands of connections; the servers start with this limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App options{"Runs the load plan of the example server, on loopback"};
  bool is_quick = false;
  bool is_check = false;
  bool is_throughput = false;
  options.add_flag("--quick", is_quick, "short phases: shows that all of it works");
  options.add_flag("--throughput", is_throughput, "only the comparison with the bare server");
  options.add_flag("--check", is_check, "the exit status is 1 if a goal is missed");
  CLI11_PARSE(options, count, arguments);

  catch_signals();
  raise_descriptor_limit();
  try {
    std::cout << machine() << "\n\n";
    report out;
    const auto& lasts = is_quick ? quick : full;
    if (!is_throughput) run_plan(out, lasts);
    compare_throughput(out, lasts.rounds, std::chrono::ceil<std::chrono::seconds>(lasts.each / 5));
    out.end();
    std::cout << machine() << '\n';
    return is_check && !out.all_met() ? 1 : 0;
  } catch (const interrupted&) {
    return 130;
  } catch (const std::exception& failed) {
    std::cerr << "brownout: " << failed.what() << '\n';
    return 2;
  }
}
