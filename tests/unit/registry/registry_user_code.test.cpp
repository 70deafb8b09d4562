// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// Code of the user runs without a lock. Each test lets it call the registry: under a lock that would hang.

using namespace registry_test;

namespace {

/// Runs a function when it is destroyed, as what a listener has captured may.
struct at_end {
  explicit at_end(std::function<void()> what) : run{std::move(what)} {}
  at_end(const at_end&) = delete;
  at_end& operator=(const at_end&) = delete;
  ~at_end() { run(); }
  std::function<void()> run;
};

/// A registry with room for two keys, whose breakers call it when they are destroyed.
struct calling_bench : bench {
  explicit calling_bench(duration idle_for = {}) : bench{2, idle_for} {}

  /// Uses the breaker of a key. When it ends, it looks up, builds and erases other keys.
  void add(std::string_view key) {
    const auto added = breakers.at(key);
    const auto captured = std::make_shared<at_end>([this] {
      if (std::exchange(is_calling, true)) return;  // the breaker that it builds may push out another
      ++ended;
      static_cast<void>(breakers.find("nobody"));
      static_cast<void>(breakers.at("from the end of a breaker"));
      breakers.erase("from the end of a breaker");
      breakers.remove_expired();
      breakers.visit([](const handle&) {});
      is_calling = false;
    });
    subscriptions.push_back(added.subscribe([captured](const transition_event&) {}));
  }

  int ended = 0;
  bool is_calling = false;
  std::vector<subscription> subscriptions;
};

}  // namespace

TEST_CASE("what a listener captured may call the registry when its breaker is evicted",
          "[registry][S3][S3k]") {
  calling_bench bench;
  bench.add("a");
  bench.add("b");
  bench.use("c");
  CHECK(bench.ended == 1);
  CHECK(bench.registers("c"));
}

TEST_CASE("what a listener captured may call the registry when its breaker expires", "[registry][S3][S3k]") {
  calling_bench bench{1s};
  bench.add("a");
  bench.add("b");
  bench.clock.advance(1s);
  bench.breakers.remove_expired();
  bench.clock.advance(1s);
  SECTION("when idle breakers are evicted") {
    CHECK(bench.breakers.remove_expired() == 2);
    CHECK(bench.ended == 2);
  }
  SECTION("when another breaker is built") {
    bench.use("c");
    CHECK(bench.ended == 2);
    CHECK(bench.keys() == "c");
  }
}

TEST_CASE("what a listener captured may call the registry when its key is erased", "[registry][S3][S3k]") {
  calling_bench bench;
  bench.add("a");
  auto held = bench.breakers.at("a");
  SECTION("at once when nobody holds it") {
    held = {};
    CHECK(bench.breakers.erase("a"));
    CHECK(bench.ended == 1);
  }
  SECTION("with the last handle") {
    CHECK(bench.breakers.erase("a"));
    CHECK(bench.ended == 0);
    held = {};
    CHECK(bench.ended == 1);
  }
  SECTION("with the last permit") {
    auto permit = *std::move(held).try_acquire();
    CHECK(bench.breakers.erase("a"));
    CHECK(bench.ended == 0);
    permit.complete(outcome::success);
    CHECK(bench.ended == 1);
  }
}

TEST_CASE("what a listener captured may call the registry when its breaker was never registered",
          "[registry][S3][S3k]") {
  calling_bench bench;
  const auto a = bench.breakers.at("a");
  const auto b = bench.breakers.at("b");
  bench.add("c");
  CHECK(bench.ended == 1);
}

TEST_CASE("what a listener captured may call the registry when that ends", "[registry][S3][S3k]") {
  std::optional<bench> bench{std::in_place, std::size_t{10}};
  auto& hosts = bench->breakers;
  int ended = 0;
  for (const auto* key : {"a", "b"}) {
    const auto captured = std::make_shared<at_end>([&] {
      ++ended;
      CHECK_FALSE(hosts.at("a").was_registered());
      CHECK_FALSE(hosts.at("c").was_registered());
      static_cast<void>(hosts.find("b"));
      hosts.erase("b");
      hosts.remove_expired();
      hosts.visit([](const handle&) {});
      hosts.reconfigure(hosts.options());
    });
    hosts.at(key).attach([captured](const transition_event&) {});
  }
  bench.reset();
  CHECK(ended == 2);
}

namespace {

/// Code of the user in the parts of a breaker: it calls `action` wherever the library runs it.
struct intrusion {
  static inline std::function<void()> action{};
  static inline bool is_running = false;
  static inline int runs = 0;

  static void happens() {
    if (!action || std::exchange(is_running, true)) return;
    ++runs;
    action();
    is_running = false;
  }
};

struct intruding_clock {
  explicit intruding_clock(manual_clock given = manual_clock{}) : time{std::move(given)} {}
  intruding_clock(const intruding_clock& other) : time{other.time} { intrusion::happens(); }
  intruding_clock& operator=(const intruding_clock&) = default;
  ~intruding_clock() { intrusion::happens(); }
  [[nodiscard]] time_point now() const noexcept {
    intrusion::happens();
    return time.now();
  }
  manual_clock time;
};

/// A detector with a window that runs code of the user when it is built and destroyed.
struct intruding_detector : consecutive_failures {
  template <class Atomics>
  struct history : consecutive_failures::history<Atomics> {
    explicit history(const intruding_detector& detector) : consecutive_failures::history<Atomics>{detector} {
      intrusion::happens();
    }
    history(const history&) = delete;
    history& operator=(const history&) = delete;
    ~history() { intrusion::happens(); }
  };
  static void validate_replacing(const intruding_detector& /*in_use*/) { intrusion::happens(); }
};

}  // namespace

TEST_CASE("clocks and detectors may call the registry wherever it uses them", "[registry][S3][S3k]") {
  using intruded = registry<intruding_detector, intruding_clock>;
  manual_clock clock;
  std::optional<intruded> hosts{
      std::in_place,
      intruded::options_type{.capacity = 2, .idle_for = 1s, .detector = {{2}}, .breaker = {.open_for = 10s}},
      intruding_clock{clock}};
  intrusion::action = [&] {
    static_cast<void>(hosts->find("nobody"));
    static_cast<void>(hosts->at("intruder"));
    hosts->remove_expired();
    hosts->erase("intruder");
  };
  const auto fail_at = [&](std::string_view key) {
    hosts->at(key).try_acquire()->complete(outcome::failure);
  };
  for (const auto* key : {"a", "a", "b", "c", "d", "d", "e"}) fail_at(key);  // opens two, evicts one
  static_cast<void>(hosts->at("no room"));
  CHECK(hosts->snapshot().evicted > 0);
  clock.advance(10s);
  static_cast<void>(hosts->at("f"));  // looks whether an open circuit may go
  auto held = hosts->at("g");
  CHECK(hosts->erase("g"));
  held = {};
  clock.advance(10s);
  hosts->remove_expired();
  clock.advance(10s);
  hosts->remove_expired();
  CHECK(hosts->snapshot().expired > 0);
  CHECK(intrusion::runs > 20);
  intrusion::action = nullptr;
  hosts.reset();
}

namespace {

/// A clock whose copies can be forbidden.
struct throwing_clock : manual_clock {
  throwing_clock() = default;
  throwing_clock(const throwing_clock& other) : manual_clock{other} {
    if (is_forbidden) throw std::runtime_error{"no copies"};
  }
  throwing_clock& operator=(const throwing_clock&) = default;
  ~throwing_clock() {
    if (is_forbidden && at_end) at_end();
  }
  static inline bool is_forbidden = false;
  static inline std::function<void()> at_end{};
};

}  // namespace

TEST_CASE("a breaker that can't be built leaves its registry as it was", "[registry][S3][S3k]") {
  registry<consecutive_failures, throwing_clock> hosts{{.capacity = 1, .detector = {2}}, throwing_clock{}};
  static_cast<void>(hosts.at("a"));
  throwing_clock::is_forbidden = true;
  for (int i = 0; i < 1000; ++i) CHECK_THROWS_AS(hosts.at("b"), std::runtime_error);
  CHECK(hosts.find("a"));  // nothing was evicted in vain
  CHECK_FALSE(hosts.find("b"));
  throwing_clock::is_forbidden = false;
  CHECK(hosts.at("b").call([] { return 1; }) == 1);
  CHECK(hosts.snapshot().size == 1);
  CHECK(hosts.snapshot().evicted == 1);
}
