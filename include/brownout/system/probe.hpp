// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// A flag that asks work to end. Every copy of a signal shares one flag; the flag is never lowered again.
///
/// It stands for `std::stop_source` and `std::stop_token`, which libc++ before version 20 has only as an
/// experiment. It runs no callbacks. Thread-safe; every operation but construction is wait-free.
class stop_signal {
 public:
  /// A signal with a flag of its own. Allocates.
  stop_signal() : requested_{std::make_shared<std::atomic<bool>>(false)} {}

  void request_stop() const noexcept {
    // (1) release: synchronizes-with (2), so the work that ends sees what was written before the request.
    requested_->store(true, std::memory_order_release);
  }
  [[nodiscard]] bool stop_requested() const noexcept {
    return requested_->load(std::memory_order_acquire);  // (2)
  }

 private:
  // Written by request_stop, and only from false to true. Publishes what its caller wrote before.
  std::shared_ptr<std::atomic<bool>> requested_;
};

/// What a probe is given.
struct probe_context {
  time_point deadline;  ///< if the probe has not returned by then, it has failed
  stop_signal stop{};   ///< requested when the supervision stops

  /// Whether the probe should return now, with any result. A probe that waits in steps asks before each step.
  [[nodiscard]] bool stop_requested() const noexcept { return stop.stop_requested(); }
};

/// What a probe found.
struct probe_result {
  outcome result = outcome::failure;  ///< default: a failure
  std::string reason;  ///< why it is not a success, for people. Status pages show it: it must hold no secret
};

/// Asks a dependency whether it is well.
///
/// A supervision calls each probe on a thread of its own, and never calls one probe twice at once. A probe
/// that throws has failed. The text of its exception is not shown, because it may hold a connection string.
using probe = std::function<probe_result(const probe_context&)>;

/// A probe that is to be run now, on a thread of its own.
struct probe_order {
  std::size_t dependency = 0;  ///< number of the dependency: its place in `supervisor_options::dependencies`
  std::uint64_t ticket = 0;  ///< number of this order; a late answer to an earlier order is recognised by it
  time_point deadline{};     ///< see `probe_context::deadline`
};

}  // namespace brownout::inline BROWNOUT_ABI
