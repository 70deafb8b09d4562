// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/staging/config_fixture.hpp"

#include "config/config_error.hpp"
#include "config/settings.hpp"
#include "service/staging_system.hpp"

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

using namespace staging_test;
using namespace std::chrono_literals;
using staging::dependency;
using staging::settings;

namespace {

struct good_value {
  std::string text;
  std::function<bool(const settings&)> arrived;
};

/// What one variable must take and refuse.
struct expectation {
  std::string name;
  std::string allowed;
  bool secret;
  std::vector<good_value> good;
  std::vector<std::string> bad;
};

using texts = std::vector<std::string>;

texts operator+(texts left, const texts& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const texts not_a_number{"x",    "10x", "10 ",  " 10", "10\n", "\t10", "+10", "-1", "-0",    "nan", "inf",
                         "-inf", "NAN", "0x10", "1e1", "1,5",  "10s",  "--1", ".",  "1.2.3", "one"};
const texts not_whole =
    not_a_number + texts{"1.5", "1.0", "18446744073709551616", "99999999999999999999999999"};
const texts not_decimal = not_a_number + texts{"1" + std::string(400, '0')};

constexpr auto whole_up_to_a_million = "a whole number from 1 to 1000000";
constexpr auto up_to_an_hour = "a decimal number from 0.001 to 3600 (seconds)";
constexpr auto points = "a decimal number from 0 to 100";
constexpr auto yes_or_no = "true, false, 1, 0, yes, no, on or off";

void add_breaker(std::vector<expectation>& all, const std::string& prefix, dependency which) {
  const auto whole = [which](const char* text, auto member, std::uint32_t value) {
    return good_value{text, [=](const settings& read) { return read.of(which).*member == value; }};
  };
  const auto time = [which](const char* text, auto member, brownout::duration value) {
    return good_value{text, [=](const settings& read) { return read.of(which).*member == value; }};
  };
  using member = staging::dependency_settings;
  all.push_back({prefix + "_TIMEOUT",
                 up_to_an_hour,
                 false,
                 {time("0.001", &member::timeout, 1ms), time("3600", &member::timeout, 1h),
                  time("0.1", &member::timeout, 100ms)},
                 not_decimal + texts{"0", "0.0009", "3600.1"}});
  all.push_back(
      {prefix + "_CB_FAILURE_THRESHOLD",
       whole_up_to_a_million,
       false,
       {whole("1", &member::failure_threshold, 1), whole("1000000", &member::failure_threshold, 1'000'000)},
       not_whole + texts{"0", "1000001", "4294967297"}});
  all.push_back({prefix + "_CB_RECOVERY_TIMEOUT",
                 up_to_an_hour,
                 false,
                 {time("0.001", &member::recovery_timeout, 1ms), time("3600", &member::recovery_timeout, 1h),
                  time("0.1", &member::recovery_timeout, 100ms)},
                 not_decimal + texts{"0", "0.0009", "3601"}});
  all.push_back({prefix + "_CB_HALF_OPEN_REQUESTS",
                 "a whole number from 1 to 255",
                 false,
                 {whole("1", &member::half_open_requests, 1), whole("255", &member::half_open_requests, 255)},
                 not_whole + texts{"0", "256", "257"}});
}

std::vector<good_value> both_ways(bool (*flag)(const settings&)) {
  std::vector<good_value> good;
  for (const auto* yes : {"true", "TRUE", "True", "1", "yes", "on", "oN"}) good.push_back({yes, flag});
  for (const auto* no : {"false", "FALSE", "0", "no", "No", "off"}) {
    good.push_back({no, [flag](const settings& read) { return !flag(read); }});
  }
  return good;
}

const texts not_boolean{"2", "tru",     "truee", " true", "true ", "y",
                        "n", "enabled", "-1",    "01",    "nan",   "true,true"};

const texts not_a_url{"h",
                      "//h",
                      "://h",
                      "ftp://h",
                      "httpss://h",
                      "http:/h",
                      "http://",
                      "http:///v1",
                      "http://h:0",
                      "http://h:",
                      "http://h:65536",
                      "http://h:8x",
                      "http://h:-1",
                      "http://user:password@h",
                      "http://h?x=1",
                      "http://h/#x",
                      "http://h/a b",
                      "http://h/\"",
                      "http://-h",
                      "http://a..b",
                      "http://300.1.1.1",
                      "http://[::1",
                      "http://[1.2.3.4]",
                      "http://[::1]x",
                      "http://[::1]x80",
                      "http://[:x]",
                      "http://::1/",
                      "http://h\r\nX: y",
                      " http://h",
                      "http://h ",
                      "http://h,http://i"};

std::vector<expectation> server_expectations() {
  const auto address = [](const char* text) {
    return good_value{text, [text](const settings& read) { return read.host == text; }};
  };
  const auto proxies = [](const char* text, std::vector<std::string> expected) {
    return good_value{text, [expected](const settings& read) { return read.trusted_proxies == expected; }};
  };
  const auto level = [](const char* text, staging::log_level expected) {
    return good_value{text, [expected](const settings& read) { return read.log == expected; }};
  };
  const auto key = [](const std::string& text) {
    return good_value{text, [text](const settings& read) { return read.api_key == text; }};
  };
  return {
      {"API_HOST",
       "an IPv4 address, an IPv6 address or localhost",
       false,
       {address("0.0.0.0"), address("192.0.2.7"), address("::"), address("::1"), address("localhost")},
       {"x", "Localhost", "example.org", "127.0.0", "127.0.0.1 ", " ::1", "256.0.0.1", "127.0.0.1:9000",
        "[::1]", "::1%lo", "1.2.3.4.5", "-1", ":::", "127.0.0.1,::1", "010.0.0.1"}},
      {"API_PORT",
       "a whole number from 0 to 65535",
       false,
       {{"0", [](const settings& read) { return read.port == 0; }},
        {"1", [](const settings& read) { return read.port == 1; }},
        {"65535", [](const settings& read) { return read.port == 65535; }}},
       not_whole + texts{"65536", "65537", "4294967296"}},
      {"API_CONNECTIONS",
       "a whole number from 1 to 100000",
       false,
       {{"1", [](const settings& read) { return read.connections == 1; }},
        {"100000", [](const settings& read) { return read.connections == 100'000; }}},
       not_whole + texts{"0", "100001", "4294967297"}},
      {"DASHBOARD_API_KEY",
       "16 to 256 printable ASCII characters without spaces",
       true,
       {key("!~0123456789abcd"), key(std::string(256, 'k'))},
       {"123456789012345", std::string(257, 'k'), "0123456789 abcdef", "0123456789abcdef\n",
        "0123456789abcd\x7f"
        "ef",
        "0123456789abcde\xc3\xa9", "0123456789\tabcdef"}},
      {"DASHBOARD_RATELIMIT_ENABLED", yes_or_no, false,
       both_ways([](const settings& read) { return read.rate_limit.enabled; }), not_boolean},
      {"DASHBOARD_RATELIMIT_REQUESTS",
       whole_up_to_a_million,
       false,
       {{"1", [](const settings& read) { return read.rate_limit.requests == 1; }},
        {"1000000", [](const settings& read) { return read.rate_limit.requests == 1'000'000; }}},
       not_whole + texts{"0", "1000001", "4294967297"}},
      {"DASHBOARD_RATELIMIT_WINDOW",
       "a decimal number from 0.001 to 86400 (seconds)",
       false,
       {{"0.001", [](const settings& read) { return read.rate_limit.window == 1ms; }},
        {"86400", [](const settings& read) { return read.rate_limit.window == 24h; }}},
       not_decimal + texts{"0", "0.0009", "86401"}},
      {"DASHBOARD_ENABLE_HSTS", yes_or_no, false,
       both_ways([](const settings& read) { return read.enable_hsts; }), not_boolean},
      {"DASHBOARD_TRUSTED_PROXIES",
       "IPv4 or IPv6 addresses or networks such as 10.0.0.0/8, separated by commas",
       false,
       {proxies("10.0.0.1", {"10.0.0.1"}), proxies("10.0.0.1, 0:0:0:0:0:0:0:1", {"10.0.0.1", "::1"}),
        proxies("::ffff:10.0.0.1,2001:DB8::1", {"10.0.0.1", "2001:db8::1"}),
        proxies("10.0.0.0/8, 192.168.4.0/22", {"10.0.0.0/8", "192.168.4.0/22"}),
        proxies("FD00:0::/8,10.0.0.1/32", {"fd00::/8", "10.0.0.1"}), proxies("0.0.0.0/0", {"0.0.0.0/0"})},
       {"proxy", "10.0.0.1,", ",10.0.0.1", "10.0.0.1,,::1", "10.0.0.1/8", "10.0.0.0/33", "fd00::/129",
        "fd00::1/8", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-8", "/8", "10.0.0.0 /8", "10.0.0.0/8 10.0.0.2",
        "10.0.0.1;::1", ",", " ", "-1", "10.0.0.256"}},
      {"REQUIRE_REAL", yes_or_no, false, both_ways([](const settings& read) { return read.require_real; }),
       not_boolean},
      {"DASHBOARD_LOG_LEVEL",
       "debug, info, warning or error",
       false,
       {level("debug", staging::log_level::debug), level("Info", staging::log_level::info),
        level("WARNING", staging::log_level::warning), level("error", staging::log_level::error)},
       {"x", "warn", "info ", " info", "infos", "debug,info", "0", "-1"}},
      {"SHUTDOWN_DRAIN",
       "a decimal number from 0 to 3600 (seconds)",
       false,
       {{"0", [](const settings& read) { return read.shutdown_drain == 0s; }},
        {"0.25", [](const settings& read) { return read.shutdown_drain == 250ms; }},
        {"3600", [](const settings& read) { return read.shutdown_drain == 1h; }}},
       not_decimal + texts{"3601"}},
      {"SHUTDOWN_GRACE",
       "a decimal number from 0 to 3600 (seconds)",
       false,
       {{"0", [](const settings& read) { return read.shutdown_grace == 0s; }},
        {"0.25", [](const settings& read) { return read.shutdown_grace == 250ms; }},
        {"3600", [](const settings& read) { return read.shutdown_grace == 1h; }}},
       not_decimal + texts{"3601"}},
      {"AGENT_PORT",
       "a whole number from 0 to 65535",
       false,
       {{"0", [](const settings& read) { return read.agent_port == 0; }},
        {"65535", [](const settings& read) { return read.agent_port == 65535; }}},
       not_whole + texts{"65536", "4294967296"}},
  };
}

std::vector<expectation> health_expectations() {
  const auto threshold = [](const char* text, double staging::threshold_settings::*member, double expected) {
    return good_value{text, [=](const settings& read) { return read.thresholds.*member == expected; }};
  };
  const auto shares = [](const char* text, double openai, double database, double redis, double s3) {
    return good_value{text, [=](const settings& read) {
                        return read.of(dependency::openai).weight == openai &&
                               read.of(dependency::database).weight == database &&
                               read.of(dependency::redis).weight == redis &&
                               read.of(dependency::s3).weight == s3;
                      }};
  };
  using at = staging::threshold_settings;
  const auto not_points = not_decimal + texts{"100.001", "101"};
  return {
      {"HEALTH_CHECK_INTERVAL",
       up_to_an_hour,
       false,
       {{"0.001", [](const settings& read) { return read.health_check_interval == 1ms; }},
        {"3600", [](const settings& read) { return read.health_check_interval == 1h; }}},
       not_decimal + texts{"0", "0.0009", "3601"}},
      {"HEALTH_LATENCY_BUDGET",
       "a decimal number from 0 to 3600 (seconds)",
       false,
       {{"0", [](const settings& read) { return read.latency.budget == 0s; }},
        {".25", [](const settings& read) { return read.latency.budget == 250ms; }},
        {"3600", [](const settings& read) { return read.latency.budget == 1h; }}},
       not_decimal + texts{"3600.001"}},
      {"HEALTH_LATENCY_MS_PER_POINT",
       "a decimal number from 0.001 to 60000 (milliseconds)",
       false,
       {{"0.001", [](const settings& read) { return read.latency.per_point == 1us; }},
        {"2.5", [](const settings& read) { return read.latency.per_point == 2500us; }},
        {"60000", [](const settings& read) { return read.latency.per_point == 1min; }}},
       not_decimal + texts{"0", "0.0009", "60001"}},
      {"SERVICE_WEIGHTS",
       "openai, database, redis and s3 once each as name:weight, each weight from 0 to 1, together 1",
       false,
       {shares("openai:0.4,database:0.3,redis:0.2,s3:0.1", 0.4, 0.3, 0.2, 0.1),
        shares("s3:0, redis:0, database:0, openai:1", 1, 0, 0, 0),
        // The sum may miss 1 by up to a millionth.
        shares("openai:0.3333333,database:0.3333333,redis:0.3333333,s3:0", 0.3333333, 0.3333333, 0.3333333,
               0)},
       {"x",
        "openai:1",
        "openai:0.5,database:0.3,redis:0.15",
        "openai:0.5,database:0.3,redis:0.15,s3:0.05,",
        ",openai:0.5,database:0.3,redis:0.15,s3:0.05",
        "openai:0.5,database:0.3,redis:0.15,s3:0.06",
        "openai:0.5,database:0.3,redis:0.15,s3:0.049",
        "openai:0.5,database:0.3,redis:0.15,s3:0.05x",
        "openai:0.5,database:0.3,redis:0.2,s3:-0.0",
        "openai:0.5,database:0.5,redis:0.05,s3:-0.05",
        "openai:1.5,database:0,redis:0,s3:0",
        "openai:1.0000005,database:0,redis:0,s3:0",
        "openai:0.3,openai:0.5,database:0.3,redis:0.15,s3:0.05",
        "openai:nan,database:0.3,redis:0.15,s3:0.05",
        "openai:inf,database:0.3,redis:0.15,s3:0.05",
        "openai:,database:0.3,redis:0.65,s3:0.05",
        "openai,database:0.3,redis:0.65,s3:0.05",
        "openai:0.5,database:0.3,redis:0.15,s3:0.05,s3:0",
        "openai:0.5,openai:0.3,redis:0.15,s3:0.05",
        "openai:0.5,database:0.3,redis:0.15,disk:0.05",
        "OpenAI:0.5,database:0.3,redis:0.15,s3:0.05",
        "openai=0.5,database=0.3,redis=0.15,s3=0.05",
        "openai:0.5;database:0.3;redis:0.15;s3:0.05",
        "openai:0.5 database:0.3 redis:0.15 s3:0.05",
        "openai:0,database:0,redis:0,s3:0",
        "openai:50,database:30,redis:15,s3:5",
        "openai:1" + std::string(400, '0') + ",database:0.3,redis:0.15,s3:0.05"}},
      {"OPTIMAL_THRESHOLD",
       points,
       false,
       {threshold("98", &at::optimal, 98), threshold("70.5", &at::optimal, 70.5)},
       not_points},
      {"DEGRADED_THRESHOLD",
       points,
       false,
       {threshold("89.5", &at::degraded, 89.5), threshold("61", &at::degraded, 61)},
       not_points},
      {"LIMITED_THRESHOLD",
       points,
       false,
       {threshold("69", &at::limited, 69), threshold("41", &at::limited, 41)},
       not_points},
      {"MINIMAL_THRESHOLD",
       "a decimal number above 0 and up to 100",
       false,
       {threshold("0.001", &at::minimal, 0.001), threshold("59.25", &at::minimal, 59.25)},
       not_points + texts{"0", "0.0", "000"}},
      {"DEGRADATION_HYSTERESIS",
       "a decimal number from 0 to 20",
       false,
       {{"0", [](const settings& read) { return read.hysteresis == 0; }},
        {"4.5", [](const settings& read) { return read.hysteresis == 4.5; }}},
       not_decimal + texts{"20.001", "21"}},
      {"DEGRADATION_DWELL",
       "a decimal number from 0 to 86400 (seconds)",
       false,
       {{"0", [](const settings& read) { return read.dwell == 0s; }},
        {"0.1", [](const settings& read) { return read.dwell == 100ms; }},
        {"86400", [](const settings& read) { return read.dwell == 24h; }}},
       not_decimal + texts{"86400.1"}},
      {"DEGRADATION_DWELL_LIMIT",
       "a decimal number from 1 to 1000",
       false,
       {{"1", [](const settings& read) { return read.dwell_limit == 1; }},
        {"2.5", [](const settings& read) { return read.dwell_limit == 2.5; }},
        {"1000", [](const settings& read) { return read.dwell_limit == 1000; }}},
       not_decimal + texts{"0.9", "1000.1", "0"}},
      {"DEGRADATION_FEATURE_RETURN",
       "a decimal number from 0 to 3600 (seconds)",
       false,
       {{"0", [](const settings& read) { return read.feature_return == 0s; }},
        {"0.5", [](const settings& read) { return read.feature_return == 500ms; }},
        {"10", [](const settings& read) { return read.feature_return == 10s; }}},
       not_decimal + texts{"3600.1"}},
      {"DEGRADATION_DRY_RUN", yes_or_no, false,
       both_ways([](const settings& read) { return read.degradation_dry_run; }), not_boolean},
  };
}

std::vector<expectation> connection_expectations() {
  const auto text = [](const auto& connection, auto member) {
    return [=](const std::string& given, const std::string& expected) {
      return good_value{given,
                        [=](const settings& read) { return (*(read.*connection)).*member == expected; }};
    };
  };
  const auto openai_key = text(&settings::openai, &staging::openai_settings::api_key);
  const auto openai_url = text(&settings::openai, &staging::openai_settings::base_url);
  const auto openai_model = text(&settings::openai, &staging::openai_settings::model);
  const auto database_url = text(&settings::database, &staging::database_settings::url);
  const auto redis_host = text(&settings::redis, &staging::redis_settings::host);
  const auto redis_password = text(&settings::redis, &staging::redis_settings::password);
  const auto s3_url = text(&settings::s3, &staging::s3_settings::endpoint_url);
  const auto bucket = text(&settings::s3, &staging::s3_settings::bucket);
  const auto region = text(&settings::s3, &staging::s3_settings::region);
  const auto access_key = text(&settings::s3, &staging::s3_settings::access_key_id);
  const auto secret_key = text(&settings::s3, &staging::s3_settings::secret_access_key);
  const auto same = [](const auto& make, const std::string& given) { return make(given, given); };

  constexpr auto url_allowed = "an http:// or https:// URL without user name, query or fragment";
  const std::string label(61, 'a');
  const auto longest_name = label + "." + label + "." + label + "." + label + ".aaaaa";  // 253 characters
  const texts not_a_token{"a b", " a", "a ", "a\r\nX-Evil: 1", "a\x7f", "caf\xc3\xa9"};
  return {
      {"OPENAI_API_KEY",
       "1 to 1024 printable ASCII characters without spaces",
       true,
       {same(openai_key, "sk-proj-1_2")},
       not_a_token + texts{std::string(1025, 'k')}},
      {"OPENAI_BASE_URL",
       url_allowed,
       true,
       {same(openai_url, "http://127.0.0.1:14010/v1"),
        openai_url("HTTPS://api.example.org/v1///", "HTTPS://api.example.org/v1"),
        same(openai_url, "https://h:65535/a/b-c_d.e~f%20"), same(openai_url, "http://[::1]:8080/v1"),
        same(openai_url, "http://[2001:db8::1]")},
       not_a_url},
      {"OPENAI_MODEL",
       "1 to 128 printable ASCII characters without spaces",
       false,
       {same(openai_model, "gpt-4.1")},
       not_a_token + texts{std::string(129, 'm')}},
      {"DATABASE_URL",
       "a postgresql:// or postgres:// URI, or libpq's key=value pairs",
       true,
       {same(database_url, "postgresql://h/d"),
        same(database_url, "postgres://u:p%40x@h:5432/d?sslmode=require"),
        same(database_url, "postgresql://[::1]:5432/d"), same(database_url, "postgresql://a:1,b/d"),
        same(database_url, "host=/var/run/postgresql dbname=d"),
        same(database_url, "host=h port=5432 password='a b'"),
        same(database_url, "postgresql://a:1,b:2/d?sslmode=verify-full&target_session_attrs=read-write"),
        same(database_url, "host=h connect_timeout=-1 ssl_min_protocol_version=tlsv1.2"),
        same(database_url, "host=h,i hostaddr=127.0.0.1,::1 port=1,2")},
       {"x",
        " ",
        "mysql://h/d",
        "mysql://h/d?a=b",
        "http://h/",
        "postgresql:/h/d",
        "postgresql://",
        "host=h hello",
        "host",
        "colour=blue",
        "password='open",
        "postgresql://h/d?colour=blue",
        "postgresql://[::1/d",
        "postgresql://u:p%zz@h/d",
        "postgresql://h:0/d",
        "postgresql://h:65536/d",
        "postgresql://h:54x/d",
        "postgresql://h:-1/d",
        "postgresql://h/d?sslmode=bogus",
        "postgresql://h/d?sslmode=",
        "postgresql://h/d?target_session_attrs=rw",
        "host=h connect_timeout=1s",
        "host=h,i port=1,2,3",
        "host=h,i hostaddr=::1",
        "hostaddr=h",
        "host=h ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
        "postgresql://a:1,b:0/d",
        "host=h port=x",
        "postgresql://h/d\n",
        std::string{"postgresql://h/d\0x", 18}}},
      {"REDIS_HOST",
       "a host name or an IP address",
       false,
       {same(redis_host, "redis"), same(redis_host, "cache_1.example.org"), same(redis_host, "10.1.2.3"),
        same(redis_host, "::1"), same(redis_host, longest_name)},
       {"a b",
        " redis",
        "redis ",
        "redis:6379",
        "redis://redis",
        "-redis",
        "redis-",
        "a..b",
        ".a",
        "a.",
        "300.1.1.1",
        "127.0.0",
        "-1",
        "10",
        "a,b",
        "[::1]",
        "redis\n",
        std::string(64, 'b') + ".c",
        std::string(64, 'a'),
        longest_name + "a"}},
      {"REDIS_PORT",
       "a whole number from 1 to 65535",
       false,
       {{"1", [](const settings& read) { return read.redis->port == 1; }},
        {"65535", [](const settings& read) { return read.redis->port == 65535; }}},
       not_whole + texts{"0", "65536", "65537", "tcp://10.0.0.1:6379"}},
      {"REDIS_PASSWORD",
       "text without control characters",
       true,
       {same(redis_password, "a b'c@"), same(redis_password, "p\xc3\xa4ss")},
       {"a\n", "a\r\nFLUSHALL", "\t", "a\x7f", std::string{"a\0b", 3}}},
      {"REDIS_DB",
       "a whole number from 0 to 2147483647",
       false,
       {{"0", [](const settings& read) { return read.redis->db == 0; }},
        {"2147483647", [](const settings& read) { return read.redis->db == 2147483647; }}},
       not_whole + texts{"2147483648", "4294967296"}},
      {"S3_ENDPOINT_URL",
       url_allowed,
       true,
       {s3_url("http://127.0.0.1:14569/", "http://127.0.0.1:14569"),
        same(s3_url, "https://s3.eu-west-1.amazonaws.com")},
       not_a_url},
      {"S3_BUCKET_NAME",
       "3 to 63 lower-case letters, digits, dots and hyphens, a letter or digit at both ends",
       false,
       {same(bucket, "abc"), same(bucket, "0my.bucket-9")},
       {"ab", std::string(64, 'b'), "Bucket", "my_bucket", "a/b", "-bucket", "bucket-", ".bucket", "bucket.",
        "my bucket", " bucket", "bucket\n", "../bucket"}},
      {"AWS_REGION",
       "1 to 63 letters, digits and hyphens",
       false,
       {same(region, "eu-west-1"), same(region, "RegionOne")},
       {"eu west", " eu", "eu ", "eu/west", "eu_west", std::string(64, 'r'), "eu\n", "eu,us"}},
      {"AWS_ACCESS_KEY_ID",
       "1 to 256 printable ASCII characters without spaces",
       true,
       {same(access_key, "a:b/c+d=")},
       not_a_token + texts{std::string(257, 'k')}},
      {"AWS_SECRET_ACCESS_KEY",
       "1 to 256 printable ASCII characters without spaces",
       true,
       {same(secret_key, "wJalr/K7+x=")},
       not_a_token + texts{std::string(257, 'k')}},
  };
}

const std::vector<expectation>& expectations() {
  static const auto all = [] {
    auto made = server_expectations();
    for (auto& each : health_expectations()) made.push_back(std::move(each));
    for (auto& each : connection_expectations()) made.push_back(std::move(each));
    add_breaker(made, "OPENAI", dependency::openai);
    add_breaker(made, "DB", dependency::database);
    add_breaker(made, "REDIS", dependency::redis);
    add_breaker(made, "S3", dependency::s3);
    return made;
  }();
  return all;
}

/// The way a public value is shown, for the values used here.
std::string shown(const expectation& expected, const std::string& value) {
  if (expected.secret || value.find('@') != std::string::npos) return "***";
  std::string text;
  for (const char symbol : value.substr(0, 120)) {
    switch (symbol) {
      case '\n':
        text += "\\x0a";
        break;
      case '\r':
        text += "\\x0d";
        break;
      case '\t':
        text += "\\x09";
        break;
      case '\x7f':
        text += "\\x7f";
        break;
      case '\xc3':
        text += "\\xc3";
        break;
      case '\xa9':
        text += "\\xa9";
        break;
      default:
        text += symbol;
    }
  }
  return value.size() > 120 ? text + "..." : text;
}

}  // namespace

namespace {

/// A file in a directory of its own.
class secret_file {
 public:
  secret_file() {
    auto pattern = (std::filesystem::temp_directory_path() / "brownout-secret-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no directory"};
    directory_ = pattern;
  }
  ~secret_file() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  secret_file(const secret_file&) = delete;
  secret_file& operator=(const secret_file&) = delete;

  void write(const std::string& content) const { std::ofstream{path(), std::ios::binary} << content; }
  [[nodiscard]] std::string directory() const { return directory_.string(); }
  [[nodiscard]] std::string path() const { return (directory_ / "secret").string(); }

 private:
  std::filesystem::path directory_;
};

}  // namespace

TEST_CASE("every variable is tried here, and none that does not exist", "[staging][config]") {
  std::multiset<std::string> tried;
  for (const auto& each : expectations()) tried.insert(each.name);
  std::multiset<std::string> existing;
  for (const auto& each : staging::variables()) existing.insert(std::string{each.name});
  CHECK(tried == existing);
  CHECK(std::set<std::string>(existing.begin(), existing.end()).size() == existing.size());
}

TEST_CASE("a good value arrives where it belongs", "[staging][config]") {
  for (const auto& each : expectations()) {
    for (const auto& [text, arrived] : each.good) {
      INFO(each.name << "=" << text);
      const auto set = with(everything_configured(), each.name, text);
      CHECK(refusal(set).empty());
      if (refusal(set).empty()) CHECK(arrived(staging::read_settings(from(set))));
    }
  }
}

TEST_CASE("the server can be built from whatever is accepted", "[staging][config]") {
  for (const auto& each : expectations()) {
    for (const auto& good : each.good) {
      INFO(each.name << "=" << good.text);
      const auto read = staging::read_settings(from(with(everything_configured(), each.name, good.text)));
      CHECK_NOTHROW(staging::staging_system{read});
    }
  }
}

TEST_CASE("a bad value is refused in one line: variable, value, what is allowed", "[staging][config]") {
  for (const auto& each : expectations()) {
    for (const auto& text : each.bad) {
      INFO(each.name << "=" << text);
      const auto message = refusal(with(everything_configured(), each.name, text));
      const auto start = each.name + "='" + shown(each, text) + "': must be " + each.allowed;
      CHECK(message.starts_with(start));
      // Some say more closely what is wrong.
      const auto more = message.substr(std::min(start.size(), message.size()));
      CHECK((more.empty() || more.starts_with("; its ")));
    }
  }
}

TEST_CASE("a refusal never shows a secret", "[staging][config]") {
  for (const auto& each : expectations()) {
    INFO(each.name);
    CHECK(variable_named(each.name).secret == each.secret);
    if (!each.secret) continue;
    // Every kind of secret refuses a control character.
    const auto message = refusal(with(everything_configured(), each.name, "hunter2hunter2hunter2\n"));
    CHECK(message.starts_with(each.name + "='***': "));
    CHECK(message.find("hunter2") == std::string::npos);
  }
  // A URL with a password in a variable that is not for URLs.
  const auto message = refusal({{"REDIS_HOST", "redis://:hunter2@redis:6379/0"}});
  CHECK(message == "REDIS_HOST='***': must be a host name or an IP address");
}

TEST_CASE("a refused value is shown without anything a terminal or a log could act on", "[staging][config]") {
  const std::string hostile{"9\x1b[2J\r\n\0'\\\xc2\x9b\x7f", 13};
  CHECK(refusal({{"API_PORT", hostile}}) ==
        R"(API_PORT='9\x1b[2J\x0d\x0a\x00\'\\\xc2\x9b\x7f': must be a whole number from 0 to 65535)");
  CHECK(refusal({{"API_PORT", std::string(120, '9')}})
            .starts_with("API_PORT='" + std::string(120, '9') + "': "));
  CHECK(refusal({{"API_PORT", std::string(121, '9')}})
            .starts_with("API_PORT='" + std::string(120, '9') + "...': "));
}

TEST_CASE("an empty variable is as good as none", "[staging][config]") {
  const auto& all = everything_configured();
  for (const auto& each : staging::variables()) {
    INFO(each.name);
    const auto absent = without(all, each.name);
    const auto empty = with(all, each.name, "");
    CHECK(refusal(empty) == refusal(absent));
    if (refusal(absent).empty())
      CHECK(staging::read_settings(from(empty)) == staging::read_settings(from(absent)));
  }
}

TEST_CASE("a refusal says which part of an address is wrong", "[staging][config]") {
  const auto fault = [](std::string_view name, std::string_view value) {
    const auto message = refusal(with(everything_configured(), name, value));
    const auto at = message.find("; ");
    return at == std::string::npos ? "" : message.substr(at + 2);
  };
  constexpr auto port = "its port must be a whole number from 1 to 65535";
  for (const auto* name : {"OPENAI_BASE_URL", "S3_ENDPOINT_URL"}) {
    CHECK(fault(name, "http://h:0") == port);
    CHECK(fault(name, "http://[::1]:65536/v1") == port);
    CHECK(fault(name, "ftp://h:0") == "");
  }
  CHECK(fault("DATABASE_URL", "postgresql://h:0/d") == port);
  CHECK(fault("DATABASE_URL", "host=a,b,c port=1,2") ==
        "its port must be one for all hosts, or one for each of them");
  CHECK(fault("DATABASE_URL", "postgresql://u:hush@h/d?sslmode=bogus") ==
        "its sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full");
  CHECK(fault("DATABASE_URL", "postgresql://h/d?ssl_max_protocol_version=3") ==
        "its ssl_max_protocol_version must be one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3");
  CHECK(fault("DATABASE_URL", "host=h connect_timeout=5s") == "its connect_timeout must be a whole number");
}

TEST_CASE("a variable that libpq would read is refused if no connection can come of it",
          "[staging][config]") {
  const auto message = [](const values& set, std::string_view url = "postgresql://h/d") {
    auto all = with(everything_configured(), "DATABASE_URL", url);
    all.insert(set.begin(), set.end());
    return refusal(all);
  };
  CHECK(message({{"PGSSLMODE", "bogus"}}) ==
        "PGSSLMODE='bogus': libpq reads it for DATABASE_URL; its sslmode must be one of disable, allow, "
        "prefer, "
        "require, verify-ca, verify-full");
  CHECK(message({{"PGPORT", "abc"}}) ==
        "PGPORT='abc': libpq reads it for DATABASE_URL; its port must be a whole number from 1 to 65535");
  CHECK(
      message({{"PGCONNECT_TIMEOUT", "5s"}}) ==
      "PGCONNECT_TIMEOUT='5s': libpq reads it for DATABASE_URL; its connect_timeout must be a whole number");
  CHECK(message({{"PGHOSTADDR", "h"}}) ==
        "PGHOSTADDR='h': libpq reads it for DATABASE_URL; its hostaddr must be an IPv4 or IPv6 address");
  for (const auto* name : {"PGSSLMODE", "PGGSSENCMODE", "PGCHANNELBINDING", "PGTARGETSESSIONATTRS",
                           "PGSSLMINPROTOCOLVERSION", "PGSSLMAXPROTOCOLVERSION"}) {
    CHECK(message({{name, "bogus"}}).starts_with(std::string{name} + "='bogus': "));
  }
  // libpq takes an empty variable for a value, and an empty sslmode for a wrong one.
  CHECK(message({{"PGSSLMODE", ""}}).starts_with("PGSSLMODE='': "));
  CHECK(message({{"PGPORT", ""}, {"PGHOSTADDR", ""}, {"PGSSLMINPROTOCOLVERSION", ""}}) == "");

  SECTION("good values are taken, and what has nothing to judge") {
    CHECK(message({{"PGPORT", "5433"}, {"PGSSLMODE", "verify-full"}, {"PGCONNECT_TIMEOUT", "5"}}) == "");
    CHECK(message({{"PGPASSWORD", "a@b"}, {"PGUSER", "demo"}, {"PGDATA", "x"}, {"PGHOSTADDR", "::1"}}) == "");
  }
  SECTION("the connection string goes before the variable") {
    CHECK(message({{"PGSSLMODE", "bogus"}, {"PGPORT", "abc"}}, "postgresql://h:1/d?sslmode=disable") == "");
  }
  SECTION("values must go together with those of the connection string") {
    CHECK(message({{"PGPORT", "1,2"}}).starts_with("PGPORT='1,2': "));
    CHECK(message({{"PGPORT", "1,2"}}, "host=a,b") == "");
    CHECK(message({{"PGHOSTADDR", "::1,::2"}}).starts_with("PGHOSTADDR='::1,::2': "));
    CHECK(message({{"PGSSLMAXPROTOCOLVERSION", "TLSv1.1"}}, "host=a ssl_min_protocol_version=TLSv1.2")
              .starts_with("PGSSLMAXPROTOCOLVERSION='TLSv1.1': "));
  }
  SECTION("without a database there is nothing that reads it") {
    CHECK(refusal({{"PGSSLMODE", "bogus"}}) == "");
  }
}

TEST_CASE("each secret, and nothing else, can be in a file", "[staging][config]") {
  const secret_file file;
  for (const auto& each : expectations()) {
    INFO(each.name);
    const auto& good = each.good.front();
    file.write(good.text);
    const auto set = with(without(everything_configured(), each.name), each.name + "_FILE", file.path());
    if (!each.secret) {
      CHECK(refusal(set).starts_with(each.name + "_FILE: this server has no such variable"));
      continue;
    }
    for (const auto* end : {"", "\n", "\r\n"}) {
      file.write(good.text + end);
      REQUIRE(refusal(set) == "");
      CHECK(good.arrived(staging::read_settings(from(set))));
    }
    file.write(good.text + "\n\n");
    CHECK(refusal(set) == each.name + "_FILE='" + file.path() + "': must hold " + each.allowed);
    file.write("");
    CHECK(refusal(set) ==
          each.name + "_FILE='" + file.path() + "': is empty; must be a file that holds " + each.allowed);
    file.write("\n");
    CHECK(refusal(set).find("is empty") != std::string::npos);
    file.write(std::string(65536, 'x'));
    CHECK(refusal(set).find("is too large") != std::string::npos);
    CHECK(refusal(with(set, each.name, good.text)) ==
          each.name + "_FILE='" + file.path() + "': must not be set beside " + each.name);
    CHECK(refusal(with(set, each.name + "_FILE", file.path() + "-gone")) ==
          each.name + "_FILE='" + file.path() +
              "-gone': cannot be read (No such file or directory); must be a file that holds " +
              each.allowed);
    CHECK(refusal(with(set, each.name + "_FILE", file.directory())).find("Is a directory") !=
          std::string::npos);
    // The secret itself, in the variable of the file.
    for (const auto* secret : {"hunter2hunter2hunter2", "/hunter2+hunter2", "/no/such/hunter2"}) {
      const auto message = refusal(with(set, each.name + "_FILE", secret));
      CHECK(message.starts_with(each.name + "_FILE='***': cannot be read"));
      CHECK(message.find("hunter2") == std::string::npos);
    }
  }
}

TEST_CASE("a duration far above its default is taken, and warned of", "[staging][config]") {
  for (const auto& each : staging::variables()) {
    INFO(each.name);
    const auto warnings_of = [&](const std::string& value) {
      auto set = with(everything_configured(), each.name, value);
      if (each.name == "DEGRADATION_FEATURE_RETURN") set["DEGRADATION_DWELL"] = "60";
      return refusal(set).empty() ? staging::read_settings(from(set)).warnings : std::vector<std::string>{};
    };
    CHECK(warnings_of(std::string{each.default_value}).empty());
    if (each.unit != "s") continue;
    CHECK(warnings_of("60").empty());
    if (each.name == "DEGRADATION_FEATURE_RETURN") continue;  // DEGRADATION_DWELL bounds it
    const auto warned = warnings_of("3000");
    REQUIRE(warned.size() == 1);
    CHECK(warned.front() == std::string{each.name} + "='3000': these are seconds, and the default is " +
                                std::string{each.default_value} + "; did you mean milliseconds?");
  }
}
