// SPDX-License-Identifier: BSL-1.0
//
// Four dependencies, one outage: the program that docs/guide.md walks through.
//
// The database of a shop goes away for two minutes. Every part of brownout has its say: circuit, health,
// level, features, the answer to those who are turned away, and the way back.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

enum class level { normal, degraded, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : at == level::degraded ? "degraded" : "emergency";
}
enum class upstream { database, payments, search, recommender };
enum class feature { catalogue, find, checkout, recommendations };
using brownout::needs;

constexpr auto features = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::catalogue, .last = level::emergency, .last_full = level::degraded},
    {.feature = feature::find, .last = level::degraded, .needs = needs(upstream::search)},
    {.feature = feature::checkout,
     .last = level::degraded,
     .needs = needs(upstream::database, upstream::payments)},
    {.feature = feature::recommendations,
     .last = level::degraded,
     .needs = needs(upstream::recommender),
     .last_full = level::normal,
     .last_reduced = level::degraded},
});
static_assert(features.size == 4);

// What the levels set besides: how long a page may come from the cache, and how many rows it has.
struct page_settings {
  std::chrono::seconds cached_for{};
  int rows = 0;
};
constexpr brownout::level_table<level, page_settings> settings_at{
    {level::normal, {30s, 50}}, {level::degraded, {5min, 20}}, {level::emergency, {1h, 10}}};
static_assert(settings_at.size() == 3);

// A server that is played. Probes and calls ask it the same question, on the same path.
struct server {
  bool is_up = true;
  double pool_in_use = 0.2;  // share of our connections to it
  brownout::outcome ask() const { return is_up ? brownout::outcome::success : brownout::outcome::failure; }
};

brownout::probe probe_of(const server& asked) {
  return [&asked](const brownout::probe_context&) -> brownout::probe_result {
    return {asked.ask(), asked.is_up ? "" : "connection refused"};
  };
}

// An explanation, one sentence a line.
void print(std::string text) {
  for (std::size_t at = 0; (at = text.find(". ", at)) != std::string::npos;) text.replace(at, 2, ".\n      ");
  std::cout << "    " << text << '\n';
}

int main() {
  brownout::manual_clock clock;
  std::array<server, 4> servers;
  auto& database_server = servers[0];
  using brownout::criticality;

  // The circuit of the database opens after three failures in a row.
  brownout::dependency database{
      brownout::consecutive_failures{3},
      {.name = "database",
       .weight = 0.4,
       .criticality = criticality::required,
       .breaker = {.open_for = 10s},
       .probe = probe_of(database_server),
       .timeout = 2s,
       .measure = [&] { return brownout::measurement{.saturation = database_server.pool_in_use}; }},
      clock};
  // That of payments opens when a fifth of the calls of 30 seconds fail, or half of 100 calls are slow.
  brownout::dependency payments{
      brownout::any_of{brownout::failure_rate<brownout::time_window>{.threshold = 0.2, .window = {30s}},
                       brownout::slow_call_rate<>{.slower_than = 2s}},
      {.name = "payments", .weight = 0.3, .probe = probe_of(servers[1])},
      clock};
  // Without a detector, a dependency has the standard one.
  brownout::dependency search{
      {.name = "search", .weight = 0.2, .depends_on = {"database"}, .probe = probe_of(servers[2])}, clock};
  brownout::dependency recommender{{.name = "recommender",
                                    .weight = 0.1,
                                    .criticality = criticality::optional,
                                    .probe = probe_of(servers[3])},
                                   clock};

  brownout::supervisor shop{
      features,
      {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 50}, {level::emergency, 0}},
                  .dwell = 10s},
       .ready_until = level::degraded,
       .return_over = 10s,
       .probe_jitter = 0},
      {{upstream::database, database},
       {upstream::payments, payments},
       {upstream::search, search},
       {upstream::recommender, recommender}},
      clock};

  // In a service `brownout::supervision` does this on threads, and its observer writes the log.
  const auto name_of = [&](std::size_t number) { return shop.at(number).name(); };
  const auto let_pass = [&](brownout::duration time, bool tell = true) {
    for (const auto until = clock.now() + time; clock.now() < until; clock.advance(1s)) {
      const auto plan = shop.step(clock.now());
      for (const auto& change : plan.level_changes) {
        if (tell) print(explain(change, name_of));
      }
      for (const auto& order : plan.probes) {
        shop.report(order, shop.probe_of(order.dependency)({order.deadline, {}}), clock.now());
      }
    }
  };

  const auto serve = [&](std::uint64_t account) {
    const auto offered = shop.features();  // once a request
    const auto& settings = settings_at[offered.level()];
    std::cout << to_string(offered.level()) << ": ";
    if (offered.mode(feature::catalogue) == brownout::feature_mode::full) {
      const auto answer = database.try_call([&] { return database_server.ask(); });
      std::cout << (answer ? to_string(*answer) : to_string(answer.rejection().reason)) << ", ";
    }
    std::cout << settings.rows << " rows, catalogue " << to_string(offered.mode(feature::catalogue));
    if (offered.available(feature::find)) std::cout << ", search";
    if (offered.available(feature::checkout)) std::cout << ", checkout";
    std::cout << ", recommendations " << to_string(offered.mode(feature::recommendations, account)) << '\n';
  };

  // Nine outages before today, so that something is known of how long they last.
  for (int i = 1; i <= 9; ++i) {
    let_pass(1h, false);
    database_server.is_up = false;
    let_pass(i * 30s, false);
    database_server.is_up = true;
  }
  let_pass(1h, false);
  serve(7);

  std::cout << "The database slows down: every connection to it is in use.\n";
  database_server.pool_in_use = 1;
  let_pass(5s);
  serve(7);

  std::cout << "It goes away.\n";
  database_server.is_up = false;
  for (int i = 0; i < 4; ++i) serve(7);  // the third failure opens the circuit
  let_pass(5s);
  serve(7);

  std::cout << "checkout is " << explain(shop.features().explain(feature::checkout), name_of) << '\n';
  std::cout << "the balancer is told " << (shop.ready() ? "ready" : "not ready") << '\n';

  const auto seconds = [](brownout::duration time) { return std::chrono::ceil<std::chrono::seconds>(time); };
  const auto back = shop.snapshot(clock.now()).recovery.value();
  std::cout << "normal again in " << seconds(back.p50.value()).count() << " s as likely as not, in "
            << seconds(back.p90.value()).count() << " s in nine of ten cases\n";
  const auto told = seconds(shop.retry_after(clock.now()));  // another answer for each caller
  const bool between = told >= seconds(*back.p50) && told <= seconds(*back.p90);
  std::cout << "Retry-After lies between the two: " << (between ? "yes" : "no") << '\n';

  let_pass(2min);
  std::cout << "It is back.\n";
  database_server = {};
  let_pass(22s);
  serve(7);
  serve(8);  // features return one after another, and of this one callers
  let_pass(20s);
  serve(7);

  const auto until = clock.now() + 30min;
  shop.set_override({level::degraded, "replacing a replica", "ann", until, brownout::override_kind::cap},
                    clock.now());
  let_pass(31min);
}

// Output:
// normal: success, 50 rows, catalogue full, search, checkout, recommendations full
// The database slows down: every connection to it is in use.
//     normal -> degraded: health_fell, score 70 below 90.
//       database is required.
//       database loses 12 points (closed).
//       search loses 3 points (closed).
//       normal when the score holds 93 for 10 s.
//       emergency below 50.
// degraded: success, 20 rows, catalogue full, search, checkout, recommendations reduced
// It goes away.
// degraded: failure, 20 rows, catalogue full, search, checkout, recommendations reduced
// degraded: failure, 20 rows, catalogue full, search, checkout, recommendations reduced
// degraded: failure, 20 rows, catalogue full, search, checkout, recommendations reduced
// degraded: circuit open, 20 rows, catalogue full, search, checkout, recommendations reduced
//     degraded -> emergency: health_fell, score 0 below 50.
//       database is required.
//       database loses 40 points (open).
//       search loses 10 points (closed).
//       degraded when the score holds 53 for 10 s.
// emergency: 10 rows, catalogue cached, recommendations off
// checkout is off: the level does not allow it; database refuses calls
// the balancer is told not ready
// normal again in 169 s as likely as not, in 289 s in nine of ten cases
// Retry-After lies between the two: yes
// It is back.
//     emergency -> degraded: health_recovered, score 100, 53 held for 10 s.
//       normal when the score holds 93 for 10 s.
//       emergency below 50.
// degraded: success, 20 rows, catalogue full, checkout, recommendations off
// degraded: success, 20 rows, catalogue full, checkout, recommendations reduced
//     degraded -> normal: health_recovered, score 100, 93 held for 10 s.
//       degraded below 90.
// normal: success, 50 rows, catalogue full, search, checkout, recommendations full
//     normal -> degraded: override_set, score 100.
//       By ann: replacing a replica.
//       By health: degraded below 90.
//     degraded -> normal: override_ended, score 100.
//       It was set by ann: replacing a replica.
//       degraded below 90.
