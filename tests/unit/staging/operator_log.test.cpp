// SPDX-License-Identifier: BSL-1.0
#include "service/operator_log.hpp"
#include "catch2.hpp"

#include <chrono>
#include <string>

using namespace staging;

namespace {

/// A log, and circuits that have changed some times.
struct circuits {
  void act(dependency which, const char* actor, std::uint64_t changes) {
    log.perform(
        which, {.actor = actor, .reason = "a test"}, [&] { return count; }, [&] { count += changes; });
  }

  operator_log log;
  std::uint64_t count = 0;
};

}  // namespace

TEST_CASE("a change is the operator's whose action made it", "[staging][service]") {
  circuits all;
  all.count = 3;  // made by calls
  all.act(dependency::s3, "maria", 1);
  all.count += 2;
  all.act(dependency::s3, "ada", 1);
  CHECK_FALSE(all.log.of_change(dependency::s3, 3));
  CHECK(all.log.of_change(dependency::s3, 4)->actor == "maria");
  CHECK_FALSE(all.log.of_change(dependency::redis, 4));
  CHECK_FALSE(all.log.of_change(dependency::s3, 5));
  CHECK_FALSE(all.log.of_change(dependency::s3, 6));
  CHECK(all.log.of_change(dependency::s3, 7)->actor == "ada");
}

TEST_CASE("an action that changed no state is the last one all the same", "[staging][service]") {
  circuits all;
  all.act(dependency::s3, "maria", 0);
  CHECK_FALSE(all.log.of_change(dependency::s3, 0));
  CHECK_FALSE(all.log.of_change(dependency::s3, 1));
  CHECK(all.log.last_of(dependency::s3)->actor == "maria");
}

TEST_CASE("releases of the level are numbered from 1, and the oldest are forgotten", "[staging][service]") {
  using namespace std::chrono_literals;
  operator_log log;
  CHECK(log.releases().empty());
  for (int i = 1; i <= 70; ++i)
    log.note_release(brownout::time_point{i * 1s}, {.actor = "ann", .reason = std::to_string(i)});
  const auto told = log.releases();
  REQUIRE(told.size() == 64);
  CHECK(told.front().number == 7);
  CHECK(told.back().number == 70);
  CHECK(told.back().at == brownout::time_point{70s});
  CHECK(told.back().by.actor == "ann");
  CHECK(told.back().by.reason == "70");
}

TEST_CASE("who holds a circuit is known however much happens to others", "[staging][service]") {
  circuits all;
  CHECK_FALSE(all.log.last_of(dependency::s3));
  all.act(dependency::s3, "maria", 1);
  for (int i = 0; i < 1000; ++i) all.act(dependency::redis, "ada", 1);
  CHECK(all.log.last_of(dependency::s3)->actor == "maria");
  CHECK_FALSE(all.log.of_change(dependency::s3, 1));  // long ago
  CHECK(all.log.of_change(dependency::redis, 1001)->actor == "ada");
}
