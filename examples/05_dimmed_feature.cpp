// SPDX-License-Identifier: BSL-1.0
//
// A feature for as many callers as there is capacity for.
//
// Recommendations are worth having and cost something: how much, a trial measures. When the load grows, a
// controller gives them to fewer callers, so that the pages stay fast enough; each caller keeps its answer.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <string_view>

using namespace std::chrono_literals;

enum class level { normal, degraded };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : "degraded";
}
enum class upstream { database };
enum class feature { catalogue, recommendations };

constexpr auto features = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::catalogue, .last = level::degraded},
    {.feature = feature::recommendations, .last = level::normal},
});

constexpr std::uint64_t accounts = 5000;

// A page takes 12 ms of work, with recommendations 20 ms; what the account has in its basket makes a
// difference. Played: yours is measured.
double milliseconds_of_work(std::uint64_t account, bool with_recommendations) {
  return (with_recommendations ? 20.0 : 12.0) + static_cast<double>(account % 7) - 3;
}

// How long a page takes on average when this share of callers gets recommendations: the fuller the server,
// the longer the queue. At a load of 1 it is full when everybody gets them.
std::chrono::duration<double> page_time(double load, double share) {
  const double work = 0.6 + 0.4 * share;
  return 20ms * work / (1 - std::min(load * work, 0.99));
}

int main() {
  brownout::manual_clock clock;
  // A dependency may be described instead of being an object of yours: the supervisor builds it.
  brownout::supervisor shop{features,
                            {.levels = {.ladder = {{level::normal, 50}, {level::degraded, 0}}}},
                            {{upstream::database, {.name = "database"}}},
                            clock};
  shop.described(upstream::database).call([] {});
  shop.refresh(clock.now());

  // What does it cost? Off for a tenth of the callers, always the same ones. Trials at one time need
  // different salts.
  brownout::feature_trial trial{{.share_off = 0.1, .salt = 1000}};
  for (std::uint64_t account = 0; account < accounts; ++account) {
    const auto offered = shop.features();
    if (!offered.available(feature::recommendations, account)) continue;  // not the trial's doing
    const bool on = trial.serves(account);
    trial.note(on, milliseconds_of_work(account, on));
  }
  const auto cost = trial.result().value();
  std::cout << "recommendations cost " << std::lround(cost.difference) << " ms a page, "
            << (cost.significant() ? "for certain" : "perhaps nothing") << '\n';

  // Pages are to take 100 ms at most, on average. Once a second the controller hears how long they took.
  auto& recommendations = shop.dimmer_of(feature::recommendations);
  brownout::dimmer_controller latency{brownout::latency_target{100ms}};
  const auto a_second_passes = [&](double load) {
    latency.update(page_time(load, recommendations.share()));
    recommendations.set(latency.share());
  };
  const auto two_minutes_at = [&](double load) {
    for (int second = 0; second < 120; ++second) a_second_passes(load);
    const auto offered = shop.features();
    std::uint64_t served = 0;
    for (std::uint64_t account = 0; account < accounts; ++account) {
      if (offered.available(feature::recommendations, account)) ++served;
    }
    std::cout << "load " << load << ": " << std::lround(100.0 * static_cast<double>(served) / accounts)
              << " % of the callers get them, a page takes "
              << std::lround(1000 * page_time(load, recommendations.share()).count()) << " ms; account 9 "
              << (offered.available(feature::recommendations, 9U) ? "does" : "does not") << ", account 8 "
              << (offered.available(feature::recommendations, 8U) ? "does" : "does not") << '\n';
  };
  two_minutes_at(0.5);
  two_minutes_at(1.0);
  two_minutes_at(1.2);
  two_minutes_at(0.5);
}

// Output:
// recommendations cost 8 ms a page, for certain
// load 0.5: 100 % of the callers get them, a page takes 40 ms; account 9 does, account 8 does
// load 1: 58 % of the callers get them, a page takes 100 ms; account 9 does, account 8 does
// load 1.2: 28 % of the callers get them, a page takes 100 ms; account 9 does not, account 8 does
// load 0.5: 100 % of the callers get them, a page takes 40 ms; account 9 does, account 8 does
