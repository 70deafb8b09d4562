// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "simulation/seeds.hpp"
#include "simulation/simulated_client.hpp"

TEST_CASE("asynchronous calls complete once and give all places back whatever happens",
          "[simulation][client]") {
  run_seeds<simulation::simulated_client>("client", 20'000, 100);
}
