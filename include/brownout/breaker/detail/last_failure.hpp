// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/core/bounded_text.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/live_value.hpp"
#include "brownout/version.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The text of the latest failure, and when that failure was.
///
/// Many threads write it and many read it. No thread waits for a thread that sleeps: reading and writing are
/// lock-free. There are four places for texts, and a word that names the place of the latest text. A writer
/// takes a place that is neither named nor taken, fills it and names it.
template <class Atomics>
class last_failure {
 public:
  struct text {
    bounded_text why{};
    time_point at{};
  };

  /// Replaces the text, unless the present text belongs to a later epoch than `epoch`. An empty text means
  /// that there is none.
  ///
  /// The text is lost if three other threads are replacing it at the same time. Then a text of the same epoch
  /// stays, and a text of an earlier epoch is removed. So a text that is read after this call never belongs
  /// to an earlier epoch than `epoch`.
  void replace(std::uint64_t epoch, const text& latest) noexcept {
    const auto place = latest.why.empty() ? nowhere : take_place();
    if (place != nowhere) places_[place].content.write(latest);
    const bool lost = place == nowhere && !latest.why.empty();
    auto seen = named_.load(std::memory_order_acquire);  // (1)
    while (epoch_of(seen) < epoch || (epoch_of(seen) == epoch && !lost)) {
      // (2) release: publishes the content of the place. On failure (1) again.
      if (named_.compare_exchange_weak(seen, next_of(seen, epoch, place), std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
        break;
      }
    }
    if (place != nowhere) places_[place].taken.store(0, std::memory_order_release);  // (4)
  }

  /// The text, or an empty one. Lock-free: begins again only if other threads replace the text meanwhile.
  [[nodiscard]] text read() const noexcept {
    live_copy<text> copied;
    for (;;) {
      // (1) acquire: synchronizes-with (2), so the place that it names is filled.
      const auto seen = named_.load(std::memory_order_acquire);
      if (place_of(seen) == nowhere) return {};
      places_[place_of(seen)].content.read(copied);
      // (5) relaxed: the loads of the reading are acquire, so this load is not reordered before them. A
      // thread that fills the place again has seen that another place is named. A reader of any word that it
      // writes sees that here too.
      if (named_.load(std::memory_order_relaxed) == seen) return *copied;
    }
  }

 private:
  // The word that names a place: 63..27 epoch | 26..3 a number that changes each time | 2..0 place. A reader
  // sees a wrong text only if it sleeps while exactly 2^24 failures of one epoch come.
  static constexpr int place_bits = 3;
  static constexpr int epoch_shift = 64 - control_word::epoch_bits;
  static constexpr std::uint64_t place_mask = (std::uint64_t{1} << place_bits) - 1;
  static constexpr std::uint64_t below_epoch = (std::uint64_t{1} << epoch_shift) - 1;
  static constexpr std::uint32_t places = 4;
  static constexpr std::uint32_t nowhere = places;

  struct place_of_text {
    // Written by the thread that took the place, read by any thread.
    shared_words<text, Atomics> content{};
    // 1 while a thread fills and names the place (3), 0 again afterwards (4).
    typename Atomics::template atomic<std::uint32_t> taken{0};
  };

  static constexpr std::uint64_t epoch_of(std::uint64_t name) noexcept { return name >> epoch_shift; }
  static constexpr std::uint32_t place_of(std::uint64_t name) noexcept {
    return static_cast<std::uint32_t>(name & place_mask);
  }
  static constexpr std::uint64_t next_of(std::uint64_t name, std::uint64_t epoch,
                                         std::uint32_t place) noexcept {
    const auto number = name + place_mask + 1;  // its carry is cut off
    return epoch << epoch_shift | (number & below_epoch & ~place_mask) | place;
  }

  /// Takes a place that is neither taken nor named. It then belongs to this thread. `nowhere` if there is
  /// none.
  [[nodiscard]] std::uint32_t take_place() noexcept {
    for (std::uint32_t place = 0; place < places; ++place) {
      auto& claim = places_[place].taken;
      std::uint32_t free = 0;
      // (3) acquire: synchronizes-with (4), so if the place was named, the thread that takes it sees that.
      if (!claim.compare_exchange_weak(free, 1, std::memory_order_acquire, std::memory_order_relaxed))
        continue;
      // From here on no other thread can name it.
      if (place_of(named_.load(std::memory_order_acquire)) != place) return place;  // (1)
      claim.store(0, std::memory_order_release);                                    // (4)
    }
    return nowhere;
  }

  // Written by a thread that counts a failure with a text or opens the circuit (2). Publishes the text that
  // it names (1).
  typename Atomics::template atomic<std::uint64_t> named_{nowhere};
  std::array<place_of_text, places> places_{};
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
