// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/level/levels.hpp"

#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/feature/feature_view.hpp"

#include <csignal>
#include <stdexcept>
#include <string>

using namespace level_test;
using brownout::dependency_set;
using brownout::feature_matrix;
using brownout::feature_mode;
using brownout::feature_rule;
using brownout::feature_view;
using brownout::make_feature_matrix;
using brownout::needs;
using brownout::detail::degradation_word;

namespace {

enum class dependency : std::uint8_t { database, cache, storage };
enum class feature : std::uint8_t { read, search, upload };
using rule = feature_rule<feature, level>;

// Rules in any order; a mistake in them would not compile.
constexpr auto matrix = make_feature_matrix<feature, level>({
    {.feature = feature::upload,
     .last = level::optimal,
     .needs = needs(dependency::database, dependency::storage)},
    {.feature = feature::read, .last = level::minimal},
    {.feature = feature::search,
     .last = level::minimal,
     .needs = needs(dependency::cache),
     .last_full = level::optimal,
     .last_reduced = level::limited},
});
constexpr dependency_set none{};

static_assert(matrix.size == 3);
static_assert(matrix.allowed_at(level::optimal) == 3);
static_assert(matrix.allowed_at(level::degraded) == 2);
static_assert(matrix.allowed_at(level::minimal) == 2);
static_assert(matrix.allowed_at(level::emergency) == 0);

// All or nothing.
static_assert(matrix.mode(feature::read, level::optimal, none) == feature_mode::full);
static_assert(matrix.mode(feature::read, level::minimal, none) == feature_mode::full);
static_assert(matrix.mode(feature::read, level::emergency, none) == feature_mode::off);

// Step by step.
static_assert(matrix.mode(feature::search, level::optimal, none) == feature_mode::full);
static_assert(matrix.mode(feature::search, level::degraded, none) == feature_mode::reduced);
static_assert(matrix.mode(feature::search, level::limited, none) == feature_mode::reduced);
static_assert(matrix.mode(feature::search, level::minimal, none) == feature_mode::cached);
static_assert(matrix.mode(feature::search, level::emergency, none) == feature_mode::off);
static_assert(feature_mode::full > feature_mode::reduced && feature_mode::reduced > feature_mode::cached &&
              feature_mode::cached > feature_mode::off);

// Off while anything it needs refuses calls, and only then.
static_assert(matrix.mode(feature::upload, level::optimal, none) == feature_mode::full);
static_assert(matrix.mode(feature::upload, level::optimal, needs(dependency::storage)) == feature_mode::off);
static_assert(matrix.mode(feature::upload, level::optimal, needs(dependency::database)) == feature_mode::off);
static_assert(matrix.mode(feature::upload, level::optimal, needs(dependency::cache)) == feature_mode::full);
static_assert(matrix.mode(feature::read, level::optimal, dependency_set{~std::uint32_t{0}}) ==
              feature_mode::full);

// Left out, the reduced mode is skipped: full, then cached.
constexpr auto without_reduced = make_feature_matrix<feature, level>(
    {{.feature = feature::read, .last = level::limited, .last_full = level::optimal}});
static_assert(without_reduced.mode(feature::read, level::degraded, none) == feature_mode::cached);

constexpr auto verdict =
    matrix.explain(feature::upload, level::degraded, needs(dependency::storage, dependency::cache));
static_assert(verdict.mode == feature_mode::off);
static_assert(!verdict.allowed_by_level);
static_assert(verdict.blocked_by == needs(dependency::storage));
constexpr auto blocked = matrix.explain(feature::upload, level::optimal, needs(dependency::database));
static_assert(blocked.mode == feature_mode::off && blocked.allowed_by_level);
constexpr auto offered = matrix.explain(feature::upload, level::optimal, needs(dependency::cache));
static_assert(offered.mode == feature_mode::full && offered.allowed_by_level && offered.blocked_by.empty());

static_assert(matrix.rule(feature::search).needs == needs(dependency::cache));
static_assert(matrix.rule(feature::read).feature == feature::read);
static_assert(matrix.rule(feature::read).last_full == level::minimal);

// Sets.
static_assert(none.empty() && none.bits() == 0);
static_assert(needs(0, 31).bits() == 0x80000001u);
static_assert(needs(dependency::cache).contains(dependency::cache));
static_assert(!needs(dependency::cache).contains(dependency::storage));
static_assert(needs(31).contains(31) && !needs(31).contains(30));
static_assert((needs(1, 2) & needs(2, 3)) == needs(2));

// A view is a snapshot: level, refusing circuits and epoch together.
static_assert(sizeof(degradation_word) == 8);
constexpr feature_view view{matrix, degradation_word{1, dependency_set{2}, 1023}};
static_assert(view.level() == level::degraded);
static_assert(view.refusing() == needs(dependency::cache));
static_assert(view.epoch() == 1023);
static_assert(view.available(feature::read));
static_assert(!view.available(feature::search));
static_assert(view.mode(feature::read) == feature_mode::full);
static_assert(view.explain(feature::search).blocked_by == needs(dependency::cache));
static_assert(view.explain(feature::search).allowed_by_level);

template <std::size_t Count>
std::string refusal(const rule (&rules)[Count]) {
  try {
    static_cast<void>(feature_matrix<feature, level, Count>{rules});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a matrix that does not name every feature once is refused", "[feature][D4][D4a]") {
  CHECK(refusal({{.feature = feature::read}, {.feature = feature::search}, {.feature = feature::upload}}) ==
        "");
  CHECK(refusal({{.feature = feature::read}, {.feature = feature::read}, {.feature = feature::upload}}) ==
        "feature_rule.feature = 0: allowed is each of 0 to 2 once");
  CHECK(refusal({{.feature = feature::read}, {.feature = feature::upload}}) ==
        "feature_rule.feature = 2: allowed is each of 0 to 1 once");
  CHECK(refusal({{.feature = static_cast<feature>(255)}}) ==
        "feature_rule.feature = 255: allowed is each of 0 to 0 once");
}

TEST_CASE("a rule whose levels are out of order is refused", "[feature][D4]") {
  CHECK(refusal({{.feature = feature::read,
                  .last = level::limited,
                  .last_full = level::limited,
                  .last_reduced = level::limited}}) == "");
  constexpr auto text =
      "feature_rule of feature 0 = levels out of order: allowed is last_full <= last_reduced <= last";
  CHECK(refusal({{.feature = feature::read, .last = level::degraded, .last_full = level::limited}}) == text);
  CHECK(refusal({{.feature = feature::read, .last = level::degraded, .last_reduced = level::optimal}}) ==
        text);
  CHECK(refusal({{.feature = feature::read,
                  .last = level::minimal,
                  .last_full = level::limited,
                  .last_reduced = level::degraded}}) == text);
  CHECK(refusal({{.feature = feature::read,
                  .last = level::degraded,
                  .last_full = level::optimal,
                  .last_reduced = level::limited}}) == text);
}

TEST_CASE("a feature, level or dependency that is none is a broken precondition", "[feature][D4]") {
  const auto aborts = [](auto&& misuse) { return core_test::in_child(misuse).signal == SIGABRT; };
  const auto no_feature = static_cast<feature>(3);
  const auto no_level = static_cast<level>(16);
  CHECK(aborts([&] { static_cast<void>(matrix.mode(no_feature, level::optimal, {})); }));
  CHECK(aborts([&] { static_cast<void>(matrix.mode(feature::read, no_level, {})); }));
  CHECK(aborts([&] { static_cast<void>(matrix.rule(no_feature)); }));
  CHECK(aborts([&] { static_cast<void>(matrix.explain(no_feature, level::optimal, {})); }));
  CHECK(aborts([&] { static_cast<void>(matrix.allowed_at(no_level)); }));
  CHECK(aborts([&] { brownout::dependency_set{}.insert(brownout::dependency_set::most); }));
  CHECK(aborts([&] { static_cast<void>(brownout::dependency_set{}.contains(32)); }));
  CHECK(aborts([&] { static_cast<void>(brownout::dependency_set{}.contains(-1)); }));
}

TEST_CASE("every mode has a name", "[feature][D4]") {
  CHECK(to_string(feature_mode::off) == "off");
  CHECK(to_string(feature_mode::cached) == "cached");
  CHECK(to_string(feature_mode::reduced) == "reduced");
  CHECK(to_string(feature_mode::full) == "full");
  CHECK(to_string(static_cast<feature_mode>(99)) == "invalid");
}
