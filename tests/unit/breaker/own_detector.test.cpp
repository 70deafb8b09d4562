// SPDX-License-Identifier: BSL-1.0
// What a detector that is not the library's own is told.
#include "catch2.hpp"

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <chrono>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
using brownout::duration;

namespace {

std::vector<duration> seen;  // how long the calls took that a detector was told of

/// Has no window, and trips never. It asks for every result: its marks are never 0.
template <bool ReadsClock, bool HasWindow>
struct stopwatch {
  static constexpr bool reads_clock = ReadsClock;
  static constexpr bool times_calls = true;
  static constexpr bool has_window = HasWindow;
  static constexpr bool counts_overdue = false;
  template <class Atomics>
  using history = brownout::no_history;

  [[nodiscard]] bool is_bad(const brownout::call_sample& call) const noexcept { return call.failed; }
  [[nodiscard]] std::uint32_t first_marks(std::uint32_t /*most*/) const noexcept { return 1; }
  [[nodiscard]] brownout::no_evidence record(brownout::no_history& /*past*/,
                                             const brownout::call_sample& /*call*/) const noexcept {
    return {};
  }
  [[nodiscard]] brownout::no_evidence read(const brownout::no_history& /*past*/,
                                           const brownout::call_sample& /*call*/) const noexcept {
    return {};
  }
  void refresh(brownout::no_evidence& /*evidence*/, const brownout::no_history& /*past*/,
               const brownout::call_sample& /*call*/) const noexcept {}
  [[nodiscard]] brownout::judgement judge(brownout::no_evidence /*none*/, std::uint32_t marks,
                                          const brownout::call_sample& call,
                                          std::uint32_t /*most*/) const noexcept {
    seen.push_back(call.took);
    return {marks};
  }
  [[nodiscard]] brownout::epoch_statistics statistics(brownout::no_evidence /*none*/, std::uint32_t /*marks*/,
                                                      std::uint32_t /*most*/) const noexcept {
    return {};
  }
  void validate(std::uint32_t /*most*/) const {}
  void validate_replacing(const stopwatch& /*in_use*/) const {}
};

}  // namespace

TEMPLATE_TEST_CASE("a detector that times calls is told how long each took, whatever else it asks for",
                   "[breaker][B19d]", (stopwatch<true, true>), (stopwatch<true, false>),
                   (stopwatch<false, true>), (stopwatch<false, false>)) {
  brownout::manual_clock clock;
  brownout::circuit_breaker<TestType, brownout::manual_clock> called{{}, {}, clock};
  clock.advance(10s);
  seen.clear();
  called.call([&] { clock.advance(2s); });
  CHECK_THROWS(called.call([&] {
    clock.advance(3s);
    throw std::runtime_error{"refused"};
  }));
  CHECK(seen == std::vector<duration>{2s, 3s});
}
