// SPDX-License-Identifier: BSL-1.0
#include "service/inventory.hpp"

#include "brownout/core/rules.hpp"
#include "brownout/guard/call_report.hpp"
#include "brownout/guard/stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace staging {

namespace {

constexpr std::string_view cache_key = "brownout-staging:inventory-stats";
constexpr std::size_t largest_entry = std::size_t{1} << 20U;  // parsed, it takes up to a hundred times this
constexpr std::int64_t scarce_below = 5;

/// As a whole number if 64 bits hold it, else as the nearest number that there is.
nlohmann::ordered_json total_of(long double sum) {
  constexpr long double beyond = 0x1p63L;
  if (sum >= -beyond && sum < beyond) return static_cast<std::int64_t>(sum);
  return static_cast<double>(sum);
}

nlohmann::ordered_json stats_of(const std::vector<inventory_row>& rows) {
  // As a floating-point number, which nothing that a table may hold makes overflow.
  long double quantity = 0;
  long double value = 0;
  auto scarce = nlohmann::ordered_json::array();
  for (const auto& row : rows) {
    quantity += static_cast<long double>(row.quantity);
    value += static_cast<long double>(row.quantity) * row.price_cents;
    if (row.quantity < scarce_below) scarce.push_back(row.name);
  }
  return {{"items", rows.size()},
          {"total_quantity", total_of(quantity)},
          {"total_value_cents", total_of(value)},
          {"scarce", scarce}};
}

double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The figures of an entry of the cache; empty when it is none. What the cache holds is input like any other:
/// another version of the server may have written it.
///
/// Nothing else of the entry is kept. The library copies and writes what is nested by recursion, and an entry
/// can be nested deeper than a stack is.
std::optional<nlohmann::ordered_json> stats_in(const nlohmann::json& entry) {
  if (!entry.is_object() || !entry.contains("stats") || !entry.contains("at") || !entry["at"].is_number())
    return std::nullopt;
  const auto& given = entry["stats"];
  nlohmann::ordered_json stats;
  for (const auto* const name : {"items", "total_quantity", "total_value_cents"}) {
    if (!given.contains(name) || !given[name].is_number()) return std::nullopt;
    stats[name] = given[name];
  }
  if (!given.contains("scarce") || !given["scarce"].is_array()) return std::nullopt;
  auto& scarce = stats["scarce"] = nlohmann::ordered_json::array();
  for (const auto& name : given["scarce"]) {
    if (!name.is_string()) return std::nullopt;
    scarce.push_back(name.get_ref<const std::string&>());
  }
  return stats;
}

}  // namespace

inventory::lookup inventory::cached() {
  const auto answer = system_.read_cache(cache_key);
  if (!answer.value) return {.answered = false, .found = {}, .reason = answer.reason};
  if (!*answer.value) return {.answered = true, .found = {}};
  const std::string& text = **answer.value;
  if (text.size() > largest_entry) return {.answered = true, .found = {}};
  // Not an ordered_json: its objects copy what they hold when they grow.
  const auto entry = nlohmann::json::parse(text, nullptr, false);
  auto stats = stats_in(entry);
  if (!stats) return {.answered = true, .found = {}};
  // By the wall clock, which alone outlives a restart; it may have been set back.
  const double age = std::clamp(seconds_since_epoch() - entry["at"].get<double>(), 0.0, 1e9);
  const std::chrono::duration<double> since{age};
  return {.answered = true,
          .found = figures{*std::move(stats),
                           system_.watched().now() - std::chrono::duration_cast<brownout::duration>(since),
                           "cache"}};
}

auto inventory::read(const brownout::feature_view_for<features>& offered, shortfall& lacked)
    -> std::optional<figures> {
  bool write_cache = offered.available(feature::redis_cache);
  if (write_cache) {
    auto entry = cached();
    if (entry.found) return std::move(entry.found);
    write_cache = entry.answered;  // one time-out of a cache that hangs is enough
    if (!entry.answered) lacked = {dependency::redis, std::move(entry.reason)};
  }
  if (!offered.available(feature::inventory_management)) {
    lacked = shortfall_of(offered, feature::inventory_management);
    return std::nullopt;
  }
  auto rows = system_.read_inventory();
  if (!rows.value) {
    lacked = {dependency::database, std::move(rows.reason)};
    return std::nullopt;
  }
  figures found{stats_of(*rows.value), system_.watched().now(), "database"};
  if (write_cache) {
    const nlohmann::ordered_json entry{{"at", seconds_since_epoch()}, {"stats", found.stats}};
    // A database with the encoding SQL_ASCII may give names that are not UTF-8. They are repaired: dumping
    // them as they are would throw.
    const auto text = entry.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    // Only an improvement: whether it succeeds changes nothing for this answer.
    static_cast<void>(system_.write_cache(cache_key, text, settings_at[offered.level()].cache_ttl));
  }
  return found;
}

inventory_report inventory::report(const brownout::feature_view_for<features>& offered) {
  inventory_report report{.stats = {}, .source = "none", .age = {}, .reason = {}, .scarce = {}, .lacked = {}};
  brownout::call_report told;
  const auto none_found = [](const std::optional<figures>& seen) { return !seen; };
  auto found = guarded_.call(
      {.report = &told}, [&] { return read(offered, report.lacked); }, brownout::failure_if(none_found));
  if (found) {
    report.source = told.ended_by == brownout::guard_kind::fallback ? "stale" : found->source;
    for (const auto& name : found->stats["scarce"]) report.scarce.push_back(name.get<std::string>());
    if (report.source != "database")
      report.age = std::chrono::duration<double>(system_.watched().now() - found->at).count();
    report.stats = std::move(found->stats);
  }
  if (report.source == "cache") {
    report.reason = fmt::format("figures are served from the cache for up to {} s",
                                settings_at[offered.level()].cache_ttl.count());
  } else if (report.source != "database") {
    report.reason = report.lacked.reason;
  }
  return report;
}

}  // namespace staging
