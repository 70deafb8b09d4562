// SPDX-License-Identifier: BSL-1.0
#include "studies/guards/retries/world.hpp"

#include "studies/guards/retries/fiber.hpp"
#include "studies/guards/service.hpp"

#include "brownout/guard/detail/jitter.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace studies::guards {

namespace {

using namespace std::chrono_literals;

constexpr double most_load = 2.5;
constexpr brownout::duration whole_call = 3s;
constexpr brownout::duration one_attempt = 1s;
/// Of a service that is called within an attempt of a client.
constexpr brownout::duration one_inner_attempt = 400ms;
constexpr std::size_t services = 5;

}  // namespace

world::world(const trace& what_happens, const fleet& who, const make_client& make, std::uint64_t seed)
    : trace_{what_happens},
      fleet_{who},
      arrivals_{seed * 4},
      choices_{seed * 4 + 1},
      services_{seed * 4 + 2},
      calls_in_second_(static_cast<std::size_t>(what_happens.ends) + 1),
      answered_in_second_(calls_in_second_.size()) {
  brownout::detail::thread_jitter().seed(seed * 4 + 3);
  for (std::size_t i = 0; i < who.clients; ++i) {
    clients_.push_back(make(line_, one_attempt, seed * 1'000'000 + i + 1));
  }
  for (std::size_t i = 0; trace_.is_layered && i < services; ++i) {
    between_.push_back(make(line_, one_inner_attempt, seed * 1'000'000 + 900'000 + i));
  }
}

retry_figures world::run() {
  line_.after(0, [this] { begin_call(); });
  line_.run();
  if (!latencies_.empty()) {
    const auto place = latencies_.begin() + static_cast<std::ptrdiff_t>(latencies_.size() * 99 / 100);
    std::nth_element(latencies_.begin(), place, latencies_.end());
    counted_.p99 = *place;
  }
  if (trace_.judged_by == aim::overload) find_recovery();
  return counted_;
}

void world::begin_call() {
  const auto now = line_.seconds();
  if (now >= trace_.ends) return;
  const double usual = static_cast<double>(fleet_.clients) * fleet_.rate;
  line_.after(arrivals_.exponential(1 / (most_load * usual)), [this] { begin_call(); });
  if (arrivals_.share() >= trace_.load(now) / most_load) return;
  auto& caller = *clients_[draw_client()];
  fiber::start([this, &caller, now] {
    const bool is_counted = trace_.is_counted(now);
    const auto second = static_cast<std::size_t>(now);
    ++calls_in_second_[second];
    if (is_counted) ++counted_.calls;
    const bool got_answer =
        caller.call(line_.now() + whole_call, [&](brownout::time_point deadline) -> attempt_result {
          if (trace_.is_layered) return ask_service(is_counted, deadline);
          if (is_counted) ++counted_.attempts;
          return ask_dependency(deadline);
        });
    if (!got_answer) return;
    ++answered_in_second_[second];
    if (!is_counted) return;
    ++counted_.answered;
    latencies_.push_back(line_.seconds() - now);
  });
}

std::size_t world::draw_client() {
  const bool is_great = trace_.is_uneven && choices_.share() < 0.8;
  return is_great ? 0 : static_cast<std::size_t>(choices_.share() * static_cast<double>(clients_.size()));
}

attempt_result world::wait_for(const ticket& one) {
  one->who = &fiber::current();
  fiber::stop();
  return one->answer;
}

void world::settle(const ticket& one, attempt_result answer) {
  auto* const who = std::exchange(one->who, nullptr);
  if (who == nullptr) return;  // it has given up
  one->answer = std::move(answer);
  who->resume();
}

void world::time_out(const ticket& one, brownout::time_point deadline) {
  line_.at(deadline, [one] {
    settle(one, brownout::rejection{.reason = brownout::rejection_reason::timed_out, .began = true});
  });
}

/// The dependency works on what its caller has given up, too.
attempt_result world::ask_dependency(brownout::time_point deadline) {
  const auto one = std::make_shared<waiting>();
  const auto fail_after = [&](double seconds) {
    line_.after(seconds, [one] { settle(one, brownout::outcome::failure); });
  };
  const auto now = line_.seconds();
  time_out(one, deadline);
  switch (trace_.state(now)) {
    case condition::refuses:
      fail_after(0.001);
      break;
    case condition::hangs:
      break;
    case condition::up:
      if (const auto share = trace_.errors(now); share > 0 && services_.share() < share) {
        fail_after(service_time(trace_.times, services_) / 2);
      } else {
        queue_.push_back(one);
        serve();
      }
      break;
  }
  return wait_for(one);
}

/// The service works on when its caller has given up, but it knows the deadline.
attempt_result world::ask_service(bool is_counted, brownout::time_point deadline) {
  const auto one = std::make_shared<waiting>();
  auto& asked = *between_[static_cast<std::size_t>(choices_.share() * static_cast<double>(between_.size()))];
  line_.after(0, [this, one, &asked, is_counted, deadline] {
    fiber::start([this, one, &asked, is_counted, deadline] {
      const bool got_answer = asked.call(deadline, [&](brownout::time_point inner) {
        if (is_counted) ++counted_.attempts;
        return ask_dependency(inner);
      });
      const auto answer = got_answer ? brownout::outcome::success : brownout::outcome::failure;
      line_.after(0, [one, answer] { settle(one, answer); });  // not from within a fiber
    });
  });
  time_out(one, deadline);
  return wait_for(one);
}

void world::serve() {
  const double usual = static_cast<double>(fleet_.clients) * fleet_.rate;
  const double workers = std::ceil(usual * mean_service * trace_.capacity(line_.seconds()));
  while (busy_ < workers && !queue_.empty()) {
    ++busy_;
    line_.after(service_time(trace_.times, services_), [this, one = std::move(queue_.front())] {
      --busy_;
      serve();
      settle(one, brownout::outcome::success);
    });
    queue_.pop_front();
  }
}

void world::find_recovery() {
  const auto from = static_cast<std::size_t>(trace_.over_at);
  const auto until = static_cast<std::size_t>(trace_.ends) - 3;
  for (auto second = from; second + 2 < until; ++second) {
    bool is_well = true;
    for (auto i = second; i < second + 3; ++i) {
      is_well = is_well && answered_in_second_[i] >= 0.99 * calls_in_second_[i];
    }
    if (is_well) {
      counted_.recovery = static_cast<double>(second - from);
      return;
    }
  }
  counted_.recovery = trace_.ends - trace_.over_at;
  counted_.has_recovered = false;
}

}  // namespace studies::guards
