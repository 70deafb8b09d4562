// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace brownout::detail {

/// Places for objects that never move, each with a number: 4 bytes instead of a pointer's 8, and an order in
/// which everything can be walked through while objects come and go.
///
/// An object is listed until it is hidden; hidden, it keeps its place until it is destroyed. Memory of blocks
/// is kept for the next objects. Not thread-safe: whoever owns it locks.
template <class T>
class numbered_places {
 public:
  static constexpr std::uint32_t block_size = 32;  // bits of a mask

  numbered_places() = default;
  numbered_places(const numbered_places&) = delete;
  numbered_places& operator=(const numbered_places&) = delete;
  ~numbered_places() = default;  // whoever owns it has destroyed every object

  /// The object of a number. Precondition: it has one.
  [[nodiscard]] T& operator[](std::uint32_t number) const noexcept { return place_of(number).object; }

  /// Builds an object from its number and `arguments`, and lists it. O(1); when no place is vacant, it
  /// allocates a block. Strong exception guarantee.
  template <class... Arguments>
  T& emplace(Arguments&&... arguments) {
    if (first_vacant_ == none) add_block();
    const auto number = first_vacant_;
    auto& here = place_of(number);
    const auto next = here.next_vacant;
    try {
      std::construct_at(&here.object, number, std::forward<Arguments>(arguments)...);
    } catch (...) {
      std::construct_at(&here.next_vacant, next);
      throw;
    }
    first_vacant_ = next;
    blocks_[number / block_size].listed |= bit_of(number);
    return here.object;
  }

  /// Takes an object out of the list, and leaves it where it is.
  void hide(std::uint32_t number) noexcept { blocks_[number / block_size].listed &= ~bit_of(number); }

  /// Destroys a hidden object; its number may be another's next.
  void destroy(std::uint32_t number) noexcept {
    auto& here = place_of(number);
    std::destroy_at(&here.object);
    std::construct_at(&here.next_vacant, std::exchange(first_vacant_, number));
  }

  [[nodiscard]] std::uint32_t blocks() const noexcept { return static_cast<std::uint32_t>(blocks_.size()); }

  /// Shows the listed objects of a block. `show` may hide and destroy what it is shown.
  template <class Show>
  void walk_block(std::uint32_t block, Show show) const {
    walk_masked(block, ~std::uint32_t{0}, show);
  }

  /// The first listed object from number `from` on, or null.
  [[nodiscard]] T* first_from(std::uint32_t from) const {
    T* found = nullptr;
    const auto keep_first = [&](T& one) {
      if (found == nullptr) found = &one;
    };
    auto mask = ~(bit_of(from) - 1);
    for (auto block = from / block_size; found == nullptr && block < blocks(); ++block) {
      walk_masked(block, std::exchange(mask, ~std::uint32_t{0}), keep_first);
    }
    return found;
  }

  /// Shows up to `most` listed objects, in up to `most` blocks, from number `from` on and round the end, none
  /// twice. Returns the number to go on from. `show` may hide and destroy what it is shown.
  template <class Show>
  [[nodiscard]] std::uint32_t walk(std::uint32_t from, std::uint32_t most, Show show) const {
    const auto end = blocks() * block_size;
    if (end == 0) return 0;
    const auto start = from % end;
    auto block = start / block_size;
    const auto below_start = bit_of(start) - 1;
    auto left = most;
    std::uint32_t goes_on = end;
    const auto show_some = [&](T& one) {
      if (left == 0) {
        if (goes_on == end) goes_on = one.number;
        return;
      }
      --left;
      show(one);
    };
    walk_masked(block, ~below_start, show_some);
    for (std::uint32_t i = 1; goes_on == end && i <= blocks() && i < most; ++i) {
      block = (block + 1) % blocks();
      walk_masked(block, i == blocks() ? below_start : ~std::uint32_t{0}, show_some);
    }
    return goes_on == end ? (block + 1) % blocks() * block_size : goes_on;
  }

 private:
  static constexpr auto none = ~std::uint32_t{0};

  union place {
    place() noexcept : next_vacant{none} {}
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() {}

    std::uint32_t next_vacant;
    T object;
  };

  struct chunk {
    std::unique_ptr<std::array<place, block_size>> places;
    std::uint32_t listed = 0;  // a bit for each place
  };

  static constexpr std::uint32_t bit_of(std::uint32_t number) noexcept {
    return std::uint32_t{1} << number % block_size;
  }

  [[nodiscard]] place& place_of(std::uint32_t number) const noexcept {
    return (*blocks_[number / block_size].places)[number % block_size];
  }

  void add_block() {
    const auto first = blocks() * block_size;
    blocks_.push_back({std::make_unique<std::array<place, block_size>>(), 0});
    for (std::uint32_t i = block_size; i-- > 0;) {  // so that low numbers are taken first
      place_of(first + i).next_vacant = std::exchange(first_vacant_, first + i);
    }
  }

  template <class Show>
  void walk_masked(std::uint32_t number, std::uint32_t mask, Show& show) const {
    for (auto left = blocks_[number].listed & mask; left != 0; left &= left - 1) {
      show(place_of(number * block_size + static_cast<std::uint32_t>(std::countr_zero(left))).object);
    }
  }

  std::vector<chunk> blocks_;
  std::uint32_t first_vacant_ = none;
};

}  // namespace brownout::detail
