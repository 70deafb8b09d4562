// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/staging/config_fixture.hpp"

#include "config/api_key_source.hpp"
#include "config/dependency.hpp"

#include <stdlib.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace staging_test;

TEST_CASE("the process environment tells set, empty and unset apart", "[staging][config]") {
  constexpr auto name = "BROWNOUT_CONFIG_TEST_VARIABLE";
  unsetenv(name);
  CHECK_FALSE(staging::process_environment().contains(name));
  setenv(name, "", 1);
  CHECK(staging::process_environment().at(name) == "");
  setenv(name, "a=b c", 1);
  CHECK(staging::process_environment().at(name) == "a=b c");
  unsetenv(name);
}

TEST_CASE("variables that are not in the table change nothing", "[staging][config]") {
  const auto set = with(with(everything_configured(), "EDITOR", "vi"), "AWS_PROFILE", "other");
  CHECK(staging::read_settings(from(set)) == staging::read_settings(from(everything_configured())));
}

TEST_CASE("writing the defaults out changes nothing", "[staging][config]") {
  const auto implied = staging::read_settings(from(everything_configured()));
  auto set = everything_configured();
  for (const auto& each : staging::variables()) set.emplace(each.name, each.default_value);
  CHECK(staging::read_settings(from(set)) == implied);
}

TEST_CASE("the help tells every variable's unit, meaning, default and what is allowed, in columns",
          "[staging][config]") {
  std::istringstream help{staging::help_text()};
  std::vector<std::string> lines;
  for (std::string line; std::getline(help, line);) lines.push_back(line);
  const auto all = staging::variables();
  REQUIRE(lines.size() == 1 + 2 * all.size());

  const auto meaning_column = lines.at(1).find(all[0].meaning);
  const auto counted = std::ranges::find(all, "DASHBOARD_RATELIMIT_REQUESTS", &staging::variable::name);
  const auto counted_line = 1 + 2 * static_cast<std::size_t>(counted - all.begin());
  const auto unit_column = lines.at(counted_line).find(" requests ") + 1;
  REQUIRE(meaning_column != std::string::npos);
  REQUIRE(unit_column != 0);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& each = all[i];
    const std::string_view first = lines.at(1 + 2 * i);
    const std::string_view second = lines.at(2 + 2 * i);
    INFO(each.name);
    CHECK_FALSE(each.meaning.empty());
    CHECK_FALSE(each.allowed.empty());
    CHECK(first.substr(2).starts_with(std::string{each.name} + " "));
    CHECK(first.substr(unit_column).starts_with(std::string{each.unit} + " "));
    CHECK(first.substr(meaning_column) == each.meaning);
    CHECK(second.substr(0, meaning_column) == std::string(meaning_column, ' '));
    CHECK(second.substr(meaning_column) ==
          (each.default_value.empty() ? "no default" : "default " + std::string{each.default_value}) + "; " +
              each.allowed +
              (each.secret ? "; or in the file that " + std::string{each.name} + "_FILE names" : ""));
  }
}

TEST_CASE("durations and counts have a unit", "[staging][config]") {
  for (const auto& each : staging::variables()) {
    INFO(each.name);
    CHECK((each.unit == "s") == each.allowed.ends_with("(seconds)"));
    CHECK((each.unit == "ms") == each.allowed.ends_with("(milliseconds)"));
  }
}

TEST_CASE("a random API key is one that the configuration would take, and never the same",
          "[staging][config]") {
  std::set<std::string> keys;
  std::set<char> even;
  std::set<char> odd;
  for (int i = 0; i < 64; ++i) {
    const auto key = staging::random_api_key();
    CHECK(key.size() == 32);
    CHECK(std::ranges::all_of(key, [](char symbol) {
      return (symbol >= '0' && symbol <= '9') || (symbol >= 'a' && symbol <= 'f');
    }));
    CHECK(refusal({{"DASHBOARD_API_KEY", key}}).empty());
    for (std::size_t at = 0; at < key.size(); ++at) (at % 2 == 0 ? even : odd).insert(key[at]);
    keys.insert(key);
  }
  CHECK(keys.size() == 64);
  // 1024 digits each: that one is missing by chance has a probability below 1e-26.
  CHECK(even.size() == 16);
  CHECK(odd.size() == 16);
}

TEST_CASE("a dependency is found by its name alone", "[staging][config]") {
  for (const auto which : staging::all_dependencies)
    CHECK(staging::dependency_named(to_string(which)) == which);
  for (const auto* wrong : {"", "OpenAI", "openai ", "db", "s33"})
    CHECK_FALSE(staging::dependency_named(wrong));
}
