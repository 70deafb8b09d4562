// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/snapshot.hpp"
#include "brownout/system/supervisor.hpp"
#include "clients/call_context.hpp"
#include "clients/client_error.hpp"
#include "clients/connection_pool.hpp"
#include "clients/openai_client.hpp"
#include "clients/postgres_client.hpp"
#include "clients/redis_client.hpp"
#include "clients/simulator.hpp"
#include "config/dependency.hpp"
#include "config/settings.hpp"
#include "service/feature.hpp"
#include "service/level.hpp"
#include "service/operator_log.hpp"
#include "service/score_history.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace staging {

using guarded_dependency = brownout::dependency<brownout::consecutive_failures>;
/// What stands around the calls of a dependency: a deadline, then its circuit.
using guarded_calls = decltype(brownout::pipeline{std::declval<brownout::timeout>(),
                                                  std::declval<guarded_dependency&>()});
using supervisor = brownout::supervisor_for<features>;
using system_snapshot = brownout::system_snapshot<level>;

/// A value that a dependency gave, or why there is none.
template <class T>
struct attempt {
  std::optional<T> value;
  std::string reason;  ///< empty with a value; never holds a secret
};

/// What a dependency did not give for an answer, and why. Without a dependency and a reason, nothing lacked.
struct shortfall {
  std::optional<dependency> of{};  ///< empty with a reason: the level does not allow it
  std::string reason{};            ///< never holds a secret
};

/// The shortfall when a feature that is off is not even asked for.
[[nodiscard]] shortfall shortfall_of(const brownout::feature_view_for<features>& offered, feature which);

/// Why a feature that is off is off: "inventory_management is off: database refuses calls".
[[nodiscard]] std::string why_off(const brownout::feature_view_for<features>& offered, feature which);

/// The four dependencies and the supervisor that watches them; the pools of connections; and the simulators
/// that stand in for what is not configured. Thread-safe.
class staging_system {
 public:
  /// Connections at OPTIMAL. Together they are fewer than the server's threads, so that calls that hang can
  /// never take them all from `/health`.
  static constexpr std::size_t database_connections = 8;
  static constexpr std::size_t redis_connections = 8;
  static constexpr std::size_t openai_connections = 4;

  /// Connects to nothing yet. Throws `std::invalid_argument` when the library refuses an option.
  explicit staging_system(const settings& from);

  [[nodiscard]] supervisor& watched() noexcept { return supervisor_; }
  [[nodiscard]] const settings& configured() const noexcept { return settings_; }

  [[nodiscard]] bool simulated(dependency which) const { return settings_.of(which).simulated; }
  /// The stand-in of a simulated dependency.
  [[nodiscard]] simulator& simulator_of(dependency which) noexcept { return *simulators_[index(which)]; }

  /// Whether a call has succeeded since the last outage of the dependency. Probes may ask something else than
  /// calls do, so an outage that they end may not be over. Empty while there is nothing to say: no outage
  /// yet, one that lasts, or a dependency that this server does not call (s3).
  [[nodiscard]] std::optional<bool> call_succeeded_since_outage(
      dependency which, const brownout::component_snapshot& seen) const;

  [[nodiscard]] operator_log& operators() noexcept { return operators_; }
  [[nodiscard]] score_history& scores() noexcept { return scores_; }

  /// Gives the pools the size that `now` allows.
  void resize_pools(level now);
  [[nodiscard]] pool_usage usage_of_database() const { return database_pool_->usage(); }
  [[nodiscard]] pool_usage usage_of_redis() const { return redis_pool_->usage(); }
  [[nodiscard]] pool_usage usage_of_openai() const { return openai_pool_->usage(); }

  /// Makes calls and probes that are under way, and those still to come, give up: for shutdown.
  void give_up() noexcept { stops_.request_stop(); }

  /// The demo operations, each through its circuit and pool and under its own time-out. None throws.
  [[nodiscard]] attempt<std::vector<inventory_row>> read_inventory();
  [[nodiscard]] attempt<std::optional<std::string>> read_cache(std::string_view key);
  [[nodiscard]] attempt<bool> write_cache(std::string_view key, std::string_view value,
                                          std::chrono::seconds ttl);
  [[nodiscard]] attempt<std::string> recommend(std::string_view prompt);

 private:
  [[nodiscard]] brownout::probe probe_of(dependency which) const;
  [[nodiscard]] brownout::consecutive_failures detector_of(dependency which) const;
  [[nodiscard]] brownout::dependency_options options_of(dependency which) const;

  /// One call: its guards first, then a connection, then `operation(client, context)`.
  template <class Client, class Operation>
  [[nodiscard]] auto through(dependency which, connection_pool<Client>& pool, Operation operation);

  settings settings_;
  std::stop_source stops_;
  operator_log operators_;
  score_history scores_;
  // When the latest call that succeeded began. By the threads that call; relaxed: nothing else hangs on it,
  // and of two calls at once either will do.
  std::array<std::atomic<brownout::time_point>, dependency_count> last_success_{};
  // Shared with the probes: one that hangs may outlive this object.
  std::array<std::shared_ptr<simulator>, dependency_count> simulators_{
      std::make_shared<simulator>(), std::make_shared<simulator>(), std::make_shared<simulator>(),
      std::make_shared<simulator>()};
  std::unique_ptr<connection_pool<postgres_client>> database_pool_;
  std::unique_ptr<connection_pool<redis_client>> redis_pool_;
  std::unique_ptr<connection_pool<openai_client>> openai_pool_;
  guarded_dependency openai_;
  guarded_dependency database_;
  guarded_dependency redis_;
  guarded_dependency s3_;
  std::array<guarded_calls, dependency_count> calls_;
  supervisor supervisor_;
};

}  // namespace staging
