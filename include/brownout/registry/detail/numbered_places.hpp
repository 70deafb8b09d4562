// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/registry/detail/usage.hpp"
#include "brownout/version.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Places for objects that never move. Each place has a number, which is half as long as a pointer. The
/// numbers also give an order. A walk visits all objects in this order, while others are added and removed.
///
/// The life of a place: `take`; its user builds the object; `list`; `hide`; its user destroys the object;
/// `vacate`. Walks show only listed objects. The memory of a place is kept for the next object, and its
/// `usage` stays there even while the place has no object.
///
/// The owner calls every member function under a lock, with two exceptions. `[]` needs no lock if the caller
/// got the number by an acquire that synchronizes with a release after `take`. `make_block` touches no place.
template <class T>
class numbered_places {
  static constexpr auto none = ~std::uint32_t{0};
  static constexpr std::uint32_t block_size = 256;  // few blocks, so that finding one stays in the cache

  union room {
    room() noexcept {}
    room(const room&) = delete;
    room& operator=(const room&) = delete;
    ~room() {}

    std::uint32_t next_vacant;
    T object;
  };

  struct block {
    std::array<usage, block_size> uses{};
    std::array<room, block_size> rooms{};
  };

 public:
  /// A row is the places of one mask. A walk looks at one row in one step.
  static constexpr std::uint32_t row_size = 32;

  /// A place: the usage of its object, and the object. The object exists while it has a referrer.
  struct place {
    usage* use = nullptr;
    T* object = nullptr;
  };

  /// Makes room for at least `most` objects.
  explicit numbered_places(std::uint32_t most)
      : blocks_(most / block_size + 1), listed_(blocks_.size() * rows_per_block) {}

  numbered_places(const numbered_places&) = delete;
  numbered_places& operator=(const numbered_places&) = delete;
  ~numbered_places() = default;  // the owner has destroyed every object

  [[nodiscard]] place operator[](std::uint32_t number) const noexcept {
    auto& there = *blocks_[number / block_size];
    return {&there.uses[number % block_size], &there.rooms[number % block_size].object};
  }

  using spare_block = std::unique_ptr<block>;

  [[nodiscard]] bool is_full() const noexcept {
    return first_vacant_ == none && begun_ == blocks_.size() * block_size;
  }

  /// Whether `take` needs a block of memory to be added first. Precondition: not full.
  [[nodiscard]] bool needs_block() const noexcept {
    return first_vacant_ == none && blocks_[begun_ / block_size] == nullptr;
  }
  /// The memory of 256 objects. May throw `std::bad_alloc`.
  [[nodiscard]] static spare_block make_block() { return std::make_unique<block>(); }
  /// Precondition: a block is needed.
  void add_block(spare_block added) noexcept { blocks_[begun_ / block_size] = std::move(added); }

  /// Takes a place without an object. Precondition: not full, and no block is needed.
  [[nodiscard]] std::uint32_t take() noexcept {
    if (first_vacant_ == none) return spread(begun_++);
    return std::exchange(first_vacant_, room_of(first_vacant_).next_vacant);
  }

  void list(std::uint32_t number) noexcept { listed_[number / row_size] |= bit_of(number); }
  void hide(std::uint32_t number) noexcept { listed_[number / row_size] &= ~bit_of(number); }

  /// Gives back a place that has no object. Another object can have it next.
  void vacate(std::uint32_t number) noexcept {
    std::construct_at(&room_of(number).next_vacant, std::exchange(first_vacant_, number));
  }

  [[nodiscard]] std::uint32_t rows() const noexcept {
    return (begun_ + block_size - 1) / block_size * rows_per_block;
  }

  /// Shows the listed objects of a row. `show` may hide the object that it gets.
  template <class Show>
  void walk_row(std::uint32_t row, Show show) const {
    for (auto left = listed_[row]; left != 0; left &= left - 1) show((*this)[number_of(row, left)]);
  }

  /// The first listed object from number `from` on, or an empty place.
  [[nodiscard]] place first_from(std::uint32_t from) const noexcept {
    auto mask = ~(bit_of(from) - 1);
    for (auto row = from / row_size; row < rows(); ++row) {
      const auto left = listed_[row] & std::exchange(mask, ~std::uint32_t{0});
      if (left != 0) return (*this)[number_of(row, left)];
    }
    return {};
  }

  /// Shows up to `most` listed objects, in up to `most` rows. Begins at number `from` and continues at the
  /// beginning after the end; shows no object twice. Returns the number at which to continue. `show` may hide
  /// the object that it gets.
  template <class Show>
  [[nodiscard]] std::uint32_t walk(std::uint32_t from, std::uint32_t most, Show show) const {
    if (rows() == 0) return 0;
    const auto before = bit_of(from) - 1;  // the places of the first row that come last
    auto row = from / row_size % rows();
    std::uint32_t shown = 0;
    for (std::uint32_t i = 0; i <= rows() && i < most; ++i, row = (row + 1) % rows()) {
      const auto mask = i == 0 ? ~before : i == rows() ? before : ~std::uint32_t{0};
      for (auto left = listed_[row] & mask; left != 0; left &= left - 1) {
        const auto number = number_of(row, left);
        if (shown++ == most) return number;
        show((*this)[number]);
      }
    }
    return row * row_size;
  }

 private:
  static constexpr std::uint32_t rows_per_block = block_size / row_size;

  /// The order in which places are used first: the usages of the first 32 places of a block are on different
  /// cache lines.
  static constexpr std::uint32_t spread(std::uint32_t begun) noexcept {
    const auto in_block = begun % block_size;
    return begun - in_block + in_block % 32 * 8 + in_block / 32;
  }
  static constexpr std::uint32_t bit_of(std::uint32_t number) noexcept {
    return std::uint32_t{1} << number % row_size;
  }
  static std::uint32_t number_of(std::uint32_t row, std::uint32_t bits) noexcept {
    return row * row_size + static_cast<std::uint32_t>(std::countr_zero(bits));
  }

  [[nodiscard]] room& room_of(std::uint32_t number) const noexcept {
    return blocks_[number / block_size]->rooms[number % block_size];
  }

  std::vector<spare_block> blocks_;    // its size never changes
  std::vector<std::uint32_t> listed_;  // a bit for each place; its size never changes
  std::uint32_t begun_ = 0;            // places that have been taken at least once
  std::uint32_t first_vacant_ = none;  // the first of a list of places that were given back
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
