// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/level/levels.hpp"

#include "brownout/level/level_table.hpp"

#include <chrono>
#include <csignal>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brownout::level_row;
using brownout::level_table;
using level_test::ladder;
using level_test::level;

namespace {

struct settings {
  double pool_size = 1;
  std::chrono::seconds cache_ttl{};
};

constexpr level_table<level, settings> table{{level::optimal, {1.0, 3600s}},
                                             {level::degraded, {0.9, 1800s}},
                                             {level::limited, {0.75, 900s}},
                                             {level::minimal, {0.5, 300s}},
                                             {level::emergency, {0.2, 60s}}};

std::string refusal(const std::vector<level_row<level, int>>& tried) {
  try {
    static_cast<void>(level_table<level, int>{std::span<const level_row<level, int>>{tried}});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

std::vector<level_row<level, int>> rows(std::size_t count) {
  std::vector<level_row<level, int>> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back({static_cast<level>(i), static_cast<int>(i)});
  return made;
}

}  // namespace

TEST_CASE("each level has the settings of its row, known at compile time", "[level][D4]") {
  STATIC_REQUIRE(table[level::optimal].cache_ttl == 3600s);
  STATIC_REQUIRE(table[level::degraded].pool_size == 0.9);
  STATIC_REQUIRE(table[level::limited].cache_ttl == 900s);
  STATIC_REQUIRE(table[level::minimal].pool_size == 0.5);
  STATIC_REQUIRE(table[level::emergency].cache_ttl == 60s);
  STATIC_REQUIRE(table.size() == ladder.size());
}

TEST_CASE("settings need be no literals", "[level][D4]") {
  const level_table<level, std::string> texts{{level::optimal, "all of it"}, {level::degraded, "some of it"}};
  CHECK(texts[level::degraded] == "some of it");
  CHECK(texts.size() == 2);
}

TEST_CASE("a level without a row is known as one, and asking for it is a broken precondition",
          "[level][D4]") {
  const level_table<level, int> two{{level::optimal, 10}, {level::degraded, 20}};
  CHECK(two.holds(level::degraded));
  CHECK_FALSE(two.holds(level::limited));
  const auto aborts = [&](level asked) {
    return core_test::in_child([&] { static_cast<void>(two[asked]); }).signal == SIGABRT;
  };
  CHECK_FALSE(aborts(level::degraded));
  CHECK(aborts(level::limited));
  CHECK(aborts(static_cast<level>(255)));
}

TEST_CASE("rows that are too many, too few, out of order, missing or double are refused by name",
          "[level][options]") {
  CHECK(refusal(rows(1)) == "");
  CHECK(refusal(rows(16)) == "");
  CHECK(refusal(rows(0)) == "level_table.size = 0: allowed is 1 to 16");
  CHECK(refusal(rows(17)) == "level_table.size = 17: allowed is 1 to 16");
  CHECK(refusal({{level::degraded, 0}}) ==
        "level_table[0].level = degraded: allowed is the enumerator with value 0");
  CHECK(refusal({{level::optimal, 0}, {level::limited, 1}}) ==
        "level_table[1].level = limited: allowed is the enumerator with value 1");
  CHECK(refusal({{level::optimal, 0}, {level::degraded, 1}, {level::degraded, 2}}) ==
        "level_table[2].level = degraded: allowed is the enumerator with value 2");
}

TEST_CASE("the sixteenth row is found like the first", "[level][D4]") {
  const auto all = rows(16);
  const level_table<level, int> full{std::span<const level_row<level, int>>{all}};
  for (int i = 0; i < 16; ++i) CHECK(full[static_cast<level>(i)] == i);
}
