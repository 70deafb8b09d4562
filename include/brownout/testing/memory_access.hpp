// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

/// What was done to an atomic variable.
enum class access_kind : std::uint8_t {
  load,
  store,
  exchange,        // and fetch_add and its like
  compare_failed,  // a compare-and-swap that found another value, or failed for no reason
  compare_done,
};

/// An access to an atomic variable of a `schedule`.
struct memory_access {
  const void* where;     ///< the variable
  access_kind kind;      ///< what was done
  std::size_t thread;    ///< number of the thread, or `schedule::no_thread`
  std::uint64_t before;  ///< the value before, its first eight bytes
  std::uint64_t after;   ///< the value after; the same if it was not written
};

}  // namespace brownout::inline BROWNOUT_ABI
