// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/atomics.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A copy of a `live_value`.
///
/// It is filled in place, word by word, and returned by reference. If it were copied as a whole, the words
/// would be read in wider pieces than they were written in. Processors wait for such reads (about 4 ns).
template <class T>
class live_copy {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// Empty at first. `shared_words::read` fills it.
  live_copy() noexcept {}

  [[nodiscard]] const T& operator*() const noexcept { return *operator->(); }
  [[nodiscard]] const T* operator->() const noexcept {
    return std::launder(reinterpret_cast<const T*>(bytes_));
  }

 private:
  template <class, class>
  friend class shared_words;

  alignas(T) std::byte bytes_[sizeof(T)];  // uninitialised until they are filled
};

/// A value that is read while a thread writes it, word by word. A reader may get a mixture of two values. The
/// caller must detect that.
template <class T, class Atomics>
class shared_words {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// Only one thread at a time may write.
  void write(const T& value) noexcept {
    std::array<std::uint64_t, size> from{};
    std::memcpy(from.data(), std::addressof(value), sizeof value);
    // (1) release: a thread that reads one of these words sees what this thread saw before it began to write.
    for (std::size_t i = 0; i < size; ++i) words_[i].store(from[i], std::memory_order_release);
  }
  BROWNOUT_ALWAYS_INLINE void read(live_copy<T>& copied) const noexcept {
    for (std::size_t i = 0; i < size; ++i) {
      // (2) acquire: synchronizes-with (1).
      const auto word = words_[i].load(std::memory_order_acquire);
      const auto done = i * sizeof word;
      std::memcpy(copied.bytes_ + done, &word, (std::min)(sizeof word, sizeof(T) - done));
    }
  }

 private:
  static constexpr std::size_t size = (sizeof(T) + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);

  // Written by one thread at a time (1), read by any (2).
  std::array<typename Atomics::template atomic<std::uint64_t>, size> words_{};
};

/// A small value that is read often and seldom replaced. It may be replaced while other threads read it.
///
/// Reading is lock-free and never waits for a writer, not even for a writer that sleeps in the middle of its
/// work. There are two buffers, and a writer fills the one that is not current. A reader begins again only if
/// two replacements overtake it.
///
/// `Mutex`: of the writers. Tests give a `scheduled_mutex` beside their atomics.
template <class T, class Atomics = std_atomics, class Mutex = std::mutex>
class live_value {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit live_value(const T& value) { buffers_[0].write(value); }

  /// Inlined, so that the parts that a caller does not use are not copied.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE live_copy<T> read() const noexcept {
    live_copy<T> copied;
    for (;;) {
      // (3) acquire: synchronizes-with (4), so the current buffer is complete.
      const auto version = version_.load(std::memory_order_acquire);
      buffers_[version % 2].read(copied);
      // (5) relaxed: the loads of the reading are acquire, so this load is not reordered before them. A
      // thread that has read a word of the next but one version sees here that the version has changed.
      if (version_.load(std::memory_order_relaxed) == version) return copied;
    }
  }

  /// Replaces the value. Writers wait for each other.
  void write(const T& value) {
    const std::lock_guard lock{writing_};
    // relaxed: only writers change it, and they hold the lock.
    const auto version = version_.load(std::memory_order_relaxed);
    buffers_[(version + 1) % 2].write(value);
    version_.store(version + 1, std::memory_order_release);  // (4)
  }

 private:
  Mutex writing_{};
  // Written by the writer that holds the lock (4). Names the buffer that is complete (3).
  typename Atomics::template atomic<std::uint32_t> version_{0};
  // A writer fills the buffer that is not current.
  std::array<shared_words<T, Atomics>, 2> buffers_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
