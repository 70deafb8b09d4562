// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <atomic>

namespace brownout::inline BROWNOUT_ABI {

/// The atomics a component works on; a policy, so that tests can put a scheduler between any two accesses and
/// explore the interleavings of the code that ships.
///
/// A model has a member template `atomic<T>` with the operations of `std::atomic<T>`.
struct std_atomics {
  template <class T>
  using atomic = std::atomic<T>;
};

}  // namespace brownout::inline BROWNOUT_ABI
