// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <concepts>
#include <memory>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A guard as an asynchronous call keeps it until it is started, and what the call keeps until it has ended
/// so that the guard lives long enough. A guard that cannot be copied is referred to, and has to outlive its
/// calls. A handle, such as a `keyed_breaker`, is copied.
template <class Guard>
struct held_guard {
  struct owner {};

  Guard* guard;

  explicit held_guard(Guard& given) noexcept : guard{&given} {}
  [[nodiscard]] Guard& get() const noexcept { return *guard; }
  [[nodiscard]] owner keep() const noexcept { return {}; }
};
template <std::copy_constructible Handle>
struct held_guard<Handle> {
  struct owner {};

  mutable Handle handle;

  explicit held_guard(const Handle& given) : handle{given} {}
  [[nodiscard]] Handle& get() const noexcept { return handle; }
  [[nodiscard]] owner keep() const noexcept { return {}; }
};
template <class Guard>
struct held_guard<std::shared_ptr<Guard>> {
  using owner = std::shared_ptr<Guard>;

  std::shared_ptr<Guard> shared;

  explicit held_guard(const std::shared_ptr<Guard>& given) noexcept : shared{given} {}
  [[nodiscard]] Guard& get() const noexcept { return *shared; }
  [[nodiscard]] const owner& keep() const noexcept { return shared; }
};

/// Whether it is a `pipeline`.
template <class T>
inline constexpr bool is_pipeline = requires(const T& given) {
  given.stages();
  T::kinds;
};

/// A guard, or what holds one, and no pipeline.
template <class T>
concept single_guard = !is_pipeline<std::remove_cvref_t<T>>;

template <class Given>
using held_guard_for = held_guard<std::remove_cvref_t<Given>>;

}  // namespace brownout::inline BROWNOUT_ABI::detail
