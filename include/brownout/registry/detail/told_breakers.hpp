// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/registry/detail/numbered_places.hpp"
#include "brownout/registry/detail/registered_breaker.hpp"
#include "brownout/registry/registry_listener.hpp"
#include "brownout/version.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

template <class Breaker>
class told_list;

/// Breakers that were added to a shard or removed from it in one step, while the registry's listener is told
/// of them. They are on the stack of the thread that calls the listener.
///
/// The destructor destroys the breakers that were removed, or releases the registry's references to breakers
/// that were erased. It runs after the shard's lock was released, because it runs user code.
template <class Breaker>
class told_breakers {
 public:
  using place = typename numbered_places<registered_breaker<Breaker>>::place;

  told_breakers() noexcept = default;
  told_breakers(const told_breakers&) = delete;
  told_breakers& operator=(const told_breakers&) = delete;
  ~told_breakers() {
    if (size_ > 0) places_[0].object->home->end(*this);
  }

  /// Precondition: fewer than 32 are in it, and they have the same reason.
  void take(place one, removal_reason why) noexcept {
    places_[size_++] = one;
    reason_ = why;
  }
  /// Forgets the breakers without destroying them.
  void drop() noexcept { size_ = 0; }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] removal_reason reason() const noexcept { return reason_; }
  [[nodiscard]] const place* begin() const noexcept { return places_.data(); }
  [[nodiscard]] const place* end() const noexcept { return places_.data() + size_; }

 private:
  friend told_list<Breaker>;

  std::array<place, numbered_places<registered_breaker<Breaker>>::row_size> places_{};
  std::uint32_t size_ = 0;
  removal_reason reason_{};
  told_breakers* next_ = nullptr;  // in the list
};

/// The breakers of one shard of which the listener is being told at the moment. The owner locks. Not used
/// without a listener.
template <class Breaker>
class told_list {
 public:
  explicit told_list(bool is_used) noexcept : is_used_{is_used} {}
  [[nodiscard]] bool is_used() const noexcept { return is_used_; }

  /// Does nothing if `one` is empty.
  void add(told_breakers<Breaker>& one) noexcept {
    if (is_used_ && !one.empty()) one.next_ = std::exchange(first_, &one);
  }
  /// Does nothing if `one` is not in the list.
  void remove(const told_breakers<Breaker>& one) noexcept {
    for (auto** at = &first_; *at != nullptr; at = &(*at)->next_) {
      if (*at == &one) {
        *at = one.next_;
        return;
      }
    }
  }

  [[nodiscard]] bool has(const registered_breaker<Breaker>* breaker) const noexcept {
    return any([&](const auto& told) { return &told == breaker; });
  }
  /// Whether it has a breaker of this key.
  [[nodiscard]] bool has(std::string_view key) const noexcept {
    return any([&](const auto& told) { return told.breaker.name() == key; });
  }

 private:
  template <class Is>
  [[nodiscard]] bool any(Is is) const noexcept {
    for (const auto* one = first_; one != nullptr; one = one->next_) {
      for (const auto& told : *one) {
        if (is(*told.object)) return true;
      }
    }
    return false;
  }

  const bool is_used_;
  told_breakers<Breaker>* first_ = nullptr;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
