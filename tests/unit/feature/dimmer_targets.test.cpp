// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/feature/dimmer_controller.hpp"

#include <chrono>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brownout::latency_target;
using brownout::score_target;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

template <class Target>
std::string refusal(const Target& tried) {
  try {
    tried.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

static_assert(brownout::dimmer_target<latency_target> && brownout::dimmer_target<score_target>);

TEST_CASE("a latency's burden is its share of what may be taken", "[feature][D4]") {
  constexpr latency_target target{200ms};
  CHECK(target.burden(0s) == 0.0);
  CHECK(target.burden(50ms) == Approx(0.25));
  CHECK(target.burden(200ms) == Approx(1));
  CHECK(target.burden(std::chrono::duration<double>{2}) == Approx(10));
}

TEST_CASE("a score's burden is the share of the points that may be missing", "[feature][D4]") {
  constexpr score_target target{80};
  CHECK(target.burden(100) == 0.0);
  CHECK(target.burden(95) == Approx(0.25));
  CHECK(target.burden(80) == Approx(1));
  CHECK(target.burden(0) == Approx(5));
}

TEST_CASE("what is no measurement has no burden", "[feature][D4]") {
  constexpr latency_target latency{200ms};
  CHECK(latency.burden(std::chrono::duration<double>{not_a_number}) == std::nullopt);
  CHECK(latency.burden(std::chrono::duration<double>{infinity}) == std::nullopt);
  CHECK(latency.burden(-1ns) == std::nullopt);
  constexpr score_target score{80};
  CHECK(score.burden(not_a_number) == std::nullopt);
  CHECK(score.burden(infinity) == std::nullopt);
  CHECK(score.burden(-0.1) == std::nullopt);
  CHECK(score.burden(100.1) == std::nullopt);
}

TEST_CASE("a target at its limits is accepted, beyond them and without a value refused by name",
          "[feature][options]") {
  CHECK(refusal(latency_target{1us}) == "");
  CHECK(refusal(latency_target{1h}) == "");
  CHECK(refusal(latency_target{}) == "latency_target.longest = 0s: allowed is 1us to 1h");
  CHECK(refusal(latency_target{1us - 1ns}) != "");
  CHECK(refusal(latency_target{1h + 1s}) == "latency_target.longest = 1h1s: allowed is 1us to 1h");
  CHECK(refusal(score_target{1}) == "");
  CHECK(refusal(score_target{99}) == "");
  CHECK(refusal(score_target{}) == "score_target.least = 0: allowed is 1 to 99");
  CHECK(refusal(score_target{99.5}) == "score_target.least = 99.5: allowed is 1 to 99");
  CHECK(refusal(score_target{not_a_number}) != "");
}
