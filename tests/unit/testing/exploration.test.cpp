// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/refusal_of.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/testing/exploration.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "brownout/testing/scheduled_atomics.hpp"
#include "brownout/testing/scheduled_mutex.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using brownout::access_kind;
using brownout::exploration;
using brownout::exploration_options;
using brownout::explore;
using brownout::schedule;
using brownout::schedule_search;
using brownout::scheduled_atomics;
using brownout::scheduled_mutex;

namespace {

using number = scheduled_atomics::atomic<int>;

/// Two threads that count without care.
void lose_an_update(schedule& threads) {
  number total{0};
  threads.run(2, [&](std::size_t) {
    const int before = total.load();
    total.store(before + 1);
  });
  threads.expect(total.peek() == 2, "an update is lost");
}

std::string what_failed(const exploration& found) {
  return found.failed ? found.failed->what : "nothing";
}

}  // namespace

TEST_CASE("an exploration finds the order in which an update is lost, and says how to repeat it",
          "[testing]") {
  const auto found = explore({}, lose_an_update);
  REQUIRE_FALSE(found.holds());
  CHECK_FALSE(found.complete);
  CHECK(found.failed->what == "an update is lost");
  CHECK(found.failed->trace ==
        "  thread 0, variable 0: reads 0x0\n"
        "  thread 1, variable 0: reads 0x0\n"
        "  thread 1, variable 0: writes 0x1 for 0x0\n"
        "  thread 0, variable 0: writes 0x1 for 0x1\n");
  CHECK(found.text() == "2 schedules\nfailed: an update is lost\nto repeat it: .replay = \"" +
                            found.failed->replay + "\"\n" + found.failed->trace);
  const auto repeated = explore({.replay = found.failed->replay}, lose_an_update);
  CHECK(repeated.schedules == 1);
  REQUIRE_FALSE(repeated.holds());
  CHECK(repeated.failed->trace == found.failed->trace);
  CHECK(repeated.failed->replay == found.failed->replay);
}

TEST_CASE("each order is run once, and within the limit of preemptions", "[testing]") {
  // Orders of the accesses of three threads, two each: 6! / (2! 2! 2!). Without preemptions: orders of
  // threads.
  const auto [preemptions, schedules] = GENERATE(table<std::size_t, std::uint64_t>(
      {{0, 6}, {1, 24}, {2, 60}, {3, 90}, {exploration_options::unlimited, 90}}));
  std::set<std::vector<std::size_t>> seen;
  const auto found = explore({.preemptions = preemptions}, [&](schedule& threads) {
    std::vector<std::size_t> order;
    threads.observe([&](const brownout::memory_access& one) { order.push_back(one.thread); });
    number total{0};
    threads.run(3, [&](std::size_t) {
      total.fetch_add(1);
      total.fetch_add(1);
    });
    CHECK(total.peek() == 6);
    seen.insert(order);
  });
  CHECK(found.complete);
  CHECK(found.holds());
  CHECK(found.schedules == schedules);
  CHECK(found.steps == 6 * schedules);
  CHECK(seen.size() == schedules);
  CHECK(found.text() == std::to_string(schedules) + " schedules, all within the limits");
}

TEST_CASE("each answer to the choices of a scenario is tried once", "[testing]") {
  std::set<std::pair<std::size_t, std::size_t>> seen;
  const auto found = explore({}, [&](schedule& threads) {
    std::array<std::size_t, 2> chosen{};
    threads.run(2, [&](std::size_t mine) { chosen[mine] = threads.choose(3); });
    seen.emplace(chosen[0], chosen[1]);
  });
  CHECK(found.schedules == 9);
  CHECK(seen.size() == 9);
}

TEST_CASE("a weak compare-and-swap fails for no reason so often as it may, a strong one never", "[testing]") {
  const auto failures = [](std::size_t most, bool weak) {
    std::set<int> counts;
    const auto found = explore({.spurious_failures = most}, [&](schedule& threads) {
      number total{0};
      int failed = 0;
      threads.run([&] {
        for (int i = 0; i < 3; ++i) {
          int seen = total.load();
          while (!(weak ? total.compare_exchange_weak(seen, i) : total.compare_exchange_strong(seen, i))) {
            threads.expect(seen == total.peek(), "it says another value than there is");
            ++failed;
          }
        }
      });
      counts.insert(failed);
    });
    CHECK(found.complete);
    CHECK(found.holds());
    return counts;
  };
  CHECK(failures(0, true) == std::set{0});
  CHECK(failures(2, true) == std::set{0, 1, 2});
  CHECK(failures(2, false) == std::set{0});
}

TEST_CASE("threads that wait for each other for ever are found", "[testing]") {
  SECTION("for mutexes") {
    const auto found = explore({}, [](schedule& threads) {
      scheduled_mutex first;
      scheduled_mutex second;
      threads.run(
          [&] {
            const std::scoped_lock both{first};
            const std::scoped_lock more{second};
          },
          [&] {
            const std::scoped_lock both{second};
            const std::scoped_lock more{first};
          });
    });
    CHECK(what_failed(found) == "deadlock: thread 0, thread 1 wait for what none gives back");
  }
  SECTION("and what waits for them outside of run() goes on") {
    const auto found = explore({}, [](schedule& threads) {
      scheduled_mutex mutex;
      threads.run([&] {
        mutex.lock();
        mutex.lock();
      });
      const std::lock_guard one{mutex};
    });
    CHECK(what_failed(found) == "deadlock: thread 0 wait for what none gives back");
  }
  SECTION("outside of run() too") {
    const auto found = explore({}, [](schedule&) {
      scheduled_mutex mutex;
      mutex.lock();
      mutex.lock();
    });
    CHECK(what_failed(found) == "a thread waits outside of run(), where no other can end it");
  }
  SECTION("in a loop") {
    const auto found = explore({.most_steps = 100}, [](schedule& threads) {
      number flag{0};
      threads.run([&] {
        while (flag.load() == 0) schedule::yield();
      });
    });
    CHECK(what_failed(found) == "no end after 100 accesses: threads wait for each other");
  }
}

TEST_CASE("a loop that yields lets the others run first", "[testing]") {
  const auto found = explore({}, [](schedule& threads) {
    number flag{0};
    threads.run(
        [&] {
          while (flag.load() == 0) schedule::yield();
        },
        [&] { flag.store(1); });
  });
  CHECK(found.complete);
  CHECK(found.holds());
}

TEST_CASE("a scheduled mutex has one owner at a time", "[testing]") {
  const auto found = explore({.preemptions = exploration_options::unlimited}, [](schedule& threads) {
    scheduled_mutex mutex;
    number total{0};
    threads.run(2, [&](std::size_t mine) {
      if (mine == 0 && threads.choose(2) == 1) {
        if (!mutex.try_lock()) return;
      } else {
        mutex.lock();
      }
      const int before = total.load();
      total.store(before + 1);
      mutex.unlock();
      threads.expect(before == 0 || before == 1, "two owners");
    });
  });
  CHECK(found.complete);
  CHECK(found.holds());
}

TEST_CASE("exceptions of one thread stay its own", "[testing]") {
  SECTION("while others run in its handlers") {
    const auto found = explore({.preemptions = exploration_options::unlimited}, [](schedule& threads) {
      number shared{0};
      threads.run(2, [&](std::size_t mine) {
        try {
          throw static_cast<int>(mine);
        } catch (int caught) {
          shared.fetch_add(1);
          try {
            throw std::runtime_error{"second"};
          } catch (const std::runtime_error&) {
            shared.fetch_add(1);
          }
          threads.expect(caught == static_cast<int>(mine), "it caught what the other threw");
          try {
            throw;
          } catch (int again) {
            threads.expect(again == caught, "it throws again what the other threw");
          }
        }
        threads.expect(std::uncaught_exceptions() == 0 && std::current_exception() == nullptr, "left over");
      });
    });
    CHECK(found.complete);
    CHECK(what_failed(found) == "nothing");
    CHECK(found.schedules == 6);
  }
  SECTION("and one that leaves a thread is a failure") {
    const auto found = explore(
        {}, [](schedule& threads) { threads.run([] {}, [] { throw std::runtime_error{"no stock"}; }); });
    CHECK(what_failed(found) == "thread 1 ended by an exception: no stock");
  }
  SECTION("as is one that leaves the scenario") {
    const auto found = explore({}, [](schedule&) { throw std::runtime_error{"no stock"}; });
    CHECK(what_failed(found) == "the scenario ended by an exception: no stock");
  }
}

TEST_CASE("schedules by chance are the same for the same seed", "[testing]") {
  const auto how = GENERATE(schedule_search::random, schedule_search::priorities);
  const auto orders = [&](std::uint64_t seed) {
    std::vector<std::size_t> all;
    const auto found = explore(
        {.search = how, .preemptions = 9, .most_schedules = 20, .seed = seed}, [&](schedule& threads) {
          threads.observe([&](const brownout::memory_access& one) { all.push_back(one.thread); });
          number total{0};
          threads.run(3, [&](std::size_t) {
            for (int i = 0; i < 4; ++i) total.fetch_add(1);
          });
        });
    CHECK(found.schedules == 20);
    CHECK_FALSE(found.complete);
    return all;
  };
  CHECK(orders(1) == orders(1));
  CHECK(orders(1) != orders(2));
  const auto found = explore({.search = how, .most_schedules = 1000}, lose_an_update);
  REQUIRE_FALSE(found.holds());
  CHECK(explore({.replay = found.failed->replay}, lose_an_update).failed->trace == found.failed->trace);
}

TEST_CASE("a schedule by priorities is repeated with all of its changes of threads", "[testing]") {
  const auto scenario = [](schedule& threads) {
    number shared{0};
    std::size_t latest = schedule::no_thread;
    int changes = -1;
    threads.observe([&](const brownout::memory_access& seen) {
      if (std::exchange(latest, seen.thread) != seen.thread) ++changes;
      threads.expect(changes < 5, "five changes");
    });
    threads.run(2, [&](std::size_t) {
      for (int i = 0; i < 20; ++i) static_cast<void>(shared.load());
    });
  };
  exploration_options options{
      .search = schedule_search::priorities, .priority_changes = 12, .most_schedules = 1000};
  const auto found = explore(options, scenario);
  REQUIRE(what_failed(found) == "five changes");
  CHECK_FALSE(found.failed->trace.empty());

  options.replay = found.failed->replay;
  const auto repeated = explore(options, scenario);
  REQUIRE(what_failed(repeated) == "five changes");
  CHECK(repeated.failed->trace == found.failed->trace);
  CHECK(what_failed(explore({.replay = options.replay}, scenario)) == "five changes");
}

TEST_CASE("a scenario that does not do the same each time is told", "[testing]") {
  int calls = 0;
  const auto found = explore({}, [&](schedule& threads) {
    number total{0};
    const int accesses = ++calls % 3;
    threads.run(2, [&](std::size_t) {
      for (int i = 0; i <= accesses; ++i) total.fetch_add(1);
    });
  });
  CHECK(what_failed(found) == "the scenario does not do the same each time");
}

TEST_CASE("priorities find what needs two changes of threads in a short schedule", "[testing]") {
  const auto found = explore(
      {.search = schedule_search::priorities, .priority_changes = 2, .most_schedules = 500},
      [](schedule& threads) {
        std::string order;
        threads.observe([&](const brownout::memory_access& seen) { order += std::to_string(seen.thread); });
        number shared{0};
        threads.run(2, [&](std::size_t) {
          for (int i = 0; i < 5; ++i) static_cast<void>(shared.load());
        });
        threads.expect(order != "0011000111", "the two changes");
      });
  CHECK(what_failed(found) == "the two changes");
}

TEST_CASE("options of an exploration that make no sense are refused", "[testing]") {
  CHECK(refusal_of(exploration_options{.search = schedule_search::random}) ==
        "exploration.most_schedules = 0: allowed is 1 to 18446744073709551615");
  CHECK(refusal_of(exploration_options{.most_steps = 0}) ==
        "exploration.most_steps = 0: allowed is 1 to 1000000000");
  CHECK(refusal_of(exploration_options{.replay = "0-1"}) ==
        "exploration.replay = 0-1: allowed is digits and small letters, as a failed schedule gives them");
  CHECK_THROWS_AS(explore({.most_steps = 0}, lose_an_update), std::invalid_argument);
  CHECK(what_failed(explore({.replay = "zz"}, lose_an_update)) ==
        "the schedule to repeat is none of this scenario");
}

TEST_CASE("outside of an exploration scheduled variables are plain ones", "[testing]") {
  number total{1};
  CHECK(total.fetch_add(2) == 1);
  CHECK(total.exchange(8) == 3);
  CHECK(total.fetch_sub(1) == 8);
  CHECK(total.fetch_or(8) == 7);
  CHECK(total.fetch_and(12) == 15);
  CHECK(total.fetch_xor(4) == 12);
  int seen = 1;
  CHECK_FALSE(total.compare_exchange_weak(seen, 5));
  CHECK(seen == 8);
  CHECK(total.compare_exchange_strong(seen, 5));
  CHECK(total.load() == 5);
  CHECK(++total == 6);
  CHECK(total++ == 6);
  CHECK(--total == 6);
  CHECK(total-- == 6);
  CHECK((total += 4) == 9);
  CHECK((total -= 1) == 8);
  CHECK((total |= 3) == 11);
  CHECK((total &= 6) == 2);
  CHECK((total ^= 7) == 5);
  total = 12;
  CHECK(total == 12);
  CHECK(total.is_lock_free());
  std::array<int, 4> row{};
  scheduled_atomics::atomic<int*> place{row.data()};
  CHECK(place++ == row.data());
  CHECK(place.fetch_add(2) == row.data() + 1);
  CHECK((place -= 3) == row.data());
  scheduled_mutex mutex;
  const std::scoped_lock held{mutex};
  CHECK_FALSE(mutex.try_lock());
}

TEST_CASE("the shipped guards can be explored", "[testing]") {
  SECTION("a bulkhead") {
    const auto found = explore({.spurious_failures = 1}, [](schedule& threads) {
      brownout::bulkhead<scheduled_atomics> places{{.limit = 2}};
      number inside{0};
      threads.run(3, [&](std::size_t) {
        const auto place = places.try_acquire();
        if (!place) return;
        threads.expect(inside.fetch_add(1) < 2, "three calls in two places");
        inside.fetch_sub(1);
      });
      threads.expect(places.snapshot().in_flight == 0, "a place is lost");
    });
    INFO(found.text());
    CHECK(found.complete);
    CHECK(found.holds());
  }
  SECTION("a breaker, whose probes are counted") {
    const auto found = explore({}, [](schedule& threads) {
      brownout::manual_clock clock;
      brownout::circuit_breaker<brownout::consecutive_failures, brownout::manual_clock, scheduled_atomics>
          database{brownout::consecutive_failures{1}, {.open_for = 1s, .probes = 1}, clock};
      database.try_acquire()->complete(brownout::outcome::failure);
      clock.advance(database.snapshot().retry_after);
      int admitted = 0;
      threads.run(2, [&](std::size_t) {
        if (auto permit = database.try_acquire()) {
          ++admitted;
          permit->complete(brownout::outcome::failure);
        }
      });
      threads.expect(admitted == 1, "not one probe, but " + std::to_string(admitted));
    });
    INFO(found.text());
    CHECK(found.complete);
    CHECK(found.holds());
  }
}
