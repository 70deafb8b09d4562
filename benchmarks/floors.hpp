// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "harness/barriers.hpp"
#include "harness/scenario.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace benchmarks::floors {

// With external linkage, so that the compiler must expect others to write it.
struct alignas(128) shared_word {
  std::atomic<std::uint64_t> word{0};  // written by the floors below, if at all; publishes nothing
};
extern shared_word shared;
extern shared_word written;      // apart from `shared`, which is 0 between batches
extern std::uint64_t surprises;  // counts what never happens, so that its branch is not optimised away

/// Nothing is cheaper than looking before a call.
inline constexpr floor one_load{"load and branch", repeated([] {
                                  if (shared.word.load(std::memory_order_acquire) != 0) [[unlikely]]
                                    ++surprises;
                                  opaque_call();
                                })};

/// Looking before the call and after it: what a breaker can't do without.
inline constexpr floor two_loads{"two loads and branches", repeated([] {
                                   if (shared.word.load(std::memory_order_acquire) != 0) [[unlikely]]
                                     ++surprises;
                                   opaque_call();
                                   if (shared.word.load(std::memory_order_relaxed) != 0) [[unlikely]]
                                     ++surprises;
                                   opaque_call();
                                 })};

inline constexpr floor two_exchanges{
    "two compare-and-swaps", repeated([] {
      for (const std::uint64_t change : {1u, 1u}) {
        auto seen = shared.word.load(std::memory_order_relaxed);
        while (!shared.word.compare_exchange_weak(seen, seen ^ change, std::memory_order_acq_rel,
                                                  std::memory_order_acquire)) {
        }
        opaque_call();
      }
    })};

inline constexpr floor one_exchange{
    "compare-and-swap", repeated([] {
      auto seen = written.word.load(std::memory_order_relaxed);
      while (!written.word.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel,
                                                 std::memory_order_acquire)) {
      }
      opaque_call();
    })};

inline constexpr floor one_addition{"fetch_add", repeated([] {
                                      written.word.fetch_add(1, std::memory_order_relaxed);
                                      opaque_call();
                                    })};

/// Counting a call at its beginning and at its end.
inline constexpr floor two_additions{"two fetch_adds", repeated([] {
                                       written.word.fetch_add(1, std::memory_order_acquire);
                                       opaque_call();
                                       written.word.fetch_sub(1, std::memory_order_release);
                                       opaque_call();
                                     })};

inline constexpr floor clock_reading{"reading of steady_clock",
                                     repeated([] { keep(std::chrono::steady_clock::now()); })};

}  // namespace benchmarks::floors
