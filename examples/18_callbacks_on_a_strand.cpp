// SPDX-License-Identifier: BSL-1.0
//
// Calls with callbacks, on a pool of threads.
//
// Each caller has a strand. Its operation, its time-out and its callback run on that strand, so its members
// need no lock. The pool of connections is an async_bulkhead: a call waits for a place, and no thread does.
#include <brownout/asio/async_bulkhead.hpp>
#include <brownout/asio/async_pipeline.hpp>
#include <brownout/brownout.hpp>

#include <boost/asio.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <utility>

using namespace std::chrono_literals;
namespace net = boost::asio;
using boost::system::error_code;

/// The guards of one dependency, for all callers.
struct guards {
  explicit guards(net::thread_pool& pool)
      : connections{pool.get_executor(), {.name = "connections", .limit = 2, .longest_wait = 5s}} {}

  brownout::circuit_breaker<> database{{.name = "database"}};
  brownout::async_bulkhead<net::thread_pool::executor_type> connections;
  brownout::pipeline_for<brownout::timeout, brownout::circuit_breaker<>&,
                         brownout::async_bulkhead<net::thread_pool::executor_type>&>
      guarded{brownout::timeout{.limit = 10s}, database, connections};
};

class caller : public std::enable_shared_from_this<caller> {
 public:
  caller(net::thread_pool& pool, guards& with, std::atomic<int>& answers)
      : strand_{net::make_strand(pool)}, query_{strand_}, with_{with}, answers_{answers} {}

  void ask() {
    brownout::async_call(
        with_.guarded,
        [self = shared_from_this()](auto token) {  // stands for an operation of a database client
          self->query_.expires_after(1ms);
          return self->query_.async_wait(std::move(token));
        },
        net::bind_executor(strand_,
                           [self = shared_from_this()](error_code error) { self->answered(error); }));
  }

 private:
  void answered(const error_code& error) {
    if (error) std::cout << error.message() << '\n';
    ++answers_;
    if (++asked_ < 3) ask();
  }

  net::strand<net::thread_pool::executor_type> strand_;
  net::steady_timer query_;
  guards& with_;
  std::atomic<int>& answers_;
  int asked_ = 0;  // on the strand only
};

int main() {
  std::atomic<int> answers{0};
  net::thread_pool pool{3};
  guards with{pool};
  for (int i = 0; i < 10; ++i) std::make_shared<caller>(pool, with, answers)->ask();
  pool.join();

  const auto seen = with.connections.snapshot();
  std::cout << "answers: " << answers << '\n';
  std::cout << "calls in flight now: " << seen.in_flight << ", refused: " << seen.refused << '\n';
}

// Output:
// answers: 30
// calls in flight now: 0, refused: 0
