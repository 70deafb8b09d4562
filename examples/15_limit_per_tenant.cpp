// SPDX-License-Identifier: BSL-1.0
//
// A rate limit for each tenant.
//
// A tenant that calls too often must not use up what others may call. Each tenant has a bucket of tokens of
// its own. The number of buckets is bounded: a stranger who makes up keys cannot use up the memory.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

int main() {
  brownout::manual_clock
      clock;  // a program of yours leaves it out: brownout::keyed<brownout::rate_limiter<>>
  brownout::keyed<brownout::rate_limiter<brownout::manual_clock>> quotas{
      {.name = "quotas", .rate = brownout::per_second(10), .burst = 10}, clock};

  const auto serve = [&](std::string_view tenant) -> std::string {
    const auto admitted = quotas.at(tenant).try_acquire();
    if (!admitted)
      return "429, retry after " + std::to_string(admitted.rejection().retry_after / 1ms) + " ms";
    return "200";
  };
  for (int i = 0; i < 10; ++i) serve("tenant-7");
  std::cout << "tenant-7, request 11: " << serve("tenant-7") << '\n';
  std::cout << "tenant-8, request 1: " << serve("tenant-8") << '\n';
  clock.advance(100ms);
  std::cout << "tenant-7, after 100 ms: " << serve("tenant-7") << '\n';

  // The same bucket in front of other guards, for one call.
  brownout::circuit_breaker database{brownout::consecutive_failures{3}, {.name = "database"}, clock};
  const auto query = [&](std::string_view tenant) {
    return brownout::pipeline{clock, quotas.at(tenant), database}.try_call([] { return "42 rows"; });
  };
  std::cout << "a query of tenant-8: " << query("tenant-8").value_or("none") << '\n';
  std::cout << "a query of tenant-7: " << query("tenant-7").value_or("none") << ", refused by "
            << query("tenant-7").rejection().guard << '\n';

  // For the headers of an answer, and for the metrics.
  std::cout << "tokens of tenant-8: " << quotas.at("tenant-8").snapshot().tokens << '\n';
  std::cout << "keys whose bucket is not full: " << quotas.snapshot().keys << '\n';
  clock.advance(10s);
  std::cout << "after 10 s: " << quotas.snapshot().keys << '\n';
}

// Output:
// tenant-7, request 11: 429, retry after 100 ms
// tenant-8, request 1: 200
// tenant-7, after 100 ms: 200
// a query of tenant-8: 42 rows
// a query of tenant-7: none, refused by quotas
// tokens of tenant-8: 9
// keys whose bucket is not full: 2
// after 10 s: 0
