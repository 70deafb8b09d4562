// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/registry/registry.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <array>
#include <chrono>
#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brownout::call_context;
using brownout::call_rejected;
using brownout::call_report;
using brownout::circuit_breaker;
using brownout::circuit_state;
using brownout::consecutive_failures;
using brownout::guard_kind;
using brownout::guard_stage;
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

/// Writes down when a call enters and leaves it.
struct noting {
  std::vector<std::string>* notes;
  std::string name;

  template <class R, class Next>
  result<R> around(const call_context& context, const Next& next) const {
    notes->push_back("enter " + name);
    struct leaving {
      const noting& stage;
      ~leaving() { stage.notes->push_back("leave " + stage.name); }
    } const at_end{*this};
    return next(context);
  }
};

/// A guard with state that admits one call at a time.
class single {
 public:
  single() = default;
  single(const single&) = delete;
  single& operator=(const single&) = delete;

  template <class R, class Next>
  result<R> around(const call_context& context, const Next& next) {
    if (taken_) return rejection{rejection_reason::bulkhead_full};
    taken_ = true;
    struct leaving {
      single& of;
      ~leaving() { of.taken_ = false; }
    } const at_end{*this};
    return next(context);
  }
  [[nodiscard]] bool is_taken() const { return taken_; }
  [[nodiscard]] std::string_view name() const { return "single"; }

 private:
  bool taken_ = false;
};

struct throwing {
  template <class R, class Next>
  result<R> around(const call_context&, const Next&) const {
    throw std::runtime_error{"broken stage"};
  }
};

struct answering {
  template <class R, class Next>
  result<R> around(const call_context& context, const Next& next) const {
    auto changed = context;
    changed.priority = brownout::call_priority::sheddable;
    auto answer = next(changed);
    if (next.judge(answer) == outcome::failure) return R{-1};
    return answer;
  }
};

struct not_a_stage {
  int around(const call_context&) const;
};

static_assert(guard_stage<noting> && guard_stage<single> && guard_stage<timeout> && guard_stage<retry>);
static_assert(!guard_stage<not_a_stage> && !guard_stage<circuit_breaker<>>);

}  // namespace

TEST_CASE("guards stand in the order in which they are declared", "[guard][P1]") {
  std::vector<std::string> notes;
  const pipeline guarded{noting{&notes, "outer"}, noting{&notes, "inner"}};
  const std::vector<std::string> all{"enter outer", "enter inner", "call", "leave inner", "leave outer"};
  SECTION("of a call that returns") {
    guarded.call([&] { notes.push_back("call"); });
    CHECK(notes == all);
  }
  SECTION("and of one that throws, in reverse") {
    CHECK_THROWS_AS(guarded.call([&] {
      notes.push_back("call");
      throw std::runtime_error{"reset"};
    }),
                    std::runtime_error);
    CHECK(notes == all);
  }
  SECTION("pipelines nest") {
    const pipeline nested{noting{&notes, "outer"}, pipeline{noting{&notes, "inner"}}};
    nested.call([&] { notes.push_back("call"); });
    CHECK(notes == all);
  }
}

TEST_CASE("a call may return anything that moves, a reference, or nothing", "[guard][P1]") {
  circuit_breaker database;
  const pipeline guarded{database};
  CHECK(guarded.try_call([] { return std::make_unique<int>(3); }).value() != nullptr);
  CHECK(*guarded.call([] { return std::make_unique<int>(3); }) == 3);
  int object = 0;
  CHECK(&guarded.call([&]() -> int& { return object; }) == &object);
  static_assert(std::is_same_v<decltype(guarded.call([&]() -> int& { return object; })), int&>);
  CHECK(guarded.try_call([] {}).has_value());
  static_assert(std::is_void_v<decltype(guarded.call([] {}))>);
}

TEST_CASE("guards with state are referred to, and policies copied", "[guard][P2]") {
  manual_clock clock;
  single one;
  const pipeline guarded{clock, timeout{.limit = 1s}, one};
  static_assert(std::is_copy_constructible_v<std::remove_const_t<decltype(guarded)>>);
  const auto copy = guarded;
  copy.call([&](const call_context&) {
    CHECK(one.is_taken());
    CHECK(guarded.try_call([](const call_context&) {}).rejection().reason == rejection_reason::bulkhead_full);
  });
  CHECK_FALSE(one.is_taken());
  SECTION("a policy that is a variable is copied too") {
    auto policy = std::make_unique<timeout>(timeout{.limit = 1s});
    const pipeline kept{clock, *policy};
    policy.reset();
    CHECK(kept.call([](const call_context& call) { return call.deadline; }) == clock.now() + 1s);
  }
  SECTION("a keyed breaker is a handle, which the pipeline keeps") {
    brownout::registry<consecutive_failures> hosts{{.capacity = 4, .detector = {1}}};
    const pipeline kept{hosts.at("a")};
    hosts.erase("a");
    CHECK(*kept.try_call([] { return outcome::failure; }) == outcome::failure);
    CHECK(kept.try_call([] {}).rejection().reason == rejection_reason::circuit_open);
  }
}

TEST_CASE("a member of a class names the guards of its pipeline", "[guard][P2]") {
  struct client {
    manual_clock clock{};
    circuit_breaker<> database{};
    brownout::pipeline_for<manual_clock, timeout, circuit_breaker<>> guarded{clock, timeout{.limit = 1s},
                                                                             database};
  };
  client one;
  static_assert(
      std::same_as<decltype(one.guarded), decltype(pipeline{one.clock, timeout{.limit = 1s}, one.database})>);
  static_assert(std::same_as<brownout::pipeline_for<circuit_breaker<>>, decltype(pipeline{one.database})>);
  one.guarded.call(ignoring_deadline([] {}));
  one.database.force_open();
  CHECK_FALSE(one.guarded.try_call(ignoring_deadline([] {})));
}

TEST_CASE("many threads call through one pipeline", "[guard][P2]") {
  circuit_breaker database;
  retry_budget budget;
  const pipeline guarded{retry{.budget = &budget, .idempotent = true}, database};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < 1000; ++call) static_cast<void>(guarded.try_call([] { return 1; }));
    });
  }
  for (auto& one : threads) one.join();
  CHECK(database.observed_state() == circuit_state::closed);
  CHECK(budget.snapshot().deposited == 4000);
}

TEST_CASE("the refusal of one guard is no evidence for a breaker outside of it", "[guard][P3]") {
  manual_clock clock;
  circuit_breaker outer{consecutive_failures{1}, {.name = "outer"}, clock};
  circuit_breaker inner{consecutive_failures{1}, {.name = "inner"}, clock};
  brownout::dependency watched{consecutive_failures{1}, {.name = "watched"}};
  retry_budget budget{{.least = 9}, clock};
  const pipeline guarded{clock, watched, outer, retry{.tries = 2, .budget = &budget, .idempotent = true},
                         inner};
  inner.force_open();
  for (int i = 0; i < 10; ++i) {
    CHECK(guarded.try_call([] {}) ==
          rejection{rejection_reason::forced_open, rejection::unknown, false, "inner"});
  }
  CHECK(outer.observed_state() == circuit_state::closed);
  CHECK(watched.observed_state() == circuit_state::closed);
  CHECK(budget.snapshot().tokens == 9);
}

TEST_CASE("a rejection names the guard that refused", "[guard][P3]") {
  circuit_breaker database{{.name = "database"}};
  database.force_open_for(1s);
  const pipeline guarded{database};
  CHECK(guarded.try_call([] {}).rejection().guard == "database");
  CHECK_THROWS_WITH(guarded.call([] {}),
                    "brownout: call to database rejected: circuit held open by an operator, retry in 1s");
  try {
    guarded.try_call([] {}).value();
  } catch (const call_rejected& rejected) {
    CHECK(rejected.guard() == "database");
    CHECK(rejected.why().guard.empty());
    CHECK(rejected.why().reason == rejection_reason::forced_open);
  }
}

TEST_CASE("permits go back exactly once, however a call ends", "[guard][P4]") {
  manual_clock clock;
  circuit_breaker database{consecutive_failures{100}, {}, clock};
  single one;
  const pipeline guarded{database, one};
  const auto counted = [&] { return database.snapshot(); };
  SECTION("it returns") {
    guarded.call([] {});
    CHECK(counted().failed_results == 0);
  }
  SECTION("it throws") {
    CHECK_THROWS_AS(guarded.call([] { throw std::runtime_error{"reset"}; }), std::runtime_error);
    CHECK(counted().failed_results == 1);
  }
  SECTION("its classifier throws") {
    guarded.call([] { return 1; }, [](int) -> outcome { throw std::runtime_error{"bad classifier"}; });
    CHECK(counted().failed_results == 0);
  }
  SECTION("a stage further in throws") {
    CHECK_THROWS_AS((pipeline{database, one, throwing{}}.call([] {})), std::runtime_error);
    CHECK(counted().failed_results == 1);
  }
  SECTION("it calls through the pipeline again") {
    CHECK_FALSE(guarded.call([&] { return guarded.try_call([] {}).has_value(); }));
  }
  CHECK_FALSE(one.is_taken());
  CHECK(guarded.try_call([] {}).has_value());
}

TEST_CASE("the pipeline reads its clock once, and only if a stage needs the time", "[guard][P5]") {
  struct counting_clock {
    int* readings;
    [[nodiscard]] brownout::time_point now() const noexcept { return ++*readings, brownout::time_point{}; }
    [[nodiscard]] brownout::time_point coarse_now() const noexcept { return {}; }
    void wait_for(brownout::duration) const {}
  };
  int readings = 0;
  circuit_breaker database;
  retry_budget budget;
  const retry again{.tries = 2, .budget = &budget, .idempotent = true};
  SECTION("not without a timeout") {
    pipeline{counting_clock{&readings}, again, database}.call(
        [](const call_context& call) { CHECK(call.now == call_context::unknown); });
    CHECK(readings == 0);
  }
  SECTION("once for all time-outs of a call that succeeds") {
    pipeline{counting_clock{&readings}, timeout{.limit = 2s}, again, database, timeout{.limit = 1s}}.call(
        [](const call_context& call) { CHECK(call.now == brownout::time_point{}); });
    CHECK(readings == 1);
  }
  SECTION("again to decide a retry, and after its wait") {
    pipeline{counting_clock{&readings}, timeout{.limit = 2s}, again, timeout{.limit = 1s}}
        .try_call([](const call_context&) { return outcome::failure; })
        .value();
    CHECK(readings == 3);
  }
}

TEST_CASE("a guard that is given twice is refused at construction", "[guard][P6]") {
  circuit_breaker database{{.name = "database"}};
  circuit_breaker other{{.name = "database"}};
  CHECK_THROWS_WITH((pipeline{database, database}),
                    "pipeline: circuit breaker 'database' is given twice: allowed is once");
  const pipeline inner{database};
  CHECK_THROWS_WITH((pipeline{database, inner}),
                    "pipeline: circuit breaker 'database' is given twice: allowed is once");
  CHECK_NOTHROW(pipeline{database, other});
  SECTION("policies may stand twice") {
    CHECK_NOTHROW(pipeline{timeout{.limit = 2s}, database, timeout{.limit = 1s}});
  }
}

TEST_CASE("the rules of order know an adaptive limit, though its permits report outcomes too",
          "[guard][P6]") {
  brownout::adaptive_limit<> server{{.target_delay = 5ms}};
  circuit_breaker database;
  const pipeline guarded{database, server};
  CHECK(guarded.kinds == std::array{guard_kind::circuit_breaker, guard_kind::adaptive_limit});
}

TEST_CASE("a guard that is meant to hold its place while a retry waits says so", "[guard][P6]") {
  manual_clock clock;
  retry_budget budget{{}, clock};
  single one;
  const pipeline guarded{clock, brownout::hold_place_while_waiting{one},
                         retry{.budget = &budget, .idempotent = true}};
  int calls = 0;
  guarded.call([&] {
    CHECK(one.is_taken());
    return ++calls < 2 ? outcome::failure : outcome::success;
  });
  CHECK(calls == 2);
  CHECK_FALSE(one.is_taken());
}

TEST_CASE("a stage of the user's own may answer by itself, or change the context", "[guard][P7]") {
  static_assert(guard_stage<answering>);
  const pipeline guarded{answering{}};
  CHECK(guarded.call([](const call_context& call) { return static_cast<int>(call.priority); }) == 3);
  CHECK(guarded.call([] { return 7; }, brownout::failure_if([](int got) { return got == 7; })) == -1);
}

TEST_CASE("a call may be given a context of its own", "[guard][P7]") {
  circuit_breaker database;
  const pipeline guarded{database};
  const call_context given{.priority = brownout::call_priority::sheddable};
  const auto priority = [](const call_context& call) { return call.priority; };
  CHECK(guarded.try_call(given, priority).value() == brownout::call_priority::sheddable);
  CHECK(guarded.call(given, priority, brownout::default_classifier{}) == brownout::call_priority::sheddable);
  CHECK(guarded.call({.priority = brownout::call_priority::sheddable}, priority) == given.priority);
}

TEST_CASE("a report says how a call without retry and fallback ended", "[guard][P8]") {
  manual_clock clock;
  circuit_breaker database{
      consecutive_failures{1}, {.name = "database", .open_for = 100ms, .open_on_retry_after = true}, clock};
  const pipeline guarded{clock, database};
  const auto asks =
      brownout::first_match{brownout::failure_if([](int status) { return status == 429; }),
                            brownout::retry_after_from([](int) { return brownout::duration{30s}; })};
  call_report report;
  SECTION("by a failure with a Retry-After") {
    CHECK(*guarded.try_call([] { return 429; }, report, asks) == 429);
    CHECK(report.retry_after == 30s);
    CHECK(!report.refused);
  }
  SECTION("by an exception with a Retry-After") {
    struct busy : std::runtime_error {
      using runtime_error::runtime_error;
      brownout::duration wait = 20s;
    };
    CHECK_THROWS_AS(guarded.try_call(
                        {.report = &report}, []() -> int { throw busy{"busy"}; },
                        brownout::first_match{brownout::retry_after_from<busy>(&busy::wait)}),
                    busy);
    CHECK(report.retry_after == 20s);
  }
  SECTION("by a refusal") {
    database.force_open();
    CHECK(!guarded.try_call({.report = &report}, [] { return 1; }));
    CHECK(report.refused->reason == rejection_reason::forced_open);
    CHECK(report.attempts == 0);
  }
  SECTION("by a success") {
    CHECK(guarded.try_call([] { return 1; }, report, asks));
    CHECK(report.retry_after == 0s);
    CHECK(!report.refused);
  }
}

TEST_CASE("a report says what the guards did", "[guard][P8]") {
  manual_clock clock;
  retry_budget budget{{}, clock};
  circuit_breaker database{consecutive_failures{2}, {.name = "database", .open_for = 100ms}, clock};
  const pipeline guarded{clock, retry{.tries = 4, .budget = &budget, .idempotent = true}, database};
  call_report report;
  int calls = 0;
  const auto answer = guarded.try_call({.report = &report},
                                       [&] { return ++calls < 3 ? outcome::failure : outcome::success; });
  CHECK(*answer == outcome::success);
  CHECK(report.attempts == 3);
  CHECK(report.waited == clock.now().time_since_epoch());
  CHECK(report.ended_by == brownout::guard_kind::none);
  call_report simple;
  guarded.try_call([] { return 1; }, simple).value();
  CHECK(simple.attempts == 1);
}
