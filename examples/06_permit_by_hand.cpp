// SPDX-License-Identifier: BSL-1.0
//
// A permit for a call that ends somewhere else.
//
// `call` and `try_call` need a function that returns when the call has ended. Asynchronous code has none: a
// call begins here and ends in a callback. A permit is the right to make one call; it travels with the call
// and reports how it ended. The breaker must outlive its permits.
//
// A permit can be moved and not copied. If your callback is a `std::function`, which is copied, put the
// permit into a `std::make_shared<cache_breaker::permit>(*std::move(admitted))`.
#include <brownout/breaker.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <deque>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

using brownout::outcome;
using cache_breaker = brownout::circuit_breaker<brownout::consecutive_failures, brownout::manual_clock>;

// What an asynchronous client keeps of a request until the answer arrives: here also the permit.
struct request {
  std::string key;
  cache_breaker::permit admitted;
};

// Stands for such a client.
class cache_client {
 public:
  explicit cache_client(cache_breaker& cache) : cache_{cache} {}

  void read(std::string key) {
    auto admitted = cache_.try_acquire();
    if (!admitted) {
      std::cout << key << ": rejected, " << to_string(admitted.rejection().reason) << '\n';
      return;
    }
    in_flight_.push_back({std::move(key), *std::move(admitted)});
  }

  // The callback. The third argument of `complete` is for the log: see `snapshot().last_failure`.
  void on_answer(bool arrived) {
    auto ended = std::move(in_flight_.front());
    in_flight_.pop_front();
    const auto became = arrived ? ended.admitted.complete(outcome::success)
                                : ended.admitted.complete(outcome::failure, {}, "connection reset");
    std::cout << ended.key << ": " << (arrived ? "success" : "failure") << ", " << to_string(became) << '\n';
  }

  // The callers have gone away. A permit that is destroyed without a report counts as nothing.
  void cancel_all() { in_flight_.clear(); }

 private:
  cache_breaker& cache_;
  std::deque<request> in_flight_;
};

// Straight code in several steps needs no catch: an exception that destroys the permit counts as a failure.
void store(cache_breaker& cache, bool is_up) {
  auto admitted = cache.try_acquire();
  if (!admitted) return;
  if (!is_up) throw std::runtime_error{"cannot connect"};  // somewhere within the steps
  admitted->complete(outcome::success);
}

int main() {
  brownout::manual_clock clock;  // a program of yours leaves it out
  cache_breaker cache{{2}, {.name = "cache"}, clock};
  cache_client client{cache};
  const auto show = [&] {
    const auto now = cache.snapshot();
    std::cout << "the circuit is " << to_string(now.state)
              << ", failures in a row: " << now.consecutive_failures << '\n';
  };

  client.read("user 1");
  client.read("user 2");
  client.on_answer(true);
  client.on_answer(false);
  client.read("user 3");
  client.cancel_all();
  show();

  client.read("user 4");  // is under way while the circuit opens
  try {
    store(cache, false);
  } catch (const std::runtime_error& error) {
    std::cout << "store: " << error.what() << '\n';
  }
  show();
  client.read("user 5");
  client.on_answer(true);  // of user 4: it began before the circuit opened, so it is late and changes nothing
}

// Output:
// user 1: success, counted
// user 2: failure, counted
// the circuit is closed, failures in a row: 1
// store: cannot connect
// the circuit is open, failures in a row: 0
// user 5: rejected, circuit open
// user 4: success, late
