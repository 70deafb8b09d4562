// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace level_test {

/// What is asked of a service in a period: load 1 needs all of capacity 1 while everybody is served all.
struct demand {
  double load = 1;
  double capacity = 1;
};

/// A service with one queue, as a fluid: the mean latency of an M/M/1 queue, and a backlog that grows while
/// more comes in than goes out. Periods of a second.
class fluid_service {
 public:
  /// `required`: the share of a call's work that is not optional. `service_time`: of a whole call, in
  /// seconds.
  fluid_service(double required, double service_time) : required_{required}, service_time_{service_time} {}

  /// The mean latency of a period in which this share is served all of it, in seconds.
  double latency(demand asked, double share) {
    constexpr int steps = 100;
    constexpr double busiest = 0.998;  // where the mean of a queue in balance is 500 times the service time
    const double work = required_ + share * (1 - required_);
    const double used = asked.load * work / asked.capacity;
    const double alone = service_time_ * work / asked.capacity;
    double sum = 0;
    for (int i = 0; i < steps; ++i) {
      backlog_ = std::max(0.0, backlog_ + (used - 1) / steps);
      sum += alone / (1 - std::min(used, busiest)) + backlog_;
    }
    return sum / steps;
  }

 private:
  double required_;
  double service_time_;
  double backlog_ = 0;
};

/// The same call by call: Poisson arrivals, exponential service times, one server, first come first served.
class queued_service {
 public:
  queued_service(double required, double service_time, std::uint64_t seed)
      : required_{required}, service_time_{service_time}, random_{seed} {}

  /// The latencies of the calls that ended within the next second, sorted; in seconds.
  std::vector<double> latencies(demand asked, double share) {
    now_ += 1;
    for (; arrives_ < now_; arrives_ += exponential(service_time_ / asked.load)) {
      const double work = chance() < share ? 1 : required_;
      free_ = std::max(free_, arrives_) + exponential(service_time_) * work / asked.capacity;
      under_way_.push_back({free_, free_ - arrives_});
    }
    std::vector<double> ended;
    for (; !under_way_.empty() && under_way_.front().ends < now_; under_way_.pop_front()) {
      ended.push_back(under_way_.front().latency);
    }
    std::sort(ended.begin(), ended.end());
    return ended;
  }

 private:
  struct call {
    double ends;
    double latency;
  };

  double chance() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  double exponential(double mean) { return -mean * std::log(1 - chance()); }

  double required_;
  double service_time_;
  std::mt19937_64 random_;
  double now_ = 0;
  double arrives_ = 0;
  double free_ = 0;  // the server's next free moment
  std::deque<call> under_way_;
};

}  // namespace level_test
