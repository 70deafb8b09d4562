// SPDX-License-Identifier: BSL-1.0
//
// What counts as a failure, and how long to stay away.
//
// An HTTP client returns an answer also when the server is in trouble. A classifier says which answers are
// failures. It can also read how long the server asks to be left alone (Retry-After). One such failure does
// not open the circuit, unless `breaker_options::open_on_retry_after` is set.
#include <brownout/breaker.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <deque>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

struct response {
  int status = 0;             // 0: there is none
  std::string retry_after{};  // the header's text; empty: there is none
};

// Thrown when the request never left this process: our queue is full.
struct not_sent : std::runtime_error {
  using runtime_error::runtime_error;
};

int main() {
  brownout::manual_clock clock;  // a program of yours leaves it out
  brownout::circuit_breaker api{brownout::consecutive_failures{2}, {.name = "api", .open_for = 5s}, clock};

  // The first rule that matches decides. What no rule matches is left to the default: here a success.
  // Retry-After is a number of seconds, or a date; the getter is asked only after a failure.
  const brownout::first_match classify{
      brownout::ignore_exceptions<not_sent>(),  // says nothing about the server
      brownout::ignore_if([](const response& seen) { return seen.status == 400; }),  // our own mistake
      brownout::failure_if([](const response& seen) { return seen.status >= 500 || seen.status == 429; }),
      brownout::retry_after_from([](const response& seen) {
        return brownout::parse_retry_after(seen.retry_after, std::chrono::system_clock::now());
      })};

  // What the server answers, one after the other.
  std::deque<response> answers{{200}, {404}, {400}, {503}, {}, {429, "30"}, {200}};
  const auto fetch = [&] {
    const auto next = answers.front();
    answers.pop_front();
    if (next.status == 0) throw not_sent{"queue full"};
    return next;
  };

  const auto ask = [&] {
    try {
      const auto answer = api.try_call(fetch, classify);
      if (answer) {
        std::cout << "answer " << answer->status;
      } else if (answer.rejection().retry_after == brownout::rejection::unknown) {
        std::cout << "rejected until an operator lets calls pass";
      } else {
        const auto wait = std::chrono::ceil<std::chrono::seconds>(answer.rejection().retry_after);
        std::cout << "rejected, retry in " << wait.count() << " s";
      }
    } catch (const not_sent& error) {
      std::cout << error.what();
    }
    std::cout << "; failures in a row: " << api.snapshot().consecutive_failures << '\n';
  };

  ask();
  ask();  // "not found" shows that the server works: a success
  ask();  // says nothing about the server: ignored
  ask();
  ask();  // so does a request that was not sent
  ask();  // the second failure in a row opens the circuit, and says for how long

  ask();
  clock.advance(5s);
  ask();  // the open period of the options is over, that of the header is not
  clock.advance(25s);
  ask();
}

// Output:
// answer 200; failures in a row: 0
// answer 404; failures in a row: 0
// answer 400; failures in a row: 0
// answer 503; failures in a row: 1
// queue full; failures in a row: 1
// answer 429; failures in a row: 0
// rejected, retry in 30 s; failures in a row: 0
// rejected, retry in 25 s; failures in a row: 0
// answer 200; failures in a row: 0
