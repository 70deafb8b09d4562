// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include "brownout/core/result.hpp"

#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

using namespace std::chrono_literals;
using brownout::call_rejected;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;

namespace {

constexpr rejection refused{rejection_reason::circuit_open, 3s};

constexpr result<int> three{3};
constexpr result<int> none{refused};
static_assert(three.has_value() && *three == 3 && three.value() == 3);
static_assert(!none && none.rejection() == refused);
static_assert(three.value_or(4) == 3);
static_assert(none.value_or(4) == 4);
static_assert(result<void>{}.has_value());
static_assert(!result<void>{refused}.has_value());

static_assert(std::is_copy_constructible_v<result<int>>);
static_assert(!std::is_copy_constructible_v<result<std::unique_ptr<int>>>);
static_assert(std::is_nothrow_move_constructible_v<result<std::unique_ptr<int>>>);
static_assert(!std::is_constructible_v<result<int>, std::string>);
static_assert(
    !std::is_convertible_v<result<int>, bool>);  // explicit, so that no result is added up by accident

static_assert(std::is_same_v<decltype(*std::declval<result<int>&>()), int&>);
static_assert(std::is_same_v<decltype(*std::declval<const result<int>&>()), const int&>);
static_assert(std::is_same_v<decltype(*std::declval<result<int>&&>()), int&&>);
static_assert(std::is_same_v<decltype(*std::declval<result<int&>&>()), int&>);
static_assert(std::is_same_v<decltype(*std::declval<const result<int&>&>()), int&>);
static_assert(std::is_same_v<decltype(*std::declval<result<int&&>&>()), int&&>);

// A reference is never bound to a temporary.
static_assert(std::is_constructible_v<result<const std::string&>, const std::string&>);
static_assert(std::is_constructible_v<result<const std::string&>, std::string&>);
static_assert(!std::is_constructible_v<result<const std::string&>, std::string>);
static_assert(!std::is_constructible_v<result<const std::string&>, const char*>);
static_assert(!std::is_constructible_v<result<int&>, const int&>);
static_assert(std::is_constructible_v<result<int&&>, int>);
static_assert(!std::is_constructible_v<result<int&&>, int&>);

/// Throws when it is assigned, so that a variant can lose its content.
struct throws_on_move {
  throws_on_move() = default;
  throws_on_move(const throws_on_move&) = default;
  throws_on_move(throws_on_move&& other) noexcept(false) : armed{other.armed} {
    if (armed) throw std::runtime_error{"moved"};
  }
  throws_on_move& operator=(const throws_on_move&) = default;
  throws_on_move& operator=(throws_on_move&&) = default;
  bool armed = false;
};

}  // namespace

TEST_CASE("a result holds a value or a rejection", "[core][result]") {
  result<std::string> good{"text"};
  CHECK(good);
  CHECK(*good == "text");
  CHECK(good->size() == 4);
  CHECK(good.value() == "text");
  CHECK(std::as_const(good).value() == "text");
  good->append("s");
  CHECK(*good == "texts");

  const result<std::string> bad{refused};
  CHECK_FALSE(bad);
  CHECK(bad.rejection() == refused);
  CHECK(bad.value_or("other") == "other");
}

TEST_CASE("asking a rejected result for its value throws why", "[core][result]") {
  const auto check = [](auto&& ask) {
    try {
      ask();
      FAIL("no exception");
    } catch (const call_rejected& rejected) {
      CHECK(rejected.why() == refused);
    }
  };
  check([] { static_cast<void>(result<int>{refused}.value()); });
  check([] { result<void>{refused}.value(); });
  check([] {
    result<int> named{refused};
    static_cast<void>(named.value());
  });
  check([] {
    const result<int> named{refused};
    static_cast<void>(named.value());
  });
}

TEST_CASE("a result of a reference refers", "[core][result]") {
  int value = 1;
  result<int&> same{value};
  CHECK(&*same == &value);
  CHECK(&same.value() == &value);
  *same = 2;
  CHECK(value == 2);
  CHECK(same.value_or(9) == 2);

  int other = 5;
  same = result<int&>{other};  // refers to another, does not assign through
  CHECK(value == 2);
  CHECK(&*same == &other);

  const std::string text = "text";
  const result<const std::string&> constant{text};
  CHECK(constant->data() == text.data());
}

TEST_CASE("a member of what a result refers to is reached like the object itself", "[core][result]") {
  std::string text{"kept"};
  const result<std::string&> constant{text};
  constant->push_back('s');
  CHECK(text == "kepts");
  result<std::string&&> moving{std::move(text)};
  moving->push_back('.');
  CHECK(std::as_const(moving)->size() == 6);
}

TEST_CASE("a move-only value moves out", "[core][result]") {
  result<std::unique_ptr<int>> made{std::make_unique<int>(7)};
  const auto* address = made->get();
  auto taken = *std::move(made);
  CHECK(taken.get() == address);
  result<std::unique_ptr<int>> not_made{refused};
  CHECK(std::move(not_made).value_or(nullptr) == nullptr);
}

TEST_CASE("misused, a result says so instead of inventing something", "[core][result]") {
  CHECK(core_test::in_child([] { static_cast<void>(result<int>{3}.rejection()); }).signal == SIGABRT);
  CHECK(core_test::in_child([] { static_cast<void>(*result<int>{refused}); }).signal == SIGABRT);
  CHECK(core_test::in_child([] { *result<void>{refused}; }).signal == SIGABRT);
}

TEST_CASE("a result that lost its content in a failed move is neither value nor rejection",
          "[core][result]") {
  result<throws_on_move> target{refused};
  throws_on_move value;
  result<throws_on_move> source{value};
  source->armed = true;
  CHECK_THROWS_AS(target = std::move(source), std::runtime_error);
  if (!target.has_value()) {
    const auto seen = core_test::in_child([&] {
      if (target.rejection() == refused) _exit(7);  // kept what it had: fine too
    });
    CHECK((seen.signal == SIGABRT || seen.exit_code == 7));
  }
}

TEST_CASE("a rejected call says which, why and how long", "[core][result]") {
  CHECK(std::string{call_rejected{refused}.what()} == "brownout: call rejected: circuit open, retry in 3s");
  CHECK(std::string{call_rejected{refused, "database"}.what()} ==
        "brownout: call to database rejected: circuit open, retry in 3s");
  CHECK(std::string{call_rejected{{rejection_reason::forced_open, rejection::unknown}, "s3"}.what()} ==
        "brownout: call to s3 rejected: circuit held open by an operator");
  CHECK(std::string{call_rejected{{rejection_reason::circuit_open, rejection::unknown - 300us}}.what()} ==
        "brownout: call rejected: circuit open, retry in over 100 years");
  CHECK(std::string{call_rejected{{rejection_reason::circuit_open, 2ms + 1ns}}.what()} ==
        "brownout: call rejected: circuit open, retry in 3ms");
}
