// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/atomics.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What a `live_value` was when it was read.
///
/// Filled in place word by word, and handed out by reference. Copied as a whole, the words would be read back
/// in wider pieces than they were just written in, for which processors wait (some 4 ns).
template <class T>
class live_copy {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  [[nodiscard]] const T& operator*() const noexcept {
    return *std::launder(reinterpret_cast<const T*>(bytes_));
  }
  [[nodiscard]] const T* operator->() const noexcept { return &**this; }

 private:
  template <class, class>
  friend class live_value;
  live_copy() noexcept {}

  alignas(T) std::byte bytes_[sizeof(T)];  // uninitialised until they are filled
};

/// A small value that is read often and replaced seldom, while others read it.
///
/// Reading is lock-free and never waits for a writer, not even for one that fell asleep halfway: there are
/// two buffers, and a writer fills the one that nobody is told to read. A reader begins again only when two
/// replacements overtake it.
template <class T, class Atomics = std_atomics>
class live_value {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit live_value(const T& value) { fill(buffers_[0], value); }

  [[nodiscard]] live_copy<T> read() const noexcept {
    live_copy<T> copied;
    for (;;) {
      // (1) acquire: synchronizes-with (4), so the buffer that it names is whole.
      const auto version = version_.load(std::memory_order_acquire);
      for (std::size_t i = 0; i < size; ++i) {
        // (2) acquire: synchronizes-with (3), so whoever reads a word of the next but one version sees at (5)
        // that the version has moved on.
        const auto word = buffers_[version % 2][i].load(std::memory_order_acquire);
        const auto done = i * sizeof word;
        std::memcpy(copied.bytes_ + done, &word, (std::min)(sizeof word, sizeof(T) - done));
      }
      // (5) relaxed: not reordered before the loads above, since those are acquire.
      if (version_.load(std::memory_order_relaxed) == version) return copied;
    }
  }

  /// Replaces the value. Writers wait for each other.
  void write(const T& value) {
    const std::lock_guard lock{writing_};
    write_alone(value);
  }
  /// The same, unless another writer is at it just now: then its value stands. Never waits.
  void try_write(const T& value) noexcept {
    if (const std::unique_lock lock{writing_, std::try_to_lock}) write_alone(value);
  }

 private:
  void write_alone(const T& value) noexcept {
    // relaxed: only writers change it, and they hold the lock.
    const auto version = version_.load(std::memory_order_relaxed);
    fill(buffers_[(version + 1) % 2], value);
    version_.store(version + 1, std::memory_order_release);  // (4)
  }

  static constexpr std::size_t size = (sizeof(T) + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
  using words = std::array<std::uint64_t, size>;
  using shared_words = std::array<typename Atomics::template atomic<std::uint64_t>, size>;

  static void fill(shared_words& buffer, const T& value) {
    words from{};
    std::memcpy(from.data(), &value, sizeof value);
    for (std::size_t i = 0; i < size; ++i) buffer[i].store(from[i], std::memory_order_release);  // (3)
  }

  std::mutex writing_{};
  // Written by the writer that holds the lock (4); says which buffer is whole (1).
  typename Atomics::template atomic<std::uint32_t> version_{0};
  // Each written by such a writer (3) while readers are told to read the other one (2).
  std::array<shared_words, 2> buffers_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
