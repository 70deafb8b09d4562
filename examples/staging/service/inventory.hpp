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
  std::optional<double> age;        ///< of a copy: seconds since the database gave it
  std::string reason;               ///< why it is a copy, or why there is nothing; empty from the database
  std::vector<std::string> scarce;  ///< names of what is nearly sold out
  shortfall lacked{};               ///< what did not answer on the way here, the database before the cache
};

/// Stock figures: from Redis while they are fresh, else from PostgreSQL, else the last ones that were served,
/// wherever they came from. Thread-safe.
class inventory {
 public:
  explicit inventory(staging_system& system) : system_{system} {}

  /// `offered` is the request's snapshot; it decides whether the cache and the database may be asked.
  [[nodiscard]] inventory_report report(const brownout::feature_view_for<features>& offered);

 private:
  /// Figures, and when the database gave them.
  struct figures {
    nlohmann::ordered_json stats;
    brownout::time_point at;
  };
  /// What the cache says: `found` is empty without an entry that can be used.
  struct lookup {
    bool answered;
    std::optional<figures> found;
    std::string reason{};  ///< why the cache did not answer
  };

  [[nodiscard]] lookup cached();
  /// For the time when nothing answers; keeps the newer ones.
  void remember(const figures& served);
  [[nodiscard]] inventory_report copy_of(const figures& served, std::string_view source,
                                         std::string reason) const;

  staging_system& system_;
  std::mutex mutex_;
  std::optional<figures> last_;  // guarded by `mutex_`
};

}  // namespace staging
