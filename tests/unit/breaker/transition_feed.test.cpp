// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/detail/transition_feed.hpp"
#include "brownout/breaker/subscription.hpp"
#include "brownout/breaker/transition_event.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using brownout::announcements;
using brownout::subscription;
using brownout::transition_event;
using brownout::transition_listener;
using brownout::detail::transition_feed;
using enum brownout::circuit_state;

using epochs = std::vector<std::uint64_t>;

constexpr auto limit = 10s;  // for what must happen; generous, so that only a defect reaches it

static_assert(noexcept(std::declval<transition_feed&>().publish(std::declval<const transition_event&>())));
static_assert(std::is_nothrow_move_constructible_v<subscription> &&
              std::is_nothrow_move_assignable_v<subscription> && !std::is_copy_constructible_v<subscription>);

/// Something that one thread does and another waits for.
class milestone {
 public:
  void reach() {
    const std::lock_guard lock{mutex_};
    reached_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool seen() {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [&] { return reached_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false;
};

/// A feed whose first event is that of epoch 1.
struct feed_bench {
  std::shared_ptr<transition_feed> feed = std::make_shared<transition_feed>(0);

  [[nodiscard]] subscription hear(transition_listener listener,
                                  announcements wanted = announcements::every_transition) const {
    return subscription{feed, std::move(listener), wanted};
  }
  /// Writes down the epochs that it hears of.
  [[nodiscard]] subscription hear(epochs& heard) const {
    return hear([&heard](const transition_event& event) { heard.push_back(event.epoch); });
  }

  /// Transitions whose states do not matter.
  void publish(std::uint64_t epoch) const { feed->publish({.epoch = epoch, .from = closed, .to = closed}); }
  void publish_all(std::uint64_t first, std::uint64_t last) const {
    for (auto epoch = first; epoch <= last; ++epoch) publish(epoch);
  }
};

epochs from_to(std::uint64_t first, std::uint64_t last) {
  epochs all;
  for (auto epoch = first; epoch <= last; ++epoch) all.push_back(epoch);
  return all;
}

/// Publishes one transition after another, each from the state that the one before led to.
struct circuit {
  const feed_bench& bench;
  brownout::circuit_state state = closed;
  std::uint64_t epoch = 0;

  void becomes(brownout::circuit_state next) {
    bench.feed->publish({.epoch = ++epoch, .from = std::exchange(state, next), .to = next});
  }
};

struct heard_transition {
  std::uint64_t epoch;
  std::uint32_t cycle;
  friend bool operator==(const heard_transition&, const heard_transition&) = default;
};
[[maybe_unused]] std::ostream& operator<<(std::ostream& out, const heard_transition& heard) {
  return out << "epoch " << heard.epoch << " in cycle " << heard.cycle;
}
using heard_transitions = std::vector<heard_transition>;

transition_listener writing_to(heard_transitions& heard) {
  return [&heard](const transition_event& event) { heard.push_back({event.epoch, event.cycle}); };
}

/// What a listener owns; it does something when it is destroyed.
struct owned {
  explicit owned(std::function<void()> action) : when_destroyed{std::move(action)} {}
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  ~owned() { when_destroyed(); }
  std::function<void()> when_destroyed;
};

}  // namespace

TEST_CASE("a listener hears of what has happened, as it happened", "[breaker][B10]") {
  const feed_bench bench;
  std::vector<transition_event> heard;
  const auto listening = bench.hear([&](const transition_event& event) { heard.push_back(event); });
  const transition_event event{.epoch = 1, .from = closed, .to = open, .at = brownout::time_point{7s}};
  bench.feed->publish(event);
  REQUIRE(heard.size() == 1);
  auto expected = event;
  expected.cycle = 1;
  CHECK(heard[0] == expected);
}

TEST_CASE("listeners hear in the order of epochs, whatever order they are published in",
          "[breaker][B10][B10b]") {
  const feed_bench bench;
  epochs heard;
  const auto listening = bench.hear(heard);
  SECTION("an early one waits for those before it") {
    bench.publish(3);
    bench.publish(2);
    CHECK(heard.empty());
    bench.publish(1);
    CHECK(heard == epochs{1, 2, 3});
  }
  SECTION("and all that is complete is delivered, no more") {
    bench.publish(2);
    bench.publish(4);
    bench.publish(1);
    CHECK(heard == epochs{1, 2});
    bench.publish(3);
    CHECK(heard == epochs{1, 2, 3, 4});
  }
  SECTION("several turns of the ring") {
    for (std::uint64_t epoch = 1; epoch <= 1000; epoch += 2) {
      bench.publish(epoch + 1);
      bench.publish(epoch);
    }
    CHECK(heard == from_to(1, 1000));
  }
  CHECK(bench.feed->missed() == 0);
}

TEST_CASE("no epoch is heard of twice, nor one before the feed began", "[breaker][B10]") {
  const feed_bench bench{std::make_shared<transition_feed>(41)};
  epochs heard;
  const auto listening = bench.hear(heard);
  bench.publish(40);
  bench.publish(41);
  bench.publish(43);
  CHECK(heard.empty());
  bench.publish(42);
  bench.publish(42);
  bench.publish(43);
  CHECK(heard == epochs{42, 43});
  CHECK(bench.feed->missed() == 0);
}

TEST_CASE("a listener hears nothing that was delivered before it subscribed", "[breaker][B10]") {
  const feed_bench bench;
  bench.publish(1);
  epochs heard;
  const auto listening = bench.hear(heard);
  bench.publish(2);
  CHECK(heard == epochs{2});
}

TEST_CASE("who subscribes while an event is delivered hears the next one first", "[breaker][B10]") {
  const feed_bench bench;
  epochs heard;
  subscription late;
  const auto subscribing = bench.hear([&](const transition_event& event) {
    if (event.epoch == 1) late = bench.hear(heard);
  });
  SECTION("as the last of the listeners") {
    bench.publish(1);
    CHECK(heard.empty());
    bench.publish(2);
  }
  SECTION("before another one") {
    epochs heard_by_other;
    const auto other = bench.hear(heard_by_other);
    bench.publish(1);
    CHECK(heard.empty());
    bench.publish(2);
    CHECK(heard_by_other == epochs{1, 2});
  }
  CHECK(heard == epochs{2});
}

TEST_CASE("an empty listener is refused", "[breaker][B10]") {
  const feed_bench bench;
  CHECK_THROWS_WITH(bench.hear(transition_listener{}), "transition_listener = empty: allowed is a function");
}

TEST_CASE("a listener that blocks stops neither other threads nor what they cause", "[breaker][B10]") {
  const feed_bench bench;
  milestone entered;
  milestone go_on;
  epochs heard;
  std::vector<std::thread::id> heard_by;
  const auto listening = bench.hear([&](const transition_event& event) {
    heard.push_back(event.epoch);
    heard_by.push_back(std::this_thread::get_id());
    entered.reach();
    if (event.epoch == 1) static_cast<void>(go_on.seen());
  });
  std::thread blocked{[&] { bench.publish(1); }};
  const auto blocked_id = blocked.get_id();
  CHECK(entered.seen());

  milestone published;
  std::thread other{[&] {
    bench.publish(3);
    bench.publish(2);
    static_cast<void>(bench.feed->missed());
    auto brief = bench.hear([](const transition_event&) {});
    brief.unsubscribe();
    published.reach();
  }};
  CHECK(published.seen());
  go_on.reach();
  other.join();
  blocked.join();
  CHECK(heard == epochs{1, 2, 3});
  // Nobody else ran the listener: who finds another one delivering goes on with its own work.
  CHECK(heard_by == std::vector(3, blocked_id));
}

TEST_CASE("a thread that has delivered its share hands over to the next one that publishes",
          "[breaker][B10][B10j]") {
  constexpr std::uint64_t total = 100;
  const feed_bench bench;
  epochs heard;
  std::uint64_t share = 0;  // of the thread that came first
  std::atomic<std::uint64_t> published{0};
  std::atomic<std::uint64_t> delivering{0};
  const auto first = std::this_thread::get_id();
  const auto listening = bench.hear([&](const transition_event& event) {
    heard.push_back(event.epoch);
    delivering.store(event.epoch);
    if (std::this_thread::get_id() != first) return;
    ++share;
    // There is always one more to deliver, unless its publisher waits to take over.
    for (int i = 0; i < 10'000 && published.load() <= event.epoch && event.epoch < total; ++i) {
      std::this_thread::yield();
    }
  });
  std::thread other{[&] {
    for (std::uint64_t epoch = 2; epoch <= total; ++epoch) {
      while (delivering.load() < epoch - 1) std::this_thread::yield();
      bench.publish(epoch);
      published.store(epoch);
    }
  }};
  bench.publish(1);
  other.join();
  CHECK(share <= transition_feed::share);
  CHECK(heard == from_to(1, total));
  CHECK(bench.feed->missed() == 0);
}

TEST_CASE("a thread delivers more than its share when nobody is left who could", "[breaker][B10]") {
  const feed_bench bench;
  epochs heard;
  const auto listening = bench.hear(heard);
  const auto last = 3 * transition_feed::share;
  bench.publish_all(2, last);
  CHECK(heard.empty());
  bench.publish(1);
  CHECK(heard == from_to(1, last));
}

TEST_CASE("threads whose listeners cause transitions of each other's feeds never wait for each other",
          "[breaker][B10]") {
  constexpr std::uint64_t total = 20'000;
  const std::array<feed_bench, 2> benches;
  std::array<std::atomic<std::uint64_t>, 2> taken{};
  const auto publish_on = [&](std::size_t which) {
    const auto epoch = taken[which].fetch_add(1) + 1;
    if (epoch <= total) benches[which].publish(epoch);
  };
  const auto causing = [&](std::size_t which) {
    return [&, which](const transition_event&) { publish_on(1 - which); };
  };
  const auto one = benches[0].hear(causing(0));
  const auto other = benches[1].hear(causing(1));
  std::array<milestone, 2> done;
  std::vector<std::thread> threads;
  for (const std::size_t which : {0U, 1U}) {
    threads.emplace_back([&, which] {
      while (taken[which].load() < total) publish_on(which);
      done[which].reach();
    });
  }
  const bool all_done = done[0].seen() && done[1].seen();
  if (!all_done) std::abort();  // they can't be joined any more
  for (auto& thread : threads) thread.join();
  CHECK(all_done);
}

TEST_CASE("a transition caused by a listener is heard after the one that it heard of", "[breaker][B10]") {
  const feed_bench bench;
  std::vector<std::pair<char, std::uint64_t>> heard;
  int depth = 0;
  int deepest = 0;
  const auto first = bench.hear([&](const transition_event& event) {
    deepest = std::max(deepest, ++depth);
    heard.emplace_back('a', event.epoch);
    if (event.epoch == 1) bench.publish_all(2, 3);
    --depth;
  });
  const auto second =
      bench.hear([&](const transition_event& event) { heard.emplace_back('b', event.epoch); });
  bench.publish(1);
  CHECK(heard == std::vector<std::pair<char, std::uint64_t>>{
                     {'a', 1}, {'b', 1}, {'a', 2}, {'b', 2}, {'a', 3}, {'b', 3}});
  CHECK(deepest == 1);
}

TEST_CASE("what a listener throws is counted and disturbs nobody", "[breaker][B10]") {
  const feed_bench bench;
  epochs before;
  epochs after;
  const auto first = bench.hear(before);
  const auto throwing = bench.hear([](const transition_event& event) {
    if (event.epoch == 1) throw std::runtime_error{"in a listener"};
    if (event.epoch == 2) throw 2;
  });
  const auto last = bench.hear(after);
  CHECK(bench.feed->failures() == 0);
  bench.publish(1);
  CHECK(bench.feed->failures() == 1);
  bench.publish_all(2, 3);
  CHECK(bench.feed->failures() == 2);
  CHECK(before == epochs{1, 2, 3});
  CHECK(after == epochs{1, 2, 3});
}

TEST_CASE("a listener may unsubscribe itself, and lives until it returns", "[breaker][B10][B10e]") {
  const feed_bench bench;
  epochs heard;
  bool alive_at_end = false;
  std::uint64_t failures_at_end = 1;
  bool destroyed = false;
  subscription self;
  {
    // What it owns asks the feed something when destroyed: it would wait for ever if the mutex were held.
    const auto mine = std::make_shared<owned>([&] {
      failures_at_end = bench.feed->failures();
      destroyed = true;
    });
    self = bench.hear([&, mine](const transition_event& event) {
      heard.push_back(event.epoch);
      self.unsubscribe();
      alive_at_end = !destroyed;
    });
  }
  epochs heard_by_other;
  const auto other = bench.hear(heard_by_other);
  bench.publish_all(1, 2);
  CHECK(heard == epochs{1});
  CHECK(alive_at_end);
  CHECK(destroyed);
  CHECK(failures_at_end == 0);
  CHECK(heard_by_other == epochs{1, 2});
}

TEST_CASE("a listener may unsubscribe others", "[breaker][B10]") {
  const feed_bench bench;
  epochs heard_by_next;
  epochs heard_by_last;
  subscription next;
  SECTION("the next one in turn: it does not hear that event any more") {
    const auto first = bench.hear([&](const transition_event&) { next.unsubscribe(); });
    next = bench.hear(heard_by_next);
    const auto last = bench.hear(heard_by_last);
    bench.publish_all(1, 2);
    CHECK(heard_by_next.empty());
    CHECK(heard_by_last == epochs{1, 2});
  }
  SECTION("each the other, from two threads: one of them is left") {
    subscription first;
    int heard_by_first = 0;
    int heard_by_second = 0;
    first = bench.hear([&](const transition_event&) {
      ++heard_by_first;
      next.unsubscribe();
    });
    next = bench.hear([&](const transition_event&) {
      ++heard_by_second;
      first.unsubscribe();
    });
    std::thread one{[&] { bench.publish(1); }};
    std::thread two{[&] { bench.publish(2); }};
    one.join();
    two.join();
    CHECK(heard_by_first == 2);
    CHECK(heard_by_second == 0);
  }
  SECTION("each the other, the later one first") {
    subscription first;
    epochs heard_by_first;
    first = bench.hear([&](const transition_event& event) {
      heard_by_first.push_back(event.epoch);
      if (event.epoch == 2) next.unsubscribe();
    });
    next = bench.hear([&](const transition_event& event) {
      heard_by_next.push_back(event.epoch);
      first.unsubscribe();
    });
    bench.publish_all(1, 2);
    CHECK(heard_by_first == epochs{1});
    CHECK(heard_by_next == epochs{1, 2});
  }
}

TEST_CASE("what a listener owns may call the feed when it is destroyed", "[breaker][B10]") {
  const feed_bench bench;
  epochs heard;
  auto other = bench.hear(heard);
  const auto mine = [&] { return std::make_shared<owned>([&] { other.unsubscribe(); }); };
  auto listening = bench.hear([kept = mine()](const transition_event&) {});
  listening.unsubscribe();
  bench.publish(1);
  CHECK(heard.empty());
}

TEST_CASE("unsubscribe waits until the listener has returned", "[breaker][B10][B10d]") {
  for (int round = 0; round < 20; ++round) {
    const feed_bench bench;
    milestone entered;
    milestone go_on;
    milestone asking;
    std::atomic<bool> left{false};
    std::atomic<bool> unsubscribed{false};
    bool left_before = false;
    int heard = 0;
    auto listening = bench.hear([&](const transition_event&) {
      ++heard;
      entered.reach();
      static_cast<void>(go_on.seen());
      left.store(true);
    });
    std::thread publishing{[&] { bench.publish(1); }};
    CHECK(entered.seen());
    std::thread unsubscribing{[&] {
      asking.reach();
      listening.unsubscribe();
      left_before = left.load();
      unsubscribed.store(true);
    }};
    CHECK(asking.seen());
    // Time for one that does not wait to give itself away. One that does can't come back before `go_on`.
    for (int i = 0; i < 2000 && !unsubscribed.load(); ++i) std::this_thread::yield();
    const bool returned_early = unsubscribed.load();
    go_on.reach();
    unsubscribing.join();
    publishing.join();
    REQUIRE_FALSE(returned_early);
    REQUIRE(left_before);
    bench.publish(2);
    REQUIRE(heard == 1);
  }
}

TEST_CASE("who unsubscribes a listener that has unsubscribed itself waits for it too", "[breaker][B10]") {
  const feed_bench bench;
  milestone retired;
  milestone go_on;
  milestone asking;
  std::atomic<bool> unsubscribed{false};
  const auto give_time = [&] {
    for (int i = 0; i < 2000 && !unsubscribed.load(); ++i) std::this_thread::yield();
  };
  bool returned_before_destruction = true;
  std::uint64_t id = 0;
  {
    const auto mine = std::make_shared<owned>([&] {
      give_time();
      returned_before_destruction = unsubscribed.load();
    });
    id = bench.feed->subscribe(
        [&, mine](const transition_event&) {
          bench.feed->unsubscribe(id);
          retired.reach();
          static_cast<void>(go_on.seen());
        },
        announcements::every_transition);
  }
  std::thread publishing{[&] { bench.publish(1); }};
  CHECK(retired.seen());
  std::thread unsubscribing{[&] {
    asking.reach();
    bench.feed->unsubscribe(id);
    unsubscribed.store(true);
  }};
  CHECK(asking.seen());
  give_time();
  CHECK_FALSE(unsubscribed.load());
  go_on.reach();
  unsubscribing.join();
  publishing.join();
  CHECK_FALSE(returned_before_destruction);
}

TEST_CASE("a listener is subscribed for as long as its subscription lives", "[breaker][B10]") {
  const feed_bench bench;
  epochs heard;
  SECTION("its destructor ends it") {
    {
      const auto listening = bench.hear(heard);
      bench.publish(1);
    }
    bench.publish(2);
    CHECK(heard == epochs{1});
  }
  SECTION("moving it does not") {
    subscription kept;
    {
      auto listening = bench.hear(heard);
      auto moved = std::move(listening);
      kept = std::move(moved);
    }
    bench.publish(1);
    CHECK(heard == epochs{1});
  }
  SECTION("another one in its place does") {
    epochs heard_by_other;
    auto listening = bench.hear(heard);
    listening = bench.hear(heard_by_other);
    bench.publish(1);
    CHECK(heard.empty());
    CHECK(heard_by_other == epochs{1});
  }
}

TEST_CASE("a subscription may outlive the feed, its listener does not", "[breaker][B10]") {
  feed_bench bench;
  bool destroyed = false;
  auto listening =
      bench.hear([mine = std::make_shared<owned>([&] { destroyed = true; })](const transition_event&) {});
  bench.feed.reset();
  CHECK(destroyed);
  listening.unsubscribe();
}

TEST_CASE("what does not fit any more is missed, the oldest first, and counted", "[breaker][B10][B10i]") {
  const feed_bench bench;
  epochs heard;
  constexpr auto capacity = transition_feed::capacity;
  static_assert(capacity == 64);
  SECTION("while a listener blocks") {
    std::uint64_t surplus = 0;
    SECTION("exactly full") {
      surplus = 0;
    }
    SECTION("too full") {
      surplus = 11;
    }
    milestone entered;
    milestone go_on;
    const auto listening = bench.hear([&](const transition_event& event) {
      heard.push_back(event.epoch);
      entered.reach();
      if (event.epoch == 1) static_cast<void>(go_on.seen());
    });
    std::thread blocked{[&] { bench.publish(1); }};
    CHECK(entered.seen());
    bench.publish_all(2, 1 + capacity + surplus);
    CHECK(bench.feed->missed() == surplus);
    go_on.reach();
    blocked.join();
    auto expected = from_to(2 + surplus, 1 + capacity + surplus);
    expected.insert(expected.begin(), 1);
    CHECK(heard == expected);
    CHECK(bench.feed->missed() == surplus);
  }
  SECTION("while a publisher sleeps") {
    const auto listening = bench.hear(heard);
    bench.publish_all(2, capacity);
    CHECK(heard.empty());
    CHECK(bench.feed->missed() == 0);
    SECTION("it wakes up in time") {
      bench.publish(1);
      CHECK(heard == from_to(1, capacity));
      CHECK(bench.feed->missed() == 0);
    }
    SECTION("it wakes up too late") {
      bench.publish(1 + capacity);
      CHECK(heard == from_to(2, 1 + capacity));
      bench.publish(1);
      bench.publish(2 + capacity);
      CHECK(heard == from_to(2, 2 + capacity));
      CHECK(bench.feed->missed() == 1);
    }
  }
  SECTION("while several sleep: it goes on with the oldest that is there") {
    const auto listening = bench.hear(heard);
    bench.publish_all(4, 10);
    bench.publish(1 + capacity);
    CHECK(heard == from_to(4, 10));
    CHECK(bench.feed->missed() == 3);
  }
  SECTION("a leap") {
    const auto listening = bench.hear(heard);
    bench.publish(5);
    bench.publish(1000);
    CHECK(heard == epochs{1000});
    CHECK(bench.feed->missed() == 999);
  }
}

TEST_CASE("news of a trip is heard within its epoch, once", "[breaker][B10][B17]") {
  const feed_bench bench;
  std::vector<std::pair<std::uint64_t, bool>> heard;  // the epoch, and whether it is such news
  const auto listening = bench.hear(
      [&](const transition_event& event) { heard.emplace_back(event.epoch, event.would_have_opened()); });
  const auto trip = [&](std::uint64_t epoch) {
    bench.feed->publish_trip({.epoch = epoch, .from = metrics_only, .to = metrics_only});
  };
  SECTION("at once when its transition was heard") {
    bench.publish(1);
    trip(1);
    trip(1);
    CHECK(heard == decltype(heard){{1, false}, {1, true}});
  }
  SECTION("after its transition, and before the next one") {
    bench.publish_all(2, 4);
    trip(2);
    CHECK(heard.empty());
    bench.publish(1);
    CHECK(heard == decltype(heard){{1, false}, {2, false}, {2, true}, {3, false}, {4, false}});
  }
  SECTION("not when the next epoch was heard of") {
    bench.publish_all(1, 2);
    trip(1);
    CHECK(heard == decltype(heard){{1, false}, {2, false}});
  }
  SECTION("brought again when an earlier one was waiting") {
    bench.publish(2);
    trip(2);
    trip(3);
    CHECK_FALSE(bench.feed->knows_of_trip(3));
    bench.publish(1);
    bench.publish(3);
    trip(3);
    CHECK(heard == decltype(heard){{1, false}, {2, false}, {2, true}, {3, false}, {3, true}});
  }
}

TEST_CASE("an outage is announced once, and its end says how often the circuit opened",
          "[breaker][B10][B10f]") {
  const feed_bench bench;
  heard_transitions news;
  heard_transitions everything;
  const auto listening = bench.hear(writing_to(news), announcements::outages);
  const auto following = bench.hear(writing_to(everything), announcements::every_transition);
  circuit circuit{bench};
  for (const auto state : {open, half_open, open, half_open, half_open, open, half_open, closed}) {
    circuit.becomes(state);
  }
  CHECK(news == heard_transitions{{1, 1}, {8, 3}});
  CHECK(everything == heard_transitions{{1, 1}, {2, 1}, {3, 2}, {4, 2}, {5, 2}, {6, 3}, {7, 3}, {8, 3}});

  news.clear();
  circuit.becomes(closed);  // a reset: outside an outage
  for (const auto state : {open, half_open, closed}) circuit.becomes(state);
  CHECK(news == heard_transitions{{9, 0}, {10, 1}, {12, 1}});
}

TEST_CASE("whatever an operator does is announced, and ends an outage", "[breaker][B10][B10h]") {
  const feed_bench bench;
  heard_transitions news;
  const auto listening = bench.hear(writing_to(news), announcements::outages);
  circuit circuit{bench};
  for (const auto state : {open, half_open, open}) circuit.becomes(state);
  news.clear();
  SECTION("by holding it") {
    for (const auto hold : {forced_open, disabled, metrics_only}) circuit.becomes(hold);
    circuit.becomes(closed);
    CHECK(news == heard_transitions{{4, 2}, {5, 0}, {6, 0}, {7, 0}});
    circuit.becomes(open);
    CHECK(news.back() == heard_transition{8, 1});
  }
  SECTION("by a reset") {
    circuit.becomes(closed);
    circuit.becomes(closed);
    CHECK(news == heard_transitions{{4, 2}, {5, 0}});
  }
}

TEST_CASE("who subscribes in the middle of an outage hears its end, counted from its beginning",
          "[breaker][B10]") {
  const feed_bench bench;
  circuit circuit{bench};
  circuit.becomes(open);
  circuit.becomes(half_open);
  heard_transitions news;
  const auto listening = bench.hear(writing_to(news), announcements::outages);
  for (const auto state : {open, half_open, closed}) circuit.becomes(state);
  CHECK(news == heard_transitions{{5, 2}});
}

TEST_CASE("a feed that begins in the middle of an outage counts from there", "[breaker][B10]") {
  const feed_bench bench;
  heard_transitions news;
  const auto listening = bench.hear(writing_to(news), announcements::outages);
  circuit circuit{bench, half_open};
  SECTION("and announces the next opening") {
    for (const auto state : {open, half_open, open, half_open, closed}) circuit.becomes(state);
    CHECK(news == heard_transitions{{1, 1}, {5, 2}});
  }
  SECTION("or the end alone") {
    circuit.becomes(closed);
    CHECK(news == heard_transitions{{1, 0}});
  }
}

TEST_CASE("after missed transitions the next opening is announced, be it a first one or not",
          "[breaker][B10]") {
  const feed_bench bench;
  heard_transitions news;
  const auto listening = bench.hear(writing_to(news), announcements::outages);
  circuit circuit{bench};
  for (const auto state : {open, half_open, open, half_open}) circuit.becomes(state);
  circuit.epoch += transition_feed::capacity;  // these stay away
  circuit.becomes(open);
  circuit.becomes(half_open);
  circuit.becomes(open);
  const auto first = 5 + transition_feed::capacity;
  CHECK(news == heard_transitions{{1, 1}, {first, 1}});
  CHECK(bench.feed->missed() == transition_feed::capacity);
}

TEST_CASE("many threads publish, and every listener hears each epoch once and in order", "[breaker][B10]") {
  constexpr std::uint64_t total = 100'000;
  const feed_bench bench;
  std::uint64_t disorder = 0;
  std::uint64_t heard = 0;
  std::uint64_t last_heard = 0;
  std::atomic<std::uint64_t> delivered{0};
  const auto listening = bench.hear([&](const transition_event& event) {
    if (event.epoch <= last_heard) ++disorder;
    last_heard = event.epoch;
    ++heard;
    delivered.store(event.epoch);
  });

  // Close to each other, so that none is missed; or not, so that many may be.
  const bool in_step = GENERATE(true, false);
  std::atomic<std::uint64_t> taken{0};
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        const auto epoch = taken.fetch_add(1) + 1;
        if (epoch > total) return;
        while (in_step && epoch > delivered.load() + transition_feed::capacity / 2) std::this_thread::yield();
        bench.publish(epoch);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(disorder == 0);
  CHECK(heard + bench.feed->missed() == total);
  CHECK(last_heard == total);
  if (in_step) CHECK(heard == total);
}

TEST_CASE("listeners come and go while others publish, and none runs after it has gone", "[breaker][B10]") {
  const feed_bench bench;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> taken{0};
  std::vector<std::thread> publishing;
  publishing.reserve(2);
  for (int i = 0; i < 2; ++i) {
    publishing.emplace_back([&] {
      while (!stop.load()) bench.publish(taken.fetch_add(1) + 1);
    });
  }
  std::atomic<std::uint64_t> disorder{0};
  std::vector<std::thread> coming;
  coming.reserve(2);
  for (int i = 0; i < 2; ++i) {
    coming.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        // Plain variables, gone soon: a listener that ran on would be seen by the sanitizers too.
        std::uint64_t last_heard = 0;
        bool gone = false;
        auto listening = bench.hear([&](const transition_event& event) {
          if (gone || event.epoch <= last_heard) disorder.fetch_add(1);
          last_heard = event.epoch;
        });
        listening.unsubscribe();
        gone = true;
        last_heard = ~std::uint64_t{0};
      }
    });
  }
  for (auto& thread : coming) thread.join();
  stop.store(true);
  for (auto& thread : publishing) thread.join();
  CHECK(disorder.load() == 0);
}
