// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

using namespace system_test;

namespace {

struct row {
  std::vector<dependency> open;
  double score;
  level shown;
};

const row golden_table[] = {
    {{}, 100, level::optimal},
    {{dependency::openai}, 50, level::minimal},
    {{dependency::database}, 70, level::degraded},
    {{dependency::redis}, 85, level::degraded},
    {{dependency::s3}, 95, level::optimal},
    {{dependency::openai, dependency::database}, 20, level::emergency},
    {{dependency::openai, dependency::redis}, 35, level::emergency},
    {{dependency::openai, dependency::s3}, 45, level::minimal},
    {{dependency::database, dependency::redis}, 55, level::minimal},
    {{dependency::database, dependency::s3}, 65, level::limited},
    {{dependency::redis, dependency::s3}, 80, level::degraded},
    {{dependency::openai, dependency::database, dependency::redis}, 5, level::emergency},
    {{dependency::openai, dependency::database, dependency::s3}, 15, level::emergency},
    {{dependency::openai, dependency::redis, dependency::s3}, 30, level::emergency},
    {{dependency::database, dependency::redis, dependency::s3}, 50, level::minimal},
    {{dependency::openai, dependency::database, dependency::redis, dependency::s3}, 0, level::emergency},
};

}  // namespace

TEST_CASE("which circuits are open decides the score and the level, exactly",
          "[system][exhaustive][H1][D1][S2][S2a]") {
  for (const auto& row : golden_table) {
    staging staging;
    staging.run(1s);
    REQUIRE(staging.snapshot().score == 100);
    REQUIRE(staging.snapshot().level == level::optimal);

    std::uint32_t refusing = 0;
    std::string names;
    for (const auto down : row.open) {
      staging.answers[number(down)] = health::down;
      refusing |= 1u << number(down);
      names += std::string{staging.watched.at(down).name()} + " ";
    }
    INFO("open: " << names);
    staging.run(60s);

    const auto seen = staging.snapshot();
    CHECK(seen.score == row.score);
    CHECK(seen.level == row.shown);
    CHECK(seen.health_level == row.shown);
    CHECK(staging.watched.features().level() == row.shown);
    CHECK(staging.watched.features().refusing().bits() == refusing);
    double points = 0;
    for (const auto& component : seen.components) points += component.health.points;
    CHECK(points == Approx(row.score));

    // Back again, by probes alone.
    staging.answers.fill(health::up);
    staging.run(5min);
    CHECK(staging.snapshot().score == 100);
    CHECK(staging.snapshot().level == level::optimal);
    CHECK(staging.watched.features().refusing().empty());
  }
}

TEST_CASE("the same table holds for circuits that an operator opens", "[system][B1][H1]") {
  for (const auto& row : golden_table) {
    staging staging;
    staging.run(1s);
    for (const auto held : row.open) staging.watched.described(held).force_open();
    staging.watched.refresh(staging.clock.now());
    CHECK(staging.snapshot().score == row.score);
    CHECK(staging.snapshot().level == row.shown);
  }
}
