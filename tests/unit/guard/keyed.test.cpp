// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/pipeline.hpp"
#include "catch2.hpp"
#include "unit/core/child.hpp"
#include "unit/counted_atomics.hpp"
#include "unit/guard/keyed_bench.hpp"

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace guard_test;
using breaker_test::counted_atomics;
using breaker_test::loads_and_writes;
using brownout::rejection;
using brownout::rejection_reason;
using handle = keyed<rate_limiter<>>::handle;

static_assert(!std::is_copy_constructible_v<keyed<rate_limiter<>>>);
static_assert(!std::is_move_constructible_v<keyed<rate_limiter<>>>);
static_assert(std::is_copy_constructible_v<handle> && std::is_copy_assignable_v<handle>);
static_assert(noexcept(std::declval<keyed<rate_limiter<>>&>().at("")));
static_assert(noexcept(std::declval<handle&>().try_acquire()));
static_assert(brownout::guard_stage<handle>);

namespace {

std::string tenant(std::uint64_t number) {
  return "tenant-" + std::to_string(number);
}

}  // namespace

TEST_CASE("each key has a burst of its own, and then the rate", "[guard][rate-limiter][L10a]") {
  keyed_bench bench{{.rate = per_second(10), .burst = 20}};
  for (const auto* const key : {"tenant-1", "tenant-2", ""}) CHECK(bench.admitted_now(key) == 20);
  for (int i = 0; i < 20; ++i) {
    bench.clock.advance(100ms - 1ns);
    CHECK_FALSE(bench.try_acquire("tenant-1"));
    bench.clock.advance(1ns);
    CHECK(bench.admitted_now("tenant-1") == 1);
  }
  CHECK(bench.admitted_now("tenant-2") == 20);
  CHECK(bench.admitted_now("tenant-3") == 20);
}

TEST_CASE("keys of any length have buckets of their own", "[guard][rate-limiter][L10a]") {
  keyed_bench bench{{.rate = per_second(1), .burst = 1}};
  std::size_t keys = 0;
  for (std::size_t length = 0; length <= 300; ++length) {
    std::string key(length, '\0');
    CHECK(bench.admitted_now(key) == 1);
    ++keys;
    for (std::size_t at = 0; at < length; at += 7) {
      key[at] = '\x01';
      CHECK(bench.admitted_now(key) == 1);
      ++keys;
    }
  }
  CHECK(bench.quotas.snapshot().keys == keys);
  CHECK(bench.quotas.snapshot().refused == keys);
}

TEST_CASE("a key is answered as by a rate limiter of its own", "[guard][rate-limiter][L10a][L10b]") {
  // With few places nearly every call of another key evicts a full bucket. The answers are the same.
  const auto capacity = GENERATE(std::size_t{16}, std::size_t{40}, std::size_t{65'536});
  const auto rate = GENERATE(1e3, 1.7e6);
  CAPTURE(capacity, rate);
  keyed_bench bench{{.name = "quotas", .rate = per_second(rate), .burst = 3, .capacity = capacity}};
  std::map<std::uint64_t, rate_limiter<manual_clock>> own;
  random_numbers random{11};
  const std::chrono::duration<double, std::nano> interval{1e9 / rate};
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    // A few calls in an interval, of which most are of few keys.
    bench.clock.advance(std::chrono::duration_cast<brownout::duration>(
        interval * (static_cast<double>(random.below(100)) / 300)));
    const auto number = random.below(2) == 0 ? random.below(3) : random.below(1000);
    const auto tokens = 1 + static_cast<std::uint32_t>(random.below(8) == 0);
    auto& expected =
        own.try_emplace(number, rate_limiter_options{.name = "quotas", .rate = per_second(rate), .burst = 3},
                        bench.clock)
            .first->second;
    const auto shown = bench.quotas.at(tenant(number)).snapshot();
    CHECK(shown.tokens == expected.snapshot().tokens);
    CHECK(shown.retry_after == expected.snapshot().retry_after);
    const auto answer = bench.quotas.at(tenant(number)).try_acquire(tokens);
    if (answer != expected.try_acquire(tokens)) FAIL("call " << i << " of " << tenant(number));
    refused += answer ? 0 : 1;
  }
  CHECK(refused > 1000);
  CHECK(bench.quotas.snapshot().bucketless == 0);
  CHECK((bench.quotas.snapshot().evicted > 1000) == (capacity < 1000));
}

TEST_CASE("a refusal of a key says when, and names the limiter", "[guard][rate-limiter][L10a]") {
  keyed_bench bench{{.name = "quotas", .rate = per_second(10), .burst = 1}};
  const auto key = bench.quotas.at("tenant-7");
  CHECK(key.try_acquire());
  bench.clock.advance(40ms);
  const auto refused = key.try_acquire();
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection() == rejection{rejection_reason::rate_limited, 60ms, false, "quotas"});
  CHECK(refused.rejection().guard.data() == bench.quotas.name().data());
  CHECK(key.snapshot().retry_after == 60ms);
}

TEST_CASE("a call of more tokens than the burst of a key is a broken precondition",
          "[guard][rate-limiter][L10a]") {
  const auto aborts = [](std::uint32_t tokens, bool has_bucket) {
    const auto ended = core_test::in_child([&] {
      keyed<rate_limiter<>> quotas{{.rate = per_second(10), .burst = 10}};
      if (has_bucket) static_cast<void>(quotas.at("tenant").try_acquire());
      static_cast<void>(quotas.at("tenant").try_acquire(tokens));
    });
    CHECK((ended.signal != SIGABRT || ended.output.find("at most its burst") != std::string::npos));
    return ended.signal == SIGABRT;
  };
  for (const bool has_bucket : {false, true}) {
    CHECK_FALSE(aborts(10, has_bucket));
    CHECK(aborts(11, has_bucket));
    CHECK(aborts(0, has_bucket));
  }
}

TEST_CASE("only the bucket of a key that lacks no token is evicted", "[guard][rate-limiter][L10b]") {
  keyed_bench bench{{.rate = per_second(10), .burst = 2, .capacity = 2}};
  CHECK(bench.try_acquire("first"));
  bench.clock.advance(50ms);
  CHECK(bench.try_acquire("second"));
  bench.clock.advance(50ms - 1ns);  // `first` lacks a nanosecond's worth of a token
  CHECK(bench.try_acquire("third"));
  CHECK(bench.quotas.snapshot().evicted == 0);
  CHECK(bench.quotas.snapshot().bucketless == 1);
  bench.clock.advance(100ms + 1ns);
  CHECK(bench.quotas.snapshot().keys == 0);
  CHECK(bench.try_acquire("fourth"));
  CHECK(bench.quotas.snapshot().evicted == 1);
}

TEST_CASE("the bucket that has been full for the longest time is evicted", "[guard][rate-limiter][L10b]") {
  for (int i = 0; i < 20; ++i) {  // each limiter has another hash
    keyed_bench bench{{.rate = per_second(10), .burst = 1, .capacity = 3}};
    for (const auto* const key : {"first", "second", "third"}) {
      bench.clock.advance(1ms);
      CHECK(bench.try_acquire(key));
    }
    bench.clock.advance(1s);
    CHECK(bench.try_acquire("fourth"));
    for (const auto* const key : {"second", "third"}) CHECK(bench.try_acquire(key));
    CHECK(bench.quotas.snapshot().evicted == 1);
  }
}

TEST_CASE("keys that strangers make up take no bucket from a key that is in use",
          "[guard][rate-limiter][L10b][L10c]") {
  keyed_bench bench{{.rate = per_second(10), .burst = 5, .capacity = 20}};
  CHECK(bench.try_acquire("known"));
  std::uint64_t made_up = 0;
  for (int i = 0; i < 100; ++i) {
    for (int k = 0; k < 50; ++k) static_cast<void>(bench.try_acquire(tenant(++made_up)));
    bench.clock.advance(99ms);
    CHECK(bench.quotas.at("known").try_acquire());
    if (i % 5 == 4) bench.clock.advance(5ms);  // 500 ms for 5 tokens
  }
  CHECK(bench.quotas.snapshot().bucketless > 0);
  CHECK(bench.quotas.snapshot().keys <= 20);
}

TEST_CASE("keys that find no place share one bucket", "[guard][rate-limiter][L10c]") {
  keyed_bench bench{{.rate = per_second(10), .burst = 5, .capacity = 2}};
  CHECK(bench.try_acquire("first"));
  CHECK(bench.try_acquire("second"));
  CHECK(bench.admitted_now("third") == 5);
  const auto refused = bench.quotas.at("fourth").try_acquire();
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection().retry_after == 100ms);
  CHECK(bench.quotas.at("fourth").snapshot().tokens == 0);
  CHECK(bench.quotas.snapshot().bucketless == 5);
  CHECK(bench.quotas.snapshot().refused == 2);
  CHECK(bench.admitted_now("first") == 4);  // they have what is theirs
  CHECK(bench.admitted_now("second") == 4);
  bench.clock.advance(200ms);
  CHECK(bench.admitted_now("fourth") == 2);
}

TEST_CASE("a key that gets a bucket begins with the debt of the shared one", "[guard][rate-limiter][L10c]") {
  keyed_bench bench{{.rate = per_second(10), .burst = 5, .capacity = 1}};
  CHECK(bench.try_acquire("first"));
  CHECK(bench.admitted_now("third") == 5);
  bench.clock.advance(100ms);  // the bucket of `first` is full
  CHECK(bench.admitted_now("third") == 1);
  CHECK(bench.quotas.snapshot().evicted == 1);
  bench.clock.advance(500ms);
  CHECK(bench.quotas.at("fourth").snapshot().tokens == 5);
  CHECK(bench.admitted_now("third") == 5);
}

TEST_CASE("no key has more calls than burst and rate allow, however few places there are",
          "[guard][rate-limiter][L10c]") {
  const keyed_rate_limiter_options options{.rate = per_second(1000), .burst = 4, .capacity = 3};
  keyed_bench bench{options};
  std::map<std::uint64_t, std::vector<admitted_call>> calls;
  random_numbers random{3};
  for (int i = 0; i < 50'000; ++i) {
    bench.clock.advance(std::chrono::microseconds{random.below(random.below(50) == 0 ? 4000 : 300)});
    const auto number = random.below(6);
    const auto tokens = 1 + static_cast<std::uint32_t>(random.below(2));
    if (bench.quotas.at(tenant(number)).try_acquire(tokens))
      calls[number].push_back({bench.clock.now(), tokens});
  }
  CHECK(bench.quotas.snapshot().bucketless > 1000);
  CHECK(bench.quotas.snapshot().evicted > 100);
  for (const auto& [number, of_key] : calls) {
    CAPTURE(number);
    CHECK(most_beyond(of_key, {.rate = options.rate, .burst = options.burst}) <= 0);
  }
}

TEST_CASE("a key whose bucket was evicted gets none for an old time", "[guard][rate-limiter][L10b]") {
  keyed_bench bench{{.rate = per_second(10), .burst = 1, .capacity = 1}};
  const auto old = bench.clock.now();
  CHECK(bench.quotas.at("first").try_acquire_at(old));
  bench.clock.advance(1s);
  CHECK(bench.try_acquire("second"));
  bench.clock.advance(1s);
  CHECK(bench.quotas.at("first").try_acquire_at(old));  // counts as of now
  CHECK_FALSE(bench.try_acquire("first"));
}

TEST_CASE("there are as many places for buckets as were asked for", "[guard][rate-limiter][L10d]") {
  for (const std::size_t capacity : {1U, 31U, 32U, 33U, 100U, 10'000U, 65'536U}) {
    const brownout::detail::key_buckets<brownout::std_atomics> buckets{capacity};
    CHECK(buckets.capacity() >= capacity);
    CHECK(buckets.capacity() < capacity + (capacity + 31) / 32);
  }
  CHECK(keyed_bench{{.rate = per_second(1)}}.quotas.snapshot().capacity == 65'536);
}

TEST_CASE("half as many keys as there are places have a bucket each", "[guard][rate-limiter][L10d]") {
  keyed_bench bench{{.rate = per_hour(1), .burst = 1}};
  for (std::uint64_t i = 0; i < 32'768; ++i) static_cast<void>(bench.try_acquire(tenant(i)));
  const auto shown = bench.quotas.snapshot();
  CHECK(shown.bucketless + shown.refused < 40);  // in the mean 0.5
  CHECK(shown.keys == 32'768 - shown.bucketless - shown.refused);
}

TEST_CASE("a call of a key that has a bucket writes one word", "[guard][rate-limiter][L10d]") {
  keyed_bench<counted_atomics> bench{{.rate = per_second(1), .burst = 2}};
  const auto key = bench.quotas.at("tenant");
  CHECK(key.try_acquire());
  // The key, the word, the key again, and two loads of the limits.
  CHECK(counted_atomics::of([&] { CHECK(key.try_acquire()); }) == loads_and_writes{5, 1});
  CHECK(counted_atomics::of([&] { CHECK_FALSE(key.try_acquire()); }).second == 1);  // of the refusals
}

TEST_CASE("a key is a stage of a pipeline, and uses its time", "[guard][rate-limiter][L10f]") {
  keyed_bench bench{{.name = "quotas", .rate = per_second(1), .burst = 1}};
  const auto call = [&](std::string_view key) {
    return brownout::pipeline{bench.clock, bench.quotas.at(key)}.try_call([] { return 7; });
  };
  CHECK(call("first") == 7);
  const auto refused = call("first");
  REQUIRE_FALSE(refused);
  CHECK(refused.rejection() == rejection{rejection_reason::rate_limited, 1s, false, "quotas"});
  CHECK(call("second") == 7);
  bench.clock.advance(1s);
  const auto kept = bench.quotas.at("first");
  const auto next = [](const brownout::call_context&) -> brownout::result<int> { return 1; };
  CHECK(kept.around<int>({}, next));  // reads the clock
  bench.clock.advance(1s);
  CHECK_FALSE(kept.around<int>({.now = bench.clock.now() - 1s}, next));
  CHECK(kept.around<int>({.now = bench.clock.now()}, next));
}

TEST_CASE("a clock that is set back gives no key a token, and makes no wait longer than a full debt",
          "[guard][rate-limiter][L10e]") {
  keyed_bench bench{{.rate = per_second(10), .burst = 5, .capacity = 1}};
  bench.clock.advance(1h);
  CHECK(bench.admitted_now("first") == 5);
  CHECK(bench.admitted_now("second") == 5);  // without a place
  bench.clock.set(bench.clock.now() - 30min);
  CHECK(bench.admitted_now("second") == 0);
  CHECK(bench.admitted_now("first") == 0);
  bench.clock.advance(100ms);
  CHECK(bench.admitted_now("first") == 1);
  CHECK(bench.admitted_now("second") == 1);
  bench.clock.set(bench.clock.now() - 10min);
  CHECK(bench.admitted_now("third") == 0);  // sees that the clock was set back
  bench.clock.advance(500ms);
  CHECK(bench.admitted_now("third") == 5);  // sees that of the place, too
  CHECK(bench.quotas.snapshot().evicted == 0);
  bench.clock.advance(500ms);
  CHECK(bench.admitted_now("third") == 5);
  CHECK(bench.quotas.snapshot().evicted == 1);
}

TEST_CASE("options of rate limiters by key are checked", "[guard][rate-limiter]") {
  const auto refused = [](brownout::rate rate, std::uint32_t burst, std::size_t capacity,
                          const std::string& text) {
    CHECK_THROWS_WITH(
        (keyed<rate_limiter<>>{{.name = "quotas", .rate = rate, .burst = burst, .capacity = capacity}}),
        "keyed<rate_limiter> 'quotas': keyed_rate_limiter_options." + text);
  };
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  refused(per_second(-1), 1, 1, "rate = -1/s: allowed is 0, or 1 a year to 1000000000/s");
  refused(per_second(nan), 1, 1, "rate = nan/s: allowed is 0, or 1 a year to 1000000000/s");
  refused(per_second(1), (1U << 24) + 1, 1, "burst = 16777217: allowed is 1 to 16777216");
  refused(per_hour(1), 8761, 1, "burst = 8761: allowed is 1 to 8760, the tokens of a year");
  refused(per_second(1), 1, 0, "capacity = 0: allowed is 1 to 16777216");
  refused(per_second(1), 1, (1U << 24) + 1, "capacity = 16777217: allowed is 1 to 16777216");
  CHECK_THROWS_AS((keyed<rate_limiter<>>{{.name = std::string(129, 'n'), .rate = per_second(1)}}),
                  std::invalid_argument);
  CHECK(keyed<rate_limiter<>>{{.rate = per_second(100)}}.options().burst == 10);
  CHECK(keyed<rate_limiter<>>{{.rate = per_second(1)}}.options().burst == 1);
}

TEST_CASE("a new key that comes while the limits change leaves frozen buckets as they are",
          "[guard][rate-limiter][L10e]") {
  using buckets = brownout::detail::key_buckets<brownout::std_atomics>;
  using brownout::detail::ticks;
  constexpr std::size_t places = buckets::group_size;
  const auto limits_of = [](brownout::rate rate) { return brownout::detail::token_limits::of(rate, 1, {}); };
  brownout::detail::live_limits<brownout::std_atomics> limits{limits_of(per_second(1))};
  buckets two_groups{2 * places};
  const auto tag = [](std::uint64_t group, std::uint64_t number) {
    return buckets::tag_of(group << 63 | number << 8);
  };
  ticks now = brownout::detail::to_ticks(1s);
  const auto take = [&](std::uint64_t of) {
    return two_groups
               .take(
                   of, limits, now, [&] { return now; }, 1)
               .how == buckets::bucket::fate::taken;
  };
  const auto change_to = [&](brownout::rate rate, const auto& read) {
    limits.write(1 - two_groups.slot(), limits_of(rate));
    two_groups.change_limits(limits, read);
  };
  CHECK(take(tag(0, 0)));
  for (std::uint64_t i = 0; i < places; ++i) CHECK(take(tag(1, i)));
  change_to(per_second(0), [&] { return now; });

  // The first group is being changed, the second one still has its old limits.
  int readings = 0;
  change_to(per_second(1), [&] {
    if (readings++ == 0) static_cast<void>(take(tag(1, places)));
    return now;
  });
  for (std::uint64_t i = 0; i < places; ++i) CHECK_FALSE(take(tag(1, i)));
}
