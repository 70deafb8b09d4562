// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/staging/config_fixture.hpp"

#include "config/near_name.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace staging_test;
using staging::meant_by;

TEST_CASE("a name that is nearly ours is taken for ours", "[staging][config]") {
  const std::vector<std::pair<std::string, std::string>> misses{
      {"S3_ENDPOINT", "S3_ENDPOINT_URL"},
      {"S3_BUCKET", "S3_BUCKET_NAME"},
      {"S3_URL", "S3_ENDPOINT_URL"},
      {"S3_REGION", "AWS_REGION"},
      {"S3_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"},
      {"S3_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"},
      {"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"},
      {"AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"},
      {"AWS_ACESS_KEY_ID", "AWS_ACCESS_KEY_ID"},
      {"AWS_REGOIN", "AWS_REGION"},
      {"DB_URL", "DATABASE_URL"},
      {"DATABASE_URI", "DATABASE_URL"},
      {"DATABSE_URL", "DATABASE_URL"},
      {"DATABASE_TIMEOUT", "DB_TIMEOUT"},
      {"DB_TIMEOUT_MS", "DB_TIMEOUT"},
      {"DB_TIME_OUT", "DB_TIMEOUT"},
      {"db_timeout", "DB_TIMEOUT"},
      {"DB_CB_FAILURE_TRESHOLD", "DB_CB_FAILURE_THRESHOLD"},
      {"DB_CB_RESET_TIMEOUT", "DB_CB_RECOVERY_TIMEOUT"},
      {"REDIS_HOTS", "REDIS_HOST"},
      {"REDIS_HOSTNAME", "REDIS_HOST"},
      {"REDIS_PASS", "REDIS_PASSWORD"},
      {"REDIS_DATABASE", "REDIS_DB"},
      {"REDSI_HOST", "REDIS_HOST"},
      {"REDIS_HOST_FILE", "REDIS_HOST"},
      {"REDIS_PASSWORD_FIEL", "REDIS_PASSWORD_FILE"},
      {"OPENAI_KEY", "OPENAI_API_KEY"},
      {"OPENAI_APIKEY", "OPENAI_API_KEY"},
      {"OPEN_AI_API_KEY", "OPENAI_API_KEY"},
      {"OPENAI_API_BASE", "OPENAI_BASE_URL"},
      {"OPENAI_MODEL_NAME", "OPENAI_MODEL"},
      {"DASHBOARD_KEY", "DASHBOARD_API_KEY"},
      {"DASHBORD_API_KEY", "DASHBOARD_API_KEY"},
      {"DASHBOARD_RATE_LIMIT_REQUESTS", "DASHBOARD_RATELIMIT_REQUESTS"},
      {"DASHBOARD_RATELIMIT_REQ", "DASHBOARD_RATELIMIT_REQUESTS"},
      {"DEGRADATION_HYSTERISIS", "DEGRADATION_HYSTERESIS"},
      {"DEGRADATION_PAUSE", "DEGRADATION_DWELL"},
      {"HEALTH_INTERVAL", "HEALTH_CHECK_INTERVAL"},
      {"HEALTHCHECK_INTERVAL", "HEALTH_CHECK_INTERVAL"},
      {"HEALTH_CHECK_INTERVAL_SECONDS", "HEALTH_CHECK_INTERVAL"},
      {"OPTIMAL_TRESHOLD", "OPTIMAL_THRESHOLD"},
      {"SERVICE_WEIGHT", "SERVICE_WEIGHTS"},
      {"API_PROT", "API_PORT"},
      {"REQUIRE_REEL", "REQUIRE_REAL"},
  };
  for (const auto& [name, ours] : misses) {
    INFO(name);
    CHECK(meant_by(name) == ours);
  }
}

TEST_CASE("a name that is somebody else's is nothing to us", "[staging][config]") {
  for (const auto* name :
       {"PATH", "HOME", "EDITOR", "", "_", "=", "LOG_LEVEL", "API_KEY", "API_URL", "APP_PORT", "APP_HOST",
        "PORT",
        // The AWS tools' own.
        "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
        "AWS_SDK_LOAD_CONFIG", "AWS_MAX_ATTEMPTS",
        // OpenAI's.
        "OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID", "OPENAI_API_TYPE", "OPENAI_API_VERSION",
        "OPENAI_LOG", "OPENAI_PROXY",
        // Of other servers and frameworks.
        "REDIS_URL", "REDIS_USER", "REDIS_USERNAME", "REDIS_PREFIX", "REDIS_SENTINEL_HOST", "DATABASE_HOST",
        "DATABASE_PORT", "DATABASE_USER", "DATABASE_PASSWORD", "DATABASE_NAME", "DATABASE_FILE",
        "DATABASE_TEST_URL", "TEST_DATABASE_URL", "DATABASE_URL_REPLICA", "DB_HOST", "DB_PORT", "DB_NAME",
        "DB_USER", "DB_PASSWORD", "PGPASSWORD", "POSTGRES_PASSWORD_FILE", "POSTGRES_DB", "HEALTH_CHECK_PATH",
        "HEALTH_CHECK_PORT", "DASHBOARD_URL", "DASHBOARD_TITLE", "SHUTDOWN_HOOK", "ALERT_THRESHOLD",
        // What Kubernetes sets for services named as ours.
        "REDIS_SERVICE_HOST", "REDIS_SERVICE_PORT", "REDIS_PORT_6379_TCP", "REDIS_PORT_6379_TCP_ADDR",
        "API_SERVICE_HOST", "API_PORT_9000_TCP_PORT", "DASHBOARD_SERVICE_HOST", "DASHBOARD_PORT",
        "DATABASE_SERVICE_HOST", "DATABASE_PORT_5432_TCP"}) {
    INFO(name);
    CHECK(meant_by(name) == "");
  }
}

TEST_CASE("our own names are no misses", "[staging][config]") {
  for (const auto& each : staging::variables()) {
    CHECK(meant_by(each.name) == "");
    if (each.secret) CHECK(meant_by(each.name_of_file()) == "");
  }
}

TEST_CASE("a near miss is refused without its value, unless the variable meant is set too",
          "[staging][config]") {
  CHECK(
      refusal({{"REDIS_PASS", "hush"}}) ==
      "REDIS_PASS: this server has no such variable, and takes it for REDIS_PASSWORD; it must be renamed, or "
      "REDIS_PASSWORD be set too");
  const auto both = with(with(everything_configured(), "REDIS_PASS", "hush"), "REDIS_PASSWORD", "known");
  CHECK(refusal(both) == "");
  CHECK(staging::read_settings(from(both)).warnings ==
        std::vector<std::string>{
            "REDIS_PASS: this server has no such variable, and takes it for REDIS_PASSWORD, "
            "which is set too"});
  CHECK(refusal({{"API_PORT\n", "1"}}).starts_with("API_PORT\\x0a: "));
}
