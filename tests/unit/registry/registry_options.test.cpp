// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include <functional>
#include <stdexcept>
#include <string>

using namespace registry_test;

namespace {

/// What a registry says about the defaults with one thing changed: the exception's text, or nothing.
std::string refusal(const std::function<void(options&)>& change) {
  options given;
  change(given);
  try {
    const tested_registry built{given, manual_clock{}};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a registry's options at their limits are accepted", "[registry][options]") {
  CHECK(refusal([](options&) {}) == "");
  CHECK(refusal([](options& o) { o.capacity = 1; }) == "");
  CHECK(refusal([](options& o) { o.idle_for = 1ms; }) == "");
  CHECK(refusal([](options& o) { o.idle_for = 24h * 30; }) == "");
  CHECK(refusal([](options& o) { o.keys = {{.match = std::string(127, 'k')}}; }) == "");
  CHECK(refusal([](options& o) { o.prefixes = {{.match = std::string(90, 'k')}}; }) == "");
  CHECK(refusal([](options& o) {
          o.keys = {{.match = "same"}};
          o.prefixes = {{.match = "same"}};
        }) == "");
  CHECK(refusal([](options& o) {
          for (int i = 0; i < 1024; ++i) o.prefixes.push_back({.match = std::to_string(i)});
        }) == "");
  options largest;
  largest.capacity = std::size_t{1} << 24;
  CHECK_NOTHROW(largest.validate());  // building it takes memory
}

TEST_CASE("a registry refuses an option outside its range with rule, name, value and range",
          "[registry][options]") {
  CHECK(refusal([](options& o) { o.capacity = 0; }) ==
        "registry_options.capacity = 0: allowed is 1 to 16777216");
  CHECK(refusal([](options& o) { o.capacity = (std::size_t{1} << 24) + 1; }) ==
        "registry_options.capacity = 16777217: allowed is 1 to 16777216");
  CHECK(refusal([](options& o) { o.idle_for = 1us; }) ==
        "registry_options.idle_for = 1us: allowed is 1ms to 720h");
  CHECK(refusal([](options& o) { o.idle_for = -1s; }) != "");
  CHECK(refusal([](options& o) { o.idle_for = 24h * 30 + 1ms; }) != "");
  CHECK(refusal([](options& o) { o.detector = {0}; }) ==
        "rule for all other keys: consecutive_failures.threshold = 0: allowed is 1 to 1000000");
  CHECK(refusal([](options& o) { o.breaker.probes = 0; }) ==
        "rule for all other keys: breaker_options.probes = 0: allowed is 1 to 255");
  CHECK(refusal([](options& o) {
          o.prefixes = {{.match = "a"}, {.match = "eu/", .detector = {0}}};
        }) == "rule for keys with prefix 'eu/': consecutive_failures.threshold = 0: allowed is 1 to 1000000");
  CHECK(refusal([](options& o) { o.keys = {{.match = "eu", .breaker = {.open_for = 0s}}}; }) ==
        "rule for key 'eu': breaker_options.open_for = 0s: allowed is 1ms to 24h");
  CHECK(refusal([](options& o) { o.keys = {{.match = "eu", .breaker = {.name = "database"}}}; }) ==
        "rule for key 'eu': breaker_options.name = 'database': allowed is none: a breaker's name is its key");
  CHECK(refusal([](options& o) { o.breaker.name = "x"; }) != "");
  CHECK(refusal([](options& o) { o.prefixes = {{.match = ""}}; }) ==
        "breaker_rule.match in registry_options.prefixes = '': allowed is 1 to 90 bytes");
  CHECK(refusal([](options& o) { o.keys = {{.match = std::string(128, 'k')}}; }) ==
        "breaker_rule.match in registry_options.keys = '" + std::string(127, 'k') +
            "...': allowed is 1 to 127 bytes");
  CHECK(refusal([](options& o) { o.prefixes = {{.match = std::string(91, 'k')}}; }) ==
        "breaker_rule.match in registry_options.prefixes = '" + std::string(90, 'k') +
            "...': allowed is 1 to 90 bytes");
  CHECK(refusal([](options& o) {
          o.keys = {{.match = "twice"}, {.match = "twice"}};
        }) ==
        "breaker_rule.match in registry_options.keys = 'twice': allowed is what no other rule there matches");
  CHECK(refusal([](options& o) {
          for (int i = 0; i < 1025; ++i) o.prefixes.push_back({.match = std::to_string(i)});
        }) == "registry_options.prefixes.size() = 1025: allowed is 0 to 1024");
}

TEST_CASE("a registry is a member of a class, with its options in braces", "[registry]") {
  struct service {
    brownout::registry<brownout::consecutive_failures> merchants{{.capacity = 5, .detector = {1}}};
    brownout::registry<> hosts{{.keys = {{.match = "a", .breaker = {.probes = 2}}}}};
  };
  service one;
  CHECK(one.merchants.options().capacity == 5);
  CHECK(one.hosts.at("a").options().probes == 2);
}
