// SPDX-License-Identifier: BSL-1.0
#include "harness/allocations.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

// Every other form of operator new ends in one of these. Not inlined, or the compiler sees malloc and free
// apart from each other and warns.

namespace {

std::atomic<std::uint64_t> allocations{0};  // written by whoever allocates; a total, relaxed is enough

void* counted(std::size_t size, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

std::uint64_t benchmarks::allocations_so_far() noexcept {
  return allocations.load(std::memory_order_relaxed);
}

[[gnu::noinline]] void* operator new(std::size_t size) {
  return counted(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
