// SPDX-License-Identifier: BSL-1.0
//
// An overloaded server that sheds by priority.
//
// The server has 40 workers. An `adaptive_limit` stands in front of their queue. It is told how long a
// request may wait for a worker, and finds by itself how many requests there is room for. What does not fit
// is refused at once, and what matters least is refused first.
#include <brownout/brownout.hpp>
#include <brownout/testing/manual_clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <iostream>
#include <random>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using brownout::call_priority;
using adaptive_limit = brownout::adaptive_limit<brownout::manual_clock>;  // yours: brownout::adaptive_limit<>

struct request {
  adaptive_limit::permit place;  // goes back when the request is destroyed
  brownout::time_point arrived;
  brownout::time_point ends{};
};

class server {
 public:
  explicit server(const brownout::manual_clock& clock) : clock_{clock} {}

  bool arrive(call_priority priority) {
    auto place = limit_.try_acquire(priority);
    if (!place) return false;  // respond(503, place.rejection().retry_after)
    waiting_.push_back({*std::move(place), clock_.now()});
    return true;
  }

  // Stands for the workers. A worker of yours takes a request from the queue, and calls started().
  void work(const auto& service_time) {
    const auto now = clock_.now();
    std::erase_if(running_, [&](const request& one) { return one.ends <= now; });
    for (; running_.size() < 40 && !waiting_.empty(); waiting_.pop_front()) {
      auto& next = waiting_.front();
      next.place.started();  // the limit learns how long it has waited
      longest_wait = std::max(longest_wait, now - next.arrived);
      next.ends = now + service_time();
      running_.push_back(std::move(next));
    }
  }

  [[nodiscard]] auto limit() const { return limit_.snapshot().limit; }

  brownout::duration longest_wait{};

 private:
  brownout::manual_clock clock_;
  adaptive_limit limit_{{.name = "server", .target_delay = 5ms}, clock_};
  std::deque<request> waiting_;
  std::vector<request> running_;
};

struct kind_of_request {
  std::string_view name;
  call_priority priority;
};
constexpr std::array kinds{kind_of_request{"payments", call_priority::critical_plus},
                           kind_of_request{"pages", call_priority::critical},
                           kind_of_request{"exports", call_priority::sheddable_plus},
                           kind_of_request{"prefetch", call_priority::sheddable}};

int main() {
  brownout::manual_clock clock;  // a program of yours leaves it out
  server shop{clock};
  std::minstd_rand random;  // always from the same seed

  // Ten seconds of requests of all kinds. Each one keeps a worker for 10 to 30 ms, times `slower`.
  const auto play = [&](unsigned requests_per_second, int slower) {
    std::array<int, kinds.size()> arrived{};
    std::array<int, kinds.size()> served{};
    shop.longest_wait = {};
    for (auto passed = 0ms; passed < 10s; passed += 1ms) {
      for (int i = 0; i < 10; ++i) {
        if (random() % 10'000 >= requests_per_second) continue;
        const auto kind = random() % kinds.size();
        ++arrived[kind];
        if (shop.arrive(kinds[kind].priority)) ++served[kind];
      }
      shop.work([&] { return slower * (10ms + random() % 21 * 1ms); });
      clock.advance(1ms);
    }
    std::cout << "  served:";
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      std::cout << ' ' << 100 * served[i] / arrived[i] << "% of " << kinds[i].name << ',';
    }
    std::cout << " after at most " << shop.longest_wait / 1ms << " ms; limit: " << shop.limit() << '\n';
  };

  std::cout << "Half of the load that fits. The limit begins at " << shop.limit() << ", and rises:\n";
  play(1000, 1);
  std::cout << "1.5 times the load that fits:\n";
  play(3000, 1);
  std::cout << "Now each request takes twice as long, so a third of the load fits:\n";
  play(3000, 2);
  std::cout << "Half of the load that fits:\n";
  play(1000, 1);
}

// Output:
// Half of the load that fits. The limit begins at 20, and rises:
//   served: 100% of payments, 99% of pages, 98% of exports, 93% of prefetch, after at most 0 ms; limit: 69
// 1.5 times the load that fits:
//   served: 100% of payments, 99% of pages, 61% of exports, 0% of prefetch, after at most 20 ms; limit: 86
// Now each request takes twice as long, so a third of the load fits:
//   served: 98% of payments, 32% of pages, 0% of exports, 0% of prefetch, after at most 41 ms; limit: 51
// Half of the load that fits:
//   served: 100% of payments, 100% of pages, 99% of exports, 99% of prefetch, after at most 4 ms; limit: 64
