// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <atomic>

namespace brownout::inline BROWNOUT_ABI {

/// The atomics that a component uses. They are a policy: tests can put a scheduler between any two accesses
/// and explore the interleavings of the shipped code.
///
/// A model has a member template `atomic<T>` with the operations of `std::atomic<T>`.
struct std_atomics {
  /// An atomic variable of type `T`.
  template <class T>
  using atomic = std::atomic<T>;
};

}  // namespace brownout::inline BROWNOUT_ABI
