// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/core/result.hpp"

#include <any>
#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// What a user of `std::expected` does without a thought.

using namespace std::chrono_literals;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;

namespace {

constexpr rejection refused{rejection_reason::circuit_open, 3s};
constexpr rejection held{rejection_reason::forced_open, rejection::unknown};

struct base {
  int number = 1;
};
struct derived : base {};
struct without_default {
  explicit without_default(int given) : number{given} {}
  int number;
};
struct immovable {
  immovable(int one, int other) : sum{one + other} {}
  immovable(const immovable&) = delete;
  immovable& operator=(const immovable&) = delete;
  int sum;
};
struct incomparable {};

// Default construction, where the value has one. References have none.
static_assert(*result<int>{} == 0);
static_assert(result<void>{}.has_value());
static_assert(std::is_default_constructible_v<result<std::unique_ptr<int>>>);
static_assert(!std::is_default_constructible_v<result<without_default>>);
static_assert(!std::is_default_constructible_v<result<int&>>);
static_assert(!std::is_default_constructible_v<result<int&&>>);

// Construction is as explicit as the value's.
static_assert(std::is_convertible_v<int, result<int>>);
static_assert(std::is_convertible_v<const char*, result<std::string>>);
static_assert(!std::is_convertible_v<int, result<without_default>>);
static_assert(std::is_constructible_v<result<without_default>, int>);
static_assert(!std::is_convertible_v<int, result<std::vector<int>>>);
static_assert(std::is_convertible_v<rejection, result<without_default>>);

// A result of another value converts where the value does, and never through its truth.
static_assert(std::is_convertible_v<result<const char*>, result<std::string>>);
static_assert(std::is_convertible_v<result<int>, result<long>>);
static_assert(std::is_convertible_v<result<std::unique_ptr<derived>>, result<std::unique_ptr<base>>>);
static_assert(!std::is_constructible_v<result<std::string>, result<int*>>);
static_assert(!std::is_convertible_v<result<int>, result<std::vector<int>>>);
static_assert(std::is_constructible_v<result<std::vector<int>>, result<int>>);
static_assert(!std::is_constructible_v<result<bool>, result<std::string>>);
static_assert(!std::is_constructible_v<result<int>, result<void>>);
static_assert(!std::is_constructible_v<result<void>, result<int>>);
static_assert(std::is_constructible_v<result<int>, result<int&>>);
static_assert(std::is_constructible_v<result<base&>, result<derived&>>);
static_assert(std::is_constructible_v<result<const int&>, result<int&>>);
static_assert(!std::is_constructible_v<result<int&>, result<const int&>>);
static_assert(!std::is_constructible_v<result<int&>, result<int>&>);  // it would dangle

// As trivial as what it holds.
static_assert(std::is_trivially_copyable_v<result<int>> && std::is_trivially_copyable_v<result<int&>>);
static_assert(std::is_nothrow_swappable_v<result<std::string>>);

// Comparison.
static_assert(result<int>{3} == result<int>{3} && result<int>{3} != result<int>{4});
static_assert(result<int>{3} == result<long>{3} && result<int>{3} != result<long>{refused});
static_assert(result<int>{refused} == result<int>{refused} && result<int>{refused} != result<int>{held});
static_assert(result<int>{3} == 3 && 3 == result<int>{3} && result<int>{3} != 4 && result<int>{refused} != 3);
static_assert(result<int>{refused} == refused && refused == result<int>{refused});
static_assert(result<int>{refused} != held && result<int>{3} != refused);
static_assert(result<void>{} == result<void>{} && result<void>{refused} != result<void>{});
static_assert(result<void>{refused} == refused && result<void>{} != refused);
template <class One, class Other>
constexpr bool are_comparable = requires(const One& one, const Other& other) {
  one == other;
};
static_assert(are_comparable<result<std::string>, std::string_view>);
static_assert(are_comparable<result<std::string>, const char*>);
static_assert(!are_comparable<result<incomparable>, result<incomparable>>);
static_assert(!are_comparable<result<incomparable>, incomparable>);
static_assert(are_comparable<result<incomparable>, rejection>);
static_assert(!are_comparable<result<int>, std::string>);
static_assert(!are_comparable<result<int>, result<void>>);

// A result of a result, which nobody needs and generic code makes.
static_assert(**result<result<int>>{result<int>{3}} == 3);
static_assert(!result<result<int>>{refused}.has_value());
static_assert((*result<result<int>>{result<int>{refused}}).rejection() == refused);

static_assert(result<int>{refused}.value_or({}) == 0);
static_assert(!std::is_convertible_v<result<int>, int>);

}  // namespace

TEST_CASE("a default-constructed result holds a value-initialised value", "[core][result]") {
  const result<int> number;
  CHECK(number.has_value());
  CHECK(*number == 0);
  const result<std::string> text;
  CHECK(text->empty());
  const result<std::unique_ptr<int>> pointer{};
  CHECK(*pointer == nullptr);
}

TEST_CASE("a result goes where elements are made first and assigned later", "[core][result]") {
  std::map<std::string, result<int>> by_name;
  by_name["one"] = 1;
  by_name["none"] = refused;
  CHECK(by_name["one"] == 1);
  CHECK(by_name["none"] == refused);
  CHECK(by_name["new"] == 0);

  std::array<result<std::string>, 2> some;
  some[1] = refused;
  CHECK(some[0] == "");
  std::vector<result<std::unique_ptr<int>>> many(3);
  many.resize(5);
  CHECK(many.back().has_value());

  std::promise<result<int>> promised;
  promised.set_value(refused);
  CHECK(promised.get_future().get() == refused);
  std::optional<result<void>> later;
  later = refused;
  CHECK(later->rejection() == refused);
}

TEST_CASE("a result is assigned a value, a rejection and another result", "[core][result]") {
  result<std::string> kept{refused};
  kept = "text";
  CHECK(kept == "text");
  kept = held;
  CHECK(kept == held);
  kept = result<const char*>{"converted"};
  CHECK(kept == "converted");
  kept = {};
  CHECK(kept == "");
  auto copied = kept;
  kept = std::move(copied);
  CHECK(kept == "");

  result<std::unique_ptr<base>> owner;
  owner = std::make_unique<derived>();
  owner = result<std::unique_ptr<derived>>{std::make_unique<derived>()};
  CHECK((*owner)->number == 1);
}

TEST_CASE("results swap what they hold", "[core][result]") {
  result<std::string> one{"text"};
  result<std::string> other{refused};
  swap(one, other);
  CHECK(one == refused);
  CHECK(other == "text");
  one.swap(other);
  std::swap(one, other);
  CHECK(one == refused);
  int number = 1;
  int another = 2;
  result<int&> same{number};
  result<int&> second{another};
  swap(same, second);
  CHECK(&*same == &another);
  CHECK(number == 1);
}

TEST_CASE("a result is built in place, also of what can't be moved", "[core][result]") {
  const result<immovable> built{std::in_place, 3, 4};
  CHECK(built->sum == 7);
  const result<std::string> text{std::in_place, 3U, 'x'};
  CHECK(text == "xxx");
  const result<std::atomic<int>> counter{std::in_place, 5};
  CHECK(counter->load() == 5);
}

TEST_CASE("a result converts as what it holds does", "[core][result]") {
  const auto name = []() -> result<std::string> { return result<const char*>{"text"}; };
  CHECK(name() == "text");
  const auto refusal = []() -> result<std::string> { return result<const char*>{refused}; };
  CHECK(refusal() == refused);

  derived object;
  const result<base&> referred{result<derived&>{object}};
  CHECK(&*referred == &object);
  const result<derived> sliced{result<derived&>{object}};
  CHECK(&*sliced != &object);

  result<std::unique_ptr<derived>> owner{std::make_unique<derived>()};
  const auto* const owned = owner->get();
  const result<std::unique_ptr<base>> taken{std::move(owner)};
  CHECK(taken->get() == owned);

  // What takes anything takes a result as what it is.
  const result<std::any> any{result<int>{3}};
  CHECK(std::any_cast<result<int>>(*any) == 3);
}

TEST_CASE("results of references compare what they refer to", "[core][result]") {
  const std::string one = "text";
  const std::string other = "text";
  CHECK(result<const std::string&>{one} == result<const std::string&>{other});
  CHECK(result<const std::string&>{one} == result<std::string>{"text"});
  CHECK(result<const std::string&>{one} == "text");
  CHECK(result<const std::string&>{one} != refused);
}

TEST_CASE("the fallback of a result may be given in braces, and is moved", "[core][result]") {
  const result<std::vector<int>> none{refused};
  CHECK(none.value_or({}).empty());
  CHECK(none.value_or({1, 2}).size() == 2);
  CHECK(result<std::unique_ptr<int>>{refused}.value_or(std::make_unique<int>(3)) != nullptr);
  int number = 7;
  CHECK(result<int&>{number}.value_or(3) == 7);
}
