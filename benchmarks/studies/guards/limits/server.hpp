// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/limits/limiter.hpp"
#include "studies/guards/random.hpp"
#include "studies/guards/service.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

namespace studies::guards {

/// What happens to a server in 120 s. The first 20 s are not counted.
struct scene {
  static constexpr double ends = 120;
  static constexpr double counted_from = 20;
  static constexpr double in_time = 0.4;  ///< a later answer is of no use
  static constexpr int workers = 40;
  static constexpr double capacity = workers / mean_service;

  std::string_view name;
  /// Offered requests, as a share of the capacity.
  std::function<double(double)> load;
  /// Share of the workers that work.
  std::function<double(double)> working = [](double) { return 1.0; };
  /// How long a dependency takes beside the service: a worker waits for it, or none does.
  std::function<double(double)> blocking = [](double) { return 0.0; };
  std::function<double(double)> not_blocking = [](double) { return 0.0; };
  service times = service::log_normal;
  /// Callers, each with a limit of its own, that share the server.
  std::size_t limits = 1;
  /// Share of the requests by class.
  std::array<double, 4> classes{1, 0, 0, 0};
  bool with_callers = false;
};

struct figures {
  double in_time = 0;  ///< requests that were answered in time
  double p99 = 0;      ///< of the latency of all answers, in seconds
  std::array<double, 4> offered{};
  std::array<double, 4> succeeded{};
  /// For each of 200 callers of a class: requests and admissions.
  std::array<std::array<std::array<int, 2>, 200>, 4> callers{};
};

using make_limiter = std::function<std::unique_ptr<limiter>(const scene&)>;

/// A server with workers and a queue, behind a limit.
class server {
 public:
  server(const scene& here, const make_limiter& make, std::uint64_t seed) : scene_{here}, random_{seed} {
    for (std::size_t i = 0; i < here.limits; ++i) limits_.push_back(make(here));
    in_flight_.resize(here.limits);
  }

  [[nodiscard]] figures run() {
    events_.push({0, what::arrival, 0});
    while (!events_.empty()) {
      const auto next = events_.top();
      if (next.at > scene::ends) break;
      events_.pop();
      switch (next.kind) {
        case what::arrival:
          arrive(next.at);
          break;
        case what::served:
          --busy_;
          events_.push({next.at + scene_.not_blocking(next.at), what::end, next.number});
          serve(next.at);
          break;
        case what::end:
          end(next.at, requests_[next.number]);
          break;
      }
    }
    if (!latencies_.empty()) {
      const auto place = latencies_.begin() + static_cast<std::ptrdiff_t>(latencies_.size() * 99 / 100);
      std::nth_element(latencies_.begin(), place, latencies_.end());
      counted_.p99 = *place;
    }
    return counted_;
  }

 private:
  static constexpr double most_load = 4;

  enum class what { arrival, served, end };
  struct event {
    double at;
    what kind;
    std::size_t number;
    bool operator<(const event& other) const { return at > other.at; }
  };

  void arrive(double now) {
    events_.push({now + random_.exponential(1 / (most_load * scene::capacity)), what::arrival, 0});
    if (random_.share() >= scene_.load(now) / most_load) return;
    request one{.number = requests_.size(), .arrived = now};
    for (double drawn = random_.share(); one.priority < 3 && drawn >= scene_.classes[one.priority];) {
      drawn -= scene_.classes[one.priority++];
    }
    const auto caller = static_cast<std::size_t>(random_.share() * 200);
    if (scene_.with_callers) one.caller = 1 + one.priority * 1000 + caller;
    const auto which = one.number % limits_.size();
    const bool is_admitted = limits_[which]->admits(one, in_flight_[which], now);
    if (now > scene::counted_from) {
      ++counted_.offered[one.priority];
      ++counted_.callers[one.priority][caller][0];
      counted_.callers[one.priority][caller][1] += is_admitted ? 1 : 0;
    }
    if (!is_admitted) {
      if (limits_.size() > 1) requests_.push_back(one);  // so that the next one is of the other caller
      return;
    }
    one.in_flight = ++in_flight_[which];
    requests_.push_back(one);
    queue_.push_back(one.number);
    serve(now);
  }

  void serve(double now) {
    while (busy_ < scene::workers * scene_.working(now) && !queue_.empty()) {
      auto& one = requests_[queue_.front()];
      queue_.pop_front();
      ++busy_;
      one.started = now;
      limits_[one.number % limits_.size()]->started(one, now);
      events_.push(
          {now + service_time(scene_.times, random_) + scene_.blocking(now), what::served, one.number});
    }
  }

  void end(double now, const request& one) {
    const auto which = one.number % limits_.size();
    --in_flight_[which];
    limits_[which]->ended(one, now);
    if (one.arrived <= scene::counted_from) return;
    const double latency = now - one.arrived;
    latencies_.push_back(latency);
    if (latency > scene::in_time) return;
    ++counted_.in_time;
    ++counted_.succeeded[one.priority];
  }

  const scene& scene_;
  random random_;
  std::vector<std::unique_ptr<limiter>> limits_{};
  std::vector<int> in_flight_{};
  std::priority_queue<event> events_{};
  std::vector<request> requests_{};
  std::deque<std::size_t> queue_{};
  int busy_ = 0;
  std::vector<double> latencies_{};
  figures counted_{};
};

}  // namespace studies::guards
