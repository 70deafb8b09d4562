// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "config/dependency.hpp"
#include "config/environment.hpp"
#include "config/log_level.hpp"

#include "brownout/core/clock.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace staging {

using brownout::duration;

/// What is watched and limited alike for each dependency; holds for a simulated one too.
struct dependency_settings {
  double weight = 0;                     ///< share in the health score, [0, 1]; all four sum to 1
  std::uint32_t failure_threshold = 0;   ///< failures in a row that open the breaker, 1 to 1000000
  duration recovery_timeout{};           ///< how long it stays open, 0.001 to 3600 s
  std::uint32_t half_open_requests = 0;  ///< probes that must succeed before it closes, 1 to 255
  duration timeout{};                    ///< limit of one call or probe, 0.001 to 3600 s
  bool simulated = true;                 ///< not configured: an embedded simulator answers

  [[nodiscard]] bool operator==(const dependency_settings&) const = default;
};

/// Where PostgreSQL is.
struct database_settings {
  std::string url;  ///< what libpq connects with: a URI or key=value pairs; secret

  [[nodiscard]] bool operator==(const database_settings&) const = default;
};

/// Where Redis is.
struct redis_settings {
  std::string host;        ///< host name or IP address
  std::uint16_t port = 0;  ///< 1 to 65535, default 6379
  std::string password;    ///< empty: no AUTH is sent; secret
  std::uint32_t db = 0;    ///< number for SELECT, default 0

  [[nodiscard]] bool operator==(const redis_settings&) const = default;
};

/// Where the S3 bucket is and who asks for it.
struct s3_settings {
  std::string endpoint_url;       ///< http(s) URL without a trailing slash
  std::string bucket;             ///< 3 to 63 lower-case letters, digits, dots and hyphens
  std::string region;             ///< part of the signature, default us-east-1
  std::string access_key_id;      ///< printable ASCII, may hold a colon; secret
  std::string secret_access_key;  ///< printable ASCII; secret

  [[nodiscard]] bool operator==(const s3_settings&) const = default;
};

/// Where the OpenAI-compatible API is.
struct openai_settings {
  std::string base_url;  ///< http(s) URL without a trailing slash, default https://api.openai.com/v1
  std::string api_key;   ///< printable ASCII; secret
  std::string model;     ///< default gpt-4o-mini

  [[nodiscard]] bool operator==(const openai_settings&) const = default;
};

/// How many requests one client may send.
struct rate_limit_settings {
  bool enabled = true;         ///< default true
  std::uint32_t requests = 0;  ///< in one window, 1 to 1000000, default 100
  duration window{};           ///< 0.001 to 86400 s, default 60 s

  [[nodiscard]] bool operator==(const rate_limit_settings&) const = default;
};

/// Least score of each level; below the last one is EMERGENCY. Strictly descending, above 0 and up to
/// 100.
struct threshold_settings {
  double optimal = 0;   ///< default 90
  double degraded = 0;  ///< default 70
  double limited = 0;   ///< default 60
  double minimal = 0;   ///< default 40

  [[nodiscard]] bool operator==(const threshold_settings&) const = default;
};

/// When slow answers cost health points.
struct latency_settings {
  duration budget{};     ///< mean latency that costs nothing, 0 to 3600 s, default 0.5 s
  duration per_point{};  ///< one point is lost for each of these above the budget, 0.001 to 60000 ms, default
                         ///< 10 ms

  [[nodiscard]] bool operator==(const latency_settings&) const = default;
};

/// Everything the server can be told, checked; made by `read_settings`.
struct settings {
  std::string host;                         ///< listening address, IPv4, IPv6 or localhost; default 127.0.0.1
  std::uint16_t port = 0;                   ///< default 9000; 0: any free port
  std::uint32_t connections = 0;            ///< open at once, 1 to 100000, default 2048
  std::optional<std::uint16_t> agent_port;  ///< of HAProxy's agent check; 0: any free port; default: none
  std::optional<std::string>
      api_key;                      ///< 16 to 256 printable ASCII characters; only `embedded` can be without
  bool embedded = true;             ///< all four dependencies are simulated
  bool require_real = false;        ///< none of them may be; default false
  log_level log = log_level::info;  ///< default info
  duration shutdown_drain{};        ///< how long to serve on while not ready, 0 to 3600 s, default 2 s
  duration shutdown_grace{};        ///< how long running requests may take then, 0 to 3600 s, default 5 s
  bool enable_hsts = false;         ///< send Strict-Transport-Security; default false
  rate_limit_settings rate_limit;
  std::vector<std::string>
      trusted_proxies;  ///< peers whose forwarded header counts, each as `ip_network::text` writes it

  duration health_check_interval{};  ///< between probes of a dependency, 0.001 to 3600 s, default 10 s
  latency_settings latency;
  threshold_settings thresholds;
  double hysteresis = 0;   ///< points above a threshold needed to get better, 0 to 20, default 2
  duration dwell{};        ///< how long they are needed, 0 to 86400 s, default 10 s
  double dwell_limit = 0;  ///< how often `dwell` the dwell is at most after relapses, 1 to 1000, default 8
  duration
      feature_return{};  ///< how long the features of a better level take to return, 0 to 3600 s, default 0
  bool degradation_dry_run = false;  ///< decide and log levels, but offer everything; default false

  std::array<dependency_settings, dependency_count> dependencies{};  ///< by `index(dependency)`
  std::optional<openai_settings> openai;                             ///< empty: simulated
  std::optional<database_settings> database;                         ///< empty: simulated
  std::optional<redis_settings> redis;                               ///< empty: simulated
  std::optional<s3_settings> s3;                                     ///< empty: simulated

  std::vector<std::string> warnings;  ///< what is allowed and probably a mistake, each in one line

  [[nodiscard]] bool operator==(const settings&) const = default;

  [[nodiscard]] const dependency_settings& of(dependency which) const {
    return dependencies.at(index(which));
  }
};

/// Reads and checks every variable of `variables()`; an empty one counts as not set. A secret can be in a
/// file instead: `variable::name_of_file` names it. One line end at the file's end is no part of the value.
///
/// Throws `config_error` for the first thing wrong: names that are nearly ours in alphabetical order, each
/// value by itself in the order of `variables()`, then what values ask of each other (dependencies configured
/// in part, libpq's own variables, thresholds, the API key), so that the same environment always gives the
/// same message.
[[nodiscard]] settings read_settings(const environment& from);

/// Of this process.
[[nodiscard]] settings read_settings();

}  // namespace staging
