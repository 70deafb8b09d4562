// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"

#include "brownout/breaker/control_word.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/window/consecutive_failures.hpp"

#include <initializer_list>

using brownout::circuit_state;
using brownout::detail::control_word;

namespace {

constexpr control_word closed_with(std::uint64_t epoch, std::uint64_t failures) {
  return control_word::of(circuit_state::closed, epoch, failures);
}

// Whatever the fields hold, one does not leak into another.
constexpr bool fields_are_apart() {
  for (const auto state :
       {circuit_state::closed, circuit_state::half_open, circuit_state::open, circuit_state::forced_open,
        circuit_state::disabled, circuit_state::metrics_only}) {
    for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{1}, control_word::epoch_limit}) {
      for (const std::uint64_t payload : {std::uint64_t{0}, std::uint64_t{1}, control_word::payload_mask}) {
        const auto word = control_word::of(state, epoch, payload);
        if (word.state() != state || word.epoch() != epoch || word.failures() != payload) return false;
      }
    }
  }
  return true;
}
static_assert(fields_are_apart());
static_assert(brownout::consecutive_failures::most < control_word::payload_mask);

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

// No breaker reaches the word of a permit without the short cut: the last success closes it.
constexpr auto fullest = control_word::half_open(5, 255, brownout::breaker_options::most_probes - 1,
                                                 brownout::breaker_options::most_probes);
static_assert(fullest.succeeded() + 1 == fullest.in_use());
static_assert(fullest.without_shortcut() != fullest);
static_assert(closed_with(5, brownout::consecutive_failures::most).without_shortcut() !=
              closed_with(5, brownout::consecutive_failures::most));

// A next epoch starts with nothing counted, a half-open one with its first probe.
static_assert(closed_with(5, 7).next_epoch(circuit_state::open) ==
              control_word::of(circuit_state::open, 6, 0));
static_assert(closed_with(5, 7).next_epoch(circuit_state::closed) == closed_with(6, 0));
constexpr auto half_open = control_word::of(circuit_state::open, 6, 0).next_epoch(circuit_state::half_open);
static_assert(half_open.state() == circuit_state::half_open && half_open.epoch() == 7);
static_assert(half_open.admissions() == 1 && half_open.in_use() == 1 && half_open.succeeded() == 0);

// Half-open accounting.
constexpr auto two = half_open.with_admission();
static_assert(two.admissions() == 2 && two.in_use() == 2 && two.succeeded() == 0 && two.epoch() == 7);
static_assert(two.with_success().succeeded() == 1 && two.with_success().in_use() == 2);
static_assert(two.with_give_back().in_use() == 1 && two.with_give_back().admissions() == 2);
constexpr auto many = control_word::half_open(7, 255, 1, 2).with_admission();
static_assert(many.admissions() == 0 && many.in_use() == 3 && many.succeeded() == 1 && many.epoch() == 7);

// The moment's key changes with whatever gives a new moment, and with nothing else.
static_assert(closed_with(5, 0).moment_key() == closed_with(5, 9).moment_key());
static_assert(closed_with(5, 0).moment_key() != closed_with(6, 0).moment_key());
static_assert(half_open.moment_key() != two.moment_key());
static_assert(half_open.moment_key() == half_open.with_give_back().moment_key());
static_assert(two.moment_key() == two.with_success().moment_key());
static_assert(half_open.moment_key() != control_word::of(circuit_state::open, 6, 0).moment_key());
static_assert(control_word::of(circuit_state::open, 15, 0).moment_key() !=
              control_word::of(circuit_state::open, 16, 0).moment_key());

}  // namespace

TEST_CASE("an epoch at its limit begins again at 0 and leaves the state alone", "[breaker][B2]") {
  const auto last = closed_with(control_word::epoch_limit, 3);
  const auto next = last.next_epoch(circuit_state::metrics_only);
  CHECK(next.epoch() == 0);
  CHECK(next.state() == circuit_state::metrics_only);
  CHECK(next.failures() == 0);
}
