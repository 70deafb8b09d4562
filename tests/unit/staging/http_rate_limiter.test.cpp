// SPDX-License-Identifier: BSL-1.0
#include "http/rate_limiter.hpp"

#include "catch2.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using staging::rate_limiter;

namespace {

constexpr brownout::time_point start{1'000s};

staging::rate_limit_options options(std::uint32_t requests, std::chrono::seconds window,
                                    std::size_t clients = 10'000) {
  return {.enabled = true, .requests = requests, .window = window, .clients = clients};
}

}  // namespace

TEST_CASE("a client may make as many requests as the limit says, and not one more", "[staging][http]") {
  rate_limiter limiter{options(3, 60s)};
  for (std::uint32_t left : {2U, 1U, 0U}) {
    const auto decision = limiter.count("a", start);
    CHECK(decision.allowed);
    CHECK(decision.limit == 3);
    CHECK(decision.remaining == left);
    CHECK(decision.reset == 60s);
  }
  const auto refused = limiter.count("a", start + 10'500ms);
  CHECK_FALSE(refused.allowed);
  CHECK(refused.remaining == 0);
  CHECK(refused.reset == 50s);  // 49.5 s, rounded up: who waits so long is let in

  CHECK(limiter.count("b", start + 10s).allowed);
}

TEST_CASE("a window ends exactly after its length, and refused requests do not prolong it",
          "[staging][http]") {
  rate_limiter limiter{options(1, 60s)};
  REQUIRE(limiter.count("a", start).allowed);
  CHECK_FALSE(limiter.count("a", start + 30s).allowed);
  const auto last = limiter.count("a", start + 60s - 1ns);
  CHECK_FALSE(last.allowed);
  CHECK(last.reset == 1s);
  const auto next = limiter.count("a", start + 60s);
  CHECK(next.allowed);
  CHECK(next.reset == 60s);
  CHECK_FALSE(limiter.count("a", start + 61s).allowed);
}

TEST_CASE("the table is capped, and the client whose window began first is forgotten first",
          "[staging][http]") {
  rate_limiter limiter{options(1, 60s, 3)};
  REQUIRE(limiter.count("a", start).allowed);
  REQUIRE(limiter.count("b", start + 1s).allowed);
  REQUIRE(limiter.count("c", start + 2s).allowed);
  REQUIRE(limiter.count("a", start + 60s).allowed);  // a new window: now b's is the oldest
  REQUIRE(limiter.count("d", start + 60s).allowed);
  CHECK(limiter.clients() == 3);
  CHECK_FALSE(limiter.count("a", start + 60s).allowed);
  CHECK_FALSE(limiter.count("c", start + 60s).allowed);
  CHECK(limiter.count("b", start + 60s).allowed);  // forgotten, so new
  CHECK(limiter.clients() == 3);

  rate_limiter standard{options(1, 60s)};
  for (int i = 0; i < 20'000; ++i) REQUIRE(standard.count(std::to_string(i), start).allowed);
  CHECK(standard.clients() == 10'000);
}

TEST_CASE("threads that share a client share its limit", "[staging][http]") {
  rate_limiter limiter{options(1'000, 60s, 2)};
  std::atomic<int> allowed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) allowed += limiter.count("a", start).allowed ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(allowed == 1'000);
}

TEST_CASE("a rate limit that can't work is refused by name", "[staging][http]") {
  CHECK_THROWS_WITH(rate_limiter{options(0, 60s)}, Catch::Matchers::StartsWith("rate_limit.requests"));
  CHECK_THROWS_WITH(rate_limiter{options(1, 0s)}, Catch::Matchers::StartsWith("rate_limit.window"));
  CHECK_THROWS_WITH(rate_limiter{options(1, 60s, 0)}, Catch::Matchers::StartsWith("rate_limit.clients"));
}
