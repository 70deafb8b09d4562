// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/last_good.hpp"
#include "brownout/guard/pipeline.hpp"
#include "service/staging_system.hpp"

#include <nlohmann/json.hpp>

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
    std::string_view source;  ///< cache or database
  };
  /// What the cache says: `found` is empty without an entry that can be used.
  struct lookup {
    bool answered;
    std::optional<figures> found;
    std::string reason{};  ///< why the cache did not answer
  };

  [[nodiscard]] lookup cached();
  /// From the cache, else from the database; empty when neither answers. `lacked`: what did not.
  [[nodiscard]] std::optional<figures> read(const brownout::feature_view_for<features>& offered,
                                            shortfall& lacked);

  /// The last figures for the time when nothing answers. Old ones are better than none, and the answer says
  /// how old they are: so the longest age that there is.
  using last_figures = brownout::fallback<brownout::last_good>;

  staging_system& system_;
  const brownout::pipeline<brownout::monotonic_clock, last_figures> guarded_{
      last_figures{{.max_age = brownout::last_good::longest_age}}};
};

}  // namespace staging
