// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/staging/config_fixture.hpp"

#include "config/config_error.hpp"
#include "config/settings.hpp"

#include <chrono>

using namespace staging_test;
using namespace std::chrono_literals;
using staging::dependency;
using staging::read_settings;

TEST_CASE("an empty environment gives the embedded server with the figures of the original",
          "[staging][config]") {
  const auto read = read_settings(from({}));

  CHECK(read.embedded);
  CHECK(read.host == "127.0.0.1");
  CHECK(read.port == 9000);
  CHECK(read.connections == 2048);
  CHECK_FALSE(read.api_key);
  CHECK(read.rate_limit.enabled);
  CHECK(read.rate_limit.requests == 100);
  CHECK(read.rate_limit.window == 60s);
  CHECK_FALSE(read.enable_hsts);
  CHECK(read.trusted_proxies.empty());
  CHECK(read.log == staging::log_level::info);
  CHECK(read.shutdown_drain == 2s);
  CHECK(read.shutdown_grace == 5s);

  CHECK(read.health_check_interval == 10s);
  CHECK(read.latency.budget == 500ms);
  CHECK(read.latency.per_point == 10ms);
  CHECK(read.thresholds.optimal == 90);
  CHECK(read.thresholds.degraded == 70);
  CHECK(read.thresholds.limited == 60);
  CHECK(read.thresholds.minimal == 40);
  CHECK(read.hysteresis == 2);
  CHECK(read.dwell == 10s);
  CHECK(read.dwell_limit == 8);
  CHECK_FALSE(read.require_real);
  CHECK(read.warnings.empty());
  CHECK(read.feature_return == 0s);
  CHECK_FALSE(read.degradation_dry_run);

  CHECK_FALSE(read.openai);
  CHECK_FALSE(read.database);
  CHECK_FALSE(read.redis);
  CHECK_FALSE(read.s3);
  // weight, failures, open for, half-open calls, time-out, simulated
  CHECK(read.of(dependency::openai) == staging::dependency_settings{0.50, 5, 30s, 2, 10s, true});
  CHECK(read.of(dependency::database) == staging::dependency_settings{0.30, 3, 20s, 1, 5s, true});
  CHECK(read.of(dependency::redis) == staging::dependency_settings{0.15, 5, 15s, 2, 2s, true});
  CHECK(read.of(dependency::s3) == staging::dependency_settings{0.05, 4, 25s, 2, 5s, true});
}

TEST_CASE("a configured dependency is real and its connection has the defaults of its kind",
          "[staging][config]") {
  const auto read = read_settings(from(everything_configured()));

  CHECK_FALSE(read.embedded);
  CHECK(read.api_key == "0123456789abcdef");
  for (const auto which : staging::all_dependencies) {
    INFO(to_string(which));
    CHECK_FALSE(read.of(which).simulated);
  }
  CHECK(read.openai == staging::openai_settings{"https://api.openai.com/v1", "sk-test", "gpt-4o-mini"});
  CHECK(read.database == staging::database_settings{"postgresql://demo:secret@127.0.0.1:15432/postgres"});
  CHECK(read.redis == staging::redis_settings{"127.0.0.1", 6379, "", 0});
  CHECK(read.s3 == staging::s3_settings{"http://127.0.0.1:14569", "probe-bucket", "us-east-1", "demo:probe",
                                        "s3secret"});
}

TEST_CASE("each dependency can be the only real one", "[staging][config]") {
  struct only {
    dependency which;
    values set;
  };
  const auto& all = everything_configured();
  const auto given = [&](std::initializer_list<const char*> names) {
    values set{{"DASHBOARD_API_KEY", "0123456789abcdef"}};
    for (const auto* name : names) set.emplace(name, all.at(name));
    return set;
  };
  const auto& [which, set] = GENERATE_COPY(
      only{dependency::openai, given({"OPENAI_API_KEY"})},
      only{dependency::database, given({"DATABASE_URL"})}, only{dependency::redis, given({"REDIS_HOST"})},
      only{dependency::s3,
           given({"S3_ENDPOINT_URL", "S3_BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})});
  INFO(to_string(which));

  const auto read = read_settings(from(set));
  CHECK_FALSE(read.embedded);
  for (const auto each : staging::all_dependencies) CHECK(read.of(each).simulated == (each != which));
  CHECK(read.openai.has_value() == (which == dependency::openai));
  CHECK(read.database.has_value() == (which == dependency::database));
  CHECK(read.redis.has_value() == (which == dependency::redis));
  CHECK(read.s3.has_value() == (which == dependency::s3));

  CHECK(refusal(without(set, "DASHBOARD_API_KEY")) ==
        "DASHBOARD_API_KEY='': needed because " + std::string{to_string(which)} +
            " is configured; must be 16 to 256 printable ASCII characters without spaces");
}

TEST_CASE("the embedded server may be given a key", "[staging][config]") {
  const auto read = read_settings(from({{"DASHBOARD_API_KEY", "fedcba9876543210"}}));
  CHECK(read.embedded);
  CHECK(read.api_key == "fedcba9876543210");
}

TEST_CASE("a dependency configured in part is refused and the missing variable named", "[staging][config]") {
  struct part {
    values set;
    std::string missing;
    std::string because;
  };
  const values s3{{"S3_ENDPOINT_URL", "http://h"},
                  {"S3_BUCKET_NAME", "bucket"},
                  {"AWS_ACCESS_KEY_ID", "id"},
                  {"AWS_SECRET_ACCESS_KEY", "secret"}};
  const auto& [set, missing, because] =
      GENERATE_COPY(part{{{"OPENAI_BASE_URL", "http://h/v1"}}, "OPENAI_API_KEY", "OPENAI_BASE_URL"},
                    part{{{"OPENAI_MODEL", "m"}}, "OPENAI_API_KEY", "OPENAI_MODEL"},
                    part{{{"REDIS_PORT", "6379"}}, "REDIS_HOST", "REDIS_PORT"},
                    part{{{"REDIS_PASSWORD", "p"}}, "REDIS_HOST", "REDIS_PASSWORD"},
                    part{{{"REDIS_DB", "1"}}, "REDIS_HOST", "REDIS_DB"},
                    part{without(s3, "S3_ENDPOINT_URL"), "S3_ENDPOINT_URL", "S3_BUCKET_NAME"},
                    part{without(s3, "S3_BUCKET_NAME"), "S3_BUCKET_NAME", "S3_ENDPOINT_URL"},
                    part{without(s3, "AWS_ACCESS_KEY_ID"), "AWS_ACCESS_KEY_ID", "S3_ENDPOINT_URL"},
                    part{without(s3, "AWS_SECRET_ACCESS_KEY"), "AWS_SECRET_ACCESS_KEY", "S3_ENDPOINT_URL"},
                    // An empty variable is as good as none.
                    part{with(s3, "AWS_SECRET_ACCESS_KEY", ""), "AWS_SECRET_ACCESS_KEY", "S3_ENDPOINT_URL"});

  CHECK(refusal(set) ==
        missing + "='': needed because " + because + " is set; must be " + variable_named(missing).allowed);
}

TEST_CASE("the variables that S3 shares with other AWS clients do not ask for S3 by themselves",
          "[staging][config]") {
  const auto read = read_settings(
      from({{"AWS_REGION", "eu-west-1"}, {"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "secret"}}));
  CHECK(read.embedded);
  CHECK_FALSE(read.s3);
}

TEST_CASE("breaker settings and time-outs hold for simulated dependencies too", "[staging][config]") {
  const auto read = read_settings(from({{"DB_CB_FAILURE_THRESHOLD", "7"}, {"DB_TIMEOUT", "0.25"}}));
  CHECK(read.embedded);
  CHECK(read.of(dependency::database).failure_threshold == 7);
  CHECK(read.of(dependency::database).timeout == 250ms);
}

TEST_CASE("thresholds must descend, and the one that was set is blamed", "[staging][config]") {
  CHECK(refusal({{"OPTIMAL_THRESHOLD", "60.5"}}) ==
        "OPTIMAL_THRESHOLD='60.5': must be above DEGRADED_THRESHOLD (70)");
  CHECK(refusal({{"DEGRADED_THRESHOLD", "90"}}) ==
        "DEGRADED_THRESHOLD='90': must be below OPTIMAL_THRESHOLD (90)");
  CHECK(refusal({{"DEGRADED_THRESHOLD", "60"}}) ==
        "DEGRADED_THRESHOLD='60': must be above LIMITED_THRESHOLD (60)");
  CHECK(refusal({{"LIMITED_THRESHOLD", "71"}}) ==
        "LIMITED_THRESHOLD='71': must be below DEGRADED_THRESHOLD (70)");
  CHECK(refusal({{"LIMITED_THRESHOLD", "39"}}) ==
        "LIMITED_THRESHOLD='39': must be above MINIMAL_THRESHOLD (40)");
  CHECK(refusal({{"MINIMAL_THRESHOLD", "60"}}) ==
        "MINIMAL_THRESHOLD='60': must be below LIMITED_THRESHOLD (60)");
  CHECK(refusal({{"LIMITED_THRESHOLD", "30"}, {"MINIMAL_THRESHOLD", "30"}}) ==
        "MINIMAL_THRESHOLD='30': must be below LIMITED_THRESHOLD (30)");
  CHECK(refusal({{"LIMITED_THRESHOLD", "30.5"}, {"MINIMAL_THRESHOLD", "30"}}).empty());
}

TEST_CASE("a hysteresis that would keep the best level out of reach is refused", "[staging][config]") {
  CHECK(refusal({{"DEGRADATION_HYSTERESIS", "10"}}).empty());
  CHECK(refusal({{"DEGRADATION_HYSTERESIS", "10.5"}}) ==
        "DEGRADATION_HYSTERESIS='10.5': must not exceed 100 together with OPTIMAL_THRESHOLD (90)");
  CHECK(refusal({{"OPTIMAL_THRESHOLD", "99"}}) ==
        "OPTIMAL_THRESHOLD='99': must not exceed 100 together with DEGRADATION_HYSTERESIS (2)");
  CHECK(refusal({{"OPTIMAL_THRESHOLD", "100"}, {"DEGRADATION_HYSTERESIS", "0"}}).empty());
}

TEST_CASE("features must be back before the next step up", "[staging][config]") {
  CHECK(refusal({{"DEGRADATION_FEATURE_RETURN", "10"}}).empty());
  CHECK(refusal({{"DEGRADATION_FEATURE_RETURN", "10.5"}}) ==
        "DEGRADATION_FEATURE_RETURN='10.5': must be at most DEGRADATION_DWELL (10)");
  CHECK(refusal({{"DEGRADATION_FEATURE_RETURN", "5"}, {"DEGRADATION_DWELL", "4"}}) ==
        "DEGRADATION_FEATURE_RETURN='5': must be at most DEGRADATION_DWELL (4)");
}

TEST_CASE("of several faults the first is named: values in table order, then what they ask of each other",
          "[staging][config]") {
  values set{{"S3_ENDPOINT_URL", "http://h"}, {"REDIS_DB", "1"},
             {"OPTIMAL_THRESHOLD", "1"},      {"S3_TIMEOUT", "x"},
             {"OPENAI_API_KEY", "sk-x"},      {"API_PORT", "x"}};
  const auto culprit = [&] { return refusal(set).substr(0, refusal(set).find('=')); };
  CHECK(culprit() == "API_PORT");
  set.erase("API_PORT");
  CHECK(culprit() == "S3_TIMEOUT");
  set.erase("S3_TIMEOUT");
  CHECK(culprit() == "REDIS_HOST");
  set.erase("REDIS_DB");
  CHECK(culprit() == "S3_BUCKET_NAME");
  set.erase("S3_ENDPOINT_URL");
  CHECK(culprit() == "OPTIMAL_THRESHOLD");
  set.erase("OPTIMAL_THRESHOLD");
  CHECK(culprit() == "DASHBOARD_API_KEY");
  set.erase("OPENAI_API_KEY");
  CHECK(culprit().empty());
}

TEST_CASE("a server that must be real is refused while a dependency would be simulated",
          "[staging][config]") {
  const auto all = with(everything_configured(), "REQUIRE_REAL", "true");
  CHECK(refusal(all).empty());
  CHECK(refusal(without(all, "REDIS_HOST")) ==
        "REQUIRE_REAL='true': these are not configured and would be simulated: redis; must be false, or each "
        "of "
        "them configured");
  CHECK(refusal({{"REQUIRE_REAL", "yes"}}).find(": openai, database, redis, s3; ") != std::string::npos);
  CHECK(refusal({{"REQUIRE_REAL", "no"}}).empty());
}
