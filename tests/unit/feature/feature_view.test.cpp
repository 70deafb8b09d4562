// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/level/levels.hpp"

#include "brownout/feature/detail/degradation_word.hpp"
#include "brownout/feature/feature_view.hpp"

#include <algorithm>
#include <concepts>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

using brownout::dependency_set;
using brownout::feature_mode;
using brownout::feature_rule;
using brownout::feature_view;
using brownout::detail::degradation_word;
using level_test::level;

namespace {

enum class feature : std::uint8_t {};
constexpr std::size_t feature_count = 96;
using matrix = brownout::feature_matrix<feature, level, feature_count>;

/// Random rules over 16 levels; half of the features need some of 32 dependencies.
matrix any_matrix(std::mt19937& random) {
  feature_rule<feature, level> rules[feature_count];
  for (std::size_t i = 0; i < feature_count; ++i) {
    std::uint32_t levels[] = {static_cast<std::uint32_t>(random() % 16),
                              static_cast<std::uint32_t>(random() % 16),
                              static_cast<std::uint32_t>(random() % 16)};
    std::sort(std::begin(levels), std::end(levels));
    rules[i].feature = static_cast<feature>(i);
    rules[i].last = static_cast<level>(levels[2]);
    if (random() % 2 == 0) rules[i].last_full = static_cast<level>(levels[0]);
    if (random() % 2 == 0 && rules[i].last_full) rules[i].last_reduced = static_cast<level>(levels[1]);
    if (random() % 2 == 0) rules[i].needs = dependency_set{static_cast<std::uint32_t>(random() & random())};
  }
  return matrix{rules};
}

/// The level that a feature has when so many 64ths have returned: each of 64 shares has its own features.
bool returns_by(const matrix& of, feature one, std::uint32_t share) {
  const degradation_word word{0, {}};
  return feature_view{of, share == 64 ? word : word.returning(15, share)}.mode(one) ==
         of.mode(one, level{}, {});
}

constexpr degradation_word packed = degradation_word{3, dependency_set{5}, 7}.returning(9, 42);
static_assert(packed.level() == 3 && packed.returning_from() == 9 && packed.returned_share() == 42);
static_assert(packed.refusing() == dependency_set{5} && packed.epoch() == 7);
static_assert(degradation_word{}.level() == 0 && degradation_word{}.epoch() == 0);
static_assert(degradation_word{}.refusing().empty() && degradation_word{}.returning_from() == 0);

constexpr auto features = brownout::make_feature_matrix<feature, level>({{.last = level{1}}});
static_assert(std::same_as<decltype(feature_view{features, packed}), brownout::feature_view_for<features>>);

}  // namespace

TEST_CASE("a word gives back what was packed into it", "[feature][D3][D3a]") {
  std::mt19937 random{3};
  for (int i = 0; i < 100'000; ++i) {
    const auto shown = random() % 16;
    const dependency_set refusing{static_cast<std::uint32_t>(random())};
    const auto epoch = static_cast<std::uint32_t>(random() % 3000);
    const degradation_word word{shown, refusing, epoch};
    REQUIRE(word.level() == shown);
    REQUIRE(word.returning_from() == shown);
    REQUIRE(word.returned_share() == 0);
    REQUIRE(word.refusing() == refusing);
    REQUIRE(word.epoch() == epoch % 1024);
    REQUIRE(word == degradation_word{shown, refusing}.in_epoch(epoch));

    if (shown == 15) continue;
    const auto from = shown + 1 + random() % (15 - shown);
    const auto share = static_cast<std::uint32_t>(random() % 64);
    const auto returning = word.returning(from, share);
    REQUIRE(returning.level() == shown);
    REQUIRE(returning.returning_from() == from);
    REQUIRE(returning.returned_share() == share);
    REQUIRE(returning.refusing() == refusing);
    REQUIRE(returning.epoch() == epoch % 1024);
    REQUIRE(returning != word);
    const auto later = returning.in_epoch(epoch + 1);
    REQUIRE(later.epoch() == (epoch + 1) % 1024);
    REQUIRE(later.in_epoch(epoch) == returning);

    REQUIRE(returning.meets(degradation_word::bit_of(shown)));
    REQUIRE(returning.meets(degradation_word::bit_of(from)));
    for (std::size_t other = 0; other < 16; ++other) {
      if (other != shown && other != from) REQUIRE_FALSE(returning.meets(degradation_word::bit_of(other)));
    }
    const auto bit = std::uint32_t{1} << random() % 32;
    REQUIRE(returning.meets(bit) == ((refusing.bits() & bit) != 0));
    REQUIRE_FALSE(returning.meets(0));
  }
}

TEST_CASE(
    "a word of a level that there is not, or of features that return from nowhere, is a broken precondition",
    "[feature][D3]") {
  const auto aborts = [](auto&& misuse) { return core_test::in_child(misuse).signal == SIGABRT; };
  CHECK(aborts([] { static_cast<void>(degradation_word{16, {}}); }));
  CHECK(aborts([] { static_cast<void>(degradation_word::bit_of(16)); }));
  CHECK(aborts([] { static_cast<void>(degradation_word{3, {}}.returning(3, 0)); }));
  CHECK(aborts([] { static_cast<void>(degradation_word{3, {}}.returning(2, 0)); }));
  CHECK(aborts([] { static_cast<void>(degradation_word{3, {}}.returning(16, 0)); }));
  CHECK(aborts([] { static_cast<void>(degradation_word{3, {}}.returning(4, 64)); }));
}

TEST_CASE("a feature is available when its mode is any but off, whatever refuses, returns or is in force",
          "[feature][D3][D4][D4b][exhaustive]") {
  std::mt19937 random{9};
  std::size_t offered = 0, off = 0, between = 0;
  for (int i = 0; i < 20; ++i) {
    const auto rules = any_matrix(random);
    for (int seen = 0; seen < 500; ++seen) {
      const auto shown = random() % 16;
      const dependency_set refusing{static_cast<std::uint32_t>(random() & random() & random())};
      degradation_word word{shown, refusing};
      auto from = shown;
      if (random() % 2 == 0 && shown < 15) {
        from = shown + 1 + random() % (15 - shown);
        word = word.returning(from, static_cast<std::uint32_t>(random() % 64));
      }
      const feature_view view{rules, word};
      REQUIRE(view.is_returning() == (from != shown));
      REQUIRE(view.level() == static_cast<level>(shown));
      for (std::size_t number = 0; number < feature_count; ++number) {
        const auto one = static_cast<feature>(number);
        const auto mode = view.mode(one);
        REQUIRE(view.available(one) == (mode != feature_mode::off));
        const auto in_force = rules.mode(one, static_cast<level>(shown), refusing);
        const auto before = rules.mode(one, static_cast<level>(from), refusing);
        REQUIRE((mode == in_force || mode == before));
        if (!view.is_returning()) REQUIRE(mode == in_force);
        const auto why = view.explain(one);
        REQUIRE(why.mode == mode);
        REQUIRE(why.returning == (mode != in_force));
        REQUIRE(why.blocked_by == (rules.rule(one).needs & refusing));
        REQUIRE(why.allowed_by_level == (static_cast<level>(shown) <= rules.rule(one).last));
        ++(mode == feature_mode::off ? off : offered);
        between += why.returning;
      }
    }
  }
  CHECK(offered > 10'000);
  CHECK(off > 10'000);
  CHECK(between > 10'000);
}

TEST_CASE("a feature that has returned stays, and all have at the end", "[feature][D4]") {
  std::mt19937 random{4};
  const auto rules = any_matrix(random);
  for (std::size_t number = 0; number < feature_count; ++number) {
    const auto one = static_cast<feature>(number);
    bool back = returns_by(rules, one, 0);
    for (std::uint32_t share = 1; share <= 64; ++share) {
      const bool now_back = returns_by(rules, one, share);
      REQUIRE((now_back || !back));
      back = now_back;
    }
    REQUIRE(back);
  }
}

TEST_CASE("any number of features in a row returns spread over the whole time", "[feature][D4]") {
  feature_rule<feature, level> best_only[feature_count];
  for (std::size_t i = 0; i < feature_count; ++i) best_only[i].feature = static_cast<feature>(i);
  const matrix rules{best_only};
  for (std::size_t first = 0; first < 32; ++first) {
    for (const std::size_t count : {4u, 8u, 16u, 32u, 64u}) {
      std::vector<std::uint32_t> returned;  // the share at which each is back
      for (std::size_t i = first; i < first + count; ++i) {
        std::uint32_t share = 0;
        while (!returns_by(rules, static_cast<feature>(i), share)) ++share;
        REQUIRE(share >= 1);  // none before anything has returned
        returned.push_back(share);
      }
      std::sort(returned.begin(), returned.end());
      returned.push_back(64);
      // Three-distance theorem: no gap is much longer than the mean.
      std::uint32_t longest = returned.front();
      for (std::size_t i = 1; i < returned.size(); ++i)
        longest = std::max(longest, returned[i] - returned[i - 1]);
      INFO(count << " from " << first);
      REQUIRE(longest <= 2.4 * 64 / static_cast<double>(count) + 1);
    }
  }
}
