// SPDX-License-Identifier: BSL-1.0
#include "service/staging_system.hpp"
#include "catch2.hpp"
#include "http_fixture.hpp"
#include "loopback_peer.hpp"
#include "postgres_peer.hpp"
#include "service/inventory.hpp"
#include "unit/staging/config_fixture.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace staging;
using namespace staging::testing;

namespace {

/// JSON that is nested deeper than a stack is.
std::string deeply_nested() {
  constexpr std::size_t depth = 200'000;
  return std::string(depth, '[') + std::string(depth, ']');
}

loopback_peer::script redis_that_holds(std::string value) {
  return [answer = '$' + std::to_string(value.size()) + "\r\n" + value +
                   "\r\n"](const loopback_peer::connection& client) {
    while (!client.read().empty()) client.write(answer);
  };
}

environment with_redis_at(std::uint16_t port) {
  return {{"DASHBOARD_API_KEY", "key-of-the-unit-tests"},
          {"REDIS_HOST", "127.0.0.1"},
          {"REDIS_PORT", std::to_string(port)}};
}

environment with_postgres_at(std::uint16_t port) {
  return {{"DASHBOARD_API_KEY", "key-of-the-unit-tests"},
          {"DATABASE_URL", "postgresql://demo@127.0.0.1:" + std::to_string(port) + "/postgres"}};
}

}  // namespace

TEST_CASE("a call on a simulated dependency takes a place in the pool of the real one",
          "[staging][service]") {
  staging_system system{read_settings(staging_test::from({}))};
  struct operation {
    dependency which;
    std::function<void()> call;
    std::function<pool_usage()> usage;
  };
  const auto& [which, call, usage] = GENERATE_REF(
      operation{dependency::database, [&] { static_cast<void>(system.read_inventory()); },
                [&] { return system.usage_of_database(); }},
      operation{dependency::redis, [&] { static_cast<void>(system.read_cache("key")); },
                [&] { return system.usage_of_redis(); }},
      operation{dependency::redis, [&] { static_cast<void>(system.write_cache("key", "value", 1s)); },
                [&] { return system.usage_of_redis(); }},
      operation{dependency::openai, [&] { static_cast<void>(system.recommend("prompt")); },
                [&] { return system.usage_of_openai(); }});
  CAPTURE(to_string(which));
  system.simulator_of(which).set({.mode = simulated_mode::slow, .latency = 1h});
  std::jthread caller{call};
  CHECK(eventually([&] { return usage().in_use == 1; }));
  system.give_up();
  caller.join();
  CHECK(usage().in_use == 0);
}

TEST_CASE("a simulated dependency whose pool is exhausted answers at once, and its circuit does not mind",
          "[staging][service]") {
  staging_system system{read_settings(staging_test::from({}))};
  system.simulator_of(dependency::database).set({.mode = simulated_mode::slow, .latency = 1h});
  std::vector<std::jthread> callers;
  for (std::size_t i = 0; i < staging_system::database_connections; ++i)
    callers.emplace_back([&] { static_cast<void>(system.read_inventory()); });
  CHECK(
      eventually([&] { return system.usage_of_database().in_use == staging_system::database_connections; }));
  if (system.usage_of_database().in_use == staging_system::database_connections) {
    const auto refused = system.read_inventory();
    CHECK_FALSE(refused.value);
    CHECK(refused.reason == "every connection is in use");
  }
  system.give_up();
  callers.clear();
  const auto circuit = system.watched().at(dependency::database).snapshot();
  CHECK(circuit.consecutive_failures == 0);
}

TEST_CASE("what a simulated dependency answers is what its simulator says", "[staging][service]") {
  staging_system system{read_settings(staging_test::from({}))};
  CHECK(system.read_inventory().value->size() == 3);
  system.simulator_of(dependency::database).set({.mode = simulated_mode::down});
  const auto failed = system.read_inventory();
  CHECK_FALSE(failed.value);
  CHECK(failed.reason == "simulated failure");
  CHECK(system.watched().at(dependency::database).snapshot().consecutive_failures == 1);
}

TEST_CASE("when nothing answers, the last figures of the stock are served, and the reason is said",
          "[staging][service]") {
  staging_system system{read_settings(staging_test::from({}))};
  inventory stock{system};
  const auto report = [&] { return stock.report(system.watched().features()); };
  const auto tell = [&](dependency which, simulated_mode mode) {
    system.simulator_of(which).set({.mode = mode});
  };
  tell(dependency::database, simulated_mode::down);
  const auto nothing = report();
  CHECK(nothing.source == "none");
  CHECK(nothing.reason == "simulated failure");
  CHECK(nothing.lacked.of == dependency::database);
  CHECK(nothing.stats.empty());

  tell(dependency::database, simulated_mode::up);
  tell(dependency::redis, simulated_mode::down);
  const auto fresh = report();
  CHECK(fresh.source == "database");
  CHECK(fresh.reason.empty());
  CHECK_FALSE(fresh.age);
  CHECK(fresh.scarce.size() == 2);
  CHECK(fresh.lacked.of == dependency::redis);  // it was asked first

  tell(dependency::database, simulated_mode::down);
  const auto stale = report();
  CHECK(stale.source == "stale");
  CHECK(stale.reason == "simulated failure");
  CHECK(stale.stats == fresh.stats);
  CHECK(stale.scarce == fresh.scarce);
  CHECK(stale.age > 0);
  CHECK(stale.lacked.of == dependency::database);
  CHECK(system.watched().at(dependency::database).calls().failed == 2);  // one attempt a request
}

TEST_CASE("an entry of the cache that holds no figures is as good as none", "[staging][service]") {
  const auto entry_of = [](const std::string& items, const std::string& scarce) {
    return R"({"at":1,"stats":{"items":)" + items + R"(,"total_quantity":2,"total_value_cents":3,"scarce":)" +
           scarce + "}}";
  };
  const auto& [entry, source] = GENERATE_REF(table<std::string, std::string>({
      {entry_of("1", R"(["lamp"])"), "cache"},
      {entry_of(deeply_nested(), "[]"), "database"},
      {entry_of("1", deeply_nested()), "database"},
      {entry_of(R"("many")", "[]"), "database"},
      {R"({"at":1,"stats":{"items":1,"scarce":[]}})", "database"},
      {R"({"at":"now","stats":{"items":1,"total_quantity":2,"total_value_cents":3,"scarce":[]}})",
       "database"},
      {deeply_nested(), "database"},
      {entry_of("1", R"([")" + std::string(std::size_t{1} << 20U, 'x') + R"("])"), "database"},
      {"\xff", "database"},
  }));
  CAPTURE(entry.substr(0, 100));
  const loopback_peer redis{redis_that_holds(entry)};
  staging_system system{read_settings(with_redis_at(redis.port()))};
  inventory stock{system};
  CHECK(stock.report(system.watched().features()).source == source);
}

TEST_CASE("of an entry of the cache nothing but the figures is shown", "[staging][service]") {
  const std::string figures = R"("items":1,"total_quantity":2,"total_value_cents":3,"scarce":["lamp"])";
  const loopback_peer redis{
      redis_that_holds(R"({"at":1,"stats":{)" + figures + R"(,"more":)" + deeply_nested() + "}}")};
  staging_system system{read_settings(with_redis_at(redis.port()))};
  inventory stock{system};
  const auto found = stock.report(system.watched().features());
  CHECK(found.source == "cache");
  CHECK(found.stats.dump() == '{' + figures + '}');
}

TEST_CASE("totals of the stock that no 64-bit number holds are nearly right", "[staging][service]") {
  constexpr std::string_view most = "9223372036854775807";
  const auto& [quantity, price, total] =
      GENERATE_COPY(table<std::string_view, std::string_view, std::string>({
          {"42", "3490", "146580"},
          {"-1", "-5", "5"},
          {most, "1", "9223372036854775807"},
          {most, "1000", "9.223372036854776e+21"},
          {most, "-1000", "-9.223372036854776e+21"},
      }));
  const loopback_peer postgres{
      staging_test::postgres_that_answers(staging_test::row({"A", "lamp", quantity, price}))};
  staging_system system{read_settings(with_postgres_at(postgres.port()))};
  inventory stock{system};
  CHECK(stock.report(system.watched().features()).stats["total_value_cents"].dump() == total);
}

TEST_CASE("a name that is not UTF-8 keeps no figures back", "[staging][service]") {
  // What a database with the encoding SQL_ASCII holds, PostgreSQL sends as it is.
  const loopback_peer postgres{
      staging_test::postgres_that_answers(staging_test::row({"A", "L\xfcster", "1", "5"}))};
  staging_system system{read_settings(with_postgres_at(postgres.port()))};
  inventory stock{system};
  const auto found = stock.report(system.watched().features());
  CHECK(found.source == "database");
  CHECK(found.scarce == std::vector<std::string>{"L\xfcster"});
}

TEST_CASE("each probe owns what it needs, so that one that hangs can be left running", "[staging][service]") {
  const auto& configured = GENERATE(staging_test::values{}, staging_test::everything_configured());
  staging_system system{read_settings(staging_test::from(configured))};
  for (const auto which : all_dependencies) {
    CAPTURE(to_string(which), system.simulated(which));
    CHECK(system.watched().probe_of(index(which)).is_self_contained());
  }
}

TEST_CASE("the longest dwell after relapses is the one that is configured", "[staging][service]") {
  staging_system system{read_settings({{"DEGRADATION_DWELL", "3"}, {"DEGRADATION_DWELL_LIMIT", "4"}})};
  const auto levels = system.watched().options().levels;
  CHECK(levels.dwell_after(0) == 3s);
  CHECK(levels.dwell_after(1) == 6s);
  CHECK(levels.dwell_after(100) == 12s);
}
