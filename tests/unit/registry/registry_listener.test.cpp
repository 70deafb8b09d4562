// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace registry_test;

namespace {

/// A registry that writes down what its listener hears, one word for each event: "+a" for an added key,
/// "-a:reason" for a removed one. Then it does what the test wants.
struct heard_bench {
  explicit heard_bench(std::size_t capacity, duration idle_for = {})
      : hosts{{.capacity = capacity,
               .idle_for = idle_for,
               .detector = {2},
               .breaker = {.open_for = 10s, .successes = 1, .ramp = no_ramp}},
              {.added =
                   [this](const handle& one) {
                     note("+" + std::string{one.name()});
                     if (on_added) on_added(one);
                     note(".");
                   },
               .removed =
                   [this](std::string_view name, removal_reason why) {
                     note("-" + std::string{name} + ":" + std::string{to_string(why)});
                     if (on_removed) on_removed(name);
                     note(".");
                   }},
              clock} {}

  void use(std::string_view key) { static_cast<void>(hosts.at(key)); }
  void note(const std::string& word) { text += text.empty() || word == "." ? word : " " + word; }
  std::string heard() { return std::exchange(text, {}); }

  std::string text;
  std::function<void(const handle&)> on_added;
  std::function<void(std::string_view)> on_removed;
  manual_clock clock;
  tested_registry hosts;
};

}  // namespace

TEST_CASE("a listener hears of each breaker that is added, once, and not of look-ups",
          "[registry][S3][S3l]") {
  heard_bench bench{10};
  bench.use("a");
  CHECK(bench.heard() == "+a.");
  bench.use("a");
  static_cast<void>(bench.hosts.find("a"));
  static_cast<void>(bench.hosts.find("b"));
  bench.hosts.visit([](const handle&) {});
  CHECK(bench.heard() == "");
  bench.use("b");
  CHECK(bench.heard() == "+b.");
}

TEST_CASE("a listener hears of each breaker that is removed, and why", "[registry][S3][S3l]") {
  heard_bench bench{2, 60s};
  for (const auto* key : {"a", "b"}) bench.use(key);
  CHECK(bench.heard() == "+a. +b.");
  SECTION("evicted, before the new one is added") {
    bench.use("c");
    CHECK(bench.heard() == "-a:evicted. +c.");
  }
  SECTION("erased") {
    CHECK(bench.hosts.erase("a"));
    CHECK_FALSE(bench.hosts.erase("a"));
    CHECK(bench.hosts.erase(bench.hosts.at("b")));
    CHECK(bench.heard() == "-a:erased. -b:erased.");
  }
  SECTION("erased while it is in use") {
    const auto held = bench.hosts.at("a");
    CHECK(bench.hosts.erase("a"));
    CHECK(bench.heard() == "-a:erased.");
    bench.use("a");
    CHECK(bench.heard() == "+a.");
  }
  SECTION("expired") {
    bench.clock.advance(60s);
    bench.hosts.remove_expired();
    bench.clock.advance(60s);
    SECTION("when idle breakers are evicted") {
      CHECK(bench.hosts.remove_expired() == 2);
      const auto heard = bench.heard();
      CHECK((heard == "-a:expired. -b:expired." || heard == "-b:expired. -a:expired."));
    }
    SECTION("when another one is added") {
      bench.use("c");
      const auto heard = bench.heard();
      CHECK((heard == "-a:expired. -b:expired. +c." || heard == "-b:expired. -a:expired. +c."));
    }
  }
}

TEST_CASE("a listener hears nothing of unregistered breakers", "[registry][S3]") {
  heard_bench bench{1};
  const auto held = bench.hosts.at("a");
  CHECK_FALSE(bench.hosts.at("b").was_registered());
  CHECK(bench.heard() == "+a.");
}

TEST_CASE("a listener hears nothing of the end of its registry", "[registry][S3]") {
  std::string heard;
  handle kept;
  {
    tested_registry hosts{
        {.capacity = 1},
        {.added = {}, .removed = [&](std::string_view, removal_reason) { heard += "removed"; }},
        manual_clock{}};
    kept = hosts.at("a");
  }
  kept = {};
  CHECK(heard == "");
}

TEST_CASE("a listener may leave out either function", "[registry][S3]") {
  int heard = 0;
  SECTION("removed") {
    tested_registry hosts{{.capacity = 1}, {.added = [&](const handle&) { ++heard; }}, manual_clock{}};
    for (const auto* key : {"a", "b"}) static_cast<void>(hosts.at(key));
    CHECK(hosts.erase("b"));
    CHECK(heard == 2);
  }
  SECTION("added") {
    tested_registry hosts{{.capacity = 1},
                          {.added = {}, .removed = [&](std::string_view, removal_reason) { ++heard; }},
                          manual_clock{}};
    for (const auto* key : {"a", "b"}) static_cast<void>(hosts.at(key));
    CHECK(hosts.erase("b"));
    CHECK(heard == 2);
  }
}

TEST_CASE("a listener that attaches another to each new breaker hears its transitions", "[registry][S3]") {
  heard_bench bench{2};
  bench.on_added = [&](const handle& one) {
    one.attach([&, key = std::string{one.name()}](const transition_event& event) {
      bench.note(key + " " + std::string{to_string(event.to)});
    });
  };
  for (const auto* key : {"a", "b"}) bench.use(key);
  bench.heard();
  trip(bench.hosts.at("b"));
  CHECK(bench.heard() == "b open");
}

TEST_CASE("a listener may call the registry, without a lock", "[registry][S3][S3k]") {
  heard_bench bench{2, 60s};
  const auto meddle = [&] {
    static_cast<void>(bench.hosts.find("nobody"));
    bench.hosts.remove_expired();
    bench.hosts.visit([](const handle&) {});
    bench.hosts.reconfigure(bench.hosts.options());
    static_cast<void>(bench.hosts.snapshot());
  };
  SECTION("of an added breaker") {
    bench.on_added = [&](const handle& one) {
      meddle();
      CHECK(bench.hosts.find(one.name()) == one);
      if (one.name() == "a") bench.use("nested");
    };
    bench.use("a");
    CHECK(bench.heard() == "+a +nested..");
  }
  SECTION("of an evicted breaker, whose place another may have already") {
    bench.on_removed = [&](std::string_view name) {
      meddle();
      if (name == "a") bench.use("nested");
    };
    for (const auto* key : {"a", "b", "c"}) bench.use(key);
    CHECK(bench.heard() == "+a. +b. -a:evicted -b:evicted. +nested.. +c.");
    CHECK(bench.hosts.snapshot().size == 2);
  }
  SECTION("of expired and erased breakers") {
    bench.on_removed = [&](std::string_view) { meddle(); };
    bench.use("a");
    bench.clock.advance(60s);
    bench.hosts.remove_expired();
    bench.clock.advance(60s);
    bench.hosts.remove_expired();
    bench.use("b");
    bench.hosts.erase("b");
    CHECK(bench.heard() == "+a. -a:expired. +b. -b:erased.");
  }
}

TEST_CASE("while a removal is being told, its key gets unregistered breakers", "[registry][S3]") {
  heard_bench bench{1};
  bench.on_removed = [&](std::string_view name) {
    CHECK_FALSE(bench.hosts.find(name));
    const auto meanwhile = bench.hosts.at(name);
    CHECK_FALSE(meanwhile.was_registered());
    CHECK(meanwhile.call([] { return 1; }) == 1);
    CHECK_FALSE(bench.hosts.erase(name));
  };
  bench.use("a");
  SECTION("evicted") {
    bench.use("b");
    CHECK(bench.heard() == "+a. -a:evicted. +b.");
  }
  SECTION("erased while somebody holds it") {
    const auto held = bench.hosts.at("a");
    CHECK(bench.hosts.erase("a"));
    CHECK(bench.heard() == "+a. -a:erased.");
  }
  CHECK(bench.hosts.at("a").was_registered());
}

TEST_CASE("a key that is erased while its addition is being told, is told of afterwards", "[registry][S3]") {
  heard_bench bench{2};
  SECTION("by the listener itself") {
    bench.on_added = [&](const handle& one) {
      CHECK(bench.hosts.erase(one.name()));
      CHECK_FALSE(bench.hosts.erase(one.name()));
      CHECK_FALSE(bench.hosts.at(one.name()).was_registered());
    };
  }
  SECTION("by another thread") {
    bench.on_added = [&](const handle& one) {
      std::thread{[&] { CHECK(bench.hosts.erase(one.name())); }}.join();
    };
  }
  const auto held = bench.hosts.at("a");
  CHECK(held.call([] { return 1; }) == 1);
  CHECK(bench.heard() == "+a. -a:erased.");
  CHECK(bench.hosts.snapshot().size == 0);
  bench.on_added = nullptr;
  bench.use("a");
  CHECK(bench.heard() == "+a.");
}

TEST_CASE("what a listener throws is dropped and counted", "[registry][S3]") {
  heard_bench bench{1};
  bench.on_added = [](const handle&) { throw std::runtime_error{"added"}; };
  bench.on_removed = [](std::string_view) { throw std::runtime_error{"removed"}; };
  CHECK(bench.hosts.at("a").was_registered());
  CHECK(bench.hosts.at("b").was_registered());
  CHECK(bench.hosts.erase("b"));
  CHECK(bench.hosts.snapshot().listener_failures == 4);
  CHECK(bench.hosts.snapshot().size == 0);
}

TEST_CASE("what a listener hears of one key alternates, whatever threads do", "[registry][S3][S3l]") {
  constexpr int keys = 12;
  struct seen {
    std::mutex mutex;
    bool is_telling = false;
    bool is_there = false;
  };
  std::map<std::string, seen, std::less<>> all;
  for (int i = 0; i < keys; ++i) all[std::to_string(i)];
  std::atomic<int> wrong{0};
  std::atomic<int> added{0};
  std::atomic<int> removed{0};
  const auto hear = [&](std::string_view key, bool is_added) {
    auto& about = all.find(key)->second;
    {
      const std::lock_guard lock{about.mutex};
      if (std::exchange(about.is_telling, true)) wrong.fetch_add(1);
      if (std::exchange(about.is_there, is_added) == is_added) wrong.fetch_add(1);
    }
    std::this_thread::yield();
    const std::lock_guard lock{about.mutex};
    about.is_telling = false;
  };
  tested_registry hosts{{.capacity = 8, .idle_for = 1ms},
                        {.added =
                             [&](const handle& one) {
                               hear(one.name(), true);
                               added.fetch_add(1);
                             },
                         .removed =
                             [&](std::string_view name, removal_reason) {
                               hear(name, false);
                               removed.fetch_add(1);
                             }},
                        manual_clock{}};
  on_threads([&](int number) {
    for (int i = 0; i < 3000; ++i) {
      const auto step = i * thread_count + number;
      const auto key = std::to_string(step * 7919 % keys);
      const auto held = hosts.at(key);
      if (held.name() != key) wrong.fetch_add(1);
      if (step % 5 == 0) hosts.erase(key);
      if (step % 97 == 0) hosts.remove_expired();
    }
  });
  CHECK(wrong.load() == 0);
  const auto shown = hosts.snapshot();
  CHECK(static_cast<std::size_t>(added.load() - removed.load()) == shown.size);
  CHECK(static_cast<std::uint64_t>(removed.load()) == shown.evicted + shown.expired + shown.erased);
  CHECK(added.load() > keys);
  for (const auto& [key, about] : all) CHECK(about.is_there == static_cast<bool>(hosts.find(key)));
}
