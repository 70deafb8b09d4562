// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/refusal_of.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/any_clock.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brownout::call_context;
using brownout::call_report;
using brownout::circuit_breaker;
using brownout::consecutive_failures;
using brownout::duration;
using brownout::ignoring_deadline;
using brownout::manual_clock;
using brownout::outcome;
using brownout::pipeline;
using brownout::rejection;
using brownout::rejection_reason;
using brownout::result;
using brownout::retry;
using brownout::retry_budget;
using brownout::timeout;

namespace {

struct response {
  int status = 200;
  duration retry_after{};
};

const brownout::first_match judge{
    brownout::failure_if([](const response& seen) { return seen.status >= 500; }),
    brownout::ignore_if([](const response& seen) { return seen.status == 400; }),
    brownout::retry_after_from([](const response& seen) { return seen.retry_after; })};

/// A server that answers with these responses, and with the last one for ever.
struct server {
  std::vector<response> answers;
  std::size_t calls = 0;

  response operator()() {
    const auto& answer = answers[(std::min)(calls, answers.size() - 1)];
    ++calls;
    return answer;
  }
};

struct bench {
  manual_clock clock{};
  retry_budget budget{{.least = 100}, clock};

  [[nodiscard]] duration elapsed() const { return clock.now().time_since_epoch(); }
  [[nodiscard]] double tokens() const { return budget.snapshot().tokens; }
  [[nodiscard]] retry policy(bool idempotent = true) {
    return retry{.tries = 3, .budget = &budget, .idempotent = idempotent};
  }
};

/// A stage that refuses so many calls, and then admits all.
struct refusing {
  int* left;
  rejection why;

  template <class R, class Next>
  result<R> around(const call_context& context, const Next& next) const {
    if ((*left)-- > 0) return why;
    return next(context);
  }
};
static_assert(brownout::guard_stage<refusing>);

/// A stage that admits the first call only.
struct refusing_later {
  int* calls;

  template <class R, class Next>
  result<R> around(const call_context& context, const Next& next) const {
    if ((*calls)++ > 0) return rejection{rejection_reason::rate_limited, 1ms};
    return next(context);
  }
};

}  // namespace

TEST_CASE("tries counts all attempts, the first one included", "[guard][R1]") {
  bench on;
  const auto tries = GENERATE(1U, 2U, 3U, 100U);
  auto policy = on.policy();
  policy.tries = tries;
  server down{{{503}}};
  const auto answer = pipeline{on.clock, policy}.try_call(down, judge);
  CHECK(down.calls == tries);
  CHECK(answer->status == 503);
}

TEST_CASE("only failures are tried again", "[guard][R2]") {
  bench on;
  const pipeline guarded{on.clock, on.policy()};
  SECTION("a success") {
    server up{{{200}}};
    CHECK(guarded.try_call(up, judge)->status == 200);
    CHECK(up.calls == 1);
  }
  SECTION("an ignored call") {
    server strict{{{400}}};
    CHECK(guarded.try_call(strict, judge)->status == 400);
    CHECK(strict.calls == 1);
  }
  SECTION("a cancelled call") {
    int calls = 0;
    CHECK(*guarded.try_call([&] { return ++calls, outcome::cancelled; }) == outcome::cancelled);
    CHECK(calls == 1);
  }
  SECTION("a failure, until it is none") {
    server flaky{{{503}, {200}}};
    CHECK(guarded.try_call(flaky, judge)->status == 200);
    CHECK(flaky.calls == 2);
  }
  SECTION("an exception that is a failure") {
    int calls = 0;
    CHECK(guarded.call([&] {
      if (++calls < 3) throw std::runtime_error{"connection reset"};
      return 7;
    }) == 7);
    CHECK(calls == 3);
  }
  SECTION("an exception that is ignored") {
    int calls = 0;
    CHECK_THROWS_AS(
        guarded.call([&] { throw std::invalid_argument{"bad request " + std::to_string(++calls)}; },
                     brownout::ignore_exceptions<std::invalid_argument>()),
        std::invalid_argument);
    CHECK(calls == 1);
  }
  SECTION("an exception that is a success passes, and pays into the budget") {
    const auto before = on.budget.snapshot().deposited;
    CHECK_THROWS_AS(guarded.call([] { throw std::out_of_range{"not found"}; },
                                 brownout::success_exceptions<std::out_of_range>()),
                    std::out_of_range);
    CHECK(on.budget.snapshot().deposited == before + 1);
  }
  CHECK(on.elapsed() < 2s);
}

TEST_CASE("a refusal that the classifier takes for a cancelled call is not tried again", "[guard][R2]") {
  struct given_up {
    std::optional<outcome> operator()(int /*answer*/) const { return std::nullopt; }
    outcome threw(const std::exception_ptr& /*thrown*/) const { return outcome::cancelled; }
  };
  bench on;
  int calls = 0;
  const auto refused = [&]() -> int {
    ++calls;
    throw brownout::call_rejected{{.reason = rejection_reason::bulkhead_full, .retry_after = 10ms}};
  };
  const pipeline guarded{on.clock, on.policy()};
  CHECK_THROWS_AS(guarded.call(refused, given_up{}), brownout::call_rejected);
  CHECK(calls == 1);
}

TEST_CASE("a value that came late is not tried again, since the caller has it", "[guard][R2][O4]") {
  bench on;
  const pipeline guarded{on.clock, on.policy(), timeout{.limit = 100ms}};
  int calls = 0;
  CHECK(*guarded.try_call([&](const call_context&) {
    on.clock.advance(1s);
    return ++calls;
  }) == 1);
  CHECK(on.budget.snapshot().deposited == 0);
}

TEST_CASE("a call that is not idempotent is tried again only if it was never begun", "[guard][R3]") {
  static_assert(!std::default_initializable<decltype(retry::idempotent)>);
  static_assert(!std::default_initializable<decltype(retry::budget)>);
  bench on;
  server orders{{{503}}};
  SECTION("a failure may have had its effect") {
    CHECK(pipeline{on.clock, on.policy(false)}.try_call(orders, judge)->status == 503);
    CHECK(orders.calls == 1);
  }
  SECTION("so may a call that timed out") {
    int refusals = 5;
    const rejection late{rejection_reason::timed_out, 1ms, true};
    CHECK(pipeline{on.clock, on.policy(false), refusing{&refusals, late}}.try_call(orders, judge) == late);
    CHECK(refusals == 4);
  }
  SECTION("a refusal cannot") {
    int refusals = 2;
    const pipeline guarded{on.clock, on.policy(false),
                           refusing{&refusals, {rejection_reason::rate_limited, 10ms}}};
    CHECK(guarded.try_call(orders, judge).has_value());
    CHECK(orders.calls == 1);
  }
  SECTION("if it is idempotent, a call that timed out is tried again") {
    int refusals = 1;
    const pipeline guarded{on.clock, on.policy(),
                           refusing{&refusals, {rejection_reason::timed_out, 1ms, true}}};
    CHECK(guarded.try_call(server{{{200}}}, judge).has_value());
  }
}

TEST_CASE("a refusal is told as begun if the function has run before it", "[guard][R3]") {
  bench on;
  server orders{{{503}}};
  circuit_breaker database{consecutive_failures{1}, {.open_for = 100ms}, on.clock};
  SECTION("in an earlier attempt, so that a retry outside does not repeat it") {
    const auto inner = retry{.tries = 2, .budget = &on.budget, .idempotent = true};
    int outer_calls = 0;
    const auto answer =
        pipeline{on.clock, on.policy(false), pipeline{inner, refusing_later{&outer_calls}}}.try_call(orders,
                                                                                                     judge);
    CHECK(answer == rejection{rejection_reason::rate_limited, 1ms, true});
    CHECK(orders.calls == 1);
  }
  SECTION("by the function itself") {
    database.try_acquire()->complete(outcome::failure);
    int calls = 0;
    const auto inserted = [&] {
      ++calls;
      return database.try_call([] { return 1; });
    };
    CHECK(pipeline{on.clock, on.policy(false)}.try_call(inserted).rejection().began);
    CHECK(calls == 1);
  }
  SECTION("thrown by the function") {
    database.try_acquire()->complete(outcome::failure);
    int calls = 0;
    CHECK_THROWS_AS(pipeline(on.clock, on.policy(false)).call([&] {
      ++calls;
      return database.call([] { return 1; });
    }),
                    brownout::call_rejected);
    CHECK(calls == 1);
  }
}

TEST_CASE("the k-th wait is half of base * 2^(k-1), and a random part of the other half", "[guard][R4]") {
  bench on;
  const auto policy = on.policy();
  constexpr double almost_one = 1 - std::numeric_limits<double>::epsilon();
  CHECK(policy.wait_after(1, 0s, 0) == 125ms);
  CHECK(policy.wait_after(1, 0s, 0.5) == 187500us);
  CHECK(policy.wait_after(2, 0s, 0) == 250ms);
  CHECK(policy.wait_after(3, 0s, 0) == 500ms);
  CHECK(policy.wait_after(3, 0s, almost_one) <= 1s);
  SECTION("capped after jitter, for any number of attempts and any options") {
    const auto failed = GENERATE(1U, 2U, 20U, 63U, 64U, 65U, 100U, 4'000'000'000U);
    for (const auto& [base, cap] :
         {std::pair<duration, duration>{1ms, 1ms}, {1ms, 5min}, {5min, 5min}, {250ms, 2s}}) {
      auto any = policy;
      any.base = base;
      any.cap = cap;
      for (const double chance : {0.0, 0.5, almost_one}) {
        CHECK(any.wait_after(failed, 0s, chance) <= cap);
        CHECK(any.wait_after(failed, 0s, chance) >= base / 2);
      }
    }
  }
  SECTION("the waits of a call are such waits") {
    call_report report;
    const pipeline guarded{on.clock, policy};
    guarded.try_call({.report = &report}, server{{{503}}}, judge).value();
    CHECK(report.waited == on.elapsed());
    CHECK(on.elapsed() >= 375ms);
    CHECK(on.elapsed() <= 750ms);
  }
  SECTION("they differ from call to call") {
    const pipeline guarded{on.clock, policy};
    std::vector<duration> waits;
    for (int i = 0; i < 20; ++i) {
      const auto began = on.elapsed();
      guarded.try_call(server{{{503}}}, judge).value();
      waits.push_back(on.elapsed() - began);
    }
    std::sort(waits.begin(), waits.end());
    CHECK(waits.front() + 20ms < waits.back());
  }
}

TEST_CASE("a wait that the dependency asks for is a floor", "[guard][R5]") {
  bench on;
  const pipeline guarded{on.clock, on.policy()};
  SECTION("jitter only lengthens it") {
    for (int i = 0; i < 50; ++i) {
      const auto began = on.elapsed();
      guarded.try_call(server{{{503, 3s}, {200}}}, judge).value();
      CHECK(on.elapsed() - began >= 3s);
      CHECK(on.elapsed() - began <= 3125ms);
    }
  }
  SECTION("of an exception too") {
    struct overloaded : std::runtime_error {
      using runtime_error::runtime_error;
      duration wait = 2s;
    };
    int calls = 0;
    guarded.call(
        [&] {
          if (++calls == 1) throw overloaded{"503"};
        },
        brownout::first_match{brownout::retry_after_from<overloaded>(&overloaded::wait)});
    CHECK(calls == 2);
    CHECK(on.elapsed() >= 2s);
  }
  SECTION("beyond most_retry_after the call ends at once, and says what was asked for") {
    call_report report;
    server busy{{{503, 6s}}};
    CHECK(guarded.try_call({.report = &report}, busy, judge)->status == 503);
    CHECK(busy.calls == 1);
    CHECK(on.elapsed() == 0s);
    CHECK(report.retry_after == 6s);
    CHECK(on.tokens() == 100);
  }
  SECTION("beyond the deadline too") {
    call_report report;
    server busy{{{503, 3s}}};
    CHECK(guarded.try_call({.deadline = on.clock.now() + 3s, .report = &report}, busy, judge)->status == 503);
    CHECK(busy.calls == 1);
    CHECK(on.elapsed() == 0s);
    CHECK(report.retry_after == 3s);
  }
  SECTION("with no try left the report says what was asked for last") {
    call_report report;
    CHECK(guarded.try_call(server{{{503, 3s}, {503, 2s}, {503, 1s}}}, report, judge)->status == 503);
    CHECK(report.attempts == 3);
    CHECK(report.retry_after == 1s);
  }
}

TEST_CASE("no wait is begun that ends at or after the deadline", "[guard][R6]") {
  bench on;
  auto policy = on.policy();
  policy.base = policy.cap = 2ms;  // waits 1 ms to 2 ms
  const pipeline guarded{on.clock, policy};
  server down{{{503}}};
  SECTION("the shortest wait ends at the deadline") {
    guarded.try_call({.deadline = on.clock.now() + 1ms}, down, judge).value();
    CHECK(down.calls == 1);
    CHECK(on.elapsed() == 0s);
  }
  SECTION("the longest wait ends before it") {
    guarded.try_call({.deadline = on.clock.now() + 2ms + 1ns}, down, judge).value();
    CHECK(down.calls == 2);
  }
  SECTION("the deadline of a timeout around it") {
    const pipeline limited{on.clock, timeout{.limit = 1ms}, policy};
    limited.try_call(ignoring_deadline([&] { return down(); }), judge).value();
    CHECK(down.calls == 1);
  }
  SECTION("a refusal is not waited for either") {
    int refusals = 1;
    const rejection why{rejection_reason::bulkhead_full, 1ms};
    CHECK(pipeline{on.clock, policy, refusing{&refusals, why}}.try_call({.deadline = on.clock.now() + 1ms},
                                                                        down) == why);
    CHECK(on.elapsed() == 0s);
  }
  CHECK(on.budget.snapshot().withdrawn == (down.calls == 2 ? 1 : 0));
}

TEST_CASE("the budget is asked when a retry is decided, and not after its wait", "[guard][R7]") {
  bench on;
  SECTION("an empty budget ends the call at once with the real failure") {
    retry_budget none{{.least = 0}, on.clock};
    auto policy = on.policy();
    policy.budget = &none;
    call_report report;
    server down{{{503}}};
    CHECK(pipeline{on.clock, policy}.try_call({.report = &report}, down, judge)->status == 503);
    CHECK(down.calls == 1);
    CHECK(on.elapsed() == 0s);
    CHECK(report.retries_refused == 1);
  }
  SECTION("each retry takes one token, and a success pays") {
    pipeline{on.clock, on.policy()}.try_call(server{{{503}, {503}, {200}}}, judge).value();
    const auto shown = on.budget.snapshot();
    CHECK(shown.withdrawn == 2);
    CHECK(shown.deposited == 1);
  }
  SECTION("a token goes back if the attempt never starts") {
    struct stuck_clock {
      manual_clock inner;
      [[nodiscard]] brownout::time_point now() const noexcept { return inner.now(); }
      void wait_for(duration) const { inner.wait_for(1h); }
    };
    CHECK_FALSE(pipeline{stuck_clock{on.clock}, timeout{.limit = 10s}, on.policy()}
                    .try_call(ignoring_deadline([]() -> result<int> {
                      return rejection{rejection_reason::timed_out, 1ms, true};
                    }))
                    .has_value());
    CHECK(on.budget.snapshot().withdrawn == 1);
    CHECK(on.budget.snapshot().given_back == 1);
  }
  SECTION("and if the wait throws") {
    struct interrupted {};
    struct throwing_clock {
      [[nodiscard]] brownout::time_point now() const noexcept { return {}; }
      void wait_for(duration) const { throw interrupted{}; }
    };
    CHECK_THROWS_AS(pipeline(throwing_clock{}, on.policy()).try_call(server{{{503}}}, judge).has_value(),
                    interrupted);
    CHECK(on.budget.snapshot().given_back == 1);
  }
}

TEST_CASE("a refusal from further in is waited for, and takes no token", "[guard][R8]") {
  bench on;
  int refusals = 1;
  SECTION("for retry_after to twice of it") {
    for (int i = 0; i < 50; ++i) {
      refusals = 1;
      const auto began = on.elapsed();
      pipeline{on.clock, on.policy(), refusing{&refusals, {rejection_reason::circuit_open, 100ms}}}
          .try_call([] {})
          .value();
      CHECK(on.elapsed() - began >= 100ms);
      CHECK(on.elapsed() - began < 200ms);
    }
  }
  SECTION("not if it is longer than cap, or unknown") {
    for (const auto wait : {duration{2s + 1ns}, rejection::unknown}) {
      refusals = 1;
      CHECK_FALSE(pipeline{on.clock, on.policy(), refusing{&refusals, {rejection_reason::circuit_open, wait}}}
                      .try_call([] {}));
      CHECK(on.elapsed() == 0s);
    }
  }
  SECTION("not if the caller gave up, or the deadline has passed") {
    for (const auto reason : {rejection_reason::cancelled, rejection_reason::deadline_passed}) {
      refusals = 1;
      CHECK_FALSE(pipeline{on.clock, on.policy(), refusing{&refusals, {reason, 1ms}}}.try_call([] {}));
      CHECK(on.elapsed() == 0s);
    }
  }
  SECTION("it uses up a try") {
    refusals = 3;
    CHECK_FALSE(
        pipeline{on.clock, on.policy(), refusing{&refusals, {rejection_reason::circuit_open, 1ms}}}.try_call(
            [] {}));
    CHECK(refusals == 0);
  }
  SECTION("also if an inner call threw it") {
    circuit_breaker inner{consecutive_failures{1}, {.open_for = 100ms}, on.clock};
    inner.try_acquire()->complete(outcome::failure);
    CHECK(pipeline{on.clock, on.policy()}.call([&] { return inner.call([] { return 5; }); }) == 5);
    CHECK(on.elapsed() >= 100ms);
  }
  CHECK(on.budget.snapshot().withdrawn == 0);
}

TEST_CASE("the function is called as an lvalue, so its state lives through all attempts", "[guard][R9]") {
  bench on;
  const pipeline guarded{on.clock, on.policy()};
  auto body = std::make_unique<std::string>("body");
  std::vector<std::string> sent;
  guarded
      .try_call([&sent, body = std::move(body)]() mutable {
        sent.push_back(*body);
        return sent.size() < 3 ? outcome::failure : outcome::success;
      })
      .value();
  CHECK(sent == std::vector<std::string>{"body", "body", "body"});
}

TEST_CASE("the context says which attempt it is", "[guard][R10]") {
  bench on;
  std::vector<std::uint32_t> attempts;
  std::vector<brownout::time_point> times;
  const auto note = [&](const call_context& call) {
    attempts.push_back(call.attempt);
    times.push_back(call.now);
    return outcome::failure;
  };
  pipeline{on.clock, on.policy(), timeout{.limit = 1s}}.try_call(note).value();
  CHECK(attempts == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(times[0] == brownout::time_point{});
  CHECK(times[1] >= times[0] + 125ms);
  CHECK(times[2] == on.clock.now());
}

TEST_CASE("a retry waits by the clock of its pipeline", "[guard][R11]") {
  bench on;
  SECTION("by its wait_for") {
    pipeline{on.clock, on.policy()}.try_call(server{{{503}, {200}}}, judge).value();
    CHECK(on.elapsed() >= 125ms);
  }
  SECTION("also inside of an any_clock") {
    pipeline{brownout::any_clock{on.clock}, on.policy()}.try_call(server{{{503}, {200}}}, judge).value();
    CHECK(on.elapsed() >= 125ms);
  }
  SECTION("or by blocking the thread") {
    auto policy = on.policy();
    policy.base = policy.cap = 2ms;
    const auto began = std::chrono::steady_clock::now();
    pipeline{policy}.try_call(server{{{503}, {200}}}, judge).value();
    CHECK(std::chrono::steady_clock::now() - began >= 1ms);
  }
}

TEST_CASE("a call that ends without success ends as its last attempt did", "[guard][R2]") {
  bench on;
  const pipeline guarded{on.clock, on.policy()};
  SECTION("with its own exception") {
    int calls = 0;
    CHECK_THROWS_WITH(
        guarded.call([&]() -> int { throw std::runtime_error{"attempt " + std::to_string(++calls)}; }),
        "attempt 3");
  }
  SECTION("with its own value") {
    server worse{{{500}, {502}, {503}}};
    CHECK(guarded.try_call(worse, judge)->status == 503);
  }
  SECTION("with a value after an exception") {
    int calls = 0;
    CHECK(*guarded.try_call([&] {
      if (++calls < 3) throw std::runtime_error{"reset"};
      return outcome::ignored;
    }) == outcome::ignored);
  }
}

TEST_CASE("while a later attempt runs there is no current exception", "[guard][R2]") {
  bench on;
  bool had_one = false;
  int calls = 0;
  pipeline{on.clock, on.policy()}.call([&] {
    had_one = had_one || std::current_exception() != nullptr || std::uncaught_exceptions() != 0;
    if (++calls < 3) throw std::runtime_error{"reset"};
  });
  CHECK(calls == 3);
  CHECK_FALSE(had_one);
}

TEST_CASE("what a function returns need not be copyable or assignable", "[guard][R2]") {
  struct only_moves {
    explicit only_moves(int given) : held{std::make_unique<const int>(given)} {}
    only_moves(only_moves&&) = default;
    only_moves& operator=(only_moves&&) = delete;
    std::unique_ptr<const int> held;
  };
  bench on;
  int calls = 0;
  const auto answer = pipeline{on.clock, on.policy()}.try_call(
      [&] { return only_moves{++calls}; },
      brownout::failure_if([](const only_moves& got) { return *got.held < 3; }));
  CHECK(*answer->held == 3);
  int object = 0;
  int& same = pipeline{on.clock, on.policy()}.call([&]() -> int& { return object; });
  CHECK(&same == &object);
}

TEST_CASE("options of a retry are checked by name, value and range", "[guard][R1]") {
  bench on;
  const auto with = [&](auto change) {
    auto policy = on.policy();
    change(policy);
    return refusal_of(policy);
  };
  CHECK(with([](retry&) {}).empty());
  CHECK(with([](retry& one) { one.tries = 0; }) == "retry.tries = 0: allowed is 1 to 100");
  CHECK(with([](retry& one) { one.tries = 101; }) == "retry.tries = 101: allowed is 1 to 100");
  CHECK(with([](retry& one) { one.budget = nullptr; }) ==
        "retry.budget = null: allowed is the address of a retry_budget");
  CHECK(with([](retry& one) { one.base = 0s; }) == "retry.base = 0s: allowed is 1ms to 5m");
  CHECK(with([](retry& one) { one.base = -1s; }) == "retry.base = -1s: allowed is 1ms to 5m");
  CHECK(with([](retry& one) { one.base = (duration::max)(); }) ==
        "retry.base = over 100 years: allowed is 1ms to 5m");
  CHECK(with([](retry& one) { one.cap = 249ms; }) == "retry.cap = 249ms: allowed is 250ms to 5m");
  CHECK(with([](retry& one) { one.cap = (duration::max)(); }) ==
        "retry.cap = over 100 years: allowed is 250ms to 5m");
  CHECK(with([](retry& one) { one.base = one.cap = 5min; }).empty());
  CHECK(with([](retry& one) { one.most_retry_after = -1ns; }) ==
        "retry.most_retry_after = -1ns: allowed is 0s to 5m");
  CHECK(with([](retry& one) { one.most_retry_after = (duration::max)(); }) ==
        "retry.most_retry_after = over 100 years: allowed is 0s to 5m");
  CHECK_THROWS_WITH(pipeline(retry{.tries = 0, .budget = &on.budget, .idempotent = true}),
                    "pipeline: retry.tries = 0: allowed is 1 to 100");
}
