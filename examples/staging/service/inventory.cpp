// SPDX-License-Identifier: BSL-1.0
#include "service/inventory.hpp"

#include <chrono>
#include <cstdint>

namespace staging {

namespace {

constexpr std::string_view cache_key = "brownout-staging:inventory-stats";
constexpr std::int64_t scarce_below = 5;

nlohmann::ordered_json stats_of(const std::vector<inventory_row>& rows) {
  std::int64_t quantity = 0;
  std::int64_t value = 0;
  auto scarce = nlohmann::ordered_json::array();
  for (const auto& row : rows) {
    quantity += row.quantity;
    value += row.quantity * row.price_cents;
    if (row.quantity < scarce_below) scarce.push_back(row.name);
  }
  return {
      {"items", rows.size()}, {"total_quantity", quantity}, {"total_value_cents", value}, {"scarce", scarce}};
}

/// What the cache holds is input like any other: another version of the server may have written it.
bool is_stats(const nlohmann::ordered_json& read) {
  if (!read.is_object() || !read.contains("items") || !read.contains("scarce")) return false;
  const auto& scarce = read["scarce"];
  if (!scarce.is_array()) return false;
  for (const auto& name : scarce) {
    if (!name.is_string()) return false;
  }
  return true;
}

inventory_report report_of(nlohmann::ordered_json stats, std::string_view source) {
  inventory_report report{.stats = std::move(stats), .source = source, .age = {}, .reason = {}, .scarce = {}};
  for (const auto& name : report.stats["scarce"]) report.scarce.push_back(name.get<std::string>());
  return report;
}

}  // namespace

std::optional<nlohmann::ordered_json> inventory::cached() {
  const auto found = system_.read_cache(cache_key);
  if (!found.value || !*found.value) return std::nullopt;
  auto read = nlohmann::ordered_json::parse(**found.value, nullptr, false);
  if (!is_stats(read)) return std::nullopt;
  return read;
}

void inventory::remember(const nlohmann::ordered_json& stats) {
  const std::lock_guard lock{mutex_};
  last_ = known{stats, system_.watched().now()};
}

inventory_report inventory::report(const brownout::feature_view_for<features>& offered) {
  const bool cache_offered = offered.available(feature::redis_cache);
  if (cache_offered) {
    if (auto stats = cached()) return report_of(*std::move(stats), "cache");
  }
  std::string reason{"the level or the database's circuit does not allow it"};
  if (offered.available(feature::inventory_management)) {
    auto rows = system_.read_inventory();
    if (rows.value) {
      const auto stats = stats_of(*rows.value);
      remember(stats);
      if (cache_offered) {
        // Only an improvement: whether it succeeds changes nothing for this answer.
        static_cast<void>(
            system_.write_cache(cache_key, stats.dump(), settings_at[offered.level()].cache_ttl));
      }
      return report_of(stats, "database");
    }
    reason = rows.reason;
  }
  const std::lock_guard lock{mutex_};
  if (!last_) return {.stats = {}, .source = "none", .age = {}, .reason = std::move(reason), .scarce = {}};
  auto report = report_of(last_->stats, "stale");
  report.age = std::chrono::duration<double>(system_.watched().now() - last_->at).count();
  report.reason = std::move(reason);
  return report;
}

}  // namespace staging
