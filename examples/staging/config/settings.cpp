// SPDX-License-Identifier: BSL-1.0
#include "config/settings.hpp"

#include "config/config_error.hpp"
#include "config/libpq_options.hpp"
#include "config/near_name.hpp"
#include "config/secret_file.hpp"
#include "config/text.hpp"
#include "config/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <map>
#include <stdexcept>
#include <utility>

namespace staging {
namespace {

/// The values that the environment gave, by variable.
using given_values = std::map<std::string_view, std::string>;

using names = std::initializer_list<std::string_view>;

const variable& named(std::string_view name) {
  const auto all = variables();
  const auto found = std::ranges::find(all, name, &variable::name);
  if (found == all.end()) throw std::logic_error(fmt::format("no variable {} in the table", name));
  return *found;
}

std::string value_of(const environment& from, std::string_view name) {
  const auto found = from.find(name);
  return found == from.end() ? std::string{} : found->second;
}

/// Refuses names that are nearly ours: a misspelt one would silently mean a default, or a simulation. If
/// the one meant is set as well, the other is most likely another program's.
void check_names(const environment& from, settings& into) {
  for (const auto& [name, value] : from) {
    const auto meant = meant_by(name);
    if (meant.empty()) continue;
    const auto said =
        fmt::format("{}: this server has no such variable, and takes it for {}", escaped(name), meant);
    if (value_of(from, meant).empty()) {
      throw std::runtime_error(fmt::format("{}; it must be renamed, or {} be set too", said, meant));
    }
    into.warnings.push_back(fmt::format("{}, which is set too", said));
  }
}

/// Most durations are set in the order of their defaults; what is far above was probably given in
/// milliseconds.
void warn_if_implausible(const variable& which, std::string_view value, settings& into) {
  const auto number = [](std::string_view text) {
    return text::parse_number<double>(text, std::chars_format::fixed).value_or(0);
  };
  if (which.unit != "s" || number(value) <= std::max(60.0, 6 * number(which.default_value))) return;
  into.warnings.push_back(
      fmt::format("{}='{}': these are seconds, and the default is {}; did you mean milliseconds?", which.name,
                  value, which.default_value));
}

given_values read_each(const environment& from, settings& into) {
  given_values given;
  for (const auto& each : variables()) {
    auto value = value_of(from, each.name);
    const auto file = each.secret ? value_of(from, each.name_of_file()) : std::string{};
    if (!file.empty()) {
      if (!value.empty()) throw refused_file(each, file, fmt::format("must not be set beside {}", each.name));
      value = content_of(each, file);
    }
    const bool is_set = !value.empty();
    const std::string_view text = is_set ? std::string_view{value} : each.default_value;
    if (!text.empty() && !each.read(into, text)) {
      const auto fault = each.fault ? each.fault(text) : std::string{};
      const auto allowed = fmt::format("{}{}{}", each.allowed, fault.empty() ? "" : "; ", fault);
      if (!file.empty()) throw refused_file(each, file, fmt::format("must hold {}", allowed));
      throw config_error(each, text, fmt::format("must be {}", allowed));
    }
    if (!is_set) continue;
    warn_if_implausible(each, value, into);
    given.emplace(each.name, std::move(value));
  }
  return given;
}

/// Whether a dependency is configured: by any of `asking`, and then all of `needed` must be there.
bool is_configured(const given_values& given, names asking, names needed) {
  const auto* const asked = std::ranges::find_if(asking, [&](auto name) { return given.contains(name); });
  if (asked == asking.end()) return false;
  for (const auto name : needed) {
    if (given.contains(name)) continue;
    const auto& missing = named(name);
    throw config_error(missing, "",
                       fmt::format("needed because {} is set; must be {}", *asked, missing.allowed));
  }
  return true;
}

template <class Connection>
void keep_if(bool configured, std::optional<Connection>& connection, settings& into, dependency which) {
  into.dependencies.at(index(which)).simulated = !configured;
  if (!configured) connection.reset();
}

void settle_dependencies(const given_values& given, settings& into) {
  keep_if(is_configured(given, {"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"}, {"OPENAI_API_KEY"}),
          into.openai, into, dependency::openai);
  keep_if(is_configured(given, {"DATABASE_URL"}, {"DATABASE_URL"}), into.database, into,
          dependency::database);
  keep_if(is_configured(given, {"REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB"}, {"REDIS_HOST"}),
          into.redis, into, dependency::redis);
  // The AWS_ variables are shared with every other AWS client on the machine: alone they don't ask for S3.
  keep_if(is_configured(given, {"S3_ENDPOINT_URL", "S3_BUCKET_NAME"},
                        {"S3_ENDPOINT_URL", "S3_BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}),
          into.s3, into, dependency::s3);
  into.embedded = std::ranges::all_of(into.dependencies, &dependency_settings::simulated);
}

/// The variables of libpq, which reads them for what DATABASE_URL leaves open.
void check_libpq(const environment& from, const settings& read) {
  if (!read.database) return;
  if (const auto wrong = fault_of_libpq_variables(read.database->url, from))
    throw config_error(wrong->variable, wrong->value,
                       fmt::format("libpq reads it for DATABASE_URL; {}", wrong->fault));
}

std::string_view effective(const given_values& given, const variable& which) {
  const auto found = given.find(which.name);
  return found == given.end() ? which.default_value : std::string_view{found->second};
}

/// Of two values that don't go together the one that was set is at fault (the defaults do go together); if
/// both were, the second.
[[noreturn]] void refuse(const given_values& given, std::string_view first, std::string_view first_rule,
                         std::string_view second, std::string_view second_rule) {
  const bool second_at_fault = given.contains(second);
  const auto& culprit = named(second_at_fault ? second : first);
  const auto& other = named(second_at_fault ? first : second);
  throw config_error(culprit, effective(given, culprit),
                     fmt::format("{} {} ({})", second_at_fault ? second_rule : first_rule, other.name,
                                 effective(given, other)));
}

void check_levels(const given_values& given, const settings& read) {
  struct level {
    std::string_view name;
    double threshold;
  };
  const auto& at = read.thresholds;
  const std::array ladder{level{"OPTIMAL_THRESHOLD", at.optimal}, level{"DEGRADED_THRESHOLD", at.degraded},
                          level{"LIMITED_THRESHOLD", at.limited}, level{"MINIMAL_THRESHOLD", at.minimal}};
  const auto unordered = std::ranges::adjacent_find(ladder, std::ranges::less_equal{}, &level::threshold);
  if (unordered != ladder.end()) {
    refuse(given, unordered->name, "must be above", std::next(unordered)->name, "must be below");
  }

  // No score exceeds 100: once left, OPTIMAL could never come back.
  constexpr std::string_view rule = "must not exceed 100 together with";
  if (at.optimal + read.hysteresis > 100) {
    refuse(given, "OPTIMAL_THRESHOLD", rule, "DEGRADATION_HYSTERESIS", rule);
  }

  // They are all back before the next step up.
  if (read.feature_return > read.dwell) {
    refuse(given, "DEGRADATION_DWELL", "must be at least", "DEGRADATION_FEATURE_RETURN", "must be at most");
  }
}

void check_api_key(const settings& read) {
  if (read.api_key || read.embedded) return;
  const auto real =
      std::ranges::find_if_not(all_dependencies, [&](dependency which) { return read.of(which).simulated; });
  const auto& key = named("DASHBOARD_API_KEY");
  throw config_error(
      key, "", fmt::format("needed because {} is configured; must be {}", to_string(*real), key.allowed));
}

void check_real(const settings& read) {
  if (!read.require_real) return;
  std::string simulated;
  for (const auto which : all_dependencies) {
    if (read.of(which).simulated)
      simulated += fmt::format("{}{}", simulated.empty() ? "" : ", ", to_string(which));
  }
  if (simulated.empty()) return;
  throw config_error(
      named("REQUIRE_REAL"), "true",
      fmt::format("these are not configured and would be simulated: {}; must be false, or each of them "
                  "configured",
                  simulated));
}

}  // namespace

settings read_settings(const environment& from) {
  settings read;
  check_names(from, read);
  read.openai.emplace();
  read.database.emplace();
  read.redis.emplace();
  read.s3.emplace();
  const auto given = read_each(from, read);
  settle_dependencies(given, read);
  check_libpq(from, read);
  check_levels(given, read);
  check_real(read);
  check_api_key(read);
  return read;
}

settings read_settings() {
  return read_settings(process_environment());
}

}  // namespace staging
