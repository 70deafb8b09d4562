// SPDX-License-Identifier: BSL-1.0
#include "unit/registry/registry_bench.hpp"

#include "brownout/detector/failure_rate.hpp"

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

using namespace registry_test;

namespace {

/// The text of the exception that `refused` throws, or nothing.
std::string refusal(const std::function<void()>& refused) {
  try {
    refused();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

/// How many failures open the circuit of a key that is closed. It is closed again afterwards.
int threshold_of(tested_registry& hosts, std::string_view key) {
  const auto one = hosts.at(key);
  one.reset();
  const auto failures = trip(one);
  one.reset();
  return failures;
}

}  // namespace

TEST_CASE("breakers that are there follow the rules of their registry, and new ones too",
          "[registry][S3][S3m]") {
  bench bench{10};
  for (const auto* key : {"a", "b"}) bench.use(key);
  bench.breakers.reconfigure({.capacity = 10, .detector = {4}, .breaker = {.open_for = 7s}});
  CHECK(threshold_of(bench.breakers, "a") == 4);
  CHECK(threshold_of(bench.breakers, "new") == 4);
  CHECK(bench.breakers.at("b").options().open_for.least(1, 0s, 0) == 7s);
  CHECK(bench.breakers.options().detector.threshold == 4);
}

TEST_CASE("states and counts stay when the rules change", "[registry][S3]") {
  bench bench{10};
  bench.open("open");
  fail(bench.breakers.at("counting"));
  auto options = bench.breakers.options();
  options.detector = {3};
  options.breaker.open_for = 77s;
  bench.breakers.reconfigure(options);
  CHECK(bench.breakers.at("open").snapshot().retry_after == 10s);
  fail(bench.breakers.at("counting"));
  CHECK(bench.breakers.at("counting").observed_state() == circuit_state::closed);
  fail(bench.breakers.at("counting"));
  CHECK(bench.breakers.at("counting").snapshot().retry_after == 77s);
}

TEST_CASE("a breaker follows the rule that its key has now, not the one that it had", "[registry][S3]") {
  bench bench{10};
  const std::string long_key = "eu/" + std::string(300, 'k');
  const std::vector<std::string> keys{"eu/db", "eu/cache", "us/db", "", long_key};
  for (const auto& key : keys) bench.use(key);
  const auto thresholds = [&] {
    std::vector<int> found;
    for (const auto& key : keys) found.push_back(threshold_of(bench.breakers, key));
    return found;
  };
  CHECK(thresholds() == std::vector{2, 2, 2, 2, 2});

  options rules{.capacity = 10, .detector = {3}, .prefixes = {{.match = "eu/", .detector = {4}}}};
  bench.breakers.reconfigure(rules);
  CHECK(thresholds() == std::vector{4, 4, 3, 3, 4});

  rules.prefixes.push_back({.match = "eu/d", .detector = {5}});
  rules.prefixes.push_back({.match = "us", .detector = {6}});
  rules.keys = {{.match = "eu/cache", .detector = {7}}};
  bench.breakers.reconfigure(rules);
  CHECK(thresholds() == std::vector{5, 7, 6, 3, 4});

  rules.prefixes[0].detector = {8};
  rules.prefixes.erase(rules.prefixes.begin() + 1);
  rules.keys = {{.match = "us/db", .detector = {9}}};
  bench.breakers.reconfigure(rules);
  CHECK(thresholds() == std::vector{8, 8, 9, 3, 8});

  bench.breakers.reconfigure({.capacity = 10, .detector = {1}});
  CHECK(thresholds() == std::vector{1, 1, 1, 1, 1});
  bench.breakers.reconfigure(rules);  // rules that were there before
  CHECK(thresholds() == std::vector{8, 8, 9, 3, 8});
}

TEST_CASE("a breaker that was reconfigured on its own does not follow", "[registry][S3][S3m]") {
  bench bench{10};
  bench.use("others");
  bench.breakers.at("detector").reconfigure(consecutive_failures{1});
  bench.breakers.at("options").reconfigure({.open_for = 77s});
  bench.breakers.reconfigure({.capacity = 10, .detector = {4}, .breaker = {.open_for = 7s}});
  CHECK(threshold_of(bench.breakers, "detector") == 1);
  CHECK(bench.breakers.at("detector").options().open_for.least(1, 0s, 0) == 10s);
  CHECK(threshold_of(bench.breakers, "options") == 2);
  CHECK(bench.breakers.at("options").options().open_for.least(1, 0s, 0) == 77s);
  CHECK(threshold_of(bench.breakers, "others") == 4);
}

TEST_CASE("a breaker may be reconfigured on its own after its registry was", "[registry][S3]") {
  bench bench{10};
  for (const auto* key : {"a", "b"}) bench.use(key);
  bench.breakers.reconfigure({.capacity = 10, .detector = {4}});
  bench.breakers.at("a").reconfigure(consecutive_failures{1});
  CHECK(threshold_of(bench.breakers, "a") == 1);
  CHECK(threshold_of(bench.breakers, "b") == 4);
  bench.breakers.reconfigure({.capacity = 10, .detector = {5}});
  CHECK(threshold_of(bench.breakers, "a") == 1);
  CHECK(threshold_of(bench.breakers, "b") == 5);
}

TEST_CASE("options that are refused change nothing", "[registry][S3]") {
  bench bench{10};
  bench.use("a");
  const auto refused = [&](const options& given) {
    const auto text = refusal([&] { bench.breakers.reconfigure(given); });
    CHECK(threshold_of(bench.breakers, "a") == 2);
    CHECK(bench.breakers.options().detector.threshold == 2);
    return text;
  };
  CHECK(refused({.capacity = 10, .detector = {5}, .prefixes = {{.match = "a", .detector = {0}}}}) ==
        "rule for keys with prefix 'a': consecutive_failures.threshold = 0: allowed is 1 to 1000000");
  CHECK(refused({.capacity = 11, .detector = {5}}) ==
        "registry_options.capacity = 11: allowed is 10, as at construction (begin with options())");
}

TEST_CASE("a rule whose window some breakers could not take over is refused", "[registry][S3]") {
  using windowed = registry<failure_rate<count_window>, manual_clock>;
  using windowed_options = windowed::options_type;
  const auto rate = [](std::uint32_t size) { return failure_rate<count_window>{.window = {size}}; };
  const windowed_options before{.detector = rate(100),
                                .keys = {{.match = "eu/db/1", .detector = rate(30)}},
                                .prefixes = {{.match = "eu/", .detector = rate(20)}}};
  windowed hosts{before, manual_clock{}};
  const auto refused = [&](const windowed_options& given) {
    return refusal([&] { hosts.reconfigure(given); });
  };

  auto next = before;
  next.prefixes[0].detector.threshold = 0.9;
  next.detector.threshold = 0.9;
  next.keys[0].detector.threshold = 0.9;
  CHECK(refused(next) == "");

  next = before;
  next.prefixes[0].detector = rate(50);
  CHECK(refused(next).starts_with(
      "rule for keys with prefix 'eu/': failure_rate.window.size = 50: allowed is"));
  next = before;
  next.detector = rate(50);
  CHECK(refused(next).starts_with("rule for all other keys: failure_rate.window.size = 50: allowed is"));
  next = before;
  next.keys[0].detector = rate(50);
  CHECK(refused(next).starts_with("rule for key 'eu/db/1': failure_rate.window.size = 50: allowed is"));

  next = before;
  next.prefixes.push_back({.match = "us/", .detector = rate(20)});
  CHECK(
      refused(next).starts_with("rule for keys with prefix 'us/' in place of the rule for all other keys: "
                                "failure_rate.window.size = 20: allowed is 100"));
  next = before;
  next.prefixes.clear();
  CHECK(
      refused(next).starts_with("rule for all other keys in place of the rule for keys with prefix 'eu/': "
                                "failure_rate.window.size = 100: allowed is 20"));
  next = before;
  next.keys.clear();
  CHECK(
      refused(next).starts_with("rule for keys with prefix 'eu/' in place of the rule for key 'eu/db/1': "
                                "failure_rate.window.size = 20: allowed is 30"));
  next = before;
  next.prefixes.push_back({.match = "eu/db", .detector = rate(30)});  // for eu/db/1, but for eu/db/2 too
  CHECK(
      refused(next).starts_with("rule for keys with prefix 'eu/db' in place of the rule for keys with "
                                "prefix 'eu/': failure_rate.window.size = 30: allowed is 20"));
  next = before;
  next.prefixes.push_back({.match = "eu/d", .detector = rate(20)});
  CHECK(refused(next) == "");
}

TEST_CASE("how long breakers may be idle can change", "[registry][S3]") {
  bench bench{10, 60s};
  auto options = bench.breakers.options();
  bench.use("a");
  SECTION("to a longer time: what was idle for the shorter one stays") {
    auto held = bench.breakers.at("a");
    for (int i = 0; i < 2; ++i) {
      bench.clock.advance(60s);
      CHECK(bench.breakers.remove_expired() == 0);
    }
    held = {};
    options.idle_for = 1h;
    bench.breakers.reconfigure(options);
    CHECK(bench.breakers.remove_expired() == 0);
    bench.clock.advance(1h);
    CHECK(bench.breakers.remove_expired() == 1);
  }
  SECTION("to a shorter one") {
    options.idle_for = 1s;
    bench.breakers.reconfigure(options);
    bench.clock.advance(1s);
    CHECK(bench.breakers.remove_expired() == 0);
    bench.clock.advance(1s);
    CHECK(bench.breakers.remove_expired() == 1);
  }
  SECTION("to as long as there is room") {
    options.idle_for = {};
    bench.breakers.reconfigure(options);
    bench.clock.advance(24h);
    bench.breakers.remove_expired();
    bench.clock.advance(24h);
    CHECK(bench.breakers.remove_expired() == 0);
  }
}

namespace {

/// A clock that runs something once when it is copied: while a breaker is being built.
struct copied_clock : manual_clock {
  copied_clock() = default;
  copied_clock(const copied_clock& other) : manual_clock{other} {
    if (const auto run = std::exchange(on_copy, nullptr)) run();
  }
  copied_clock& operator=(const copied_clock&) = default;
  ~copied_clock() = default;
  static inline std::function<void()> on_copy{};
};

}  // namespace

TEST_CASE("a breaker that is being built while the rules change follows the new ones", "[registry][S3]") {
  registry<consecutive_failures, copied_clock> hosts{{.capacity = 10, .detector = {2}}, copied_clock{}};
  const auto key = GENERATE(as<std::string>{}, "a", "b");
  copied_clock::on_copy = [&] {
    hosts.reconfigure({.capacity = 10, .detector = {3}, .keys = {{.match = "b", .detector = {4}}}});
  };
  const auto built = hosts.at(key);
  CHECK(built.was_registered());
  CHECK(built.detector().threshold == (key == "b" ? 4 : 3));
  CHECK(hosts.snapshot().size == 1);
}

TEST_CASE("every breaker ends up with the last rules, whatever threads do", "[registry][S3]") {
  constexpr int keys = 100;
  bench bench{64};
  const auto rules = [](std::uint32_t threshold) {
    const auto other = threshold + 1;
    return options{.capacity = 64,
                   .detector = {threshold},
                   .keys = {{.match = "key-7", .detector = {other}}},
                   .prefixes = {{.match = "key-" + std::to_string(threshold), .detector = {other}}}};
  };
  std::atomic<int> wrong{0};
  on_threads([&](int number) {
    for (int i = 0; i < 300; ++i) {
      if (number < 2) {
        bench.breakers.reconfigure(rules(static_cast<std::uint32_t>(1 + (i + number) % 5)));
      }
      for (int j = 0; j < 10; ++j) {
        const auto key = "key-" + std::to_string((i * 31 + j * 7 + number * 13) % keys);
        const auto one = bench.breakers.at(key);
        if (one.name() != key) wrong.fetch_add(1);
        if (one.detector().threshold < 1 || one.detector().threshold > 6) wrong.fetch_add(1);
        if (j == 3) bench.breakers.erase(key);
      }
    }
  });
  CHECK(wrong.load() == 0);
  const auto last = bench.breakers.options();
  int shown = 0;
  bench.breakers.visit([&](const handle& one) {
    ++shown;
    const bool is_other = one.name() == "key-7" || one.name().starts_with(last.prefixes[0].match);
    CAPTURE(one.name());
    CHECK(one.detector().threshold == last.detector.threshold + (is_other ? 1 : 0));
  });
  CHECK(shown > 0);
}
