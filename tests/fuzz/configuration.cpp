// SPDX-License-Identifier: BSL-1.0

// The configuration of the example server: any environment is taken with every value in its documented range,
// or refused by one line that names the variable and no secret.

#include "target.hpp"

#include "config/config_error.hpp"
#include "config/settings.hpp"
#include "config/variables.hpp"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using namespace fuzz;

/// Every secret has it. No other value has.
constexpr std::string_view marker = "zq7Kx";

std::string without_marker(std::string text) {
  for (auto at = text.find(marker); at != std::string::npos; at = text.find(marker)) text.erase(at, 1);
  return text;
}

/// A file for a secret that is not in the environment.
class secret_file {
 public:
  secret_file() : path_{std::filesystem::temp_directory_path() / fmt::format("brownout-fuzz-{}", getpid())} {}
  ~secret_file() { std::filesystem::remove(path_); }
  secret_file(const secret_file&) = delete;
  secret_file& operator=(const secret_file&) = delete;

  [[nodiscard]] std::string holding(const std::string& content) const {
    std::ofstream{path_, std::ios::binary} << content;
    return path_.string();
  }

 private:
  std::filesystem::path path_;
};

/// What is nearly a value: each kind of variable has some.
std::string any_value(choices& from) {
  static const std::array<std::string_view, 40> known{"0",
                                                      "1",
                                                      "2",
                                                      "0.5",
                                                      "16",
                                                      "255",
                                                      "256",
                                                      "3600",
                                                      "65535",
                                                      "86400",
                                                      "100000",
                                                      "1e3",
                                                      "nan",
                                                      "-1",
                                                      "true",
                                                      "OFF",
                                                      "debug",
                                                      "error",
                                                      "localhost",
                                                      "127.0.0.1",
                                                      "::1",
                                                      "10.0.0.0/8",
                                                      "10.0.0.1/8, fd00::/8",
                                                      "http://h",
                                                      "https://[::1]:80/v1/",
                                                      "http://h:0/",
                                                      "postgresql://u:p@h:5432/d",
                                                      "host=h port=1,2",
                                                      "host=a,b port=5432 sslmode=require",
                                                      "sslmode=on",
                                                      "bucket-1",
                                                      "us-east-1",
                                                      "openai:0.25,database:0.25,redis:0.25,s3:0.25",
                                                      "openai:1,database:0,redis:0,s3:0",
                                                      "gpt",
                                                      "0123456789abcdef",
                                                      "100",
                                                      "90",
                                                      "60",
                                                      "service=x"};
  const auto choice = from.below(4);
  if (choice == 0) return without_marker(from.text(40));
  std::string text{from.one_of(known)};
  if (choice == 1) text.insert(from.below(static_cast<std::uint32_t>(text.size()) + 1), from.text(3));
  return without_marker(text);
}

/// With the marker in it, in the places where secrets have their text.
std::string any_secret(choices& from) {
  const std::string text{marker};
  switch (from.below(8)) {
    case 0:
      return text + std::string(16, 'k');
    case 1:
      return "postgresql://user:" + text + "@127.0.0.1:5432/db" + from.text(8);
    case 2:
      return "host=h password=" + text + " " + any_value(from);
    case 3:
      return "http://user:" + text + "@h/" + from.text(4);
    case 4:
      return "https://h/" + text;
    case 5:
      return text + from.text(12);
    case 6:
      return from.text(12) + text + from.text(12);
    default:
      return "postgres://h/" + text + "?sslmode=" + from.text(8);
  }
}

staging::environment any_environment(choices& from, const secret_file& file) {
  static const auto all = staging::variables();
  static const std::array<std::string_view, 12> others{
      "PGPORT",          "PGSSLMODE",     "PGHOSTADDR",   "PGCONNECT_TIMEOUT", "PGTARGETSESSIONATTRS",
      "REDIS_HOTS",      "DB_TIMEOUT_MS", "API_HOSTNAME", "S3_BUCKET",         "DATABASE_URI",
      "OPENAI_API_BASE", "HOME"};
  staging::environment made;
  const bool has_others = from.one_in(8);  // names of no variable cost the most time
  // With few variables, most environments are taken.
  for (auto count = from.below(from.one_in(2) ? 3 : 12); count > 0; --count) {
    const auto choice = has_others ? from.below(8) : 2;
    if (choice == 0) {
      made.insert_or_assign(std::string{from.one_of(others)}, any_value(from));
      continue;
    }
    if (choice == 1) {
      auto name = from.text(24);
      std::erase_if(name, [](char c) { return c == '=' || c == '\0'; });  // a process has no such names
      made.insert_or_assign(name, any_value(from));
      continue;
    }
    const auto& which = all[from.below(static_cast<std::uint32_t>(all.size()))];
    std::string name{which.name};
    std::string value = which.secret ? any_secret(from) : any_value(from);
    if (which.secret && from.one_in(4)) {
      name += "_FILE";
      // A secret itself may be given as the name of a file, by mistake.
      if (from.one_in(2)) value = file.holding(value + (from.one_in(2) ? "\n" : ""));
    }
    // The environment of a process has no NUL.
    std::erase(value, '\0');
    made.insert_or_assign(name, value);
  }
  return made;
}

struct refusal {
  std::string text;
  bool operator==(const refusal&) const = default;
};

std::optional<refusal> refused(const staging::environment& from, std::optional<staging::settings>& taken) {
  try {
    taken = staging::read_settings(from);
    return std::nullopt;
  } catch (const std::runtime_error& why) {
    return refusal{why.what()};
  }
}

/// One line of printable ASCII, without a secret.
void require_plain(const std::string& line, const char* what) {
  require(!line.empty(), "{} is empty", what);
  for (const char c : line)
    require(c >= ' ' && c < '\x7f', "{} is not one line of printable ASCII: {}", what, shown(line));
  require(line.find(marker) == std::string::npos, "{} holds a secret: {}", what, shown(line));
}

void require_known_variable(const std::string& text, const staging::environment& from) {
  const auto begins_with = [&](const std::string& name) {
    return text.starts_with(name + "='") || text.starts_with(name + ": ");
  };
  bool is_known = false;
  for (const auto& each : staging::variables())
    is_known = is_known || begins_with(std::string{each.name}) || begins_with(each.name_of_file());
  for (const auto& [other, value] : from) is_known = is_known || begins_with(staging::escaped(other));
  require(is_known, "the refusal names no variable: {}", shown(text));
}

template <class Number>
void require_within(const char* what, Number value, Number least, Number most) {
  require(value >= least && value <= most, "{} is outside of its range", what);  // so that NaN fails
}

/// The ranges as config/settings.hpp documents them.
void require_ranges(const staging::settings& read) {
  using brownout::duration;
  const auto time = [](const char* what, duration value, double least, double most) {
    require_within(what, std::chrono::duration<double>{value}.count(), least, most);
  };
  require(!read.host.empty(), "host is empty");
  require_within("connections", read.connections, 1U, 100'000U);
  require(read.embedded || read.api_key, "a server with real dependencies has no key");
  if (read.api_key) require_within<std::size_t>("api_key", read.api_key->size(), 16, 256);
  time("shutdown_drain", read.shutdown_drain, 0, 3600);
  time("shutdown_grace", read.shutdown_grace, 0, 3600);
  require_within("rate_limit.requests", read.rate_limit.requests, 1U, 1'000'000U);
  time("rate_limit.window", read.rate_limit.window, 0.001, 86'400);
  time("health_check_interval", read.health_check_interval, 0.001, 3600);
  time("latency.budget", read.latency.budget, 0, 3600);
  time("latency.per_point", read.latency.per_point, 0.000'001, 60);
  const auto& at = read.thresholds;
  require(100 >= at.optimal && at.optimal > at.degraded && at.degraded > at.limited &&
              at.limited > at.minimal && at.minimal > 0,
          "the thresholds are out of order");
  require_within("hysteresis", read.hysteresis, 0.0, 20.0);
  require(at.optimal + read.hysteresis <= 100, "the best level can never come back");
  time("dwell", read.dwell, 0, 86'400);
  require_within("dwell_limit", read.dwell_limit, 1.0, 1000.0);
  time("feature_return", read.feature_return, 0,
       std::min(3600.0, std::chrono::duration<double>{read.dwell}.count()));
  double weights = 0;
  bool all_simulated = true;
  for (const auto which : staging::all_dependencies) {
    const auto& one = read.of(which);
    require_within("weight", one.weight, 0.0, 1.0);
    weights += one.weight;
    require_within("failure_threshold", one.failure_threshold, 1U, 1'000'000U);
    time("recovery_timeout", one.recovery_timeout, 0.001, 3600);
    require_within("half_open_requests", one.half_open_requests, 1U, 255U);
    time("timeout", one.timeout, 0.001, 3600);
    all_simulated = all_simulated && one.simulated;
    require(!read.require_real || !one.simulated, "a dependency is simulated, and none may be");
  }
  require(std::abs(weights - 1) < 1e-5, "the weights are {} together", weights);
  require_same(read.embedded, all_simulated, "embedded");
  require_same(read.openai.has_value(), !read.of(staging::dependency::openai).simulated, "openai");
  require_same(read.database.has_value(), !read.of(staging::dependency::database).simulated, "database");
  require_same(read.redis.has_value(), !read.of(staging::dependency::redis).simulated, "redis");
  require_same(read.s3.has_value(), !read.of(staging::dependency::s3).simulated, "s3");
  if (read.redis) require(read.redis->port != 0 && !read.redis->host.empty(), "Redis has no address");
  if (read.s3) {
    require_within<std::size_t>("bucket", read.s3->bucket.size(), 3, 63);
    require(!read.s3->endpoint_url.ends_with('/'), "the URL of S3 ends with a slash");
    require(!read.s3->access_key_id.empty() && !read.s3->secret_access_key.empty(), "S3 has no key");
  }
  if (read.openai) {
    require(!read.openai->api_key.empty() && !read.openai->model.empty(), "OpenAI has no key or model");
    require(!read.openai->base_url.ends_with('/'), "the URL of OpenAI ends with a slash");
  }
  if (read.database) require(!read.database->url.empty(), "the database has no URL");
}

}  // namespace

void fuzz::one_input(choices& from) {
  static const secret_file file;
  const auto given = any_environment(from, file);
  if (from.tells()) {
    for (const auto& [name, value] : given) from.note("{}={}", shown(name), shown(value));
  }

  std::optional<staging::settings> taken;
  const auto why = refused(given, taken);
  if (why) {
    from.note("refused: {}", why->text);
    require_plain(why->text, "the refusal");
    require_known_variable(why->text, given);
  } else {
    require_ranges(*taken);
    for (const auto& warning : taken->warnings) require_plain(warning, "a warning");
  }
  if (!from.one_in(8)) return;
  std::optional<staging::settings> again;
  require(refused(given, again) == why && again == taken, "the same environment is read in two ways");
}
