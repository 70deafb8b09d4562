// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/bench.hpp"

#include "brownout/core/bounded_text.hpp"
#include "brownout/core/rules.hpp"

#include <atomic>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace breaker_test;
using brownout::bounded_text;

TEST_CASE("a text that is too long is cut between two characters", "[core]") {
  CHECK(bounded_text{}.empty());
  CHECK(bounded_text{"no route to host"}.view() == "no route to host");
  const std::string full(bounded_text::most, 'x');
  CHECK(bounded_text{full}.view() == full);
  CHECK(bounded_text{full + "y"}.view() == full);
  const std::string tail = "\xE2\x82\xAC";  // one character of three bytes
  for (std::size_t lead = bounded_text::most - 3; lead <= bounded_text::most; ++lead) {
    const std::string start(lead, 'x');
    const auto expected = lead + 3 <= bounded_text::most ? start + tail : start;
    CHECK(bounded_text{start + tail}.view() == expected);
  }
  const std::string no_utf8(200, '\x80');  // no beginning of a character anywhere
  CHECK(bounded_text{no_utf8}.view() == no_utf8.substr(0, bounded_text::most));
}

TEST_CASE("a snapshot shows the text of the latest failure, and when it was", "[breaker][B7][B7e]") {
  bench bench;
  CHECK(bench.circuit.snapshot().last_failure.empty());
  bench.fail();
  CHECK(bench.circuit.snapshot().last_failure.empty());
  bench.clock.advance(7s);
  CHECK(bench.acquire().complete(outcome::failure, {}, "connection refused") == disposition::counted);
  bench.clock.advance(1s);
  CHECK(bench.circuit.snapshot().last_failure.view() == "connection refused");
  CHECK(bench.circuit.snapshot().last_failure_at == time_point{7s});

  SECTION("which outlasts its epoch") {
    bench.circuit.reset();
    CHECK(bench.circuit.snapshot().last_failure.view() == "connection refused");
  }
  SECTION("which a failure without a text does not take away, unless it opens the circuit") {
    bench.succeed();
    bench.fail();
    CHECK(bench.circuit.snapshot().last_failure.view() == "connection refused");
    CHECK(bench.circuit.snapshot().last_failure_at == time_point{7s});
  }
  SECTION("which only a failure that counted replaces") {
    CHECK(bench.acquire().complete(outcome::success, {}, "of a success") == disposition::counted);
    CHECK(bench.acquire().complete(outcome::ignored, {}, "of an ignored call") == disposition::released);
    auto old = bench.acquire();
    bench.circuit.reset();
    CHECK(old.complete(outcome::failure, {}, "of a late result") == disposition::late);
    CHECK(bench.circuit.snapshot().last_failure.view() == "connection refused");
  }
}

TEST_CASE("a listener of an opening reads the failure that opened the circuit", "[breaker][B17]") {
  bench bench;
  std::string read;
  std::uint32_t failed_results = 0;
  const auto listening = bench.circuit.subscribe(
      [&](const brownout::transition_event&) {
        const auto seen = bench.circuit.snapshot();
        read = seen.last_failure.view();
        failed_results = seen.failed_results;
      },
      brownout::announcements::every_transition);
  const auto fail_with = [&](std::string_view why) {
    CHECK(bench.acquire().complete(outcome::failure, {}, why) == disposition::counted);
  };
  fail_with("first");
  fail_with("second");
  fail_with("third");
  REQUIRE(bench.state() == circuit_state::open);
  CHECK(read == "third");
  CHECK(failed_results == 3);

  SECTION("of a probe too") {
    bench.clock.advance(5s);
    fail_with("of a probe");
    REQUIRE(bench.state() == circuit_state::open);
    CHECK(read == "of a probe");
    CHECK(failed_results == 4);
  }
  SECTION("and none when that failure had no text") {
    bench.clock.advance(5s);
    bench.fail();
    REQUIRE(bench.state() == circuit_state::open);
    CHECK(read.empty());
    CHECK(bench.circuit.snapshot().last_failure_at == time_point{});
  }
}

TEST_CASE("an opening by a failure without a text leaves no older text behind", "[breaker][B17][B17h]") {
  bench bench;
  CHECK(bench.acquire().complete(outcome::failure, {}, "of yesterday") == disposition::counted);
  bench.fail(2);
  REQUIRE(bench.state() == circuit_state::open);
  CHECK(bench.circuit.snapshot().last_failure.empty());
}

TEST_CASE("call keeps the text of what was thrown where that counts as a failure", "[breaker][B7]") {
  bench bench;
  const auto throws = [](auto what) { return [what]() -> int { throw what; }; };
  CHECK_THROWS_AS(bench.circuit.call(throws(std::runtime_error{"no connection"})), std::runtime_error);
  CHECK(bench.circuit.snapshot().last_failure.view() == "no connection");
  CHECK_THROWS_AS(bench.circuit.call(throws(17)), int);
  CHECK(bench.circuit.snapshot().last_failure.view() == "no connection");

  const auto ours = brownout::ignore_exceptions<std::logic_error>();
  CHECK_THROWS_AS(bench.circuit.call(throws(std::logic_error{"bad request"}), ours), std::logic_error);
  CHECK(bench.circuit.snapshot().last_failure.view() == "no connection");
  CHECK_THROWS_AS(bench.circuit.call(throws(std::runtime_error{"reset"}), ours), std::runtime_error);
  CHECK(bench.circuit.snapshot().last_failure.view() == "reset");
}

TEST_CASE("an exception without a text, or whose text a classifier changes, does no harm", "[breaker][B14]") {
  struct silent : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  struct changing : std::exception {
    mutable std::string text = "a text that is too long to be kept in place by a string";
    const char* what() const noexcept override { return text.c_str(); }
  };
  struct changes_it {
    std::optional<outcome> operator()(int) const noexcept { return {}; }
    std::optional<outcome> threw(const std::exception_ptr& thrown) const {
      try {
        std::rethrow_exception(thrown);
      } catch (const changing& seen) {
        seen.text = std::string(100, 'z');
      }
      return {};
    }
  };
  bench bench;
  CHECK_THROWS_AS(bench.circuit.call([]() -> int { throw silent{}; }), silent);
  CHECK(bench.circuit.snapshot().failed_results == 1);
  CHECK(bench.circuit.snapshot().last_failure.empty());
  CHECK_THROWS_AS(bench.circuit.call([]() -> int { throw changing{}; }, changes_it{}), changing);
  CHECK(bench.circuit.snapshot().last_failure.view() == std::string(100, 'z'));
}

TEST_CASE("a snapshot counts failures since the beginning, and no permit without a verdict",
          "[breaker][B7]") {
  bench bench;
  bench.fail(2);
  bench.succeed();
  bench.trip();
  bench.circuit.reset();
  CHECK(bench.report(outcome::ignored) == disposition::released);
  CHECK(bench.report(outcome::cancelled) == disposition::released);
  static_cast<void>(bench.acquire());
  auto old = bench.acquire();
  bench.circuit.reset();
  CHECK(old.complete(outcome::failure) == disposition::late);
  auto probe = bench.first_probe();
  CHECK(probe.complete(outcome::failure) == disposition::counted);
  const auto seen = bench.circuit.snapshot();
  CHECK(seen.failed_results == 2 + 3 + 3 + 1);
  CHECK(seen.late_results == 1);
}

TEST_CASE("texts of threads that fail at once come out whole", "[breaker][B14]") {
  bench bench{bench::defaults(), 1'000'000};
  std::vector<std::thread> threads;
  std::atomic<int> torn{0};
  for (const char letter : {'a', 'b', 'c'}) {
    threads.emplace_back([&bench, &torn, letter] {
      const std::string text(100, letter);
      for (int i = 0; i < 2'000; ++i) {
        auto admitted = bench.circuit.try_acquire();
        static_cast<void>(admitted->complete(outcome::failure, {}, text));
        const auto seen = bench.circuit.snapshot().last_failure;
        if (seen.empty()) continue;  // ours gave way to one that is not yet written
        if (seen.view() != std::string(100, seen.view()[0])) torn.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(torn.load() == 0);
}
