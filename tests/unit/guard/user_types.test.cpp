// SPDX-License-Identifier: BSL-1.0
// What functions may be called through guards, and what they may return.
#include "unit/guard/user_code.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

using namespace guard_test;

namespace {

int answer_of_a_function(const call_context& call) noexcept {
  return static_cast<int>(call.attempt);
}

}  // namespace

/// A program with types of its own, and with functions for them whose names the library has too.
namespace a_program {

template <class... A>
void ask_of(A&&...) = delete;
template <class... A>
void begun(A&&...) = delete;
template <class... A>
void call_through(A&&...) = delete;
template <class... A>
void contained(A&&...) = delete;
template <class... A>
void copy_of(A&&...) = delete;
template <class... A>
void invoke_with(A&&...) = delete;
template <class... A>
void judge(A&&...) = delete;
template <class... A>
void outcome_of(A&&...) = delete;
template <class... A>
void retry_after_of(A&&...) = delete;
template <class... A>
void thrown_outcome_of(A&&...) = delete;
template <class... A>
void thrown_retry_after_of(A&&...) = delete;
template <class... A>
void wait_from(A&&...) = delete;

struct row {
  int number = 0;
};
struct loading {
  int* calls;
  row operator()(const call_context& /*call*/) const {
    if (++*calls == 1) throw std::runtime_error{"reset"};
    return {7};
  }
};
struct row_classifier {
  outcome operator()(const row& given) const {
    return given.number == 0 ? outcome::failure : outcome::success;
  }
  outcome threw(const std::exception_ptr& /*thrown*/) const { return outcome::failure; }
  brownout::duration retry_after(const row& /*given*/) const { return {}; }
};

}  // namespace a_program

/// A program with a stage of its own.
namespace a_program {

struct own_stage {
  template <class R, class Next>
  brownout::result<R> around(const call_context& call, const Next& next) const {
    return next(call);
  }
  [[nodiscard]] int get() const { return 7; }
};
void address_of_guard(const own_stage& stage) = delete;
void name_of_stage(const own_stage& stage) = delete;

}  // namespace a_program

TEST_CASE("a stage of the user may have a member of any name", "[guard][P1]") {
  const brownout::pipeline guarded{a_program::own_stage{}, a_program::own_stage{}};
  CHECK(guarded.call([] { return 3; }) == 3);
}

TEST_CASE("types of the user may overload the address operator", "[guard][P1]") {
  struct without_address {
    void operator&() const = delete;  // NOLINT(google-runtime-operator)
  };
  struct answering : without_address {
    int operator()(const call_context& /*call*/) const { return 3; }
  };
  struct approving : without_address {
    outcome operator()(int /*answer*/) const { return outcome::success; }
  };
  struct clock : without_address {
    [[nodiscard]] brownout::time_point now() const noexcept { return brownout::time_point{1h}; }
  };
  guards all;
  CHECK(pipeline{clock{}, timeout{.limit = 1s}, all.places}.call(answering{}, approving{}) == 3);
  CHECK(pipeline{clock{}, all.places}.call(answering{}) == 3);
}

TEST_CASE("no function of the user is taken for one of the library", "[guard][P1]") {
  guards all;
  int calls = 0;
  const auto guarded = all.around();
  CHECK(guarded.call(a_program::loading{&calls}, a_program::row_classifier{}).number == 7);
  CHECK(calls == 2);
  CHECK(guarded.call(a_program::loading{&calls}).number == 7);
}

TEST_CASE("a call through all guards returns what its function returns", "[guard][P1]") {
  guards all;
  const auto guarded = all.around();
  using context = const call_context&;
  int number = 3;
  SECTION("nothing") {
    const auto nothing = [](context) {};
    static_assert(std::is_void_v<decltype(guarded.call(nothing))>);
    CHECK(guarded.try_call(nothing));
  }
  SECTION("a reference") {
    CHECK(&guarded.call([&](context) -> int& { return number; }) == &number);
    CHECK(&guarded.call([&](context) -> const int& { return number; }) == &number);
    const auto moves = [&](context) -> int&& { return std::move(number); };
    auto&& moved = guarded.call(moves);
    CHECK(&moved == &number);
    const brownout::first_match classify{brownout::failure_if([](int) { return false; }),
                                         brownout::retry_after_from([](int) { return 1s; })};
    auto&& judged = guarded.call(moves, classify);
    CHECK(&judged == &number);
  }
  SECTION("a constant") {
    const auto text = [](context) -> const std::string {
      return "kept";
    };  // NOLINT(readability-const-return-type)
    static_assert(std::is_same_v<decltype(guarded.call(text)), std::string>);
    CHECK(guarded.call(text) == "kept");
  }
  SECTION("what cannot be copied") {
    CHECK(*guarded.call([](context) { return std::make_unique<int>(3); }) == 3);
  }
  SECTION("what cannot be assigned") {
    struct fixed {
      const int value;
    };
    bool fails = false;
    const pipeline kept{all.clock, fallback{last_good{.max_age = 1h}}, guarded};
    const auto answers = [&](context) { return fails ? throw std::runtime_error{"reset"} : fixed{3}; };
    CHECK(kept.call(answers).value == 3);
    fails = true;
    CHECK(kept.call(answers).value == 3);
  }
  SECTION("a result") {
    CHECK(guarded.try_call([](context) { return result<int>{3}; }) == 3);
    result<int> held{3};
    CHECK(&guarded.call([&](context) -> result<int>& { return held; }) == &held);
  }
  CHECK(all.nothing_in_flight());
}

TEST_CASE("a call through guards takes any function", "[guard][P1][R9]") {
  guards all;
  const pipeline guarded{all.clock, retry{.budget = &all.budget, .idempotent = true}, all.database,
                         timeout{.limit = 1min}};
  SECTION("a function, its address, and one in std::function") {
    CHECK(guarded.call(answer_of_a_function) == 1);
    CHECK(guarded.call(&answer_of_a_function) == 1);
    CHECK(guarded.call(std::function{answer_of_a_function}) == 1);
  }
  SECTION("one that can only be moved") {
    CHECK(guarded.call([own = std::make_unique<int>(3)](const call_context&) { return *own; }) == 3);
  }
  SECTION("one that changes itself") {
    CHECK(guarded.call([calls = 0](const call_context&) mutable {
      if (++calls < 3) throw std::runtime_error{"reset"};
      return calls;
    }) == 3);
  }
  SECTION("one that is constant") {
    const auto function = [](auto call) { return call.attempt; };
    CHECK(guarded.call(function) == 1);
  }
  SECTION("one that ignores its deadline, and can only be moved") {
    CHECK(guarded.call(ignoring_deadline([own = std::make_unique<int>(3)] { return *own; })) == 3);
  }
}
