// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/system/probe.hpp"

#include <thread>

using brownout::probe_context;
using brownout::stop_signal;

TEST_CASE("a stop that is requested once is seen by every copy of the signal, for good", "[system][S1]") {
  const stop_signal signal;
  const auto before = signal;
  CHECK_FALSE(before.stop_requested());
  signal.request_stop();
  const auto after = signal;
  CHECK((before.stop_requested() && after.stop_requested()));
  signal.request_stop();
  CHECK(before.stop_requested());
}

TEST_CASE("stop signals that were made apart do not hear of each other", "[system][S1]") {
  const stop_signal one;
  const stop_signal other;
  one.request_stop();
  CHECK_FALSE(other.stop_requested());
}

TEST_CASE("a probe is told to stop by its context, and one called by hand is not", "[system][S1]") {
  const stop_signal signal;
  const probe_context supervised{.deadline = {}, .stop = signal};
  const probe_context by_hand{.deadline = {}};
  signal.request_stop();
  CHECK(supervised.stop_requested());
  CHECK_FALSE(by_hand.stop_requested());
}

TEST_CASE("work that sees the stop sees what was written before it was requested", "[system][S1]") {
  const stop_signal signal;
  int reason = 0;
  std::thread work{[&, seen = signal] {
    while (!seen.stop_requested()) std::this_thread::yield();
    CHECK(reason == 42);
  }};
  reason = 42;
  signal.request_stop();
  work.join();
}
