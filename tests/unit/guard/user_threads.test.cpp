// SPDX-License-Identifier: BSL-1.0
// Permits that cross threads, threads that end inside of a call, and guards that are destroyed or forked.
#include "unit/core/child.hpp"
#include "unit/guard/user_code.hpp"

#include <pthread.h>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace guard_test;

namespace {

[[noreturn]] void end_thread() {
  pthread_exit(nullptr);
}

struct ending_classifier {
  [[nodiscard]] outcome operator()(int) const { end_thread(); }
  [[nodiscard]] outcome threw(const std::exception_ptr&) const { end_thread(); }
};

/// Runs `body` on a thread, which must end inside of it.
template <class Body>
void ends_in(Body body) {
  bool went_on = false;
  std::thread{[&] {
    body();
    went_on = true;
  }}.join();
  CHECK_FALSE(went_on);
}

}  // namespace

TEST_CASE("a thread that ends inside of a call leaves no place taken", "[guard][P4]") {
  guards all;
  const auto guarded = all.around();
  const function fails = [](const call_context&) -> int { throw std::runtime_error{"reset"}; };
  const function answers = [](const call_context&) { return 1; };
  SECTION("in the function") {
    ends_in([&] { guarded.call(function{[](const call_context&) -> int { end_thread(); }}); });
  }
  SECTION("in the classifier, for an answer") {
    ends_in([&] { guarded.call(answers, ending_classifier{}); });
  }
  SECTION("in the classifier, for an exception") {
    // Without a breaker, which asks inside of a handler: there libstdc++ ends the program.
    const pipeline retried{all.clock, retry{.budget = &all.budget, .idempotent = true}, all.limit,
                           all.places};
    ends_in([&] { retried.call([]() -> int { throw std::runtime_error{"reset"}; }, ending_classifier{}); });
  }
  SECTION("in the classifier, with an adaptive limit alone") {
    const pipeline limited{all.limit};
    ends_in([&] { limited.call([] { return 1; }, ending_classifier{}); });
  }
  SECTION("in the getter of the wait that the dependency asks for") {
    const brownout::first_match classify{
        brownout::failure_if([](int) { return true; }),
        brownout::retry_after_from([](int) -> std::chrono::seconds { end_thread(); })};
    ends_in([&] { guarded.call(answers, classify); });
  }
  SECTION("in the fallback") {
    const pipeline safe{all.clock, fallback{[]() -> int { end_thread(); }}, guarded};
    ends_in([&] { safe.call(fails); });
  }
  SECTION("in a later attempt") {
    int attempts = 0;
    ends_in([&] {
      guarded.call(function{[&](const call_context&) -> int {
        if (++attempts == 2) end_thread();
        throw std::runtime_error{"reset"};
      }});
    });
    CHECK(attempts == 2);
  }
  CHECK(all.nothing_in_flight());
  CHECK(guarded.call(answers) == 1);
}

TEST_CASE("a thread that ends in the wait before a retry gives the token back", "[guard][R7]") {
  struct ending_clock {
    [[nodiscard]] static brownout::time_point now() noexcept { return {}; }
    static void wait_for(brownout::duration) { end_thread(); }
  };
  retry_budget budget;
  const auto before = budget.snapshot().tokens;
  const pipeline guarded{ending_clock{}, retry{.budget = &budget, .idempotent = true}};
  ends_in([&] { guarded.call([]() -> int { throw std::runtime_error{"reset"}; }); });
  CHECK(budget.snapshot().tokens == before);
}

TEST_CASE("permits are settled on other threads than those that acquired them", "[guard][U2][A9][L9]") {
  constexpr int rounds = 2000;
  bulkhead<> places{{.limit = 8}};
  adaptive_limit<> limit{{.latency_budget = 1s, .first = 8}};
  rate_limiter<> quota{{.rate = per_second(0.001), .burst = 8}};
  struct held {
    std::optional<bulkhead<>::permit> place;
    std::optional<adaptive_limit<>::permit> slot;
    std::optional<rate_limiter<>::reservation> token;
  };
  // A mailbox of one: a thread puts permits into it, another one takes them out.
  std::atomic<held*> mailbox{nullptr};
  std::atomic<bool> done{false};
  int taken = 0;
  std::thread settling{[&] {
    while (true) {
      const std::unique_ptr<held> got{mailbox.exchange(nullptr, std::memory_order_acquire)};
      if (got == nullptr) {
        if (done.load(std::memory_order_acquire) && mailbox.load(std::memory_order_acquire) == nullptr) break;
        std::this_thread::yield();
        continue;
      }
      ++taken;
      got->slot->started();
      got->slot->complete(taken % 2 == 0 ? outcome::success : outcome::failure);
      if (taken % 3 == 0) got->place->release();
      static_cast<void>(got->token->cancel());
    }
  }};
  for (int i = 0; i < rounds; ++i) {
    auto one = std::make_unique<held>();
    if (auto place = places.try_acquire()) one->place = *std::move(place);
    if (auto slot = limit.try_acquire()) one->slot = *std::move(slot);
    if (auto token = quota.reserve(1, 0s)) one->token = *std::move(token);
    if (!one->place || !one->slot || !one->token) {
      --i;  // the other thread is late
      std::this_thread::yield();
      continue;
    }
    held* free = nullptr;
    while (!mailbox.compare_exchange_weak(free, one.get(), std::memory_order_release,
                                          std::memory_order_relaxed)) {
      free = nullptr;
      std::this_thread::yield();
    }
    static_cast<void>(one.release());
  }
  done.store(true, std::memory_order_release);
  settling.join();
  CHECK(taken == rounds);
  CHECK(places.snapshot().in_flight == 0);
  CHECK(limit.snapshot().in_flight == 0);
}

TEST_CASE("a guard that the call destroys while it holds a place of it is reported", "[guard][U2][A9]") {
  const auto bulkhead_ended = core_test::in_child([] {
    auto places = std::make_unique<bulkhead<>>(brownout::bulkhead_options{.name = "places"});
    pipeline{*places}.call([&] { places.reset(); });
  });
  CHECK(bulkhead_ended.signal == SIGABRT);
  CHECK(bulkhead_ended.output.find("a bulkhead is destroyed while calls hold its permits") !=
        std::string::npos);
  const auto limit_ended = core_test::in_child([] {
    auto limit = std::make_unique<adaptive_limit<>>(brownout::adaptive_limit_options{.target_delay = 5ms});
    pipeline{*limit}.call([&] { limit.reset(); });
  });
  CHECK(limit_ended.signal == SIGABRT);
  CHECK(limit_ended.output.find("an adaptive_limit is destroyed before its permits") != std::string::npos);
}

TEST_CASE("a call may destroy its pipeline if it goes through a copy", "[guard][P2]") {
  guards all;
  auto owned = std::make_unique<decltype(all.around())>(all.around());
  const auto copy = *owned;
  int calls = 0;
  const function destroys = [&](const call_context&) {
    owned.reset();
    if (++calls < 3) throw std::runtime_error{"reset"};
    return calls;
  };
  CHECK(copy.call(destroys) == 3);
  CHECK(all.nothing_in_flight());
}

TEST_CASE("processes that were forked draw different waits", "[guard][R4]") {
  static_cast<void>(brownout::detail::thread_jitter().next());  // before the fork
  std::set<std::string> drawn;
  for (int i = 0; i < 4; ++i) {
    drawn.insert(core_test::in_child([] {
                   std::printf("%.17g", brownout::detail::thread_jitter().next());
                   std::fflush(stdout);
                 }).output);
  }
  CHECK(drawn.size() == 4);
}

TEST_CASE("guards that were forked work in each process for themselves", "[guard][P2]") {
  guards all;
  const auto guarded = all.around();
  auto place = all.places.try_acquire();
  const auto ended = core_test::in_child([&] {
    for (int i = 0; i < 100; ++i) guarded.call(function{[](const call_context&) { return 1; }});
    place->release();
    if (!all.nothing_in_flight()) _exit(1);
  });
  CHECK(ended.exit_code == 0);
  CHECK(all.places.snapshot().in_flight == 1);
}
