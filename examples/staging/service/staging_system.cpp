// SPDX-License-Identifier: BSL-1.0
#include "service/staging_system.hpp"

#include "brownout/core/outcome.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/observe/explanation.hpp"
#include "brownout/system/supervisor_options.hpp"
#include "clients/s3_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

namespace staging {

namespace {

using brownout::outcome;
using namespace std::chrono_literals;

/// How long a call waits for a connection while all are in use. Short: the caller has something else to
/// answer, and holds one of the server's threads meanwhile.
constexpr auto patience = 20ms;

/// Errors that say nothing about the dependency do not count.
constexpr auto judged_by_client = brownout::ignore_exceptions<client_error>(
    [](const client_error& error) { return error.result() != outcome::failure; });

/// A time-out as the library words that of a probe: one failure must not have two names.
std::string in_words_of_the_library(std::string reason, brownout::duration timeout) {
  static const std::string timed_out_reason = timed_out().what();
  if (reason != timed_out_reason) return reason;
  return fmt::format("no answer within {:g}s", std::chrono::duration<double>(timeout).count());
}

/// A probe with a client of its own: a pool that calls have exhausted must not make its dependency look down.
/// The probe owns all that it needs, so one that hangs can be left running.
///
/// `stop` wakes a client that waits. The probe context's own signal does not: it is a flag that one has to
/// ask.
template <class Client, class Settings>
brownout::probe probe_with(const Settings& settings, const std::stop_token& stop,
                           brownout::duration timeout) {
  return {std::make_shared<Client>(settings),
          [stop, timeout](Client& client, const brownout::probe_context& given) {
            auto found = client.ping({given.deadline, stop});
            found.reason = in_words_of_the_library(std::move(found.reason), timeout);
            return found;
          }};
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

/// What a simulated dependency gives: `answer`, unless it is told to fail.
template <class T>
T simulated_answer(simulator& stand_in, const call_context& context, T answer) {
  const auto found = stand_in.call(context);
  if (found.result != outcome::success) throw client_error(found.reason, found.result);
  return answer;
}

/// No retry: the caller has something else to answer, and the figures of the original count each failure. The
/// deadline is the outermost guard: an answer that comes late was an answer to the original too.
guarded_calls around(guarded_dependency& asked) {
  return brownout::pipeline{brownout::timeout{.limit = asked.described().timeout}, asked};
}

/// The figures of the original. It got worse at once, judged by the plain share of the last 20 calls, and
/// checked at fixed intervals, no sooner after a failure. A start is no outage: until the dependencies have
/// answered, every feature is offered whose circuits let calls pass.
brownout::supervisor_options<level> supervisor_options_of(const settings& from) {
  return {.levels = {.ladder = {{level::optimal, from.thresholds.optimal},
                                {level::degraded, from.thresholds.degraded},
                                {level::limited, from.thresholds.limited},
                                {level::minimal, from.thresholds.minimal},
                                {level::emergency, 0}},
                     .hysteresis = from.hysteresis,
                     .dwell = from.dwell,
                     .confirm_for = 0s,
                     .dwell_limit = from.dwell_limit,
                     .until_assessed = level::optimal,
                     .dry_run = from.degradation_dry_run},
          .health = {.component = {.latency = {.budget = from.latency.budget,
                                               .per_point = from.latency.per_point},
                                   .evidence = {.window = 20, .minimum_calls = 1}}},
          .return_over = from.feature_return,
          .probe_interval = from.health_check_interval,
          .suspect_interval = from.health_check_interval,
          .probe_jitter = 0};
}

}  // namespace

std::string why_off(const brownout::feature_view_for<features>& offered, feature which) {
  const auto name_of = [](std::size_t number) { return to_string(all_dependencies[number]); };
  return fmt::format("{} is {}", to_string(which), brownout::explain(offered.explain(which), name_of));
}

shortfall shortfall_of(const brownout::feature_view_for<features>& offered, feature which) {
  shortfall found{.of = {}, .reason = why_off(offered, which)};
  const auto verdict = offered.explain(which);
  for (const auto one : all_dependencies) {
    if (!found.of && verdict.blocked_by.contains(one)) found.of = one;
  }
  return found;
}

staging_system::staging_system(const settings& from)
    : settings_{from},
      database_pool_{pool_of<postgres_client>(from.database, database_connections)},
      redis_pool_{pool_of<redis_client>(from.redis, redis_connections)},
      openai_pool_{pool_of<openai_client>(from.openai, openai_connections)},
      openai_{detector_of(dependency::openai), options_of(dependency::openai)},
      database_{detector_of(dependency::database), options_of(dependency::database)},
      redis_{detector_of(dependency::redis), options_of(dependency::redis)},
      s3_{detector_of(dependency::s3), options_of(dependency::s3)},
      calls_{around(openai_), around(database_), around(redis_), around(s3_)},
      supervisor_{features,
                  supervisor_options_of(from),
                  {{dependency::openai, openai_},
                   {dependency::database, database_},
                   {dependency::redis, redis_},
                   {dependency::s3, s3_}}} {}

brownout::consecutive_failures staging_system::detector_of(dependency which) const {
  return {.threshold = settings_.of(which).failure_threshold};
}

brownout::dependency_options staging_system::options_of(dependency which) const {
  const auto& from = settings_.of(which);
  return {.name = std::string{to_string(which)},
          .weight = from.weight,
          .breaker = {.open_for = from.recovery_timeout,
                      .probes = from.half_open_requests,
                      .successes = from.half_open_requests},
          .probe = probe_of(which),
          .timeout = from.timeout};
}

std::optional<bool> staging_system::call_succeeded_since_outage(
    dependency which, const brownout::component_snapshot& seen) const {
  if (which == dependency::s3 || seen.last_outages.empty()) return std::nullopt;
  const auto& last = seen.last_outages.back();
  if (!last.ended) return std::nullopt;
  // The call that helped to close the circuit counts, and it began before the outage ended.
  const auto failed = last.last_try_at.value_or(last.began);
  return last_success_[index(which)].load(std::memory_order_relaxed) > failed;
}

brownout::probe staging_system::probe_of(dependency which) const {
  const auto stop = stops_.get_token();
  if (simulated(which)) {
    return {simulators_[index(which)], [stop](simulator& stand_in, const brownout::probe_context& given) {
              return stand_in.call({given.deadline, stop});
            }};
  }
  const auto timeout = settings_.of(which).timeout;
  switch (which) {
    case dependency::openai:
      return probe_with<openai_client>(*settings_.openai, stop, timeout);
    case dependency::database:
      return probe_with<postgres_client>(*settings_.database, stop, timeout);
    case dependency::redis:
      return probe_with<redis_client>(*settings_.redis, stop, timeout);
    case dependency::s3:
      return probe_with<s3_client>(*settings_.s3, stop, timeout);
  }
  return {};
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
  brownout::time_point began{};

  try {
    auto given = calls_[index(which)].try_call(
        [&](const brownout::call_context& call) {
          began = call.now;
          const auto stop = stops_.get_token();
          auto client = pool.acquire({began + patience, stop});
          // Our own shortage says nothing about the dependency.
          if (!client) throw client_error("every connection is in use", outcome::ignored);
          try {
            return operation(**client, call_context{call.deadline, stop});
          } catch (const client_error& error) {
            throw client_error(in_words_of_the_library(error.what(), settings_.of(which).timeout),
                               error.result());
          }
        },
        judged_by_client);
    if (!given) return tried{std::nullopt, std::string{to_string(given.rejection().reason)}};
    last_success_[index(which)].store(began, std::memory_order_relaxed);
    return tried{*std::move(given), {}};
  } catch (const client_error& error) {
    return tried{std::nullopt, error.what()};
  }
}

// A call of a simulated dependency borrows a client too, so that a slow simulator holds no more of the
// server's threads than a slow dependency.

attempt<std::vector<inventory_row>> staging_system::read_inventory() {
  return through(dependency::database, *database_pool_,
                 [&](postgres_client& client, const call_context& context) {
                   if (simulated(dependency::database))
                     return simulated_answer(simulator_of(dependency::database), context, sample_inventory());
                   return client.inventory(context);
                 });
}

attempt<std::optional<std::string>> staging_system::read_cache(std::string_view key) {
  return through(dependency::redis, *redis_pool_, [&](redis_client& client, const call_context& context) {
    if (simulated(dependency::redis)) {
      return simulated_answer(simulator_of(dependency::redis), context,
                              std::optional<std::string>{});  // a cache that is always empty
    }
    return client.get(key, context);
  });
}

attempt<bool> staging_system::write_cache(std::string_view key, std::string_view value,
                                          std::chrono::seconds ttl) {
  return through(dependency::redis, *redis_pool_, [&](redis_client& client, const call_context& context) {
    if (simulated(dependency::redis)) return simulated_answer(simulator_of(dependency::redis), context, true);
    client.set_ex(key, value, ttl, context);
    return true;
  });
}

attempt<std::string> staging_system::recommend(std::string_view prompt) {
  return through(dependency::openai, *openai_pool_, [&](openai_client& client, const call_context& context) {
    if (simulated(dependency::openai)) {
      return simulated_answer(simulator_of(dependency::openai), context,
                              std::string{"Reorder what is nearly sold out. (simulated)"});
    }
    return client.recommend(prompt, context);
  });
}

}  // namespace staging
