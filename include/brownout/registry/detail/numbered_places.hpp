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

/// Places for objects that never move, each with a number: half as long as a pointer, and an order in which
/// everything can be walked through while objects come and go. The usage of a place is there even when no
/// object is.
///
/// An object is listed until it is hidden; hidden, it keeps its place until it is destroyed. Memory is kept
/// for the next objects. `T` has its number in a member `number`. Whoever owns it locks; only `[]` needs no
/// lock, for a number that its caller got by an acquire of what was released after `emplace`.
template <class T>
class numbered_places {
 public:
  /// What is walked at once: the bits of a mask.
  static constexpr std::uint32_t row_size = 32;

  /// A place: how its object is used, and the object, which is there while anyone refers to it.
  struct place {
    usage* use = nullptr;
    T* object = nullptr;
  };

  /// Room for at least `most` objects.
  explicit numbered_places(std::uint32_t most) : blocks_(most / block_size + 1) {}

  numbered_places(const numbered_places&) = delete;
  numbered_places& operator=(const numbered_places&) = delete;
  ~numbered_places() = default;  // whoever owns it has destroyed every object

  [[nodiscard]] place operator[](std::uint32_t number) const noexcept {
    auto& there = *blocks_[number / block_size];
    return {&there.uses[number % block_size], &there.rooms[number % block_size].object};
  }

  [[nodiscard]] bool is_full() const noexcept {
    return first_vacant_ == none && begun_ == blocks_.size() * block_size;
  }

  /// Builds an object from its number and `arguments`, and lists it; its usage has not begun. O(1), but for
  /// the memory of the next 256 objects now and then. Strong exception guarantee. Precondition: not full.
  template <class... Arguments>
  T& emplace(Arguments&&... arguments) {
    const bool reused = first_vacant_ != none;
    const auto number = reused ? first_vacant_ : spread(begun_);
    if (!reused && begun_ % block_size == 0) add_block();
    auto& here = room_of(number);
    const auto next = reused ? here.next_vacant : none;
    vacating undo{here.next_vacant, next};
    std::construct_at(&here.object, number, std::forward<Arguments>(arguments)...);
    undo.dismiss();
    first_vacant_ = next;
    if (!reused) ++begun_;
    listed_[number / row_size] |= bit_of(number);
    return here.object;
  }

  /// Takes an object out of the list, and leaves it where it is.
  void hide(std::uint32_t number) noexcept { listed_[number / row_size] &= ~bit_of(number); }

  /// Destroys a hidden object; its number may be another's next.
  void destroy(std::uint32_t number) noexcept {
    auto& here = room_of(number);
    std::destroy_at(&here.object);
    std::construct_at(&here.next_vacant, std::exchange(first_vacant_, number));
  }

  [[nodiscard]] std::uint32_t rows() const noexcept { return static_cast<std::uint32_t>(listed_.size()); }

  /// Shows the listed objects of a row. `show` may hide and destroy what it is shown.
  template <class Show>
  void walk_row(std::uint32_t row, Show show) const {
    for (auto left = listed_[row]; left != 0; left &= left - 1) show((*this)[number_of(row, left)]);
  }

  /// The first listed object from number `from` on, or nothing.
  [[nodiscard]] place first_from(std::uint32_t from) const noexcept {
    auto mask = ~(bit_of(from) - 1);
    for (auto row = from / row_size; row < rows(); ++row) {
      const auto left = listed_[row] & std::exchange(mask, ~std::uint32_t{0});
      if (left != 0) return (*this)[number_of(row, left)];
    }
    return {};
  }

  /// Shows up to `most` listed objects, in up to `most` rows, from number `from` on and round the end, none
  /// twice. Returns the number to go on from. `show` may hide and destroy what it is shown.
  template <class Show>
  [[nodiscard]] std::uint32_t walk(std::uint32_t from, std::uint32_t most, Show show) const {
    if (rows() == 0) return 0;
    const auto before = bit_of(from) - 1;  // in the first row, what comes last
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

  /// Makes a place vacant again when its object could not be built. A destructor: it serves without
  /// exceptions too.
  class vacating {
   public:
    vacating(std::uint32_t& next_vacant, std::uint32_t next) noexcept : place_{&next_vacant}, next_{next} {}
    vacating(const vacating&) = delete;
    vacating& operator=(const vacating&) = delete;
    ~vacating() {
      if (place_ != nullptr) std::construct_at(place_, next_);
    }
    void dismiss() noexcept { place_ = nullptr; }

   private:
    std::uint32_t* place_;
    std::uint32_t next_;
  };

  struct block {
    std::array<usage, block_size> uses{};
    std::array<room, block_size> rooms{};
  };

  /// The order in which places are begun: the first 32 of a block have their usages on different cache lines.
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

  void add_block() {
    auto& added = blocks_[begun_ / block_size];
    if (added == nullptr) added = std::make_unique<block>();
    listed_.resize(std::size_t{begun_ / block_size + 1} * (block_size / row_size));
  }

  std::vector<std::unique_ptr<block>> blocks_;  // its size never changes
  std::vector<std::uint32_t> listed_{};         // a bit for each place
  std::uint32_t begun_ = 0;                     // places that have held an object
  std::uint32_t first_vacant_ = none;           // of these, one that holds none; each of them knows the next
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
