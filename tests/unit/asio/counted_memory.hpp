// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>

namespace asio_test {

/// An allocator of a handler that counts what is not given back yet.
template <class T>
struct counted_memory {
  using value_type = T;

  int* taken;

  explicit counted_memory(int& count) noexcept : taken{&count} {}
  template <class U>
  explicit counted_memory(const counted_memory<U>& other) noexcept : taken{other.taken} {}
  T* allocate(std::size_t size) {
    ++*taken;
    return std::allocator<T>{}.allocate(size);
  }
  void deallocate(T* place, std::size_t size) noexcept {
    --*taken;
    std::allocator<T>{}.deallocate(place, size);
  }
  friend bool operator==(counted_memory, counted_memory) = default;
};

}  // namespace asio_test
