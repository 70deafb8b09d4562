// SPDX-License-Identifier: BSL-1.0
#include "harness/second_thread.hpp"

#include <sched.h>

#include <algorithm>
#include <limits>

namespace benchmarks {

namespace {

constexpr auto no_more = std::numeric_limits<std::uint64_t>::max();

std::vector<unsigned> allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<unsigned> allowed;
  for (unsigned processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &set)) allowed.push_back(processor);
  }
  return allowed;
}

void bind_this_thread(const std::vector<unsigned>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const auto processor : processors) CPU_SET(processor, &set);
  sched_setaffinity(0, sizeof set, &set);
}

/// Waits until `number` is `least` or more, and returns it. Never yields: on a busy machine the two threads
/// would pass the processors on to others in turn, and hardly ever meet.
std::uint64_t spin(const std::atomic<std::uint64_t>& number, std::uint64_t least) {
  for (;;) {
    const auto seen = number.load(std::memory_order_acquire);  // (1)
    if (seen >= least) return seen;
  }
}

double nanoseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::nano>{time}.count();
}

}  // namespace

bool second_thread::possible() {
  return allowed_processors().size() >= 2;
}

second_thread::second_thread() : processors_{allowed_processors()}, thread_{[this] { work(); }} {
  bind_this_thread({processors_.front()});
}

second_thread::~second_thread() {
  wanted_.store(no_more, std::memory_order_release);  // (2)
  thread_.join();
  bind_this_thread(processors_);
}

void second_thread::work() {
  // Threads whose numbers differ by eight share a stripe of every total. That is not to be measured.
  if (brownout::detail::thread_number() % 8 == first_number_ % 8) {
    std::thread{[this] { work(); }}.join();
    return;
  }
  bind_this_thread({processors_.back()});
  for (std::uint64_t number = 1; spin(wanted_, number) != no_more; ++number) {
    ready_.store(number, std::memory_order_release);  // (2)
    spin(started_, number);
    other_ = run_timed(run_, times_);
    ended_.store(number, std::memory_order_release);  // (2)
  }
}

cost second_thread::time_on_both(batch run, std::uint64_t times) {
  const auto number = ++batches_;
  run_ = run;
  times_ = times;
  wanted_.store(number, std::memory_order_release);  // (2)
  spin(ready_, number);
  started_.store(number, std::memory_order_release);  // (2)
  const auto mine = run_timed(run, times);
  spin(ended_, number);

  const auto together = nanoseconds(std::min(mine.ended, other_.ended) - std::max(mine.began, other_.began));
  const auto sum = nanoseconds(mine.ended - mine.began) + nanoseconds(other_.ended - other_.began);
  const bool overlapped = together > 0.8 * sum / 2;
  if (mine.disturbed || other_.disturbed || !overlapped) return std::nullopt;
  return sum / 2 / static_cast<double>(times);
}

}  // namespace benchmarks
