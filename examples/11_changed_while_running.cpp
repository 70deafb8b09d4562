// SPDX-License-Identifier: BSL-1.0
//
// A system that a configuration file describes, and that changes while it runs.
//
// Which detector a dependency has is known at run time only, so the supervisor builds the dependencies from
// descriptions. Thresholds and weights change without a restart. The memory of past outages survives one.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

enum class level { normal, degraded };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "degraded";
}
enum class upstream { database, search };
enum class feature { browse, find };
constexpr std::string_view to_string(feature one) {
  return one == feature::browse ? "browse" : "find";
}

constexpr auto features = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::browse, .last = level::degraded, .needs = brownout::needs(upstream::database)},
    {.feature = feature::find, .last = level::normal, .needs = brownout::needs(upstream::search)},
});

// What a file says of a dependency.
struct configured {
  upstream which{};
  std::string name;
  std::string policy;
  double limit = 0;
  double weight = 1;
};

brownout::any_detector detector_of(const configured& read) {
  if (read.policy == "share") return brownout::failure_rate<>{.threshold = read.limit};
  return brownout::consecutive_failures{.threshold = static_cast<std::uint32_t>(read.limit)};
}

std::vector<brownout::claim<brownout::any_clock>> claims_of(const std::vector<configured>& file) {
  std::vector<brownout::claim<brownout::any_clock>> all;
  for (const auto& one : file) {
    all.emplace_back(one.which, detector_of(one),
                     brownout::dependency_options{.name = one.name, .weight = one.weight});
  }
  return all;
}

std::string saved(const std::vector<brownout::outage_history>& outages) {
  std::ostringstream file;
  for (const auto& one : outages) {
    for (const auto& outage : one.outages)
      file << outage.length.count() << ' ' << outage.ended << ' ' << one.dependency << '\n';
  }
  return file.str();
}
std::vector<brownout::outage_history> loaded(const std::string& text) {
  std::istringstream file{text};
  std::vector<brownout::outage_history> outages;
  brownout::outage_record read;
  std::int64_t nanoseconds = 0;
  for (std::string name; file >> nanoseconds >> read.ended && std::getline(file >> std::ws, name);) {
    read.length = std::chrono::nanoseconds{nanoseconds};
    outages.push_back({name, {read}});
  }
  return outages;
}

int main() {
  using watched = brownout::supervisor_for<features, brownout::any_clock>;
  brownout::manual_clock clock;  // a program of yours leaves it out
  const std::vector<configured> file{{upstream::database, "database", "in a row", 3, 0.5},
                                     {upstream::search, "search", "share", 0.2, 0.5}};
  watched shop{features,
               {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 0}}, .dry_run = true}},
               claims_of(file),
               clock};

  const auto let_pass = [&](std::chrono::seconds time) {
    for (auto left = time; left > 0s; left -= 1s) {
      static_cast<void>(shop.step(clock.now()));  // nothing has a probe here
      clock.advance(1s);
    }
  };
  const auto show = [&] {
    const auto now = shop.snapshot(clock.now());
    std::cout << "  " << to_string(now.level) << "; by health " << to_string(now.health_level) << '\n';
  };
  auto& database = shop.described(upstream::database);
  auto& search = shop.described(upstream::search);
  const auto fail = [](auto& asked, int calls) {
    for (int i = 0; i < calls; ++i)
      static_cast<void>(asked.try_call([] { return brownout::outcome::failure; }));
  };

  for (int i = 0; i < 20; ++i) {
    database.call([] {});
    search.call([] {});
  }
  let_pass(1s);
  show();
  std::cout << "A quarter of the calls to search fail, in a dry run:\n";
  fail(search, 6);
  let_pass(5s);
  show();

  std::cout << "The dry run ends:\n";
  auto changed = shop.options();
  changed.levels.dry_run = false;
  shop.reconfigure(changed, clock.now());
  show();

  std::cout << "Search weighs less, and normal needs 80 points:\n";
  shop.set_weight(upstream::search, 0.1, clock.now());
  changed.levels.ladder = {{level::normal, 80}, {level::degraded, 0}};
  shop.reconfigure(changed, clock.now());
  let_pass(5s);
  show();

  std::cout << "Three failures opened the circuit of the database. Now five do, and for 20 s:\n";
  auto recovery = database.options();
  recovery.open_for = 20s;
  database.reconfigure(recovery);
  database.reconfigure(brownout::consecutive_failures{.threshold = 5});
  fail(database, 3);
  std::cout << "  " << to_string(database.observed_state()) << '\n';
  fail(database, 2);
  std::cout << "  " << to_string(database.observed_state()) << '\n';
  try {
    database.reconfigure(brownout::failure_rate<>{.threshold = 0.2});
  } catch (const std::invalid_argument& refused) {  // the breaker keeps what it has counted
    const std::string why{refused.what()};
    std::cout << "  refused: " << why.substr(0, why.find(": allowed")) << '\n';
  }

  std::cout << "On the page for Prometheus:\n";
  let_pass(5s);
  brownout::prometheus_text page{{{"region", "eu"}}};
  write_metrics(page, shop.snapshot(clock.now()), {{"system", "shop"}});
  std::istringstream lines{page.text()};
  for (std::string line; std::getline(lines, line);) {
    const std::string_view text{line};
    if (text.starts_with("brownout_feature_mode{") && text.ends_with(" 1")) std::cout << "  " << text << '\n';
  }

  std::cout << "A restart after the outage:\n";
  clock.advance(20s);
  for (int i = 0; i < 3; ++i) database.call([] {});
  let_pass(1s);
  const auto kept = saved(shop.outages());

  watched restarted{features, shop.options(), claims_of(file), clock};
  std::cout << "  outages restored: " << restarted.restore_outages(loaded(kept)) << '\n';
}

// Output:
//   normal; by health normal
// A quarter of the calls to search fail, in a dry run:
//   normal; by health degraded
// The dry run ends:
//   degraded; by health degraded
// Search weighs less, and normal needs 80 points:
//   normal; by health normal
// Three failures opened the circuit of the database. Now five do, and for 20 s:
//   closed
//   open
//   refused: breaker 'database': any_detector = failure rate
// On the page for Prometheus:
//   brownout_feature_mode{region="eu",system="shop",feature="browse",mode="off"} 1
//   brownout_feature_mode{region="eu",system="shop",feature="find",mode="off"} 1
// A restart after the outage:
//   outages restored: 1
