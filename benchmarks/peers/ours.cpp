// SPDX-License-Identifier: BSL-1.0
#include "harness/barriers.hpp"
#include "peers/entrant.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/detector/failure_rate.hpp"
#include "brownout/detector/time_window.hpp"

#include <chrono>

namespace {

using namespace benchmarks;
using namespace std::chrono_literals;
using brownout::circuit_breaker;
using brownout::outcome;

const brownout::breaker_options for_a_day{.open_for = 24h};

circuit_breaker in_a_row;
circuit_breaker in_a_row_open{brownout::consecutive_failures{1}, for_a_day};

using brownout::failure_rate;
using brownout::time_window;
constexpr failure_rate<> one_of_100{.minimum_calls = 1};
constexpr failure_rate<time_window> one_in_10_s{.minimum_calls = 1};
circuit_breaker of_100{failure_rate<>{}};
circuit_breaker of_100_open{one_of_100, for_a_day};
circuit_breaker in_10_s{failure_rate<time_window>{}};
circuit_breaker in_10_s_open{one_in_10_s, for_a_day};

template <auto& Circuit>
constexpr batch succeed = repeated([] {
  auto admitted = Circuit.try_acquire();
  if (!admitted) peers::fail("a closed circuit refused a call");
  opaque_call();
  admitted->complete(outcome::success);
  opaque_call();
});

template <auto& Circuit>
constexpr batch be_refused = repeated([] {
  if (Circuit.try_acquire()) peers::fail("an open circuit admitted a call");
  opaque_call();
});

template <auto& Closed, auto& Open>
void open() {
  let_escape(Closed);
  let_escape(Open);
  Open.try_acquire()->complete(outcome::failure);
}

const peers::registered consecutive{{.name = "brownout",
                                     .opens_at = "failures in a row, balance (default)",
                                     .succeed = succeed<in_a_row>,
                                     .be_refused = be_refused<in_a_row_open>,
                                     .open = open<in_a_row, in_a_row_open>}};
const peers::registered counted{{.name = "brownout",
                                 .opens_at = "50 % of 100 calls",
                                 .succeed = succeed<of_100>,
                                 .be_refused = be_refused<of_100_open>,
                                 .open = open<of_100, of_100_open>}};
const peers::registered timed{{.name = "brownout",
                               .opens_at = "50 % of the calls of 10 s",
                               .succeed = succeed<in_10_s>,
                               .be_refused = be_refused<in_10_s_open>,
                               .open = open<in_10_s, in_10_s_open>}};

}  // namespace
