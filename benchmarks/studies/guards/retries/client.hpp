// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/retries/timeline.hpp"

#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace studies::guards {

/// How one attempt ended: a success, a failure, or the rejection `timed_out` at its deadline.
using attempt_result = brownout::result<brownout::outcome>;
/// Makes an attempt. Stops the fiber until it has ended.
using attempt = std::function<attempt_result(brownout::time_point deadline)>;

[[nodiscard]] inline bool is_success(const attempt_result& one) {
  return one.has_value() && *one == brownout::outcome::success;
}

/// A client of a dependency: how it makes a call out of attempts, ours or a peer.
class client {
 public:
  client() = default;
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  virtual ~client() = default;

  /// Whether the call got an answer. Runs in a fiber; many calls at a time.
  [[nodiscard]] virtual bool call(brownout::time_point deadline, const attempt& make) = 0;
};

/// `limit`: how long an attempt may take.
using make_client =
    std::function<std::unique_ptr<client>(timeline& line, brownout::duration limit, std::uint64_t seed)>;

}  // namespace studies::guards
