// SPDX-License-Identifier: BSL-1.0
#include "unit/system/staging_bench.hpp"

#include <functional>
#include <utility>

using namespace system_test;

TEST_CASE("what was measured before an outage is forgotten after it", "[system][B8]") {
  staging staging;
  staging.run(200s);
  CHECK(staging.component(dependency::database).recent.calls == 20);  // the window is full
  staging.answers[number(dependency::database)] = health::down;
  staging.run(60s);
  CHECK(staging.component(dependency::database).recent.calls == 0);
  staging.answers[number(dependency::database)] = health::up;
  staging.run(20s);
  const auto seen = staging.component(dependency::database);
  CHECK(seen.circuit.state == circuit_state::closed);
  CHECK(seen.recent.calls >= 1);  // the probe that closed it is the first evidence
  CHECK(seen.recent.calls <= 3);
  CHECK(seen.recent.successes == seen.recent.calls);
  CHECK(seen.health.score == 100);
}

TEST_CASE("half-open, the score is the share of the needed probes that have succeeded", "[system][H1]") {
  staging staging;
  staging.run(1s);
  staging.answers[number(dependency::openai)] = health::down;
  staging.run(49s);  // opens at 50 s
  REQUIRE(staging.state(dependency::openai) == circuit_state::open);
  staging.answers[number(dependency::openai)] = health::hangs;  // so that the test answers
  staging.run(30s);
  REQUIRE(staging.state(dependency::openai) == circuit_state::half_open);
  CHECK(staging.snapshot().score == 50);  // a probe alone lifts nothing
  staging.report(staging.last_order_of(dependency::openai), true);
  CHECK(staging.snapshot().score == 75);
  CHECK(staging.component(dependency::openai).health.score == 50);
}

TEST_CASE("slow successes cost points, slow failures do not cost more", "[system][H1][S5][S5d]") {
  staging staging;
  staging.run(1s);
  auto& openai = staging.watched.described(dependency::openai);
  for (int i = 0; i < 19; ++i) {
    auto call = openai.try_acquire();
    staging.clock.advance(1s);
    static_cast<void>(call->complete(outcome::success));
  }
  staging.watched.refresh(staging.clock.now());
  const auto seen = staging.component(dependency::openai);
  CHECK(seen.recent.calls == 20);
  CHECK(seen.recent.mean_latency == 950ms);  // one probe that took no time, 19 calls that took a second
  CHECK(seen.health.score == 55);
  CHECK(staging.snapshot().score == 77.5);

  auto failure = openai.try_acquire();
  staging.clock.advance(30s);
  static_cast<void>(failure->complete(outcome::failure));
  staging.watched.refresh(staging.clock.now());
  CHECK(staging.component(dependency::openai).recent.mean_latency == 1s);  // of the 19 that succeeded
}

TEST_CASE("ignored, cancelled and late calls are no evidence", "[system][B7]") {
  staging staging;
  staging.run(1s);
  auto& openai = staging.watched.described(dependency::openai);
  CHECK(openai.try_acquire()->complete(outcome::ignored) == brownout::disposition::released);
  CHECK(openai.try_acquire()->complete(outcome::cancelled) == brownout::disposition::released);
  static_cast<void>(openai.try_acquire());
  CHECK(staging.component(dependency::openai).recent.calls == 1);
  auto late = openai.try_acquire();
  openai.reset();
  CHECK(late->complete(outcome::success) == brownout::disposition::late);
  CHECK(late->settled());
  CHECK(staging.component(dependency::openai).recent.calls == 0);
}

TEST_CASE("after a reset the dependency is unknown until something is known of it", "[system][H2]") {
  staging staging;
  staging.run(1s);
  staging.watched.described(dependency::openai).reset();
  staging.watched.refresh(staging.clock.now());
  CHECK_FALSE(staging.component(dependency::openai).health.score);
  CHECK(staging.snapshot().score == 100);
  CHECK(staging.snapshot().level == level::optimal);
  staging.run(10s);
  CHECK(staging.component(dependency::openai).health.score == 100);
}

TEST_CASE("a disabled circuit passes calls and says nothing about health", "[system][B1][H2]") {
  staging staging;
  staging.run(1s);
  staging.watched.described(dependency::openai).disable();
  staging.answers[number(dependency::openai)] = health::down;
  staging.run(60s);
  CHECK(staging.state(dependency::openai) == circuit_state::disabled);
  CHECK_FALSE(staging.component(dependency::openai).health.score);
  CHECK(staging.snapshot().score == 100);
}

namespace {

/// A clock whose reading lets something happen first.
struct interrupted_clock {
  static inline std::function<void()> action{};
  [[nodiscard]] time_point now() const noexcept {
    if (const auto act = std::exchange(action, nullptr)) act();
    return time_point{1h};
  }
};

}  // namespace

TEST_CASE("a call counts under the epoch it was made in, also if that ends while it is recorded",
          "[system][B6][B8]") {
  const auto described = probed("database", 1, 3, 20s, 1);
  using core = brownout::detail::dependency_core<brownout::consecutive_failures, interrupted_clock>;
  core database{described.detector, described, interrupted_clock{}};
  const auto acquire = [&] {
    return brownout::detail::counting_permit<core>{database, *database.breaker.try_acquire()};
  };
  auto call = acquire();
  interrupted_clock::action = [&] { database.breaker.reset(); };  // after the breaker, before the window
  CHECK(call.complete(outcome::success) == brownout::disposition::counted);
  REQUIRE_FALSE(interrupted_clock::action);
  CHECK(database.calls.read(database.breaker.status().epoch).calls() == 0);

  CHECK(acquire().complete(outcome::success) == brownout::disposition::counted);
  CHECK(database.calls.read(database.breaker.status().epoch).calls() == 1);
}
