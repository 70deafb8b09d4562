// SPDX-License-Identifier: BSL-1.0
#include "service/staging_system.hpp"

#include "clients/s3_client.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <type_traits>
#include <vector>

namespace staging {

namespace {

using brownout::outcome;

/// How long a call waits for a connection while all are in use. Short: the caller has something else to
/// answer, and holds one of the server's threads meanwhile.
constexpr std::chrono::milliseconds patience{20};

/// A probe with a client of its own: a pool that calls have exhausted must not make its dependency look down.
///
/// `stop` wakes a client that waits. The probe context's own signal does not: it is a flag that one has to
/// ask.
template <class Client, class Settings>
brownout::probe probe_with(const Settings& settings, const std::stop_token& stop) {
  return [client = std::make_shared<Client>(settings), stop](const brownout::probe_context& given) {
    return client->ping({given.deadline, stop});
  };
}

std::size_t share_of(std::size_t connections, double share) {
  return static_cast<std::size_t>(std::max(1.0, std::round(static_cast<double>(connections) * share)));
}

/// A pool of clients. Those of a simulated dependency never connect: lent while its simulator is called, they
/// stand for the connections that the call would take.
template <class Client, class Settings>
std::unique_ptr<connection_pool<Client>> pool_of(const std::optional<Settings>& settings,
                                                 std::size_t connections) {
  const auto used = settings.value_or(Settings{});
  return std::make_unique<connection_pool<Client>>([used] { return Client{used}; }, connections);
}

const std::vector<inventory_row>& sample_inventory() {
  static const std::vector<inventory_row> rows{{"SIM-1", "Simulated shirt", 42, 1999},
                                               {"SIM-2", "Simulated shoes", 3, 5999},
                                               {"SIM-3", "Simulated scarf", 0, 1299}};
  return rows;
}

brownout::level_policy<level> policy_of(const settings& from) {
  brownout::level_policy<level> policy{
      brownout::level_ladder<level>{{level::optimal, from.thresholds.optimal},
                                    {level::degraded, from.thresholds.degraded},
                                    {level::limited, from.thresholds.limited},
                                    {level::minimal, from.thresholds.minimal},
                                    {level::emergency, 0}}};
  policy.hysteresis = from.hysteresis;
  policy.dwell = from.dwell;
  policy.dry_run = from.degradation_dry_run;
  return policy;
}

}  // namespace

staging_system::staging_system(const settings& from)
    : settings_{from},
      database_pool_{pool_of<postgres_client>(from.database, database_connections)},
      redis_pool_{pool_of<redis_client>(from.redis, redis_connections)},
      openai_pool_{pool_of<openai_client>(from.openai, openai_connections)} {
  for (auto& one : simulators_) one = std::make_shared<simulator>();
  brownout::supervisor_options<level> options{.dependencies = {}, .levels = policy_of(settings_)};
  for (const auto which : all_dependencies) options.dependencies.push_back(options_of(which));
  auto& judged = options.health.component;
  judged.latency = {.budget = settings_.latency.budget, .per_point = settings_.latency.per_point};
  judged.evidence.minimum_calls = 1;  // the figures to reproduce are the plain share of successes
  options.probe_interval = settings_.health_check_interval;
  options.suspect_interval = settings_.health_check_interval;  // the original checked no sooner
  options.return_over = settings_.feature_return;
  supervisor_ = std::make_unique<supervisor>(std::move(options), features);
}

brownout::dependency_options staging_system::options_of(dependency which) const {
  const auto& from = settings_.of(which);
  return {.name = std::string{to_string(which)},
          .weight = from.weight,
          .detector = {.threshold = from.failure_threshold},
          .breaker = {.open_for = from.recovery_timeout,
                      .probes = from.half_open_requests,
                      .ramp = brownout::no_ramp},
          .probe = probe_of(which),
          .timeout = from.timeout};
}

brownout::probe staging_system::probe_of(dependency which) const {
  const auto stop = stops_.get_token();
  if (simulated(which)) {
    return [stand_in = simulators_[index(which)], stop](const brownout::probe_context& given) {
      return stand_in->call({given.deadline, stop});
    };
  }
  switch (which) {
    case dependency::openai:
      return probe_with<openai_client>(*settings_.openai, stop);
    case dependency::database:
      return probe_with<postgres_client>(*settings_.database, stop);
    case dependency::redis:
      return probe_with<redis_client>(*settings_.redis, stop);
    case dependency::s3:
      return probe_with<s3_client>(*settings_.s3, stop);
  }
  return {};
}

call_context staging_system::context_of(dependency which) const {
  return {supervisor_->now() + settings_.of(which).timeout, stops_.get_token()};
}

void staging_system::resize_pools(level now) {
  const auto share = settings_at[now].pool_size;
  database_pool_->set_capacity(share_of(database_connections, share));
  redis_pool_->set_capacity(share_of(redis_connections, share));
  openai_pool_->set_capacity(share_of(openai_connections, share));
}

template <class Client, class Operation>
auto staging_system::through(dependency which, connection_pool<Client>& pool, Operation operation) {
  using answer = std::invoke_result_t<Operation, Client&, const call_context&>;
  using tried = attempt<answer>;
  const auto context = context_of(which);

  auto admitted = supervisor_->at(which).try_acquire();
  if (!admitted) return tried{std::nullopt, std::string{to_string(admitted.rejection().reason)}};
  try {
    auto client = pool.acquire({supervisor_->now() + patience, context.stop});
    if (!client) {
      // Our own shortage says nothing about the dependency.
      admitted->complete(outcome::ignored);
      return tried{std::nullopt, "every connection is in use"};
    }
    tried given{operation(**client, context), {}};
    admitted->complete(outcome::success);
    return given;
  } catch (const client_error& error) {
    admitted->complete(error.result(), {}, error.what());
    return tried{std::nullopt, error.what()};
  }
}

template <class Client, class T>
attempt<T> staging_system::through_simulator(dependency which, connection_pool<Client>& pool, T answer) {
  return through(which, pool, [&](Client&, const call_context& context) {
    const auto found = simulator_of(which).call(context);
    if (found.result != outcome::success) throw client_error(found.reason, found.result);
    return std::move(answer);
  });
}

attempt<std::vector<inventory_row>> staging_system::read_inventory() {
  if (simulated(dependency::database))
    return through_simulator(dependency::database, *database_pool_, sample_inventory());
  return through(
      dependency::database, *database_pool_,
      [](postgres_client& client, const call_context& context) { return client.inventory(context); });
}

attempt<std::optional<std::string>> staging_system::read_cache(std::string_view key) {
  if (simulated(dependency::redis)) {
    return through_simulator(dependency::redis, *redis_pool_,
                             std::optional<std::string>{});  // a cache that is always empty
  }
  return through(dependency::redis, *redis_pool_,
                 [&](redis_client& client, const call_context& context) { return client.get(key, context); });
}

attempt<bool> staging_system::write_cache(std::string_view key, std::string_view value,
                                          std::chrono::seconds ttl) {
  if (simulated(dependency::redis)) return through_simulator(dependency::redis, *redis_pool_, true);
  return through(dependency::redis, *redis_pool_, [&](redis_client& client, const call_context& context) {
    client.set_ex(key, value, ttl, context);
    return true;
  });
}

attempt<std::string> staging_system::recommend(std::string_view prompt) {
  if (simulated(dependency::openai)) {
    return through_simulator(dependency::openai, *openai_pool_,
                             std::string{"Reorder what is nearly sold out. (simulated)"});
  }
  return through(dependency::openai, *openai_pool_, [&](openai_client& client, const call_context& context) {
    return client.recommend(prompt, context);
  });
}

}  // namespace staging
