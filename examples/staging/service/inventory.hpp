// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "service/staging_system.hpp"

#include <nlohmann/json.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace staging {

/// What the stock looks like, and where the figures come from.
struct inventory_report {
  nlohmann::ordered_json stats;     ///< empty when there is nothing to show
  std::string_view source;          ///< cache, database, stale; `none` when there is nothing
  std::optional<double> age;        ///< seconds, of a stale answer
  std::string reason;               ///< why not from a better source; empty when the source is the best one
  std::vector<std::string> scarce;  ///< names of what is nearly sold out
};

/// Stock figures: from Redis while they are fresh, else from PostgreSQL, else the last ones known.
/// Thread-safe.
class inventory {
 public:
  explicit inventory(staging_system& system) : system_{system} {}

  /// `offered` is the request's snapshot; it decides whether the cache and the database may be asked.
  [[nodiscard]] inventory_report report(const brownout::feature_view_for<features>& offered);

 private:
  struct known {
    nlohmann::ordered_json stats;
    brownout::time_point at;
  };

  [[nodiscard]] std::optional<nlohmann::ordered_json> cached();
  void remember(const nlohmann::ordered_json& stats);

  staging_system& system_;
  std::mutex mutex_;
  std::optional<known> last_;  // the last figures that the database gave
};

}  // namespace staging
