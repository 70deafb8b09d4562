// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <memory>
#include <new>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

template <class T, class Allocator>
using allocator_for = typename std::allocator_traits<Allocator>::template rebind_alloc<T>;

/// Makes an object in memory of an allocator.
template <class T, class Allocator, class... A>
[[nodiscard]] T* make_with(const Allocator& allocator, A&&... arguments) {
  struct raw_memory {
    allocator_for<T, Allocator> source;
    T* place;

    ~raw_memory() {
      if (place != nullptr) source.deallocate(place, 1);
    }
  };
  allocator_for<T, Allocator> source{allocator};
  T* const place = source.allocate(1);
  raw_memory memory{source, place};
  T* const made = ::new (static_cast<void*>(place)) T(std::forward<A>(arguments)...);
  memory.place = nullptr;
  return made;
}

/// Destroys an object that was made so.
template <class T, class Allocator>
void destroy_with(const Allocator& allocator, T* object) noexcept {
  allocator_for<T, Allocator> source{allocator};
  std::destroy_at(object);
  source.deallocate(object, 1);
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
