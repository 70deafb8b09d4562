// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "simulation/seeds.hpp"
#include "simulation/simulated_service.hpp"

TEST_CASE("a service keeps the rules of its specification whatever happens", "[simulation][service]") {
  run_seeds<simulation::simulated_service>("service", 100'000, 150);
}
