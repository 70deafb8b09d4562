// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// What a probe is given: until when it may run, and whether it should give up.
struct probe_context {
  time_point deadline;   ///< from then on the probe counts as failed, whatever it returns
  std::stop_token stop;  ///< requested at shutdown; a probe that watches it ends at once
};

/// What a probe found.
struct probe_result {
  outcome result = outcome::failure;
  std::string reason;  ///< why not, for people; shown by status pages, so it must hold no secret
};

/// Asks a dependency whether it is well. Called on a thread of its own, never twice at once; an exception
/// counts as a failure whose reason is not shown (an exception's text may hold a connection string).
using probe = std::function<probe_result(const probe_context&)>;

/// A probe that is to be run now, on a thread of its own.
struct probe_order {
  std::size_t dependency = 0;
  std::uint64_t ticket = 0;  ///< tells a late answer from the one that is waited for
  time_point deadline{};
};

}  // namespace brownout::inline BROWNOUT_ABI
