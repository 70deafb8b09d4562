// SPDX-License-Identifier: BSL-1.0
//
// A breaker for each host.
//
// A service that talks to many hosts must not refuse the healthy ones because one of them is down. A registry
// keeps a breaker for each key, builds it when the key is first used, and never has more than
// `capacity` of them: a stranger who makes up keys cannot use up the memory.
//
// A key costs about 200 bytes and a look-up about 20 ns (docs/benchmarks.md).
#include <brownout/breaker.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

// Stands for an HTTP client. One of the hosts is down.
std::string fetch(std::string_view host) {
  if (host == "b.example") throw std::runtime_error{"connection refused"};
  return "200 OK";
}

int main() {
  using brownout::consecutive_failures;
  brownout::manual_clock clock;  // a program of yours leaves it out

  // Three failures in a row open the circuit of a host. One rule holds for all hosts with a common prefix:
  // payments are not given up so soon. (Name the detector: it is not deduced from the options.)
  brownout::registry<consecutive_failures, brownout::manual_clock> hosts{
      {.capacity = 100,
       .detector = {3},
       .breaker = {.open_for = 20s},
       .prefixes = {{.match = "pay.", .detector = {10}, .breaker = {.open_for = 5s}}}},
      clock};

  const auto ask = [&](std::string_view host) {
    std::cout << host << ": ";
    try {
      std::cout << hosts.at(host).call([&] { return fetch(host); }) << '\n';
    } catch (const brownout::call_rejected& rejected) {
      std::cout << "rejected, " << to_string(rejected.why().reason) << '\n';
    } catch (const std::runtime_error& error) {
      std::cout << "failed, " << error.what() << '\n';
    }
  };
  for (int i = 0; i < 4; ++i) ask("b.example");
  ask("a.example");  // another host, another circuit
  ask("pay.example");

  // For a status page: every breaker that is registered. The handle keeps its breaker alive while it is used.
  hosts.visit([](const auto& host) {
    if (refuses_calls(host.observed_state())) std::cout << host.name() << " refuses calls\n";
  });
  std::cout << "registered: " << hosts.snapshot().size << '\n';

  // A host that is gone for good takes no place any more.
  hosts.erase("b.example");
  std::cout << "registered after one was erased: " << hosts.snapshot().size << '\n';
}

// Output:
// b.example: failed, connection refused
// b.example: failed, connection refused
// b.example: failed, connection refused
// b.example: rejected, circuit open
// a.example: 200 OK
// pay.example: 200 OK
// b.example refuses calls
// registered: 3
// registered after one was erased: 2
