// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/random.hpp"
#include "studies/guards/retries/client.hpp"
#include "studies/guards/retries/timeline.hpp"
#include "studies/guards/retries/trace.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace studies::guards {

/// What is measured in one run.
struct retry_figures {
  double calls = 0;     ///< that are counted
  double attempts = 0;  ///< of these calls that reached the dependency
  double answered = 0;  ///< of these calls
  double p99 = 0;       ///< of the time until the answer, in seconds
  double recovery = 0;  ///< seconds from the end of the cause until three seconds with 99 % answered
  bool has_recovered = true;
};

/// Clients, perhaps services between, and a dependency with workers and a queue.
class world {
 public:
  world(const trace& what_happens, const fleet& who, const make_client& make, std::uint64_t seed);

  [[nodiscard]] retry_figures run();

 private:
  /// A caller that waits for an answer, in its fiber.
  struct waiting {
    fiber* who = nullptr;
    attempt_result answer{brownout::rejection{}};
  };
  using ticket = std::shared_ptr<waiting>;

  void begin_call();
  /// Stops the fiber until somebody settles the ticket.
  [[nodiscard]] static attempt_result wait_for(const ticket& one);
  static void settle(const ticket& one, attempt_result answer);
  void time_out(const ticket& one, brownout::time_point deadline);
  [[nodiscard]] attempt_result ask_dependency(brownout::time_point deadline);
  [[nodiscard]] attempt_result ask_service(bool is_counted, brownout::time_point deadline);
  void serve();
  [[nodiscard]] std::size_t draw_client();
  void find_recovery();

  const trace& trace_;
  fleet fleet_;
  random arrivals_;
  random choices_;
  random services_;
  timeline line_{};
  std::vector<std::unique_ptr<client>> clients_{};
  std::vector<std::unique_ptr<client>> between_{};
  std::deque<ticket> queue_{};
  int busy_ = 0;
  std::vector<double> latencies_{};
  std::vector<double> calls_in_second_;
  std::vector<double> answered_in_second_;
  retry_figures counted_{};
};

}  // namespace studies::guards
