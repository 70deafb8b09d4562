// SPDX-License-Identifier: BSL-1.0
#include "shutdown.hpp"
#include "catch2.hpp"
#include "http_fixture.hpp"

#include <atomic>
#include <csignal>
#include <future>
#include <memory>
#include <stdexcept>

using namespace staging;
using namespace staging::testing;

namespace {

/// The signals blocked by a test are its own.
class kept_mask {
 public:
  kept_mask() { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
  ~kept_mask() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  kept_mask(const kept_mask&) = delete;
  kept_mask& operator=(const kept_mask&) = delete;

 private:
  sigset_t before_{};
};

http_options some_options() {
  http_options options;
  options.api_key = "k";
  options.threads = 2;
  return options;
}

}  // namespace

TEST_CASE("what ends the serving thread ends the wait for a signal, and is told", "[staging][shutdown]") {
  const kept_mask mask;
  const shutdown_signals signals;
  json_log log{std::make_shared<captured_lines>()};
  http_server server{some_options(), log};  // without a port it can't run
  serving_thread serving{server};
  CHECK(signals.wait() == SIGTERM);
  CHECK_THROWS_AS(serving.rethrow_failure(), std::logic_error);
}

TEST_CASE("a serving thread that is well has nothing to tell, and ends with its object",
          "[staging][shutdown]") {
  json_log log{std::make_shared<captured_lines>()};
  http_server server{some_options(), log};
  REQUIRE(server.bind("127.0.0.1", 0) != 0);
  serving_thread serving{server};
  CHECK_NOTHROW(serving.rethrow_failure());
}

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
