// SPDX-License-Identifier: BSL-1.0
#include "http/bounded_queue.hpp"

#include "catch2.hpp"
#include "http_fixture.hpp"

#include <atomic>
#include <future>
#include <thread>

using staging::bounded_queue;
using staging::testing::eventually;

TEST_CASE("a connection too many is served at once, as one to refuse, on the thread that brought it",
          "[staging][http]") {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> running{0};
  std::atomic<int> served{0};
  const auto connection = [&] {
    ++running;
    released.wait();
    if (!bounded_queue::is_refusing()) ++served;
  };

  bounded_queue queue{2, 3};
  for (int i = 0; i < 2; ++i) queue.enqueue(connection);
  REQUIRE(eventually([&] { return running == 2; }));
  CHECK(queue.usage().waiting == 0);
  for (int i = 0; i < 3; ++i) queue.enqueue(connection);

  bool refused = false;
  queue.enqueue([&refused, here = std::this_thread::get_id()] {
    refused = bounded_queue::is_refusing() && std::this_thread::get_id() == here;
  });
  CHECK(refused);
  CHECK_FALSE(bounded_queue::is_refusing());
  const auto seen = queue.usage();
  CHECK(seen.threads == 2);
  CHECK(seen.busy == 2);
  CHECK(seen.waiting == 3);
  CHECK(seen.limit == 3);
  CHECK(seen.refused == 1);

  release.set_value();
  REQUIRE(eventually([&] { return served == 5; }));
  CHECK(eventually([&] { return queue.usage().busy == 0; }));
  queue.enqueue(connection);  // there is room again
  queue.shutdown();
  CHECK(served == 6);
}

TEST_CASE("nothing is refused while a thread is free, even with a queue of none", "[staging][http]") {
  std::atomic<int> served{0};
  bounded_queue queue{2, 0};
  const auto connection = [&] {
    if (!bounded_queue::is_refusing()) ++served;
  };
  queue.enqueue(connection);
  queue.enqueue(connection);
  queue.shutdown();
  CHECK(served == 2);
}

TEST_CASE("what waits at shutdown is still served", "[staging][http]") {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> served{0};
  bounded_queue queue{1, 10};
  for (int i = 0; i < 5; ++i) {
    queue.enqueue([&] {
      released.wait();
      ++served;
    });
  }
  std::thread stopper{[&] { queue.shutdown(); }};
  release.set_value();
  stopper.join();
  CHECK(served == 5);
}

TEST_CASE("one idle connection is asked to go for each that waits", "[staging][http]") {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> running{0};
  bounded_queue queue{2, 10};
  const auto connection = [&] {
    ++running;
    released.wait();
  };
  CHECK_FALSE(queue.claim_thread());
  for (int i = 0; i < 2; ++i) queue.enqueue(connection);
  REQUIRE(eventually([&] { return running == 2; }));
  CHECK_FALSE(queue.claim_thread());
  queue.enqueue(connection);
  CHECK(queue.claim_thread());
  CHECK_FALSE(queue.claim_thread());
  queue.enqueue(connection);
  CHECK(queue.claim_thread());
  CHECK_FALSE(queue.claim_thread());
  release.set_value();
  queue.shutdown();
}
