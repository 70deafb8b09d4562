// SPDX-License-Identifier: BSL-1.0
//
// A client of an API that has a quota.
//
// The client is a class with a pipeline as a member. It keeps its own quota. If the API answers 429
// nevertheless, with a Retry-After, all calls of the client stay away for as long as it says. A short wait is
// waited for, a long one is passed on to the caller.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

using namespace std::chrono_literals;

struct response {
  int status = 0;
  std::string retry_after{};  // the header's text; empty: there is none
};

// Stands for the API. Other clients may use up the quota of the account.
struct played_api {
  brownout::manual_clock& clock;
  brownout::time_point closed_until{};
  bool has_said_so = false;
  int calls = 0;
  int too_early = 0;  // calls that came although the API had asked to wait

  response get() {
    ++calls;
    const auto left = std::chrono::ceil<std::chrono::seconds>(closed_until - clock.now());
    if (left <= 0s) return {200};
    too_early += std::exchange(has_said_so, true) ? 1 : 0;
    return {429, std::to_string(left / 1s)};
  }
  void close_for(std::chrono::seconds time) {
    closed_until = clock.now() + time;
    has_said_so = false;
  }
};

// A 429 is a failure, and its header says how long to stay away.
const brownout::first_match classify{
    brownout::failure_if([](const response& seen) { return seen.status == 429 || seen.status >= 500; }),
    brownout::retry_after_from([](const response& seen) {
      return brownout::parse_retry_after(seen.retry_after, std::chrono::system_clock::now());
    })};

class client {
 public:
  client(played_api& api, const brownout::manual_clock& clock) : played_{api}, clock_{clock} {}

  brownout::result<response> get(const brownout::call_context& call) {
    const auto fetch = [&] { return played_.get(); };
    return guarded_.try_call(call, fetch, classify);
  }

 private:
  using breaker = brownout::circuit_breaker<brownout::consecutive_failures, brownout::manual_clock>;
  using limiter = brownout::rate_limiter<brownout::manual_clock>;

  played_api& played_;
  brownout::manual_clock clock_;
  // All calls share one quota, so one Retry-After holds for all of them: it opens the circuit at once.
  breaker api_{{5}, {.name = "api", .open_for = 1s, .open_on_retry_after = true}, clock_};
  limiter quota_{{.name = "quota", .rate = brownout::per_second(1), .burst = 2}, clock_};
  brownout::retry_budget budget_{{}, clock_};
  brownout::pipeline_for<brownout::manual_clock, brownout::retry, breaker, limiter> guarded_{
      clock_, brownout::retry{.budget = &budget_, .idempotent = true, .most_retry_after = 5s}, api_, quota_};
};

int main() {
  brownout::manual_clock clock;
  played_api played{clock};
  client shop{played, clock};

  const auto ask = [&](brownout::call_context call = {}) {
    brownout::call_report report;
    call.report = &report;
    const auto answer = shop.get(call);
    if (answer) {
      std::cout << "  status " << answer->status;
    } else {
      const auto wait = answer.rejection().retry_after;
      std::cout << "  refused by " << answer.rejection().guard;
      if (wait != brownout::rejection::unknown)
        std::cout << ", retry in " << std::chrono::round<std::chrono::seconds>(wait) / 1s << " s";
    }
    std::cout << "; calls: " << report.attempts;
    if (report.waited > 0s) std::cout << ", after at least " << report.waited / 1s << " s";
    if (report.retry_after > 0s) std::cout << ", the API asks for " << report.retry_after / 1s << " s";
    std::cout << '\n';
  };

  std::cout << "Two calls may come at once:\n";
  ask();
  ask();
  std::cout << "A caller that has no time is told when to come back, another one waits for its turn:\n";
  ask({.deadline = clock.now() + 100ms});
  ask();
  clock.advance(10s);

  std::cout << "Other clients have used up the quota. The API asks for a short wait:\n";
  played.close_for(3s);
  ask();
  clock.advance(10s);
  std::cout << "It asks for a long wait. The next caller does not even call:\n";
  played.close_for(60s);
  ask();
  clock.advance(10s);
  ask();
  clock.advance(51s);
  ask();

  std::cout << "Calls of the API: " << played.calls << ", too early: " << played.too_early << '\n';
}

// Output:
// Two calls may come at once:
//   status 200; calls: 1
//   status 200; calls: 1
// A caller that has no time is told when to come back, another one waits for its turn:
//   refused by quota, retry in 1 s; calls: 0
//   status 200; calls: 1, after at least 1 s
// Other clients have used up the quota. The API asks for a short wait:
//   status 200; calls: 2, after at least 3 s
// It asks for a long wait. The next caller does not even call:
//   status 429; calls: 1, the API asks for 60 s
//   refused by api, retry in 50 s; calls: 0
//   status 200; calls: 1
// Calls of the API: 7, too early: 0
