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
  /// To be filled by `shared_words::read`.
  live_copy() noexcept {}

  [[nodiscard]] const T& operator*() const noexcept {
    return *std::launder(reinterpret_cast<const T*>(bytes_));
  }
  [[nodiscard]] const T* operator->() const noexcept { return &**this; }

 private:
  template <class, class>
  friend class shared_words;

  alignas(T) std::byte bytes_[sizeof(T)];  // uninitialised until they are filled
};

/// A value that is read while a thread writes it, word by word. A reader may get a mixture of two values, and
/// whoever uses this must find that out.
template <class T, class Atomics>
class shared_words {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// One thread at a time.
  void write(const T& value) noexcept {
    std::array<std::uint64_t, size> from{};
    std::memcpy(from.data(), &value, sizeof value);
    // (1) release: whoever reads one of these words sees what this thread saw before it began to write.
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

/// A small value that is read often and replaced seldom, while others read it.
///
/// Reading is lock-free and never waits for a writer, not even for one that fell asleep halfway: there are
/// two buffers, and a writer fills the one that nobody is told to read. A reader begins again only when two
/// replacements overtake it.
template <class T, class Atomics = std_atomics>
class live_value {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit live_value(const T& value) { buffers_[0].write(value); }

  /// Part of its callers, so that what they do not look at is not copied.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE live_copy<T> read() const noexcept {
    live_copy<T> copied;
    for (;;) {
      // (3) acquire: synchronizes-with (4), so the buffer that it names is whole.
      const auto version = version_.load(std::memory_order_acquire);
      buffers_[version % 2].read(copied);
      // (5) relaxed: not reordered before the reading, whose loads are acquire. Whoever reads a word of the
      // next but one version sees here that the version has moved on.
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
  std::mutex writing_{};
  // Written by the writer that holds the lock (4); says which buffer is whole (3).
  typename Atomics::template atomic<std::uint32_t> version_{0};
  // A writer fills the buffer that readers are not told to read.
  std::array<shared_words<T, Atomics>, 2> buffers_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
