// SPDX-License-Identifier: BSL-1.0
#include "staging/support/real_system.hpp"

#include <cstdio>
#include <exception>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

namespace staging_tests {

namespace {
struct named {
  std::string_view dependency;
  const char* script;
};
constexpr std::array<named, 4> scripts{
    {{"openai", "openai"}, {"database", "postgres"}, {"redis", "redis"}, {"s3", "s3"}}};
}  // namespace

real_system& real_system::instance() {
  // Tried once: a server that does not start fails every test at once, not each after its own wait.
  struct attempt {
    std::unique_ptr<real_system> system;
    std::string failure;
  };
  static const attempt only = [] {
    try {
      return attempt{std::unique_ptr<real_system>{new real_system}, {}};
    } catch (const std::exception& failed) {
      return attempt{nullptr, failed.what()};
    }
  }();
  if (!only.system) throw std::runtime_error{only.failure};
  return *only.system;
}

real_system::real_system() {
  std::array<std::future<std::unique_ptr<real_server>>, 4> starting;
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    starting[i] = std::async(std::launch::async, [this, i] {
      return std::make_unique<real_server>(scripts[i].script, directory_.path());
    });
  }
  std::string failures;
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    try {
      servers_[i] = starting[i].get();
    } catch (const stand_in_unavailable& missing) {
      std::fprintf(stderr, "SKIPPED: %s\nOpenAI is simulated instead.\n", missing.what());
    } catch (const std::exception& failed) {
      failures += failed.what();
    }
  }
  if (!failures.empty()) throw std::runtime_error{failures};
}

real_server& real_system::server(std::string_view dependency) {
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    if (scripts[i].dependency == dependency && servers_[i]) return *servers_[i];
  }
  throw std::runtime_error{"no real server for " + std::string{dependency}};
}

variables real_system::environment() const {
  variables all{
      {"HEALTH_CHECK_INTERVAL", "0.2"},
      {"DEGRADATION_HYSTERESIS", "0"},
      {"DEGRADATION_DWELL", "0.1"},
  };
  for (const auto* prefix : {"OPENAI", "DB", "REDIS", "S3"}) {
    all[std::string{prefix} + "_CB_RECOVERY_TIMEOUT"] = "0.5";
    all[std::string{prefix} + "_TIMEOUT"] = "1";
  }
  for (const auto& server : servers_) {
    if (server) all.insert(server->environment().begin(), server->environment().end());
  }
  return all;
}

}  // namespace staging_tests
