// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace benchmarks {

/// Stands for a call that the compiler can't look into: whatever other code can reach is read and written
/// here. Costs no instruction.
inline void opaque_call() {
  asm volatile("" ::: "memory");
}

/// Makes the compiler believe that `value` is used.
template <class T>
inline void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

/// Makes `object` something that other code can reach: without it, an atomic that nobody writes may be read
/// once for all iterations.
template <class T>
inline void let_escape(T& object) {
  asm volatile("" : : "r"(&object) : "memory");
}

}  // namespace benchmarks
