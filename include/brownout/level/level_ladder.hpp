// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/version.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// A user's enum of degradation levels. Its enumerators are 0, 1, 2, ... from the best level to the worst.
/// A function `to_string(level)` in the enum's namespace gives each level a name.
template <class L>
concept degradation_level = std::is_enum_v<L> && requires(L level) {
  { to_string(level) } -> std::convertible_to<std::string_view>;
};

/// One level of a ladder: the score that keeps it, and the score that brings it back.
template <degradation_level Level>
struct rung {
  Level level{};    ///< the level
  double from = 0;  ///< lowest score of this level, 0 to 100; a lower score leaves the level

  /// The score that must be held to come back to this level from a worse one: `from` to 100. Default (left
  /// out): `from` plus the policy's `hysteresis`. If a better rung needs less, that lower score counts,
  /// because the level climbs over every rung.
  std::optional<double> enter{};
};

/// The levels from best to worst with their thresholds. The worst level begins at a score of 0.
///
/// At most 16 rungs. A literal type: the compiler checks a `constexpr` ladder. Immutable, so thread-safe.
template <degradation_level Level>
class level_ladder {
 public:
  static constexpr std::size_t most_rungs = 16;  ///< the most rungs

  /// As below.
  constexpr level_ladder(std::initializer_list<rung<Level>> rungs)
      : level_ladder{std::span<const rung<Level>>{rungs.begin(), rungs.size()}} {}

  /// Throws `std::invalid_argument` unless there are 1 to 16 rungs, their levels are 0, 1, 2, ... in this
  /// order, and their thresholds fall strictly from at most 100 to 0.
  explicit constexpr level_ladder(std::span<const rung<Level>> rungs) : size_{rungs.size()} {
    if (rungs.empty() || rungs.size() > most_rungs) {
      detail::invalid_option("level_ladder.size", std::to_string(rungs.size()), "1 to 16");
    }
    for (std::size_t i = 0; i < size_; ++i) {
      rungs_[i] = rungs[i];
      const auto& [level, from, enter] = rungs_[i];
      if (static_cast<std::size_t>(level) != i) {
        detail::invalid_option(field(i, "level"), std::string{to_string(level)},
                               "the enumerator with value " + std::to_string(i));
      }
      const double below = i == 0 ? 100.0 : rungs_[i - 1].from;
      if (!(from >= 0 && (i == 0 ? from <= below : from < below))) {
        detail::invalid_option(field(i, "from"), detail::to_text(from),
                               "0 to " + detail::to_text(below) + (i == 0 ? "" : ", and below it"));
      }
      if (enter && !(*enter >= from && *enter <= 100)) {
        detail::invalid_option(field(i, "enter"), detail::to_text(*enter), detail::to_text(from) + " to 100");
      }
    }
    if (rungs_[size_ - 1].from > 0) {
      detail::invalid_option(field(size_ - 1, "from"), detail::to_text(rungs_[size_ - 1].from),
                             "0: the worst level holds whatever the score");
    }
  }

  /// The number of rungs.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  /// The best level.
  [[nodiscard]] constexpr Level best() const noexcept { return rungs_[0].level; }
  /// The worst level.
  [[nodiscard]] constexpr Level worst() const noexcept { return rungs_[size_ - 1].level; }
  /// Whether the level has a rung.
  [[nodiscard]] constexpr bool holds(Level level) const noexcept { return index(level) < size_; }

  /// Lowest score of `level`. Precondition: `holds(level)`.
  [[nodiscard]] constexpr double from(Level level) const noexcept { return rungs_[index(level)].from; }

  /// The `enter` score of `level`; empty when its rung leaves it out. Precondition: `holds(level)`.
  [[nodiscard]] constexpr std::optional<double> enter(Level level) const noexcept {
    return rungs_[index(level)].enter;
  }

  /// The level of a score: the best level whose threshold is not above `score`.
  [[nodiscard]] constexpr Level at(double score) const noexcept {
    for (std::size_t i = 0; i + 1 < size_; ++i) {
      if (score >= rungs_[i].from) return rungs_[i].level;
    }
    return worst();
  }

  /// One step worse. Precondition: `level` is not the worst.
  [[nodiscard]] constexpr Level worse(Level level) const noexcept { return rungs_[index(level) + 1].level; }

  /// One step better. Precondition: `level` is not the best.
  [[nodiscard]] constexpr Level better(Level level) const noexcept { return rungs_[index(level) - 1].level; }

  /// The rungs, from the best level to the worst.
  [[nodiscard]] constexpr std::span<const rung<Level>> rungs() const noexcept {
    return {rungs_.data(), size_};
  }

 private:
  static constexpr std::size_t index(Level level) noexcept { return static_cast<std::size_t>(level); }
  static std::string field(std::size_t i, std::string_view member) {
    return "level_ladder[" + std::to_string(i) + "]." + std::string{member};
  }

  std::array<rung<Level>, most_rungs> rungs_{};
  std::size_t size_;
};

}  // namespace brownout::inline BROWNOUT_ABI
