// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/version.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>

namespace brownout::inline BROWNOUT_ABI {

/// The settings of one level.
template <degradation_level Level, class Settings>
struct level_row {
  Level level{};        ///< the level
  Settings settings{};  ///< its settings
};

/// Settings for each level, from the best to the worst. Examples: the share of a connection pool, how long a
/// cached answer is used, how many items an answer has.
///
/// A literal type if `Settings` is one: the compiler checks a `constexpr` table. This line checks that a
/// table has a row for each rung: `static_assert(table.size() == ladder.size())`.
///
/// Immutable, so thread-safe. A look-up is wait-free: one comparison and one index.
template <degradation_level Level, class Settings>
requires std::copyable<Settings> && std::default_initializable<Settings>
class level_table {
 public:
  /// The type of the levels.
  using level_type = Level;
  /// The type of the settings.
  using settings_type = Settings;

  /// As below.
  constexpr level_table(std::initializer_list<level_row<Level, Settings>> rows)
      : level_table{std::span<const level_row<Level, Settings>>{rows.begin(), rows.size()}} {}

  /// Throws `std::invalid_argument` unless there are 1 to 16 rows and their levels are 0, 1, 2, ... in this
  /// order.
  explicit constexpr level_table(std::span<const level_row<Level, Settings>> rows) : size_{rows.size()} {
    constexpr auto most = level_ladder<Level>::most_rungs;
    if (rows.empty() || rows.size() > most) {
      detail::invalid_option("level_table.size", std::to_string(rows.size()), "1 to " + std::to_string(most));
    }
    for (std::size_t i = 0; i < size_; ++i) {
      if (static_cast<std::size_t>(rows[i].level) != i) {
        detail::invalid_option("level_table[" + std::to_string(i) + "].level",
                               std::string{to_string(rows[i].level)},
                               "the enumerator with value " + std::to_string(i));
      }
      settings_[i] = rows[i].settings;
    }
  }

  /// How many levels have a row.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  /// Whether `level` has a row.
  [[nodiscard]] constexpr bool holds(Level level) const noexcept { return index(level) < size_; }

  /// The settings of `level`. Precondition: `holds(level)`.
  [[nodiscard]] constexpr const Settings& operator[](Level level) const noexcept {
    BROWNOUT_PRECONDITION(holds(level), "level_table: no row for this level");
    return settings_[index(level)];
  }

 private:
  static constexpr std::size_t index(Level level) noexcept { return static_cast<std::size_t>(level); }

  std::array<Settings, level_ladder<Level>::most_rungs> settings_{};
  std::size_t size_;
};

}  // namespace brownout::inline BROWNOUT_ABI
