// SPDX-License-Identifier: BSL-1.0
#include "clients/connection_pool.hpp"
#include "catch2.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using staging::connection_pool;

namespace {

struct fake_client {
  int number = 0;
  bool unusable = false;
  std::shared_ptr<int> alive;  // counts the clients there are

  [[nodiscard]] bool broken() const noexcept { return unusable; }
};
static_assert(staging::pooled_client<fake_client>);
static_assert(!staging::pooled_client<int>);

/// A pool of numbered clients.
struct numbered {
  explicit numbered(std::size_t capacity)
      : pool{[this] {
               return fake_client{++made, false, alive};
             },
             capacity} {}

  [[nodiscard]] long clients() const { return alive.use_count() - 1; }

  std::atomic<int> made = 0;
  std::shared_ptr<int> alive = std::make_shared<int>(0);
  connection_pool<fake_client> pool;
};

brownout::time_point now() {
  return brownout::monotonic_clock{}.now();
}

staging::call_context within(brownout::duration limit, std::stop_token stop = {}) {
  return {now() + limit, std::move(stop)};
}

/// Waits until so many callers wait in acquire.
[[nodiscard]] bool waiting(const connection_pool<fake_client>& pool, std::size_t callers) {
  for (const auto end = now() + 30s; pool.usage().waiting != callers; std::this_thread::yield())
    if (now() > end) return false;
  return true;
}

}  // namespace

TEST_CASE("a pool makes clients when they are needed and keeps them for the next user",
          "[staging][clients]") {
  numbered n{3};
  CHECK(n.made == 0);
  {
    auto first = n.pool.acquire(within(1min));
    auto second = n.pool.acquire(within(1min));
    REQUIRE((first && second));
    CHECK((*first)->number == 1);
    CHECK((**second).number == 2);
    CHECK(n.pool.usage().in_use == 2);
  }
  CHECK(n.pool.usage().in_use == 0);
  CHECK(n.pool.usage().idle == 2);
  auto again = n.pool.acquire(within(1min));
  REQUIRE(again);
  CHECK(n.made == 2);
  CHECK(n.pool.usage().idle == 1);
}

TEST_CASE("an exhausted pool gives nothing, at the deadline and not before", "[staging][clients]") {
  numbered n{1};
  const auto held = n.pool.acquire(within(1min));
  REQUIRE(held);
  const auto start = now();
  CHECK_FALSE(n.pool.acquire(within(20ms)));
  CHECK(now() - start >= 20ms);
  CHECK(n.made == 1);
  CHECK(n.pool.usage().waiting == 0);
  CHECK_FALSE(n.pool.acquire(within(-1s)));
}

TEST_CASE("a client that is free is given even when the deadline is over", "[staging][clients]") {
  numbered n{1};
  CHECK(n.pool.acquire(within(-1s)));
}

TEST_CASE("a stop request ends the wait for a client", "[staging][clients]") {
  numbered n{1};
  const auto held = n.pool.acquire(within(1min));
  std::stop_source shutdown;
  bool given = true;
  std::jthread caller{[&] { given = n.pool.acquire(within(1h, shutdown.get_token())).has_value(); }};
  REQUIRE(waiting(n.pool, 1));
  shutdown.request_stop();
  caller.join();
  CHECK_FALSE(given);
  CHECK(n.pool.usage().waiting == 0);
}

TEST_CASE("a returned client goes to the caller who has waited longest", "[staging][clients]") {
  numbered n{1};
  auto held = n.pool.acquire(within(1min));
  REQUIRE(held);
  std::vector<int> served;  // only the holder of the one client writes
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      if (auto mine = n.pool.acquire(within(1min))) served.push_back(caller);
    });
    REQUIRE(waiting(n.pool, static_cast<std::size_t>(caller) + 1));
  }
  held.reset();
  callers.clear();
  CHECK(served == std::vector<int>{0, 1, 2, 3});
  CHECK(n.made == 1);
}

TEST_CASE("a caller who gives up does not hold back those behind it", "[staging][clients]") {
  numbered n{1};
  auto held = n.pool.acquire(within(1min));
  std::stop_source first_gives_up;
  std::jthread first{[&] { static_cast<void>(n.pool.acquire(within(1h, first_gives_up.get_token()))); }};
  REQUIRE(waiting(n.pool, 1));
  bool given = false;
  std::jthread second{[&] { given = n.pool.acquire(within(30s)).has_value(); }};
  REQUIRE(waiting(n.pool, 2));
  first_gives_up.request_stop();
  first.join();
  held.reset();
  second.join();
  CHECK(given);
}

TEST_CASE("a client that is returned broken is dropped, and its place is free", "[staging][clients]") {
  numbered n{1};
  {
    auto lease = n.pool.acquire(within(1min));
    REQUIRE(lease);
    (*lease)->unusable = true;
  }
  CHECK(n.pool.usage().idle == 0);
  CHECK(n.clients() == 0);
  auto next = n.pool.acquire(within(1min));
  REQUIRE(next);
  CHECK((*next)->number == 2);
}

TEST_CASE("a larger capacity admits those who wait", "[staging][clients]") {
  numbered n{1};
  const auto held = n.pool.acquire(within(1min));
  bool given = false;
  std::jthread caller{[&] { given = n.pool.acquire(within(30s)).has_value(); }};
  REQUIRE(waiting(n.pool, 1));
  n.pool.set_capacity(2);
  caller.join();
  CHECK(given);
}

TEST_CASE("a capacity that suffices for all who wait admits all of them", "[staging][clients]") {
  constexpr int callers = 8;
  numbered n{0};
  std::stop_source give_up;
  std::atomic<int> served = 0;
  std::vector<std::jthread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&] {
      const auto lease = n.pool.acquire(within(1h, give_up.get_token()));
      ++served;
      // Held until all are served: none may depend on another's return.
      while (served < callers && !give_up.stop_requested()) std::this_thread::yield();
    });
  }
  REQUIRE(waiting(n.pool, callers));
  n.pool.set_capacity(callers);
  for (const auto end = now() + 10s; served < callers && now() < end;) std::this_thread::yield();
  CHECK(served == callers);
  give_up.request_stop();
}

TEST_CASE("a smaller capacity takes no client away, and then holds", "[staging][clients]") {
  numbered n{3};
  auto first = n.pool.acquire(within(1min));
  auto second = n.pool.acquire(within(1min));
  auto third = n.pool.acquire(within(1min));
  third.reset();
  REQUIRE(n.pool.usage().idle == 1);

  n.pool.set_capacity(1);
  CHECK(n.pool.usage().idle == 0);
  CHECK(n.clients() == 2);
  CHECK(n.pool.usage().in_use == 2);
  CHECK_FALSE(n.pool.acquire(within(0s)));
  first.reset();
  CHECK(n.clients() == 1);
  CHECK_FALSE(n.pool.acquire(within(0s)));
  second.reset();
  CHECK(n.clients() == 1);
  CHECK(n.pool.usage().idle == 1);
  CHECK(n.pool.acquire(within(0s)));
}

TEST_CASE("a capacity of zero lends nothing", "[staging][clients]") {
  numbered n{0};
  CHECK_FALSE(n.pool.acquire(within(0s)));
  n.pool.set_capacity(1);
  CHECK(n.pool.acquire(within(0s)));
}

TEST_CASE("a client that cannot be made leaves its place to the next caller", "[staging][clients]") {
  bool refuse = true;
  connection_pool<fake_client> pool{[&] {
                                      if (refuse) throw std::runtime_error("no client");
                                      return fake_client{};
                                    },
                                    1};
  CHECK_THROWS_AS(pool.acquire(within(1min)), std::runtime_error);
  CHECK(pool.usage().in_use == 0);
  refuse = false;
  CHECK(pool.acquire(within(0s)));
}

TEST_CASE("a lease that is moved returns its client once", "[staging][clients]") {
  numbered n{2};
  {
    auto lease = n.pool.acquire(within(1min));
    REQUIRE(lease);
    const auto moved = std::move(*lease);
    CHECK(n.pool.usage().in_use == 1);
  }
  CHECK(n.pool.usage().in_use == 0);
  CHECK(n.pool.usage().idle == 1);
}

TEST_CASE("many threads never hold more clients than the capacity allows", "[staging][clients]") {
  numbered n{3};
  std::atomic<int> held = 0;
  std::atomic<int> most = 0;
  std::atomic<int> served = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 300; ++turn) {
        auto lease = n.pool.acquire(within(1min));
        if (!lease) continue;
        const int now_held = ++held;
        for (int seen = most; now_held > seen && !most.compare_exchange_weak(seen, now_held);) {
        }
        (*lease)->unusable = turn % 7 == 0;
        ++served;
        --held;
      }
    });
  }
  threads.clear();
  CHECK(served == 6 * 300);
  CHECK(most <= 3);
  CHECK(n.pool.usage().in_use == 0);
  CHECK(n.clients() == static_cast<long>(n.pool.usage().idle));
}
