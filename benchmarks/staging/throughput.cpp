// SPDX-License-Identifier: BSL-1.0
#include "staging/throughput.hpp"

#include "staging/subjects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace staging_load {

namespace {

constexpr double least_ratio = 0.6;
constexpr const char* clients = "32";

struct round_result {
  double per_second = 0;
  double processor = 0;  // of the server for one request, in us
};

double figure_behind(const std::string& text, const std::string& words) {
  const auto at = text.find(words);
  if (at == std::string::npos) throw std::runtime_error{"wrk says no '" + words + "': " + text};
  return std::atof(text.c_str() + at + words.size());
}

round_result measure(int port, pid_t server, std::chrono::seconds length) {
  const auto before = resources_of(server).processor;
  staging_tests::process wrk{{"wrk", "-t1", "-c", clients, "-d", std::to_string(length.count()), "-H",
                              std::string{"X-API-Key: "} + staging_tests::staging_server::key,
                              "http://127.0.0.1:" + std::to_string(port) + "/health"},
                             {}};
  const auto deadline = load_clock::now() + length + 20s;
  while (!wrk.wait(100ms)) {
    check_signals();
    if (load_clock::now() > deadline) throw std::runtime_error{"wrk does not end"};
  }
  const auto said = wrk.out();
  if (wrk.wait(0ms) != 0 || said.find("Non-2xx") != std::string::npos)
    throw std::runtime_error{"wrk failed: " + said + wrk.err()};
  const auto per_second = figure_behind(said, "Requests/sec:");
  const auto used = resources_of(server).processor - before;
  return {per_second, used * 1e6 / (per_second * static_cast<double>(length.count()))};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const auto half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

void compare_throughput(report& out, int rounds, std::chrono::seconds each) {
  example_server server;
  const bare_server bare{server};
  std::vector<double> ratios;
  double our_best = 0;
  double their_best = 0;
  static_cast<void>(measure(server.port(), server.id(), 1s));
  static_cast<void>(measure(bare.port(), bare.id(), 1s));
  out.say(fmt::format(
      "\n/health, wrk with {} connections, {} s a round; us: the server's processor time for one request",
      clients, each.count()));
  for (int i = 0; i < rounds; ++i) {
    server.forget_log();
    round_result ours;
    round_result theirs;
    // Each is first every other time.
    if (i % 2 == 0) ours = measure(server.port(), server.id(), each);
    theirs = measure(bare.port(), bare.id(), each);
    if (i % 2 != 0) ours = measure(server.port(), server.id(), each);
    ratios.push_back(ours.per_second / theirs.per_second);
    our_best = std::max(our_best, ours.per_second);
    their_best = std::max(their_best, theirs.per_second);
    out.say(fmt::format("  example {:6.0f}/s {:5.1f} us   bare {:6.0f}/s {:5.1f} us   ratio {:.2f}",
                        ours.per_second, ours.processor, theirs.per_second, theirs.processor, ratios.back()));
  }
  const auto ratio = median(ratios);
  out.say(fmt::format("  median of the ratios: {:.2f}, goal at least {:.1f}: {}; fastest rounds: {:.0f} / "
                      "{:.0f} = {:.2f}\n",
                      ratio, least_ratio, ratio >= least_ratio ? "met" : "MISSED", our_best, their_best,
                      our_best / their_best),
          ratio < least_ratio);
}

}  // namespace staging_load
