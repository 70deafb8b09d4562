// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/detector/consecutive_failures.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>

using namespace std::chrono_literals;
using brownout::circuit_state;
using brownout::detail::control_word;

namespace {

constexpr control_word closed_with(std::uint64_t epoch, std::uint64_t marks) {
  return control_word::of(circuit_state::closed, epoch, marks);
}

// Whatever the fields hold, one does not leak into another.
constexpr bool fields_are_apart() {
  for (const auto state :
       {circuit_state::closed, circuit_state::half_open, circuit_state::open, circuit_state::forced_open,
        circuit_state::disabled, circuit_state::metrics_only}) {
    for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{1}, control_word::epoch_limit}) {
      for (const std::uint64_t payload : {std::uint64_t{0}, std::uint64_t{1}, control_word::payload_mask}) {
        const auto word = control_word::of(state, epoch, payload);
        if (word.state() != state || word.epoch() != epoch ||
            (word.bits & control_word::payload_mask) != payload) {
          return false;
        }
      }
    }
  }
  return true;
}
static_assert(fields_are_apart());
static_assert(brownout::consecutive_failures::most <= control_word::most_marks);

// Only a closed word without failures takes the short cut.
static_assert(control_word{}.is_clean());
static_assert(closed_with(control_word::epoch_limit, 0).is_clean());
static_assert(!closed_with(0, 1).is_clean());
static_assert(!control_word::of(circuit_state::half_open, 0, 0).is_clean());
static_assert(!control_word::of(circuit_state::open, 0, 0).is_clean());
static_assert(!control_word::of(circuit_state::forced_open, 0, 0).is_clean());
static_assert(!control_word::of(circuit_state::disabled, 0, 0).is_clean());
static_assert(!control_word::of(circuit_state::metrics_only, 0, 0).is_clean());

// The era is state and epoch, whatever was counted.
static_assert(closed_with(5, 0).era() == closed_with(5, 9).era());
static_assert(closed_with(5, 0).era() != closed_with(6, 0).era());
static_assert(closed_with(5, 0).era() != control_word::of(circuit_state::open, 5, 0).era());
static_assert(closed_with(5, 3).without_shortcut().era() == closed_with(5, 0).era());

// No marks reach the word of a permit without the short cut.
static_assert(closed_with(5, control_word::most_marks).without_shortcut() !=
              closed_with(5, control_word::flag | control_word::most_marks));

// A next epoch starts with what it is given, a half-open one with its first probe.
static_assert(closed_with(5, 7).next_open(false, 0s) == control_word::of(circuit_state::open, 6, 0));
static_assert(closed_with(5, 7).next_closed(0) == closed_with(6, 0));
static_assert(closed_with(5, 7).next_closed(3).marks() == 3);
constexpr auto half_open = control_word::of(circuit_state::open, 6, 0).next_half_open();
static_assert(half_open.state() == circuit_state::half_open && half_open.epoch() == 7);
static_assert(half_open.admissions() == 1 && half_open.in_flight() == 1 && half_open.succeeded() == 0);

// Half-open accounting.
constexpr auto two = half_open.with_admission();
static_assert(two.admissions() == 2 && two.in_flight() == 2 && two.succeeded() == 0 && two.epoch() == 7);
static_assert(two.with_success().succeeded() == 1 && two.with_success().in_flight() == 1);
static_assert(two.with_give_back().in_flight() == 1 && two.with_give_back().admissions() == 2);
constexpr auto many = control_word::half_open(7, 127, 1, 2).with_admission();
static_assert(many.admissions() == 0 && many.in_flight() == 3 && many.succeeded() == 1 && many.epoch() == 7);
static_assert(!many.is_by_rate() && many.failed() == 0 && many.slow() == 0);

// Half-open, by rate: the same state and era, and no field leaks into another.
constexpr auto rated = control_word::of(circuit_state::open, 6, 0).next_by_rate();
static_assert(rated.state() == circuit_state::half_open && rated.epoch() == 7 &&
              rated.era() == half_open.era());
static_assert(rated.is_by_rate() && rated.admissions() == 1 && rated.in_flight() == 1);
static_assert(rated.succeeded() == 0 && rated.failed() == 0 && rated.slow() == 0 && !rated.is_ramping());
constexpr auto full = control_word::by_rate(7, 7, 31, 15, 16, 30).with_admission();
static_assert(full == control_word::by_rate(7, 0, 31, 15, 16, 31) && full.is_by_rate());
static_assert(full.slow() == 31 && full.failed() == 15 && full.succeeded() == 16 && full.in_flight() == 31);
static_assert(full.with_give_back() == control_word::by_rate(7, 0, 31, 15, 16, 30));
constexpr auto some = control_word::by_rate(7, 3, 0, 0, 0, 3);
static_assert(some.with_result(false, false) == control_word::by_rate(7, 3, 0, 0, 1, 2));
static_assert(some.with_result(true, false) == control_word::by_rate(7, 3, 0, 1, 0, 2));
static_assert(some.with_result(false, true) == control_word::by_rate(7, 3, 1, 0, 1, 2));
static_assert(some.with_result(true, true) == control_word::by_rate(7, 3, 1, 1, 0, 2));
static_assert(some.moment_key() != some.with_admission().moment_key());
static_assert(some.moment_key() == some.with_result(true, true).moment_key());
static_assert(!some.is_clean() && !some.measures() && some.without_shortcut() != some);
static_assert(control_word::most_rated == brownout::probe_rate_options::most_calls);

// On the ramp: shown as half-open, and of another era than the probing.
constexpr auto ramp = half_open.next_on_ramp(6);
static_assert(ramp.state() == circuit_state::half_open && ramp.is_ramping() && ramp.epoch() == 8);
static_assert(ramp.limit() == 6 && ramp.in_flight() == 0 && ramp.succeeded() == 0 && ramp.admissions() == 0);
static_assert(ramp.era() != control_word::half_open(8, 0, 0, 0).era());
constexpr auto climbing = control_word::on_ramp(8, 15, 14, 254, 253).with_admission();
static_assert(climbing == control_word::on_ramp(8, 0, 14, 254, 254));
static_assert(climbing.with_end(0, 127) == control_word::on_ramp(8, 0, 0, 127, 253));
static_assert(climbing.with_no_streak() == control_word::on_ramp(8, 0, 0, 254, 254));
static_assert(climbing.with_give_back() == control_word::on_ramp(8, 0, 14, 254, 253));
static_assert(!ramp.is_clean() && ramp.without_shortcut() != ramp);

// Open: what was refused, and what the failed call asked for, rounded up.
constexpr auto opened = closed_with(5, 7).next_open(true, 100ms + 1ns);
static_assert(opened.state() == circuit_state::open && opened.begins_outage() && opened.refused() == 0);
static_assert(opened.retry_after() == 200ms &&
              closed_with(5, 7).next_open(false, 100ms).retry_after() == 100ms);
static_assert(opened.with_refusal().with_refusal().refused() == 2);
static_assert(opened.with_refusal().retry_after() == 200ms && opened.with_refusal().begins_outage());
static_assert(!closed_with(5, 7).next_open(false, 5min).begins_outage());
static_assert(closed_with(5, 7).next_open(false, brownout::breaker_options::most_retry_after).retry_after() ==
              5min);

// What a field has room for.
static_assert(control_word::most_marks == 8'388'606 && control_word::most_refused == 2047);
static_assert(control_word::most_retry_after == 4095 && control_word::most_limit == 255);
static_assert(control_word::unit == 100ms && control_word::longest_held == 838'860'700ms);

// As many refused calls as the word can count leave the rest of it alone.
constexpr control_word with_refusals(control_word word, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) word = word.with_refusal();
  return word;
}
constexpr auto longest =
    closed_with(5, 7).next_open(true, control_word::unit* control_word::most_retry_after);
constexpr auto refused_most = with_refusals(longest, control_word::most_refused);
static_assert(refused_most.refused() == control_word::most_refused && longest.refused() == 0);
static_assert(refused_most.retry_after() == longest.retry_after() && longest.retry_after() == 409'500ms);
static_assert(refused_most.begins_outage() && refused_most.era() == longest.era());

// Held by an operator: for ever, or for so long.
constexpr auto held = closed_with(5, 7).next_held(circuit_state::forced_open, 100ms + 1ns);
static_assert(held.held_for() == 200ms && !held.is_held_for_ever() && held.epoch() == 6);
static_assert(held.with_held_for(0s).is_held_for_ever() && held.with_held_for(0s).era() == held.era());
static_assert(held.with_held_for(control_word::longest_held).held_for() == control_word::longest_held);
static_assert(held.with_held_for(control_word::longest_held).era() == held.era());
static_assert(!held.refuses_all() && held.with_held_for(0s).refuses_all() && !held.admits_all());
constexpr auto passed = closed_with(5, 7).next_held(circuit_state::disabled, 100ms);
static_assert(!passed.admits_all() && passed.with_held_for(0s).admits_all());
static_assert(!passed.with_held_for(0s).refuses_all() && closed_with(5, 7).admits_all());

// Begun by an operator: neither a mark nor in the way of the short cut.
constexpr auto reset = closed_with(5, 7).next_held(circuit_state::closed, 0);
static_assert(reset.is_begun_by_operator() && reset.is_clean() && reset.marks() == 0 && reset.epoch() == 6);
static_assert(reset.with_marks(9).is_begun_by_operator() && reset.with_marks(9).marks() == 9);
static_assert(!reset.with_marks(9).is_clean() && reset.with_marks(9).with_marks(0) == reset);

// The moment's key changes with whatever gives a new moment, and with nothing else.
static_assert(closed_with(5, 0).moment_key() == closed_with(5, 9).moment_key());
static_assert(closed_with(5, 0).moment_key() != closed_with(6, 0).moment_key());
static_assert(half_open.moment_key() != two.moment_key());
static_assert(half_open.moment_key() == half_open.with_give_back().moment_key());
static_assert(two.moment_key() == two.with_success().moment_key());
static_assert(half_open.moment_key() != control_word::of(circuit_state::open, 6, 0).moment_key());
static_assert(control_word::of(circuit_state::open, 15, 0).moment_key() !=
              control_word::of(circuit_state::open, 16, 0).moment_key());

// Two eras have one key only if they are 4096 epochs apart, and the calls of a half-open one do not reach the
// next.
constexpr bool keys_are_apart() {
  std::array<bool, 4096> taken{};
  for (std::uint64_t epoch = 3; epoch < 3 + taken.size(); ++epoch) {
    const auto key = closed_with(epoch, 0).moment_key();
    if (key >= taken.size() || taken[key]) return false;
    taken[key] = true;
  }
  const auto of_call = [](std::uint64_t number) {
    return control_word::half_open(9, number, 0, 0).moment_key();
  };
  for (std::uint64_t number = 1; number < 128; ++number) {
    if (of_call(number) != of_call(0) + number) return false;
  }
  return of_call(127) < control_word::half_open(10, 0, 0, 0).moment_key();
}
static_assert(keys_are_apart());

}  // namespace

TEST_CASE("an epoch at its limit begins again at 0 and leaves the state alone", "[breaker][B2][B2c]") {
  const auto last = closed_with(control_word::epoch_limit, 3);
  const auto next = last.next_held(circuit_state::metrics_only, 0);
  CHECK(next.epoch() == 0);
  CHECK(next.state() == circuit_state::metrics_only);
  CHECK(next.marks() == 0);
}
