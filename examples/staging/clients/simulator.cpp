// SPDX-License-Identifier: BSL-1.0
#include "clients/simulator.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <stdexcept>
#include <string>

namespace staging {

namespace {

using namespace std::chrono_literals;

constexpr std::array all_modes{simulated_mode::up, simulated_mode::down, simulated_mode::slow,
                               simulated_mode::flaky};
constexpr brownout::duration longest_latency = 3600s;

/// Whether a stop was requested before `end` came.
[[nodiscard]] bool stopped_before(brownout::time_point end, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any nothing;
  std::unique_lock lock{mutex};
  nothing.wait_until(lock, stop, end, [] { return false; });
  return stop.stop_requested();
}

}  // namespace

std::string_view to_string(simulated_mode mode) noexcept {
  switch (mode) {
    case simulated_mode::up:
      return "up";
    case simulated_mode::down:
      return "down";
    case simulated_mode::slow:
      return "slow";
    case simulated_mode::flaky:
      return "flaky";
  }
  return "invalid";
}

std::optional<simulated_mode> parse_mode(std::string_view text) noexcept {
  for (const auto mode : all_modes)
    if (text == to_string(mode)) return mode;
  return std::nullopt;
}

brownout::duration latency_of(const simulated_behaviour& behaviour) noexcept {
  return behaviour.latency.value_or(behaviour.mode == simulated_mode::slow ? 2s : 1ms);
}

void simulator::set(const simulated_behaviour& behaviour) {
  // Written so that NaN is refused too.
  if (!(behaviour.error_rate >= 0 && behaviour.error_rate <= 1))
    throw std::invalid_argument("error_rate=" + std::to_string(behaviour.error_rate) + ": from 0 to 1");
  if (const auto latency = latency_of(behaviour); latency < 0s || latency > longest_latency)
    throw std::invalid_argument("latency=" + std::to_string(latency.count()) + "ns: from 0 to 3600 s");
  const std::scoped_lock lock{mutex_};
  behaviour_ = behaviour;
}

simulated_behaviour simulator::behaviour() const {
  const std::scoped_lock lock{mutex_};
  return behaviour_;
}

simulator::plan simulator::next_call() {
  const std::scoped_lock lock{mutex_};
  plan call{.latency = latency_of(behaviour_), .succeeds = behaviour_.mode != simulated_mode::down};
  if (behaviour_.mode == simulated_mode::flaky) {
    // By hand: std::bernoulli_distribution may differ between standard libraries. 53 bits, uniform in [0, 1).
    const double drawn = static_cast<double>(random_() >> 11U) * 0x1p-53;
    call.succeeds = drawn >= behaviour_.error_rate;
  }
  return call;
}

brownout::probe_result simulator::call(const call_context& context) {
  const auto [latency, succeeds] = next_call();
  const auto answered_at = brownout::monotonic_clock{}.now() + latency;
  if (stopped_before(std::min(answered_at, context.deadline), context.stop))
    return {brownout::outcome::cancelled, "given up"};
  if (answered_at > context.deadline) return {brownout::outcome::failure, "timed out (simulated)"};
  if (!succeeds) return {brownout::outcome::failure, "simulated failure"};
  return {brownout::outcome::success, {}};
}

}  // namespace staging
