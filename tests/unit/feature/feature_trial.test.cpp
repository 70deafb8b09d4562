// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/feature/feature_trial.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using brownout::caller_place;
using brownout::feature_cost;
using brownout::feature_trial;
using brownout::feature_trial_options;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Costs, the same from every standard library.
class costs {
 public:
  explicit costs(std::uint64_t seed) : random_{seed} {}

  double chance() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  double normal(double mean, double deviation) {
    constexpr double turn = 6.283185307179586;
    return mean + deviation * std::sqrt(-2 * std::log(1 - chance())) * std::cos(turn * chance());
  }
  /// With this mean.
  double log_normal(double mean, double sigma) {
    return mean * std::exp(normal(0, sigma) - sigma * sigma / 2);
  }

 private:
  std::mt19937_64 random_;
};

/// The share of 4,000 trials whose interval holds the difference that there is. Of a share of 0.95 that has a
/// deviation of 0.0034.
template <class With, class Without>
double coverage(std::uint64_t seed, int n_with, int n_without, double difference, With with,
                Without without) {
  costs drawn{seed};
  constexpr int trials = 4000;
  int held = 0;
  for (int i = 0; i < trials; ++i) {
    feature_trial trial{{.fewest = 30}};
    for (int k = 0; k < n_with; ++k) trial.note(true, with(drawn));
    for (int k = 0; k < n_without; ++k) trial.note(false, without(drawn));
    const auto seen = trial.result();
    if (seen && seen->least <= difference && difference <= seen->most) ++held;
  }
  return static_cast<double>(held) / trials;
}

std::string refusal(const feature_trial_options& tried) {
  try {
    static_cast<void>(feature_trial{tried});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the feature is off for its share of callers, always the same ones", "[feature][D4]") {
  const feature_trial trial{{.share_off = 0.2, .salt = 5}};
  const feature_trial other{{.share_off = 0.2, .salt = 6}};
  int off = 0;
  int off_for_both = 0;
  int off_and_dimmed = 0;  // among the first of a dimmer with the same salt
  for (std::uint64_t caller = 0; caller < 20'000; ++caller) {
    REQUIRE(trial.serves(caller) == trial.serves(caller));
    off += trial.serves(caller) ? 0 : 1;
    off_and_dimmed += trial.serves(caller) || caller_place(caller, 5) >= 0.2 ? 0 : 1;
    off_for_both += trial.serves(caller) || other.serves(caller) ? 0 : 1;
  }
  CHECK(std::abs(off - 4000) < 4 * std::sqrt(0.2 * 0.8 * 20'000));
  CHECK(std::abs(off_for_both - 800) < 4 * std::sqrt(0.04 * 0.96 * 20'000));
  CHECK(std::abs(off_and_dimmed - 800) < 4 * std::sqrt(0.04 * 0.96 * 20'000));
  int off_by_name = 0;
  for (int i = 0; i < 2000; ++i) off_by_name += trial.serves("customer-" + std::to_string(i)) ? 0 : 1;
  CHECK(std::abs(off_by_name - 400) < 4 * std::sqrt(0.2 * 0.8 * 2000));
}

TEST_CASE("a result agrees with a worked example of Welch's test", "[feature][D4]") {
  // 40 costs of 1, 2, ..., 40 with the feature, 30 of 3, 6, ..., 90 without.
  feature_trial trial{{.fewest = 30}};
  for (int i = 1; i <= 40; ++i) trial.note(true, i);
  for (int i = 1; i <= 30; ++i) trial.note(false, 3 * i);
  const auto seen = trial.result();
  REQUIRE(seen);
  CHECK(seen->n_with == 40);
  CHECK(seen->n_without == 30);
  CHECK(seen->with == Approx(20.5));
  CHECK(seen->without == Approx(46.5));
  CHECK(seen->difference == Approx(-26));
  CHECK(seen->least == Approx(-36.458073369).epsilon(1e-6));
  CHECK(seen->most == Approx(-15.541926631).epsilon(1e-6));
  CHECK(seen->significant());
}

TEST_CASE("Student's t is right to three millionths from the fewest degrees of freedom on", "[feature][D4]") {
  constexpr double right = 3e-6;
  CHECK(std::abs(brownout::detail::t_97_5(29) - 2.045229642) < right);
  CHECK(std::abs(brownout::detail::t_97_5(35.5) - 2.029086302) < right);
  CHECK(std::abs(brownout::detail::t_97_5(60) - 2.000297822) < right);
  CHECK(std::abs(brownout::detail::t_97_5(120) - 1.979930405) < right);
  CHECK(std::abs(brownout::detail::t_97_5(1e9) - 1.959963987) < right);
}

TEST_CASE("the interval holds the difference in 95 % of trials with normal costs", "[feature][D4][D4e]") {
  const double held = coverage(
      1, 200, 200, 2, [](costs& drawn) { return drawn.normal(12, 3); },
      [](costs& drawn) { return drawn.normal(10, 3); });
  CHECK(held > 0.94);
  CHECK(held < 0.96);
}

TEST_CASE("the interval holds the difference though the sides differ in number and spread", "[feature][D4]") {
  // With a pooled variance it would be held in all of the first and half of the second.
  const auto wide = [](costs& drawn) { return drawn.normal(10, 9); };
  const auto narrow = [](costs& drawn) { return drawn.normal(10, 1); };
  const double many_wide = coverage(2, 450, 50, 0, wide, narrow);
  CHECK(many_wide > 0.94);
  CHECK(many_wide < 0.96);
  const double few_wide = coverage(3, 450, 50, 0, narrow, wide);
  CHECK(few_wide > 0.94);
  CHECK(few_wide < 0.96);
}

TEST_CASE("the interval holds the difference in 93 % to 97 % of trials with log-normal costs",
          "[feature][exhaustive][D4]") {
  for (const double sigma : {0.5, 1.0}) {
    for (const int n_with : {200, 600}) {
      INFO("sigma " << sigma << ", " << n_with << " with, 200 without");
      const double held = coverage(
          4, n_with, 200, 20, [&](costs& drawn) { return drawn.log_normal(120, sigma); },
          [&](costs& drawn) { return drawn.log_normal(100, sigma); });
      CHECK(held > 0.93);
      CHECK(held < 0.97);
    }
  }
}

TEST_CASE("with skewed costs and nine in ten with the feature the interval holds it a little less often",
          "[feature][exhaustive][D4]") {
  const auto with = [](costs& drawn) { return drawn.log_normal(120, 1); };
  const auto without = [](costs& drawn) { return drawn.log_normal(100, 1); };
  CHECK(coverage(6, 1800, 200, 20, with, without) == Approx(0.935).margin(0.01));
  CHECK(coverage(7, 270, 30, 20, with, without) == Approx(0.91).margin(0.01));
}

TEST_CASE("a feature that makes no difference is found out in 5 % of trials, one that does in most",
          "[feature][D4]") {
  costs drawn{5};
  int found_nothing = 0;
  int found_something = 0;
  for (int i = 0; i < 2000; ++i) {
    feature_trial nothing;
    feature_trial something;
    for (int k = 0; k < 200; ++k) {
      nothing.note(true, drawn.normal(50, 10));
      nothing.note(false, drawn.normal(50, 10));
      something.note(true, drawn.normal(54, 10));
      something.note(false, drawn.normal(50, 10));
    }
    found_nothing += nothing.result()->significant() ? 1 : 0;
    found_something += something.result()->significant() && something.result()->least > 0 ? 1 : 0;
  }
  CHECK(found_nothing > 2000 * 0.035);
  CHECK(found_nothing < 2000 * 0.065);
  CHECK(found_something > 2000 * 0.95);
}

TEST_CASE("a saving is significant too", "[feature][D4]") {
  CHECK(feature_cost{.least = -3, .most = -1}.significant());
  CHECK(feature_cost{.least = 1, .most = 3}.significant());
  CHECK_FALSE(feature_cost{.least = -1, .most = 3}.significant());
  CHECK_FALSE(feature_cost{.least = 0, .most = 3}.significant());
}

TEST_CASE("nothing is known before both sides were seen often enough", "[feature][D4]") {
  feature_trial trial{{.fewest = 50}};
  CHECK_FALSE(trial.result());
  for (int i = 0; i < 1000; ++i) trial.note(true, i);
  for (int i = 0; i < 49; ++i) trial.note(false, i);
  CHECK_FALSE(trial.result());
  trial.note(false, 1);
  CHECK(trial.result());
  feature_trial other{{.fewest = 50}};
  for (int i = 0; i < 1000; ++i) other.note(false, i);
  for (int i = 0; i < 49; ++i) other.note(true, i);
  CHECK_FALSE(other.result());
}

TEST_CASE("costs that are not finite are counted and change nothing", "[feature][D4]") {
  feature_trial trial{{.fewest = 30}};
  for (int i = 0; i < 30; ++i) {
    trial.note(true, 2);
    trial.note(false, 1);
  }
  for (const double none : {not_a_number, infinity, -infinity}) {
    trial.note(true, none);
    trial.note(false, none);
  }
  CHECK(trial.ignored() == 6);
  const auto seen = trial.result();
  REQUIRE(seen);
  CHECK(seen->n_with == 30);
  CHECK(seen->n_without == 30);
  CHECK(seen->difference == 1);
}

TEST_CASE("costs that never vary are known exactly", "[feature][D4]") {
  feature_trial trial{{.fewest = 30}};
  for (int i = 0; i < 30; ++i) {
    trial.note(true, 7);
    trial.note(false, 4);
  }
  const auto seen = trial.result();
  REQUIRE(seen);
  CHECK(seen->least == 3);
  CHECK(seen->most == 3);
}

TEST_CASE("a small spread on great costs is not lost", "[feature][D4]") {
  // The squares of these need 60 bits before the point.
  feature_trial small{{.fewest = 30}};
  feature_trial great{{.fewest = 30}};
  for (int i = 0; i < 100; ++i) {
    small.note(true, i % 2 + 1);
    small.note(false, i % 3);
    great.note(true, 1e9 + i % 2 + 1);
    great.note(false, 1e9 + i % 3);
  }
  CHECK(great.result()->least == Approx(small.result()->least).epsilon(1e-6));
  CHECK(great.result()->most == Approx(small.result()->most).epsilon(1e-6));
}

TEST_CASE("threads note costs together and none is lost", "[feature][D4]") {
  feature_trial trial{{.fewest = 30}};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&trial] {
      for (int i = 0; i < 10'000; ++i) {
        trial.note(i % 2 == 0, i % 2);
        if (i % 100 == 0) trial.note(true, not_a_number);
        if (i % 1000 == 0) static_cast<void>(trial.result());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto seen = trial.result();
  REQUIRE(seen);
  CHECK(seen->n_with == 20'000);
  CHECK(seen->n_without == 20'000);
  CHECK(seen->with == 0);
  CHECK(seen->without == 1);
  CHECK(trial.ignored() == 400);
}

TEST_CASE("a feature trial's options have the documented defaults and limits", "[feature][options]") {
  const feature_trial_options defaults;
  CHECK(defaults.share_off == 0.1);
  CHECK(defaults.salt == 0);
  CHECK(defaults.fewest == 200);
  CHECK(refusal(defaults) == "");
  CHECK(refusal({.share_off = 0.001, .fewest = 30}) == "");
  CHECK(refusal({.share_off = 0.999, .fewest = 0xffff'ffff}) == "");
  CHECK(refusal({.share_off = 0}) == "feature_trial_options.share_off = 0: allowed is 0.001 to 0.999");
  CHECK(refusal({.share_off = 1}) == "feature_trial_options.share_off = 1: allowed is 0.001 to 0.999");
  CHECK(refusal({.share_off = not_a_number}) != "");
  CHECK(refusal({.fewest = 29}) == "feature_trial_options.fewest = 29: allowed is 30 to 4294967295");
}
