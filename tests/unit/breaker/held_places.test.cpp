// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/held_places.hpp"

#include <array>
#include <cstdint>

using brownout::detail::control_word;
using brownout::detail::held_places;
using brownout::detail::ticket;

namespace {

constexpr auto probing = control_word::half_open(7, 3, 1, 1).without_shortcut();
constexpr auto ramping = control_word::on_ramp(8, 3, 1, 6, 1).without_shortcut();
constexpr int some_breaker = 0;
constexpr int other_breaker = 0;

static_assert(ticket::is_holder(ticket::of_holder(probing)) && !ticket::is_rider(ticket::of_holder(probing)));
static_assert(ticket::is_rider(ticket::of_rider(probing)) && !ticket::is_holder(ticket::of_rider(probing)));
static_assert(ticket::word_of(ticket::of_holder(probing)) == probing);
static_assert(ticket::word_of(ticket::of_holder(ramping)) == ramping);
// No permit without a ticket is taken for one, whatever its payload.
static_assert(!ticket::is_holder(probing) && !ticket::is_rider(ramping));
// Nothing that a ticket is compared with is like it.
static_assert(!ticket::of_holder(probing).is_clean() && !ticket::of_rider(ramping).measures());
static_assert(ticket::of_rider(probing).epoch() == probing.epoch());

}  // namespace

TEST_CASE("a place carries until its holder leaves", "[breaker][B16]") {
  held_places places;
  CHECK_FALSE(places.ride(&some_breaker, probing));
  const auto holder = places.enter(&some_breaker, probing);
  CHECK(ticket::is_holder(holder));
  CHECK(places.ride(&some_breaker, probing));
  CHECK_FALSE(places.ride(&other_breaker, probing));
  CHECK_FALSE(places.ride(&some_breaker, ramping));
  CHECK(places.leave(&some_breaker, holder) == probing);
  CHECK_FALSE(places.ride(&some_breaker, probing));
}

TEST_CASE("a second holder of an era is none, and one of a later era takes over", "[breaker][B16]") {
  held_places places;
  const auto first = places.enter(&some_breaker, probing);
  CHECK(places.enter(&some_breaker, probing) == probing);
  CHECK(places.leave(&some_breaker, probing) == probing);  // a permit without a ticket takes nothing away
  CHECK(places.ride(&some_breaker, probing));

  const auto later = places.enter(&some_breaker, ramping);
  CHECK(ticket::is_holder(later));
  CHECK_FALSE(places.ride(&some_breaker, probing));
  CHECK(places.leave(&some_breaker, first) == probing);
  CHECK(places.ride(&some_breaker, ramping));
}

TEST_CASE("calls that end in another order, or on another thread, as stackful coroutines do, disturb nothing",
          "[breaker][B16]") {
  held_places places;
  held_places of_another_thread;
  const auto one = places.enter(&some_breaker, probing);
  const auto other = places.enter(&other_breaker, probing);
  SECTION("the outer one first") {
    CHECK(places.leave(&some_breaker, one) == probing);
    CHECK(places.ride(&other_breaker, probing));
    CHECK(places.leave(&other_breaker, other) == probing);
  }
  SECTION("a rider after its holder") {
    const auto rider = places.ride(&some_breaker, probing).value();
    CHECK(places.leave(&some_breaker, one) == probing);
    CHECK(places.leave(&some_breaker, rider) == rider);
    CHECK_FALSE(places.ride(&some_breaker, probing));
  }
  SECTION("elsewhere") {
    CHECK(of_another_thread.leave(&some_breaker, one) == probing);
    CHECK(places.ride(&some_breaker, probing));  // until its era is over
    CHECK_FALSE(places.ride(&some_breaker, ramping));
    CHECK(ticket::is_holder(places.enter(&some_breaker, ramping)));
  }
  SECTION("a rider elsewhere counts on") {
    const auto rider = places.ride(&some_breaker, probing).value();
    CHECK(of_another_thread.leave(&some_breaker, rider) == rider);
    for (std::uint32_t i = 1; i < held_places::most_riders; ++i) CHECK(places.ride(&some_breaker, probing));
    CHECK_FALSE(places.ride(&some_breaker, probing));
  }
}

TEST_CASE("more holders than there are entries take the oldest", "[breaker][B16]") {
  held_places places;
  int breakers[held_places::most_breakers + 1];
  for (const auto& one : breakers) CHECK(ticket::is_holder(places.enter(&one, probing)));
  int carrying = 0;
  for (const auto& one : breakers) carrying += places.ride(&one, probing) ? 1 : 0;
  CHECK(carrying == held_places::most_breakers);
  CHECK(places.ride(&breakers[held_places::most_breakers], probing));
}

TEST_CASE("calls that ride beyond their holder count among those of the next one",
          "[breaker][B4][B16][B16f]") {
  held_places places;
  const auto first = places.enter(&some_breaker, probing);
  std::array<control_word, held_places::most_riders> riders{};
  for (auto& one : riders) one = places.ride(&some_breaker, probing).value();
  CHECK(places.leave(&some_breaker, first) == probing);
  CHECK_FALSE(places.ride(&some_breaker, probing));  // nobody holds a place

  const auto second = places.enter(&some_breaker, probing);
  CHECK(ticket::is_holder(second));
  CHECK_FALSE(places.ride(&some_breaker, probing));
  static_cast<void>(places.leave(&some_breaker, riders[0]));
  CHECK(places.ride(&some_breaker, probing));
  CHECK(places.leave(&some_breaker, second) == probing);

  // Another epoch begins anew.
  static_cast<void>(places.enter(&some_breaker, ramping));
  CHECK(places.ride(&some_breaker, ramping));
}
