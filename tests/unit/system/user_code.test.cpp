// SPDX-License-Identifier: BSL-1.0
#include "unit/core/child.hpp"
#include "unit/system/staging_bench.hpp"

#include "brownout/system/supervision.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace system_test;

namespace {

/// Names of which the program asks something meanwhile.
enum class named : std::uint8_t { first, second, third };
std::function<void()> when_named;
std::string to_string(named) {
  if (when_named) std::exchange(when_named, nullptr)();
  return "named";
}

/// Four dependencies in real time, whose database fails at once.
struct running_system {
  static options failing_database() {
    options given{{.levels = {.ladder = ladder}}};
    for (const auto* name : {"openai", "database", "redis", "s3"}) {
      auto one = probed(name, 1, 1, 50ms, 1);
      one.timeout = 1h;
      one.probe = [](const probe_context&) { return probe_result{outcome::success, ""}; };
      given.dependencies.push_back(one);
    }
    given.dependencies[number(dependency::database)].probe = [](const probe_context&) {
      return probe_result{outcome::failure, "refused"};
    };
    given.probe_interval = 5ms;
    return given;
  }

  using supervisor_type = brownout::supervisor<std::remove_const_t<decltype(matrix)>>;
  supervisor_type watched{matrix, failing_database(), failing_database().claims<brownout::monotonic_clock>()};
};

template <class Condition>
bool eventually(Condition holds) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < deadline) {
    if (holds()) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace

TEST_CASE("a listener of a supervised circuit may nudge the supervision and ask the supervisor",
          "[system][S10][S10a]") {
  running_system system;
  std::optional<brownout::supervision<running_system::supervisor_type>> running;
  std::atomic<bool> started{false};
  std::atomic<int> heard{0};
  const auto subscription = system.watched.described(dependency::database)
                                .subscribe(
                                    [&](const brownout::transition_event&) {
                                      if (!started) return;
                                      running->nudge();
                                      static_cast<void>(system.watched.snapshot(system.watched.now()));
                                      system.watched.refresh(system.watched.now());
                                      static_cast<void>(running->observer_failures());
                                      ++heard;
                                    },
                                    brownout::announcements::every_transition);
  running.emplace(system.watched);
  started = true;
  CHECK(eventually([&] { return heard >= 20; }));
  CHECK(running->stop(30s).empty());
}

TEST_CASE("an observer and a measurement may ask the supervisor", "[system][S10][S10b]") {
  auto given = running_system::failing_database();
  running_system::supervisor_type* asked = nullptr;
  std::atomic<int> measured{0};
  given.dependencies[0].measure = [&] {
    if (asked != nullptr) static_cast<void>(asked->snapshot(asked->now()));
    ++measured;
    return brownout::measurement{};
  };
  running_system::supervisor_type watched{matrix, given, given.claims<brownout::monotonic_clock>()};
  asked = &watched;
  std::atomic<int> observed{0};
  brownout::supervision running{watched, [&](const auto&) {
                                  watched.refresh(watched.now());
                                  ++observed;
                                }};
  CHECK(eventually([&] { return observed >= 5 && measured >= 5; }));
  CHECK(running.stop(30s).empty());
}

TEST_CASE("the names in the message of a refused change may ask the supervisor", "[system][S10][S8f]") {
  const auto features =
      brownout::make_feature_matrix<feature, named>({{.feature = feature{}, .last = named::third}});
  brownout::dependency store{{.name = "store"}};
  using options_type = brownout::supervisor_options<named>;
  const options_type given{
      .levels = {.ladder = {{named::first, 90}, {named::second, 50}, {named::third, 0}}}};
  const options_type without_third{.levels = {.ladder = {{named::first, 90}, {named::second, 0}}}};
  brownout::supervisor watched{features, given, {{0, store}}};
  std::thread asking;
  std::atomic<bool> answered{false};
  when_named = [&] {
    asking = std::thread{[&] {
      static_cast<void>(watched.options());
      answered = true;
    }};
    const auto deadline = std::chrono::steady_clock::now() + 2s;
    while (!answered && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    CHECK(answered);
  };
  CHECK_THROWS(watched.reconfigure(without_third));
  REQUIRE(asking.joinable());
  asking.join();
}

TEST_CASE("transitions that a step causes are told after its lock is released, in order",
          "[system][S10][S10c]") {
  staging staging;
  staging.run(1s);
  std::vector<std::uint64_t> epochs;
  std::vector<circuit_state> seen;
  const auto subscription = staging.watched.described(dependency::database)
                                .subscribe(
                                    [&](const brownout::transition_event& event) {
                                      epochs.push_back(event.epoch);
                                      // The step that caused it is over: the supervisor has seen it.
                                      seen.push_back(staging.component(dependency::database).circuit.state);
                                    },
                                    brownout::announcements::every_transition);
  staging.answers[number(dependency::database)] = health::down;
  staging.run(2min);
  staging.answers[number(dependency::database)] = health::up;
  staging.run(2min);
  REQUIRE(epochs.size() >= 4);
  for (std::size_t i = 1; i < epochs.size(); ++i) CHECK(epochs[i] == epochs[i - 1] + 1);
  CHECK(seen.front() == circuit_state::open);
  CHECK(seen.back() == circuit_state::closed);
}

TEST_CASE("a supervision that is stopped by its own listener is a broken precondition",
          "[system][S10][S10d]") {
  CHECK(core_test::in_child([] {
          running_system system;
          std::optional<brownout::supervision<running_system::supervisor_type>> running;
          std::atomic<bool> started{false};
          const auto subscription = system.watched.described(dependency::database)
                                        .subscribe(
                                            [&](const brownout::transition_event&) {
                                              if (started) running->stop(0s);
                                            },
                                            brownout::announcements::every_transition);
          running.emplace(system.watched);
          started = true;
          static_cast<void>(eventually([] { return false; }));  // ends by the signal
        }).signal == SIGABRT);
}

TEST_CASE("the destructor of a supervision waits for a probe that refers to objects of the user",
          "[system][S1][S1g]") {
  struct service {
    std::atomic<bool> entered{false};
    std::atomic<bool> left{false};
    probe_result ping(const probe_context& now) {
      entered = true;
      while (!now.stop_requested()) std::this_thread::yield();
      // It takes longer than the grace, and then uses the service.
      const auto until = std::chrono::steady_clock::now() + 1100ms;
      while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
      left = true;
      return {outcome::success, ""};
    }
  };
  service owner;
  auto given = running_system::failing_database();
  given.dependencies[0].probe = [&owner](const probe_context& now) { return owner.ping(now); };
  running_system::supervisor_type watched{matrix, given, given.claims<brownout::monotonic_clock>()};
  {
    const brownout::supervision running{watched};
    REQUIRE(eventually([&] { return owner.entered.load(); }));
  }
  CHECK(owner.left);
}
