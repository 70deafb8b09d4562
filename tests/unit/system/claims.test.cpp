// SPDX-License-Identifier: BSL-1.0
#include "unit/core/child.hpp"
#include "unit/system/staging_bench.hpp"

#include "brownout/breaker/preset.hpp"

#include <csignal>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace system_test;

namespace {

enum class upstream { database, payments, search };
constexpr std::string_view to_string(upstream one) {
  return one == upstream::database ? "database" : one == upstream::payments ? "payments" : "search";
}
enum class offer { browse, checkout };
constexpr std::string_view to_string(offer one) {
  return one == offer::browse ? "browse" : "checkout";
}

constexpr auto offers =
    brownout::make_feature_matrix<offer, level>({{.feature = offer::browse, .last = level::emergency},
                                                 {.feature = offer::checkout,
                                                  .last = level::emergency,
                                                  .needs = needs(upstream::database, upstream::payments)}});

using claims = std::vector<brownout::claim<manual_clock>>;

struct shop {
  manual_clock clock;
  brownout::dependency<brownout::consecutive_failures, manual_clock> database{
      {3}, {.name = "database"}, clock};
  brownout::dependency<brownout::standard_detector, manual_clock> payments{{.name = "payments"}, clock};
  brownout::dependency<brownout::standard_detector, manual_clock> card{{.name = "card provider"}, clock};

  /// What a supervisor says of these claims: the text of its exception, or nothing.
  std::string refusal(const claims& given) const {
    try {
      const brownout::supervisor built{offers, {.levels = {.ladder = ladder}}, given, clock};
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("which dependency an enumerator means is said once, in any order", "[system][S6][S6a]") {
  shop shop;
  brownout::supervisor built{offers,
                             {.levels = {.ladder = ladder}},
                             {{upstream::payments, shop.payments}, {upstream::database, shop.database}},
                             shop.clock};
  CHECK(built.size() == 2);
  CHECK(built.at(upstream::database).name() == "database");
  CHECK(built.at(upstream::payments).name() == "payments");
  CHECK(built.snapshot(built.now()).components[1].name == "payments");
}

TEST_CASE("a claim that is missing, double or of a dependency of another is refused by name",
          "[system][S6][S6b][S6c][S6d][S6e]") {
  shop shop;
  CHECK(shop.refusal({{upstream::database, shop.database}, {upstream::payments, shop.payments}}) == "");
  CHECK(shop.refusal({{upstream::database, shop.database},
                      {upstream::payments, shop.payments},
                      {upstream::payments, shop.card}}) ==
        "supervisor: dependency 1 (`payments`) is claimed by 'payments' and 'card provider'");
  CHECK(shop.refusal({{upstream::database, shop.database}}) ==
        "supervisor: feature 1 (`checkout`) needs dependency 1 (`payments`), which is not claimed");
  CHECK(shop.refusal({{upstream::database, shop.database}, {upstream::search, shop.payments}}) ==
        "supervisor: dependency 1 (`payments`) is not claimed; each number from 0 to 2 must be");
  CHECK(shop.refusal({{upstream::database, shop.database}, {upstream::payments, shop.database}}) ==
        "supervisor: 'database' is claimed as dependency 0 (`database`) and as dependency 1 (`payments`)");
  CHECK(shop.refusal({}) == "number of dependencies of a supervisor = 0: allowed is 1 to 32");
  CHECK(shop.refusal({{upstream::database, shop.database},
                      {upstream::payments, brownout::dependency_options{.name = "database"}}}) ==
        "dependency_options.name = 'database': allowed is a name that no other dependency has");

  CHECK(shop.refusal({{static_cast<upstream>(-1), shop.database}}) ==
        "supervisor: 'database' is claimed as dependency " +
            std::to_string((std::numeric_limits<std::size_t>::max)()) + "; the numbers are 0 to 31");

  const brownout::supervisor first{offers,
                                   {.levels = {.ladder = ladder}},
                                   {{upstream::database, shop.database}, {upstream::payments, shop.payments}},
                                   shop.clock};
  CHECK(shop.refusal({{upstream::database, shop.card}, {upstream::payments, shop.payments}}) ==
        "supervisor: another supervisor watches 'payments' already");
}

TEST_CASE("after a refusal, and after its supervisor, a dependency can be claimed again",
          "[system][S6][S6f]") {
  shop shop;
  CHECK(shop.refusal({{upstream::payments, shop.payments}}) != "");
  const claims both{{upstream::database, shop.database}, {upstream::payments, shop.payments}};
  CHECK(shop.refusal(both) == "");
  CHECK(shop.refusal(both) == "");
}

TEST_CASE("a description stands for an object, and the supervisor builds it", "[system][S6][S6g]") {
  manual_clock clock;
  brownout::supervisor built{offers,
                             {.levels = {.ladder = ladder}},
                             {{upstream::database, {.name = "database"}},
                              {upstream::payments, brownout::consecutive_failures{1}, {.name = "payments"}}},
                             clock};
  static_cast<void>(built.described(upstream::payments).try_acquire()->complete(outcome::failure));
  built.refresh(clock.now());
  CHECK(built.at(upstream::payments).status().state == circuit_state::open);
  CHECK_FALSE(built.features().available(offer::checkout));
}

TEST_CASE("a description may be a preset of another library", "[system][S6][S6g]") {
  const manual_clock clock{time_point{1h}};
  brownout::supervisor built{offers,
                             {.levels = {.ladder = ladder}},
                             {{upstream::database, brownout::presets::gobreaker(), {.name = "database"}},
                              {upstream::payments, brownout::presets::hystrix(), {.name = "payments"}}},
                             clock};
  CHECK(built.at(upstream::database).name() == "database");
  const auto chosen = built.described(upstream::database).detector();
  REQUIRE(chosen.get_if<brownout::consecutive_failures>() != nullptr);
  CHECK(chosen.get_if<brownout::consecutive_failures>()->threshold == 6);
  const auto options = built.described(upstream::payments).options();
  CHECK(options.name == "payments");
  CHECK(options.open_for.upper_bound() == 5s);
}

TEST_CASE("the claims of one supervisor are of one enum, or numbers", "[system][S6][S6h]") {
  enum class other { database, payments };
  shop shop;
  CHECK(shop.refusal({{upstream::database, shop.database}, {other::payments, shop.payments}}) ==
        "supervisor: 'payments' is claimed as 1 of another enum than 'database'");
  CHECK(shop.refusal({{upstream::database, shop.database}, {1, shop.payments}}) == "");
}

TEST_CASE("an enumerator of another enum than that of the claims is a broken precondition",
          "[system][S6][S6h]") {
  const auto at = [](auto which) {
    return core_test::in_child([&] {
             shop shop;
             brownout::supervisor built{
                 offers,
                 {.levels = {.ladder = ladder}},
                 {{upstream::database, shop.database}, {upstream::payments, shop.payments}},
                 shop.clock};
             static_cast<void>(built.at(which));
           })
        .signal;
  };
  CHECK(at(offer::checkout) == SIGABRT);
  CHECK(at(upstream::payments) == 0);
  CHECK(at(1) == 0);
}
