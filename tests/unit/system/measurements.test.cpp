// SPDX-License-Identifier: BSL-1.0
#include "unit/core/child.hpp"
#include "unit/system/staging_bench.hpp"

#include <unistd.h>
#include <stdexcept>

using namespace system_test;
using brownout::measurement;

namespace {

options measured(dependency one, std::function<measurement()> how) {
  auto given = staging_options();
  given.dependencies[number(one)].measure = std::move(how);
  return given;
}

}  // namespace

TEST_CASE("what the service measures lowers the score that the calls give", "[system][H1]") {
  measurement found;
  staging system{measured(dependency::openai, [&] { return found; })};
  system.run(1s);
  CHECK(system.snapshot().score == 100);  // it says nothing

  const auto openai_with = [&](measurement now) {
    found = now;
    static_cast<void>(system.watched.step(system.clock.now()));
    return system.component(dependency::openai).health.score;
  };
  CHECK(openai_with({.success_share = 0.5}) == 50);
  CHECK(system.snapshot().score == 75);
  CHECK(openai_with({.latency = 600ms}) == 90);
  CHECK(openai_with({.saturation = 0.9}) == Approx(85));
  CHECK(openai_with({.saturation = 1.0}) == 70);
  CHECK(openai_with({}) == 100);
  CHECK(system.component(dependency::database).health.score == 100);

  found.success_share = 0.5;
  static_cast<void>(system.watched.step(system.clock.now()));
  CHECK(system.component(dependency::openai).measured.success_share == 0.5);
  CHECK_FALSE(system.component(dependency::database).measured.success_share);
}

TEST_CASE("a measurement is asked for at each step, and holds until the next", "[system][H1]") {
  int asked = 0;
  staging system{measured(dependency::openai, [&] {
    ++asked;
    return measurement{.success_share = 0.5};
  })};
  CHECK(asked == 0);
  const auto plan = system.watched.step(system.clock.now());
  CHECK(asked == 1);
  for (const auto& order : plan.probes) system.report(order, true);
  system.watched.refresh(system.clock.now());
  CHECK(asked == 1);
  CHECK(system.component(dependency::openai).health.score == 50);
  static_cast<void>(system.watched.step(system.clock.now()));
  CHECK(asked == 2);
}

TEST_CASE("what is measured is evidence without any call, and lifts nothing", "[system][H2]") {
  auto given = measured(dependency::openai, [] { return measurement{.success_share = 1.0}; });
  given.dependencies[number(dependency::openai)].probe = {};
  staging system{given};
  system.run(10min);
  CHECK(system.component(dependency::openai).recent.calls == 0);
  CHECK(system.component(dependency::openai).health.score == 100);
  for (int i = 0; i < 5; ++i) system.fail_call(dependency::openai);
  system.run(1s);
  CHECK(system.component(dependency::openai).health.score == 0);  // open
}

TEST_CASE("open without a probe and its period over, only what is measured is known", "[system][H2]") {
  auto given = measured(dependency::openai, [] { return measurement{.success_share = 0.8}; });
  given.dependencies[number(dependency::openai)].probe = {};
  staging system{given};
  system.run(1s);
  for (int i = 0; i < 5; ++i) system.fail_call(dependency::openai);
  system.run(29s);
  CHECK(system.component(dependency::openai).health.score == 0);
  system.run(1s);
  CHECK(system.component(dependency::openai).health.score == 80);
}

TEST_CASE("a measurement that throws has measured nothing, and hurts nobody", "[system][H1]") {
  bool broken = false;
  int other_asked = 0;
  auto given = measured(dependency::openai, [&]() -> measurement {
    if (broken) throw std::runtime_error{"no such gauge"};
    return {.success_share = 0.5};
  });
  given.dependencies[number(dependency::s3)].measure = [&] {
    ++other_asked;
    return measurement{.success_share = 0.0};
  };
  staging system{given};
  system.run(1s);
  CHECK(system.component(dependency::openai).health.score == 50);
  broken = true;
  other_asked = 0;
  CHECK_NOTHROW(system.run(1s));
  CHECK(system.component(dependency::openai).health.score == 100);
  CHECK_FALSE(system.component(dependency::openai).measured.success_share);
  CHECK(other_asked > 0);
  CHECK(system.component(dependency::s3).health.score == 0);
  broken = false;
  system.run(1s);
  CHECK(system.component(dependency::openai).health.score == 50);
}

TEST_CASE("while it measures, the service may ask the supervisor anything", "[system][H1]") {
  // In a child: under the lock this would never end.
  const auto ended = core_test::in_child([] {
    alarm(10);
    staging* whole = nullptr;
    std::size_t seen = 0;
    auto given = measured(dependency::openai, [&] {
      if (whole == nullptr) return measurement{};
      seen += whole->snapshot().components.size();
      whole->watched.refresh(whole->clock.now());
      return measurement{.success_share = 0.5};
    });
    staging system{given};
    whole = &system;
    static_cast<void>(system.watched.step(system.clock.now()));
    _exit(seen == dependency_count ? 0 : 1);
  });
  CHECK(ended.signal == 0);
  CHECK(ended.exit_code == 0);
}
