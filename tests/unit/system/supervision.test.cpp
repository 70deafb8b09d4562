// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/system/staging_bench.hpp"

#include "brownout/system/supervision.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>

using namespace system_test;

namespace {

struct real_supervisor : brownout::supervisor<decltype(matrix)> {
  explicit real_supervisor(const system_test::options& given)
      : supervisor{system_test::matrix, given, given.claims<brownout::monotonic_clock>()} {}
};
using supervision = brownout::supervision<real_supervisor>;

constexpr auto limit = 10s;  // for what must happen; generous, so that only a defect reaches it

/// Something that one thread does and another waits for.
class event {
 public:
  void happened() {
    const std::lock_guard lock{mutex_};
    ++count_;
    changed_.notify_all();
  }
  [[nodiscard]] bool seen(int times = 1) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [&] { return count_ >= times; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

probe_result well(const probe_context& /*context*/) {
  return {outcome::success, {}};
}

/// Four dependencies with these probes. Without a `timeout` of its own a probe is never given up: a machine
/// under load may keep a thread waiting for long.
options watched_by(const std::array<brownout::probe, dependency_count>& probes,
                   brownout::duration timeout = 1h) {
  options given{{.levels = {.ladder = ladder}}};
  constexpr std::array names{"openai", "database", "redis", "s3"};
  for (std::size_t i = 0; i < dependency_count; ++i) {
    described one;
    one.name = names[i];
    one.detector.threshold = 3;
    one.breaker.open_for = 5s;
    one.probe = probes[i];
    one.timeout = timeout;
    given.dependencies.push_back(std::move(one));
  }
  given.probe_interval = 5ms;
  return given;
}

/// Waits for what only a snapshot shows.
template <class Condition>
bool eventually(const real_supervisor& watched, Condition holds) {
  const auto deadline = watched.now() + limit;
  while (watched.now() < deadline) {
    if (holds(watched.snapshot(watched.now()))) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace

TEST_CASE("threads probe every dependency again and again, and the first level is known soon",
          "[system][S1]") {
  event probed;
  const auto counting = [&](const probe_context&) {
    probed.happened();
    return probe_result{outcome::success, {}};
  };
  real_supervisor watched{watched_by({counting, well, well, well})};
  const supervision running{watched};
  CHECK(probed.seen(3));
  CHECK(eventually(watched, [](const auto& seen) { return seen.assessed && seen.score == 100.0; }));
}

TEST_CASE("a probe that hangs delays neither the others nor a step, and its circuit opens",
          "[system][S1][S1a]") {
  event released;
  event others;
  const auto hangs = [&](const probe_context&) {
    static_cast<void>(released.seen());
    return probe_result{outcome::success, {}};
  };
  const auto counting = [&](const probe_context&) {
    others.happened();
    return probe_result{outcome::success, {}};
  };
  real_supervisor watched{watched_by({well, hangs, counting, well}, 20ms)};
  {
    supervision running{watched};
    CHECK(eventually(watched, [](const auto& seen) {
      return seen.components[number(dependency::database)].circuit.state == circuit_state::open;
    }));
    CHECK(others.seen(10));
    CHECK(watched.snapshot(watched.now()).components[number(dependency::database)].probe_hanging);
    released.happened();
    CHECK(running.stop(limit).empty());
  }
}

TEST_CASE("stopping asks running probes to stop, and waits for them", "[system][S1]") {
  event started;
  const auto obedient = [&](const probe_context& context) {
    started.happened();
    while (!context.stop_requested()) std::this_thread::yield();
    return probe_result{};
  };
  real_supervisor watched{watched_by({well, obedient, well, well})};
  supervision running{watched};
  REQUIRE(started.seen());
  CHECK(running.stop(limit).empty());
  CHECK(running.stop(limit).empty());  // idempotent
}

TEST_CASE("a probe that does not stop is named and left behind, and its late answer is dropped",
          "[system][S1][S1d][S1h]") {
  // Shared with the probe, which outlives everything else here.
  const auto started = std::make_shared<event>();
  const auto released = std::make_shared<event>();
  const auto gone = std::make_shared<event>();
  struct farewell {
    std::shared_ptr<event> said;
    ~farewell() { said->happened(); }
  };
  {
    auto last = std::make_shared<farewell>(farewell{gone});
    struct state {
      std::shared_ptr<event> started, released;
      std::shared_ptr<farewell> last;
    };
    const auto hang = [](state& own, const probe_context&) {
      own.started->happened();
      static_cast<void>(own.released->seen());
      return probe_result{outcome::success, {}};
    };
    real_supervisor watched{watched_by(
        {well, well, well, brownout::probe{std::make_shared<state>(state{started, released, last}), hang}})};
    last.reset();
    supervision running{watched};
    REQUIRE(started->seen());
    CHECK(running.stop(10ms) == std::vector<std::string>{"s3"});
  }
  released->happened();
  CHECK(gone->seen());  // the thread has ended and let go of its copy of the probe
}

TEST_CASE("a probe that throws has failed, and its text is not shown", "[system][S1]") {
  const auto throws = [](const probe_context&) -> probe_result {
    throw std::runtime_error{"postgresql://user:password@host"};
  };
  real_supervisor watched{watched_by({well, throws, well, well})};
  const supervision running{watched};
  CHECK(eventually(watched, [](const auto& seen) {
    return seen.components[number(dependency::database)].circuit.state == circuit_state::open;
  }));
  CHECK(watched.snapshot(watched.now()).components[number(dependency::database)].last_error ==
        "the probe threw an exception");
}

TEST_CASE("the observer sees what changed; what it throws is counted and stops nothing", "[system][S2]") {
  event opened;
  const auto fails = [](const probe_context&) { return probe_result{outcome::failure, "refused"}; };
  real_supervisor watched{watched_by({well, fails, well, well})};
  supervision running{watched, [&](const auto& plan) {
                        for (const auto& change : plan.circuit_changes) {
                          if (change.to == circuit_state::open && change.reason == "refused")
                            opened.happened();
                        }
                        throw std::runtime_error{"an observer's defect"};
                      }};
  CHECK(opened.seen());
  CHECK(running.observer_failures() > 0);
}

TEST_CASE("a nudge makes the supervisor look at once at what an operator changed", "[system][S2]") {
  auto described = watched_by({well, well, well, well});
  described.probe_interval = 1h;
  described.refresh = 1min;
  event noticed;
  real_supervisor watched{std::move(described)};
  supervision running{watched, [&](const auto& plan) {
                        for (const auto& change : plan.circuit_changes) {
                          if (change.to == circuit_state::forced_open) noticed.happened();
                        }
                      }};
  REQUIRE(eventually(watched, [](const auto& seen) { return seen.assessed; }));
  watched.described(dependency::redis).force_open();
  running.nudge();
  CHECK(noticed.seen());
}

TEST_CASE("two threads may stop at once, and both learn which probes hang", "[system][S1]") {
  const auto started = std::make_shared<event>();
  const auto released = std::make_shared<event>();
  for (int round = 0; round < 20; ++round) {
    const auto hang = [released](event& begun, const probe_context&) {
      begun.happened();
      static_cast<void>(released->seen());
      return probe_result{outcome::success, {}};
    };
    real_supervisor watched{watched_by({well, well, well, brownout::probe{started, hang}})};
    supervision running{watched};
    REQUIRE(started->seen(round + 1));
    std::vector<std::string> theirs;
    std::thread other{[&] { theirs = running.stop(1ms); }};
    const auto ours = running.stop(1ms);
    other.join();
    CHECK(std::ranges::find(ours, "s3") != ours.end());
    CHECK(theirs == ours);
  }
  released->happened();
}

TEST_CASE("after a supervision has stopped in the middle of a probe, another one probes on", "[system][S1]") {
  std::atomic<int> asked{0};
  const auto probe = [&](const probe_context& context) {
    // The first is under way when the supervision stops, and ends by that.
    while (asked.load() == 0 && !context.stop_requested()) std::this_thread::yield();
    return well(context);
  };
  real_supervisor watched{watched_by({probe, well, well, well})};
  {
    brownout::supervision running{watched};
    CHECK(eventually(watched, [](const auto& seen) { return seen.components[1].last_probe_at.has_value(); }));
    CHECK(running.stop(10s).empty());
  }
  asked = 1;
  brownout::supervision running{watched};
  CHECK(eventually(watched, [](const auto& seen) { return seen.assessed; }));
  CHECK(eventually(watched, [](const auto& seen) { return seen.level == level::optimal; }));
  CHECK(running.stop(brownout::duration::max()).empty());  // as long as it takes
}
