// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/registry/detail/numbered_places.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A place whose object is built without the lock of the owner of the places, because that runs user code. If
/// the object is not kept, it is destroyed without the lock too, and the place is given back.
template <class T>
class building_site {
 public:
  using place = typename numbered_places<T>::place;

  building_site(numbered_places<T>& places, std::mutex& mutex) noexcept : places_{places}, mutex_{mutex} {}
  building_site(const building_site&) = delete;
  building_site& operator=(const building_site&) = delete;
  ~building_site() {
    if (is_built_) std::destroy_at(places_[number_].object);
    if (number_ == none) return;
    const std::lock_guard lock{mutex_};
    places_.vacate(number_);
  }

  /// Returns the object that `find()` finds under the lock. If there is none, takes a place in the same step,
  /// unless all places are taken.
  template <class Find>
  [[nodiscard]] place find_or_take(Find find) {
    for (typename numbered_places<T>::spare_block spare;; spare = places_.make_block()) {
      const std::lock_guard lock{mutex_};
      if (const auto found = find(); found.object != nullptr || places_.is_full()) return found;
      if (places_.needs_block()) {
        if (spare == nullptr) continue;  // the next block is allocated without the lock
        places_.add_block(std::move(spare));
      }
      number_ = places_.take();
      return {};
    }
  }
  [[nodiscard]] bool is_taken() const noexcept { return number_ != none; }

  /// `build(object, number)` builds the object in the place that was taken.
  template <class Build>
  void build(Build build) {
    build(places_[number_].object, number_);
    is_built_ = true;
  }

  /// Hands the object over to the caller.
  [[nodiscard]] place keep() noexcept {
    is_built_ = false;
    return places_[std::exchange(number_, none)];
  }

 private:
  static constexpr auto none = ~std::uint32_t{0};

  numbered_places<T>& places_;
  std::mutex& mutex_;
  std::uint32_t number_ = none;
  bool is_built_ = false;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
