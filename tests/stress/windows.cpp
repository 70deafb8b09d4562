// SPDX-License-Identifier: BSL-1.0
//
// Windows of calls under many threads: no call is lost, counted twice, or of another epoch. 10^9 calls, or as
// many as the argument says. Exit status 1 if something does not hold.
#include "on_threads.hpp"

#include "brownout/core/atomics.hpp"
#include "brownout/detector/count_window.hpp"
#include "brownout/detector/time_window.hpp"

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace std::chrono_literals;
using stress::on_threads;
using stress::threads;

stress::expectations all;

/// In odd epochs each call is bad, in even ones none is. So a reading that mixes two epochs shows, and so
/// does one that is torn. After `calls` calls of each thread all of them are in the window.
template <class History>
void stress_window(History& window, std::uint64_t operations, std::uint32_t calls, const char* name) {
  std::atomic<std::uint64_t> mixed{0};
  std::atomic<std::uint64_t> lost{0};
  std::barrier together{static_cast<std::ptrdiff_t>(threads)};
  on_threads([&](std::uint64_t thread) {
    const auto rounds = operations / (calls * threads);
    for (std::uint64_t epoch = 1; epoch <= rounds; ++epoch) {
      const bool bad = epoch % 2 != 0;
      for (std::uint32_t i = 0; i < calls; ++i) {
        const auto read = window.record(epoch, bad, 1h);
        if (read.bad != (bad ? read.calls : 0) || read.calls > calls * threads) {
          mixed.fetch_add(1, std::memory_order_relaxed);
        }
      }
      together.arrive_and_wait();
      if (thread == 0) {
        const auto read = window.read(epoch, 1h);
        if (read.calls != calls * threads || read.bad != (bad ? read.calls : 0)) {
          lost.fetch_add(1, std::memory_order_relaxed);
        }
      }
      together.arrive_and_wait();
    }
  });
  std::printf("stress: %s, %llu calls\n", name, static_cast<unsigned long long>(operations));
  all.expect(mixed == 0, "no reading has calls of two epochs, or a call twice");
  all.expect(lost == 0, "at the end of an epoch the window has each of its calls");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t operations = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000'000;
  constexpr std::uint32_t calls = 250;
  brownout::count_window::history<brownout::std_atomics> latest{
      brownout::count_window{.size = calls * threads}};
  stress_window(latest, operations / 2, calls, "count window");
  brownout::time_window::history<brownout::std_atomics> timed{brownout::time_window{.length = 1h}};
  stress_window(timed, operations / 2, calls, "time window");
  return all.failed() ? 1 : 0;
}
