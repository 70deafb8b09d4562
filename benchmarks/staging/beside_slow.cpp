// SPDX-License-Identifier: BSL-1.0
#include "staging/beside_slow.hpp"

#include "staging/support/crowd.hpp"

#include <stop_token>
#include <string>
#include <thread>

namespace staging_load {

outcome ask_beside_slow(int port, std::size_t count, std::chrono::seconds length) {
  staging_tests::crowd slow{port};
  slow.join(count);
  for (std::size_t i = 0; i < count; ++i) slow.send(i, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  const std::jthread dripping{[&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (std::size_t i = 0; i < count; ++i) slow.send(i, "x");
      slow.receive(250ms, [](const auto& each) { return each.closed; });
      slow.reopen();  // a dripped character begins a head anew
    }
  }};

  outcome found;
  const auto began = load_clock::now();
  while (load_clock::now() - began < length) {
    for (const auto* path : {"/livez", "/readyz"}) {
      check_signals();
      ++found.requests;
      const auto asked = load_clock::now();
      const int status =
          staging_tests::status_of(port, std::string{"GET "} + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
      if (status == 0) {
        ++found.errors["no answer"];
        continue;
      }
      ++found.statuses[status];
      found.latencies.push_back(std::chrono::duration<float, std::milli>(load_clock::now() - asked).count());
    }
    std::this_thread::sleep_for(5ms);
  }
  found.seconds = std::chrono::duration<double>(load_clock::now() - began).count();
  return found;
}

}  // namespace staging_load
