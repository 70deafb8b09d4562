// SPDX-License-Identifier: BSL-1.0
//
// What a component publishes or guards is a plain variable here, which threads write and read with nothing
// but the component between them. The thread sanitizer finds an order of memory that is too weak for that,
// and a lost update shows in the figures. 10^9 operations, or as many as the argument says. Exit status 1 if
// something does not hold.
#include "on_threads.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/system/detail/published_view.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace std::chrono_literals;
using stress::on_threads;
using stress::threads;

stress::expectations all;

/// One probe at a time: what a probe writes, the next one sees.
void stress_probes(std::uint64_t operations) {
  const brownout::manual_clock clock;
  brownout::circuit_breaker database{
      brownout::consecutive_failures{1},
      {.open_for = 1ms, .probes = 1, .successes = 1, .ramp = brownout::no_ramp, .lease = 24h},
      clock};
  std::uint64_t payload = 0;
  std::atomic<std::uint64_t> probes{0};
  on_threads([&](std::uint64_t thread) {
    auto time = clock;
    std::uint64_t mine = 0;
    for (std::uint64_t i = 0; i < operations / threads; ++i) {
      auto admitted = database.try_acquire();
      if (!admitted) {
        time.advance(1ms);
      } else if (admitted->is_probe()) {
        ++payload;
        ++mine;
        admitted->complete(i % 3 == thread % 3 ? brownout::outcome::failure : brownout::outcome::success);
      } else {
        admitted->complete(brownout::outcome::failure);
      }
    }
    probes.fetch_add(mine, std::memory_order_relaxed);
  });
  all.expect(payload == probes && payload > operations / 100, "what a probe writes, the next probe sees");
}

/// One call at a time, and what it writes the next one sees.
template <class Guard>
void stress_places(Guard& one_place, std::uint64_t operations, const char* what) {
  std::uint64_t payload = 0;
  std::atomic<std::uint64_t> admitted{0};
  on_threads([&](std::uint64_t) {
    std::uint64_t mine = 0;
    for (std::uint64_t i = 0; i < operations / threads; ++i) {
      if (const auto place = one_place.try_acquire()) {
        ++payload;
        ++mine;
      }
    }
    admitted.fetch_add(mine, std::memory_order_relaxed);
  });
  all.expect(payload == admitted && payload > 0, what);
}

/// What the stepping thread wrote before it published a word, a request sees that reads the word.
void stress_levels(std::uint64_t operations) {
  constexpr std::uint64_t words = 1000;  // an epoch has ten bits
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<std::uint64_t> between{0};  // readings while words were published
  std::barrier together{static_cast<std::ptrdiff_t>(threads)};
  for (std::uint64_t round = 0; round < operations / (words * threads); ++round) {
    brownout::detail::published_view<> view{brownout::duration{}};
    std::array<std::uint64_t, words + 1> written{};
    on_threads([&](std::uint64_t thread) {
      together.arrive_and_wait();
      for (std::uint64_t i = 1; thread == 0 && i <= words; ++i) {
        written[i] = i;
        brownout::dependency_set refusing;
        if (i % 2 != 0) refusing.insert(1);
        view.publish(i % 3, refusing, false, {});
      }
      for (std::uint64_t epoch = 0; epoch < words;) {
        epoch = view.read().epoch();
        if (written[epoch] != epoch) wrong.fetch_add(1, std::memory_order_relaxed);
        if (epoch > 0 && epoch < words) between.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  all.expect(wrong == 0 && between > 0, "what was written before a level was published, its readers see");
}

/// A listener needs no lock of its own: one transition at a time, in order.
void stress_listeners(std::uint64_t operations) {
  brownout::circuit_breaker database{brownout::consecutive_failures{1}, {.name = "database"}};
  std::uint64_t told = 0;
  std::uint64_t latest = 0;
  bool in_order = true;
  const auto subscribed = database.subscribe(
      [&](const brownout::transition_event& event) {
        ++told;
        in_order = in_order && event.epoch > latest;
        latest = event.epoch;
      },
      brownout::announcements::every_transition);
  on_threads([&](std::uint64_t) {
    for (std::uint64_t i = 0; i < operations / threads; ++i) {
      i % 2 == 0 ? database.reset() : static_cast<void>(database.trip());
    }
  });
  const auto shown = database.snapshot();
  all.expect(in_order && told + shown.missed_transitions == shown.epoch,
             "a listener has one transition at a time, in order, and each once");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t operations = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000'000;
  stress_probes(operations / 10 * 4);
  brownout::bulkhead<> bulkhead{{.limit = 1}};
  stress_places(bulkhead, operations / 10 * 3, "a bulkhead of one place lets one call in after another");
  brownout::adaptive_limit<> limit{{.latency_budget = 1h, .first = 1, .least = 1, .most = 1}};
  stress_places(limit, operations / 10 * 2, "an adaptive limit of one call lets one in after another");
  stress_levels(operations / 100 * 5);
  stress_listeners(operations / 100 * 5);
  std::printf("stress: publication, %llu operations\n", static_cast<unsigned long long>(operations));
  return all.failed() ? 1 : 0;
}
