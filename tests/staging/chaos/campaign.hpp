// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "staging/chaos/machine_stalls.hpp"
#include "staging/chaos/observed_server.hpp"
#include "staging/chaos/timeline.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace staging_chaos {

/// What happened at one server, in order.
struct lane_record {
  std::string name;
  wall_time began{};
  std::vector<case_result> cases{};
  std::vector<fault_span> faults{};
  std::vector<change> changes{};
};

/// Makes faults at one server, and judges how it behaves. Not thread-safe.
class lane {
 public:
  lane(std::string name, const std::vector<std::string_view>& real, machine_stalls& stalls,
       std::uint64_t seed);

  /// One dependency fails in one way, is found out, is tested once in vain, and comes back.
  void run_single(std::string_view victim, fault how);
  /// Two or three dependencies fail at once, each in a way of its own.
  void run_together(std::size_t victims);
  /// A dependency comes and goes faster than a circuit opens and closes.
  void run_flapping();
  /// A dependency that was gone first answers too late, then in time.
  void run_slow_recovery();
  /// The server is replaced by a new one within an outage.
  void run_restart();
  /// The server is told to end within an outage.
  void run_sigterm();

  /// Notes why this lane cannot go on: its cases until now are still told.
  void give_up(std::string why);

  [[nodiscard]] lane_record take_record();

 private:
  struct judged;

  void note(case_result&& result);

  [[nodiscard]] judged begin_case(std::string kind, const std::vector<std::string_view>& victims);
  void finish_case(judged& subject);
  void begin(judged& subject, std::string_view victim, fault how);
  void end(judged& subject);
  void wait_until_open(judged& subject);
  void wait_until_tested(judged& subject);
  void wait_until_well(judged& subject);
  void judge_changes(judged& subject);
  void judge_requests(judged& subject);
  [[nodiscard]] seconds allowance(const judged& subject) const;
  [[nodiscard]] std::vector<std::string_view> some_victims(std::size_t count);
  [[nodiscard]] fault some_fault();

  machine_stalls& stalls_;
  std::mt19937_64 random_;
  lane_record record_;
  observed_server server_;
};

}  // namespace staging_chaos
