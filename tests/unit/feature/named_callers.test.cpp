// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/level/levels.hpp"

#include "brownout/core/caller_place.hpp"
#include "brownout/feature/dimmer.hpp"
#include "brownout/feature/feature_view.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

using brownout::caller_place;
using brownout::dependency_set;
using brownout::dimmer;
using brownout::feature_mode;
using brownout::feature_view;
using brownout::needs;
using brownout::detail::degradation_word;
using level_test::level;
using namespace std::string_view_literals;

namespace {

enum class feature : std::uint8_t { reading, advice };

constexpr auto matrix = brownout::make_feature_matrix<feature, level>({
    {.feature = feature::reading, .last = level::minimal},
    {.feature = feature::advice,
     .last = level::degraded,
     .needs = needs(3),
     .last_full = level::optimal,
     .last_reduced = level::degraded},
});

constexpr std::size_t number(level at) {
  return static_cast<std::size_t>(at);
}
constexpr std::size_t callers = 2000;

/// How many callers are offered `one` in `view`, and whether each answer is what its place says.
template <class View, class Offered>
std::size_t offered(const View& view, feature one, Offered expected) {
  std::size_t count = 0;
  bool as_expected = true;
  for (std::uint64_t caller = 0; caller < callers; ++caller) {
    const bool is = view.available(one, caller);
    count += is ? 1 : 0;
    as_expected = as_expected && is == expected(caller_place(caller, static_cast<std::size_t>(one)));
  }
  CHECK(as_expected);
  return count;
}

}  // namespace

TEST_CASE("a caller is offered a dimmed feature while its place is below the dimmer's share",
          "[feature][D4][D4c]") {
  dimmer dimmers[]{dimmer{{.salt = 0}}, dimmer{{.salt = 1}}};
  const feature_view view{matrix, degradation_word{number(level::optimal), {}}, dimmers};
  for (const double share : {0.0, 0.25, 0.5, 1.0}) {
    dimmers[1].set(share);
    const auto served = offered(view, feature::advice, [&](double place) { return place < share; });
    CHECK(static_cast<double>(served) == Approx(share * callers).margin(0.03 * callers));
    CHECK(offered(view, feature::reading, [](double) { return true; }) == callers);  // it has its own
    CHECK(view.available(feature::advice));  // of nobody in particular a dimmer knows nothing
    for (std::uint64_t caller = 0; caller < 100; ++caller) {
      CHECK(view.available(feature::advice, caller) == dimmers[1].admits(caller));
    }
  }
}

TEST_CASE("a verdict says whether it was the dimmer, or the return", "[feature][D4]") {
  dimmer dimmers[]{dimmer{{.salt = 0}}, dimmer{{.share = 0.5, .salt = 1}}};
  const feature_view view{matrix, degradation_word{number(level::optimal), {}}, dimmers};
  const feature_view back{
      matrix, degradation_word{number(level::optimal), {}}.returning(number(level::limited), 16), dimmers};
  for (int caller = 0; caller < 100; ++caller) {
    const double place = caller_place(static_cast<std::uint64_t>(caller), 1);
    const auto verdict = view.explain(feature::advice, caller);
    CHECK(verdict.dimmed == (place >= 0.5));
    CHECK(verdict.mode == (place < 0.5 ? feature_mode::full : feature_mode::off));
    CHECK_FALSE(verdict.returning);
    const auto later = back.explain(feature::advice, caller);
    CHECK(later.dimmed == (place >= 0.5));
    CHECK(later.returning == (place >= 0.25 && place < 0.5));
    CHECK(later.mode == (place < 0.25 ? feature_mode::full : feature_mode::off));
  }
  CHECK_FALSE(view.explain(feature::advice).dimmed);
}

TEST_CASE("a dimmer gives nothing that the level or a circuit takes away", "[feature][D4]") {
  const dimmer dimmers[]{dimmer{}, dimmer{}};
  const feature_view worse{matrix, degradation_word{number(level::limited), {}}, dimmers};
  CHECK(offered(worse, feature::advice, [](double) { return false; }) == 0);
  const feature_view blocked{matrix, degradation_word{number(level::optimal), dependency_set{8}}, dimmers};
  CHECK(offered(blocked, feature::advice, [](double) { return false; }) == 0);
  CHECK(offered(blocked, feature::reading, [](double) { return true; }) == callers);
}

TEST_CASE("without dimmers every caller is served, and in the level's mode", "[feature][D4]") {
  const feature_view view{matrix, degradation_word{number(level::degraded), {}}};
  CHECK(view.mode(feature::advice, "ada"sv) == feature_mode::reduced);
  CHECK(view.mode(feature::advice, std::uint64_t{7}) == view.mode(feature::advice));
}

TEST_CASE("while features return, a caller sees the better level once its place is below the share",
          "[feature][D4]") {
  std::size_t before = 0;
  for (std::uint32_t share = 0; share < degradation_word::whole_share; ++share) {
    const feature_view view{
        matrix, degradation_word{number(level::optimal), {}}.returning(number(level::limited), share)};
    const auto served = offered(view, feature::advice, [&](double place) {
      return static_cast<std::uint32_t>(place * degradation_word::whole_share) < share;
    });
    CHECK(served >= before);
    CHECK(static_cast<double>(served) == Approx(callers * share / 64.0).margin(0.04 * callers));
    before = served;
    CHECK(offered(view, feature::reading, [](double) { return true; }) == callers);
  }

  // From a level that allowed it in another mode: the mode returns.
  const feature_view view{
      matrix, degradation_word{number(level::optimal), {}}.returning(number(level::degraded), 32)};
  std::size_t full = 0;
  for (std::uint64_t caller = 0; caller < callers; ++caller) {
    const auto mode = view.mode(feature::advice, caller);
    CHECK(mode >= feature_mode::reduced);
    full += mode == feature_mode::full ? 1 : 0;
  }
  CHECK(static_cast<double>(full) == Approx(callers / 2.0).margin(0.04 * callers));
}
