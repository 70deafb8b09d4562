// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "http_fixture.hpp"

#include <atomic>
#include <future>

using namespace staging;
using namespace staging::testing;

TEST_CASE("a limited wait for requests says whether they have ended", "[staging][shutdown]") {
  std::promise<void> release;
  std::shared_future<void> released{release.get_future()};
  std::atomic<bool> entered{false};
  running_server at{{}, [&](http_server& server) {
                      server.route("GET", "/slow", "slow", access::open, [&](const request&, response& out) {
                        entered = true;
                        released.wait_for(2 * patience);
                        out.json({{"done", true}});
                      });
                    }};
  release_guard guard{release};
  const auto busy = at.connect();
  busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(eventually([&] { return entered.load(); }));
  CHECK_FALSE(at.server.stop(1ms));
  guard.release();
  CHECK(at.server.stop(patience));
}
