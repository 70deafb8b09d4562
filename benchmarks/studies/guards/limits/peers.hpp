// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/limits/limiter.hpp"

#include "brownout/core/detail/chance.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

namespace studies::guards {

// The policies of other libraries with their defaults, written after their sources. A limiter that draws
// random numbers there takes the middle of their range here.

/// Refuses by a number of requests in flight.
class by_number : public limiter {
 public:
  bool admits(const request& /*one*/, int in_flight, double now) override { return in_flight < limit(now); }
  void ended(const request& one, double now) override { sample(now, now - one.arrived, one.in_flight); }

 protected:
  [[nodiscard]] virtual int limit(double now) = 0;
  virtual void sample(double /*now*/, double /*latency*/, int /*in_flight*/) {}
};

class without_limit final : public limiter {
 public:
  bool admits(const request& /*one*/, int /*in_flight*/, double /*now*/) override { return true; }
};

/// Knows what nobody knows: how many workers work.
class fixed final : public by_number {
 public:
  explicit fixed(std::function<double(double)> limit) : limit_{std::move(limit)} {}

 private:
  int limit(double now) override { return static_cast<int>(limit_(now)); }

  std::function<double(double)> limit_;
};

/// Netflix concurrency-limits, VegasLimit.
class vegas final : public by_number {
  int limit(double /*now*/) override { return static_cast<int>(limit_); }
  void sample(double /*now*/, double latency, int in_flight) override {
    if (0.75 * 30 * limit_ <= ++count_) {
      count_ = 0;
      fastest_ = latency;
      return;
    }
    if (fastest_ <= 0 || latency < fastest_) {
      fastest_ = latency;
      return;
    }
    if (in_flight * 2 < limit_) return;
    const double step = std::max(1.0, std::floor(std::log10(std::floor(limit_))));
    const double waiting = std::ceil(limit_ * (1 - fastest_ / latency));
    if (waiting <= step) {
      limit_ += 6 * step;
    } else if (waiting < 3 * step) {
      limit_ += step;
    } else if (waiting > 6 * step) {
      limit_ -= step;
    }
    limit_ = std::clamp(limit_, 1.0, 1000.0);
  }

  double limit_ = 20;
  double fastest_ = 0;
  double count_ = 0;
};

/// Netflix concurrency-limits, Gradient2Limit in a WindowedLimit.
class gradient2 final : public by_number {
  int limit(double /*now*/) override { return static_cast<int>(limit_); }
  void sample(double now, double latency, int in_flight) override {
    sum_ += latency;
    ++count_;
    most_ = std::max(most_, in_flight);
    if (now <= next_) return;
    next_ = now + 1;
    if (count_ >= 10) window(sum_ / count_, most_);
    sum_ = 0;
    count_ = 0;
    most_ = 0;
  }
  void window(double latency, int in_flight) {
    if (windows_ < 10) {
      first_ += latency;
      average_ = first_ / ++windows_;
    } else {
      average_ += (latency - average_) * 2 / 601;
    }
    if (average_ / latency > 2) average_ *= 0.95;
    if (in_flight < limit_ / 2) return;
    const double by = std::clamp(1.5 * average_ / latency, 0.5, 1.0);
    limit_ = std::clamp(limit_ * 0.8 + (limit_ * by + 4) * 0.2, 20.0, 200.0);
  }

  double limit_ = 20;
  double next_ = 0;
  double sum_ = 0;
  int count_ = 0;
  int most_ = 0;
  double first_ = 0;
  int windows_ = 0;
  double average_ = 0;
};

/// Netflix concurrency-limits, AIMDLimit.
class aimd final : public by_number {
  int limit(double /*now*/) override { return static_cast<int>(limit_); }
  void sample(double /*now*/, double latency, int in_flight) override {
    if (latency > 5) {
      limit_ = std::floor(limit_ * 0.9);
    } else if (in_flight * 2 >= limit_) {
      limit_ += 1;
    }
    limit_ = std::clamp(limit_, 20.0, 200.0);
  }

  double limit_ = 20;
};

/// brpc, AutoConcurrencyLimiter.
class brpc_auto final : public by_number {
  int limit(double /*now*/) override { return static_cast<int>(limit_); }
  void sample(double now, double latency, int /*in_flight*/) override {
    ++all_;
    if (last_ >= 0 && now - last_ < 0.0001) return;
    last_ = now;
    if (waits_until_ > 0) {
      if (waits_until_ > now) return;
      least_latency_ = -1;
      waits_until_ = 0;
      remeasure_ = now + 37.5;
      begin(now);
    }
    ++count_;
    sum_ += latency;
    if (count_ < 100) {
      if (now - began_ >= 1) begin(now);
      return;
    }
    if (now - began_ < 1 && count_ < 200) return;
    update(now, sum_ / count_, all_ / (now - began_));
    begin(now);
  }
  void update(double now, double average, double rate) {
    if (least_latency_ <= 0) {
      least_latency_ = average;
    } else if (average < least_latency_) {
      least_latency_ = average * 0.1 + least_latency_ * 0.9;
    }
    most_rate_ = rate >= most_rate_ ? rate : rate * 0.01 + most_rate_ * 0.99;
    if (remeasure_ <= now) {
      waits_until_ = now + 2 * average;
      limit_ = most_rate_ * least_latency_ * 0.9;
    } else {
      const bool has_room = average <= least_latency_ * 1.06 || rate <= most_rate_ / 1.06;
      explores_ = std::clamp(explores_ + (has_room ? 0.02 : -0.02), 0.06, 0.3);
      limit_ = least_latency_ * most_rate_ * (1 + explores_);
    }
    limit_ = std::max(8.0, std::ceil(limit_));
  }
  void begin(double now) {
    all_ = 0;
    began_ = now;
    count_ = 0;
    sum_ = 0;
  }

  double limit_ = 40;
  double all_ = 0;
  double last_ = -1;
  double waits_until_ = 0;
  double remeasure_ = 37.5;
  double least_latency_ = -1;
  double most_rate_ = -1;
  double explores_ = 0.3;
  double began_ = 0;
  int count_ = 0;
  double sum_ = 0;
};

/// The signal and the control of our limit, for peers that differ in what they do with classes only.
class delay_control {
 public:
  double limit = 20;
  bool refused = false;

  void started(const request& one, double now) {
    smallest_ = std::min(smallest_, now - one.arrived);
    ++count_;
    if (now - began_ < 0.1 || count_ < 10) return;
    if (smallest_ > 0.005) {
      limit = std::max(1.0, limit * 0.9);
    } else if (refused) {
      limit = std::min(1000.0, limit * 1.05 + 1);
    }
    refused = false;
    began_ = now;
    smallest_ = std::numeric_limits<double>::infinity();
    count_ = 0;
  }

 private:
  double began_ = 0;
  double smallest_ = std::numeric_limits<double>::infinity();
  int count_ = 0;
};

/// One limit for all classes.
class without_classes final : public limiter {
 public:
  bool admits(const request& /*one*/, int in_flight, double /*now*/) override {
    const bool has_room = in_flight < control_.limit;
    control_.refused |= !has_room;
    return has_room;
  }
  void started(const request& one, double now) override { control_.started(one, now); }

 private:
  delay_control control_{};
};

/// Netflix concurrency-limits, partitions: 40, 30, 20 and 10 %. Others may use what is free below 95 %.
class partitions final : public limiter {
 public:
  bool admits(const request& one, int in_flight, double /*now*/) override {
    const bool is_within = of_class_[one.priority] < control_.limit * percent_[one.priority] / 100;
    const bool has_room = in_flight < control_.limit && (is_within || in_flight < control_.limit * 0.95);
    of_class_[one.priority] += has_room ? 1 : 0;
    control_.refused |= !has_room;
    return has_room;
  }
  void started(const request& one, double now) override { control_.started(one, now); }
  void ended(const request& one, double /*now*/) override { --of_class_[one.priority]; }

 private:
  static constexpr std::array<double, 4> percent_{40, 30, 20, 10};

  delay_control control_{};
  std::array<int, 4> of_class_{};
};

/// DAGOR (Zhou et al., 2018): an admission level over class and caller, by a histogram of each window.
class admission_level final : public limiter {
 public:
  bool admits(const request& one, int /*in_flight*/, double /*now*/) override {
    // A caller without a key gets a place by the time of its request.
    const auto key = one.caller != 0 ? one.caller : static_cast<std::uint64_t>(one.arrived * 1e7);
    const auto place = one.priority * places + brownout::detail::mixed(key) % places;
    ++histogram_[place];
    if (place >= level_) return false;
    ++admitted_;
    return true;
  }
  void started(const request& one, double now) override {
    smallest_ = std::min(smallest_, now - one.arrived);
    ++count_;
    if (now - began_ < 0.1 || count_ < 20) return;
    const bool is_over = smallest_ > 0.005;
    const double most = is_over ? admitted_ * 0.95 : admitted_ * 1.03 + 1;
    level_ = 0;
    for (double sum = 0; level_ < all && sum + histogram_[level_] <= most; ++level_)
      sum += histogram_[level_];
    level_ = std::max(level_, places / 2);
    histogram_.fill(0);
    admitted_ = 0;
    began_ = now;
    smallest_ = std::numeric_limits<double>::infinity();
    count_ = 0;
  }

 private:
  static constexpr std::size_t places = 128;
  static constexpr std::size_t all = 4 * places;

  std::array<double, all> histogram_{};
  std::size_t level_ = all;
  double admitted_ = 0;
  double began_ = 0;
  double smallest_ = std::numeric_limits<double>::infinity();
  int count_ = 0;
};

}  // namespace studies::guards
