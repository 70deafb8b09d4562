// SPDX-License-Identifier: BSL-1.0
//
// Features that dim instead of going dark.
//
// A table says down to which level a feature is offered, how much of it, and which dependencies it needs. A
// request takes one view and asks it: one atomic load, then look-ups. Nothing can change halfway.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <string_view>

using namespace std::chrono_literals;

enum class level { normal, degraded, emergency };
constexpr std::string_view to_string(level at) {
  return at == level::normal ? "normal" : at == level::degraded ? "degraded" : "emergency";
}
enum class upstream { database, recommender };
enum class feature { catalogue, reviews, recommendations };

// Checked by the compiler: forget a feature or mix up the levels, and this does not compile.
constexpr auto features = brownout::make_feature_matrix<feature, level>({
    // In an emergency the catalogue is still there, though it comes from the cache.
    {.feature = feature::catalogue, .last = level::emergency, .last_full = level::degraded},
    {.feature = feature::reviews, .last = level::normal, .needs = brownout::needs(upstream::database)},
    // Degraded, recommendations are fewer; without the recommender there are none at any level.
    {.feature = feature::recommendations,
     .last = level::degraded,
     .needs = brownout::needs(upstream::recommender),
     .last_full = level::normal,
     .last_reduced = level::degraded},
});

// A request handler. The view is a value: the whole page is built from the same state of the world.
void serve_page(const auto& offered) {
  std::cout << to_string(offered.level()) << ": catalogue " << to_string(offered.mode(feature::catalogue));
  if (offered.available(feature::reviews)) std::cout << ", reviews";
  if (offered.available(feature::recommendations)) {
    const bool all = offered.mode(feature::recommendations) == brownout::feature_mode::full;
    std::cout << ", " << (all ? "ten" : "three") << " recommendations";
  }
  std::cout << '\n';
}

int main() {
  brownout::manual_clock clock;
  brownout::dependency database{{.name = "database", .weight = 0.6}, clock};
  brownout::dependency recommender{{.name = "recommender", .weight = 0.4}, clock};
  // Levels fall at once here. By default they fall when the score has been low for 1 second.
  brownout::supervisor system{
      features,
      {.levels = {.ladder = {{level::normal, 90}, {level::degraded, 50}, {level::emergency, 0}},
                  .confirm_for = 0s}},
      {{upstream::database, database}, {upstream::recommender, recommender}},
      clock};

  // Without probes only real calls tell how a dependency is. Both calls succeed.
  database.call([] {});
  recommender.call([] {});
  system.refresh(clock.now());
  serve_page(system.features());

  // The recommender is taken out: what needs it is gone, and with 60 points left the level falls too.
  const auto before = system.features();
  recommender.force_open();
  system.refresh(clock.now());
  serve_page(system.features());
  serve_page(before);  // a request that began before still sees what it began with

  // Degraded, but with the recommender back, there are fewer recommendations. A pinned level shows it.
  recommender.reset();
  system.set_override({level::degraded, "rehearsal", "ann", clock.now() + 10min}, clock.now());
  serve_page(system.features());

  // Without the database it is an emergency, once the pin is gone: the catalogue is left, and comes from the
  // cache.
  database.force_open();
  system.clear_override(clock.now());
  system.refresh(clock.now());
  serve_page(system.features());

  // A feature can be asked why, for people.
  const auto why = system.features().explain(feature::reviews);
  std::cout << "reviews are " << to_string(why.mode);
  if (!why.allowed_by_level) std::cout << "; the level forbids them";
  if (why.blocked_by.contains(upstream::database)) std::cout << "; the database refuses calls";
  std::cout << '\n';
}

// Output:
// normal: catalogue full, reviews, ten recommendations
// degraded: catalogue full
// normal: catalogue full, reviews, ten recommendations
// degraded: catalogue full, three recommendations
// emergency: catalogue cached
// reviews are off; the level forbids them; the database refuses calls
