// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/recovery/recovery_predictor.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using brownout::duration;
using brownout::recovery_predictor;

namespace {

/// Lengths of outages, the same from every standard library.
class outage_lengths {
 public:
  enum class shape { exponential, log_normal_1, log_normal_1_5, bimodal };
  static constexpr std::array shapes{shape::exponential, shape::log_normal_1, shape::log_normal_1_5,
                                     shape::bimodal};

  outage_lengths(shape of, std::uint64_t seed) : shape_{of}, random_{seed} {}

  double chance() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  /// In seconds, with this mean.
  double exponential(double mean) { return -mean * std::log(1 - chance()); }
  double log_normal(double median, double sigma) {
    constexpr double turn = 6.283185307179586;
    const double radius = std::sqrt(exponential(2));
    return median * std::exp(sigma * radius * std::cos(turn * chance()));
  }
  double next() {
    switch (shape_) {
      case shape::exponential:
        return exponential(30);
      case shape::log_normal_1:
        return log_normal(30, 1);
      case shape::log_normal_1_5:
        return log_normal(30, 1.5);
      case shape::bimodal:
        return chance() < 0.7 ? log_normal(5, 0.3) : log_normal(300, 0.3);
    }
    return 0;
  }

 private:
  shape shape_;
  std::mt19937_64 random_;
};

std::string name_of(outage_lengths::shape shape) {
  constexpr std::array names{"exponential", "log-normal, sigma 1", "log-normal, sigma 1.5", "bimodal"};
  return names[static_cast<std::size_t>(shape)];
}

duration seconds(double count) {
  return duration{static_cast<duration::rep>(count * 1e9)};
}

/// The lengths, in seconds, that these shares of outages fall short of.
std::vector<double> quantiles(outage_lengths::shape shape, std::initializer_list<double> shares) {
  outage_lengths lengths{shape, 99};
  std::vector<double> sample(20'000);
  for (auto& one : sample) one = lengths.next();
  std::sort(sample.begin(), sample.end());
  std::vector<double> found;
  for (const auto share : shares) {
    found.push_back(share == 0 ? 0 : sample[static_cast<std::size_t>(share * 20'000)]);
  }
  return found;
}

struct tally {
  int asked = 0;
  int answered = 0;
  int covered = 0;

  void count(const std::optional<duration>& predicted, duration actual) {
    ++asked;
    if (!predicted) return;
    ++answered;
    if (actual <= *predicted) ++covered;
  }
  [[nodiscard]] double coverage() const { return static_cast<double>(covered) / answered; }
  [[nodiscard]] double unknown() const { return 1 - static_cast<double>(answered) / asked; }
  [[nodiscard]] double broken() const { return static_cast<double>(answered - covered) / asked; }
};

struct tallies {
  tally p50;
  tally p90;
  int cut_short = 0;

  void count(const brownout::recovery_estimate& predicted, duration actual) {
    p50.count(predicted.p50, actual);
    p90.count(predicted.p90, actual);
  }
};

constexpr int outages = 10'000;

/// Asks in each of 10,000 outages, once it has lasted each of `moments` (seconds), and learns from it. An
/// operator cuts outages short at random, after `patience` seconds in the mean; 0: none. What would have been
/// is known here.
std::vector<tallies> simulate(outage_lengths::shape shape, std::uint32_t seen,
                              const std::vector<double>& moments, double patience = 0) {
  outage_lengths lengths{shape, 1};
  outage_lengths operators{outage_lengths::shape::exponential, 2};
  recovery_predictor tested{{.remembered = seen}};
  std::vector<tallies> counted(moments.size());
  for (std::uint32_t i = 0; i < seen + outages; ++i) {
    const double length = lengths.next();
    for (std::size_t k = 0; k < moments.size() && i >= seen; ++k) {
      if (length <= moments[k]) continue;
      const duration elapsed = seconds(moments[k]);
      counted[k].count(tested.estimate(elapsed), seconds(length) - elapsed);
    }
    const double cut = patience > 0 ? operators.exponential(patience) : length;
    if (cut < length) ++counted[0].cut_short;
    cut < length ? tested.note_cut_short(seconds(cut)) : tested.note_ended(seconds(length));
  }
  return counted;
}

}  // namespace

TEST_CASE("p90 covers 85 % to 95 % of 10,000 outages once 20 were seen, whatever their lengths",
          "[recovery][exhaustive][D6][D6b]") {
  for (const auto shape : outage_lengths::shapes) {
    for (const std::uint32_t seen : {20u, 50u, 64u}) {
      INFO(name_of(shape) << ", " << seen << " seen");
      const auto start = simulate(shape, seen, {0})[0];
      CHECK(start.p90.asked == outages);
      CHECK(start.p90.unknown() == 0);
      CHECK(start.p90.coverage() > 0.89);  // ranks 19 of 21, 46 of 51, 59 of 65
      CHECK(start.p90.coverage() < 0.925);
      CHECK(start.p50.unknown() == 0);
      CHECK(start.p50.coverage() > 0.48);
      CHECK(start.p50.coverage() < 0.54);
    }
  }
}

TEST_CASE("p90 covers 85 % to 95 % of the outages that still last, at any time within them",
          "[recovery][exhaustive][D6]") {
  for (const auto shape : outage_lengths::shapes) {
    const auto moments = quantiles(shape, {0.25, 0.5, 0.75});
    for (const std::uint32_t seen : {20u, 50u, 64u}) {
      const auto counted = simulate(shape, seen, moments);
      for (std::size_t k = 0; k < moments.size(); ++k) {
        INFO(name_of(shape) << ", " << seen << " seen, lasts for " << moments[k] << " s");
        // A quarter of 20 is too little to know more than a p50.
        if (k < 2 || seen > 20) {
          CHECK(counted[k].p90.coverage() > 0.85);
          CHECK(counted[k].p90.coverage() < 0.95);
        }
        CHECK(counted[k].p50.coverage() > 0.47);
        CHECK(counted[k].p50.coverage() < 0.56);
      }
      // How often it must say unknown: nine of those seen must have lasted longer.
      CHECK(counted[0].p90.unknown() < 0.01);
      CHECK(counted[1].p90.unknown() < (seen == 20 ? 0.3 : 0.01));
      if (seen > 20) CHECK(counted[2].p90.unknown() < 0.15);
      CHECK(counted[1].p50.unknown() < 0.02);
    }
  }
}

TEST_CASE("p90 covers 85 % to 95 % while an operator cuts every tenth outage short",
          "[recovery][exhaustive][D6]") {
  // In the mean after this many seconds, a tenth are cut short.
  constexpr std::array patience{270.0, 450.0, 700.0, 900.0};
  for (const auto shape : outage_lengths::shapes) {
    const auto moments = quantiles(shape, {0, 0.25, 0.5});
    for (const std::uint32_t seen : {20u, 50u, 64u}) {
      const auto counted = simulate(shape, seen, moments, patience[static_cast<std::size_t>(shape)]);
      CHECK(counted[0].cut_short > outages * 0.08);
      CHECK(counted[0].cut_short < outages * 0.12);
      for (std::size_t k = 0; k < moments.size(); ++k) {
        INFO(name_of(shape) << ", " << seen << " seen, lasts for " << moments[k] << " s");
        if (k < 2 || seen > 20) {
          CHECK(counted[k].p90.coverage() > 0.85);
          CHECK(counted[k].p90.coverage() < 0.95);
          CHECK(counted[k].p90.unknown() < (seen == 20 ? 0.55 : 0.4));
        }
        CHECK(counted[k].p50.coverage() > 0.47);
        CHECK(counted[k].p50.coverage() < 0.56);
      }
    }
  }
}

TEST_CASE("however many outages are cut short, one in ten at most outlasts the p90 given for it",
          "[recovery][exhaustive][D6]") {
  for (const auto shape : outage_lengths::shapes) {
    for (const double patience : {30.0, 90.0}) {
      for (const std::uint32_t seen : {20u, 64u}) {
        INFO(name_of(shape) << ", " << seen << " seen, patience " << patience << " s");
        const auto counted = simulate(shape, seen, {0, 5}, patience);
        CHECK(counted[0].p90.broken() < 0.1);
        CHECK(counted[1].p90.broken() < 0.1);
      }
    }
  }
}

TEST_CASE("two outages that have nothing to do with each other are covered like one",
          "[recovery][exhaustive][D6]") {
  const auto shape = GENERATE(outage_lengths::shape::exponential, outage_lengths::shape::bimodal);
  INFO(name_of(shape));
  outage_lengths lengths{shape, 3};
  std::array<recovery_predictor, 2> tested;
  tallies counted;
  for (int i = 0; i < 64 + 1000; ++i) {
    const std::array both{seconds(lengths.next()), seconds(lengths.next())};
    if (i >= 64) {
      const std::array<brownout::ongoing_outage, 2> ongoing{{{&tested[0]}, {&tested[1]}}};
      counted.count(brownout::recovery_of_all(ongoing), std::max(both[0], both[1]));
    }
    tested[0].note_ended(both[0]);
    tested[1].note_ended(both[1]);
  }
  CHECK(counted.p90.unknown() == 0);
  CHECK(counted.p90.coverage() > 0.88);
  CHECK(counted.p90.coverage() < 0.95);
  CHECK(counted.p50.coverage() > 0.45);  // the greater p50 alone would cover a quarter
  CHECK(counted.p50.coverage() < 0.58);
}
