// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/detail/degradation_word.hpp"
#include "brownout/level/level_ladder.hpp"
#include "brownout/version.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// How much of a feature is offered, from the least to the most.
enum class feature_mode : std::uint8_t {
  off,      ///< nothing
  cached,   ///< only answers that are known already
  reduced,  ///< fresh answers, but fewer or smaller ones
  full,     ///< everything
};

/// The mode in a word: "reduced".
[[nodiscard]] constexpr std::string_view to_string(feature_mode mode) noexcept {
  switch (mode) {
    case feature_mode::off:
      return "off";
    case feature_mode::cached:
      return "cached";
    case feature_mode::reduced:
      return "reduced";
    case feature_mode::full:
      return "full";
  }
  return "invalid";
}

/// When one feature is offered, and how much of it.
///
/// The mode is `full` from the best level to `last_full`, then `reduced` to `last_reduced`, then `cached` to
/// `last`, then `off`.
template <class Feature, degradation_level Level>
struct feature_rule {
  Feature feature{};  ///< the feature
  Level last{};       ///< the worst level that allows the feature
  dependency_set
      needs{};  ///< the feature is off while a circuit of these dependencies refuses calls; default: none
  std::optional<Level> last_full{};     ///< the worst level with mode `full`; default: `last`
  std::optional<Level> last_reduced{};  ///< the worst level with mode `reduced`; default: `last_full`
};

/// One feature at one moment, and the reasons.
struct feature_verdict {
  feature_mode mode = feature_mode::off;  ///< what is offered
  bool allowed_by_level = false;          ///< whether the level allows the feature; dependencies aside
  dependency_set blocked_by{};            ///< the dependencies that it needs and that refuse calls
  bool dimmed = false;                    ///< the dimmer of the feature leaves this caller out
  bool returning = false;                 ///< the level allows more, but the feature has not returned yet
};

/// Which feature works at which level. A literal type: the compiler checks a `constexpr` matrix.
///
/// `Feature` is an enum with the values 0 to Count - 1. Immutable, so thread-safe. A look-up is wait-free.
template <class Feature, degradation_level Level, std::size_t Count>
class feature_matrix {
 public:
  /// The type of the features.
  using feature_type = Feature;
  /// The type of the levels.
  using level_type = Level;
  static constexpr std::size_t size = Count;  ///< the number of features

  /// Throws `std::invalid_argument` unless each feature 0 to Count - 1 has exactly one rule, and in each rule
  /// `last_full` <= `last_reduced` <= `last`.
  explicit constexpr feature_matrix(const feature_rule<Feature, Level> (&rules)[Count]) {
    std::array<bool, Count> seen{};
    for (const auto& rule : rules) {
      const auto index = static_cast<std::size_t>(rule.feature);
      if (index >= Count || seen[index]) {
        detail::invalid_option("feature_rule.feature", std::to_string(index),
                               "each of 0 to " + std::to_string(Count - 1) + " once");
      }
      seen[index] = true;
      const Level last_full = rule.last_full.value_or(rule.last);
      const Level last_reduced = rule.last_reduced.value_or(last_full);
      if (last_full > last_reduced || last_reduced > rule.last) {
        detail::invalid_option("feature_rule of feature " + std::to_string(index), "levels out of order",
                               "last_full <= last_reduced <= last");
      }
      rules_[index] = {rule.feature, rule.last, rule.needs, last_full, last_reduced};
      for (std::size_t level = 0; level < level_ladder<Level>::most_rungs; ++level) {
        const auto at = static_cast<Level>(level);
        modes_[index][level] = at <= last_full      ? feature_mode::full
                               : at <= last_reduced ? feature_mode::reduced
                               : at <= rule.last    ? feature_mode::cached
                                                    : feature_mode::off;
        if (modes_[index][level] == feature_mode::off)
          forbids_[index] |= detail::degradation_word::bit_of(level);
      }
      forbids_[index] |= rule.needs.bits();
    }
  }

  /// The mode of `feature` at `level` while the dependencies in `refusing` refuse calls. One table look-up.
  /// Precondition, here and below: `feature` and `level` are enumerators.
  [[nodiscard]] constexpr feature_mode mode(Feature feature, Level level,
                                            dependency_set refusing) const noexcept {
    const auto index = index_of(feature);
    if (!(rules_[index].needs & refusing).empty()) return feature_mode::off;
    return modes_[index][index_of(level)];
  }

  /// What keeps a feature off, as a mask: bits 0 to 31 are the dependencies that it needs, bits 32 to 47 the
  /// levels that do not allow it. For `feature_view`.
  [[nodiscard]] constexpr std::uint64_t forbids(Feature feature) const noexcept {
    return forbids_[index_of(feature)];
  }

  /// The mode and its reasons.
  [[nodiscard]] constexpr feature_verdict explain(Feature feature, Level level,
                                                  dependency_set refusing) const noexcept {
    return {mode(feature, level, refusing), mode(feature, level, {}) != feature_mode::off,
            rules_[index_of(feature)].needs & refusing};
  }

  /// The rule of a feature.
  [[nodiscard]] constexpr const feature_rule<Feature, Level>& rule(Feature feature) const noexcept {
    return rules_[index_of(feature)];
  }

  /// How many features `level` allows; dependencies aside.
  [[nodiscard]] constexpr std::size_t allowed_at(Level level) const noexcept {
    std::size_t count = 0;
    for (const auto& modes : modes_) {
      if (modes[index_of(level)] != feature_mode::off) ++count;
    }
    return count;
  }

 private:
  // A value that is no enumerator would read beyond the table. The check costs one comparison.
  static constexpr std::size_t index_of(Feature feature) noexcept {
    const auto index = static_cast<std::size_t>(feature);
    BROWNOUT_PRECONDITION(index < Count, "feature_matrix: no such feature");
    return index;
  }
  static constexpr std::size_t index_of(Level level) noexcept {
    const auto index = static_cast<std::size_t>(level);
    BROWNOUT_PRECONDITION(index < level_ladder<Level>::most_rungs, "feature_matrix: no such level");
    return index;
  }

  std::array<std::uint64_t, Count> forbids_{};
  std::array<feature_rule<Feature, Level>, Count> rules_{};
  std::array<std::array<feature_mode, level_ladder<Level>::most_rungs>, Count> modes_{};
};

/// A matrix from a list of rules; `Count` follows from the list.
template <class Feature, degradation_level Level, std::size_t Count>
[[nodiscard]] constexpr feature_matrix<Feature, Level, Count> make_feature_matrix(
    const feature_rule<Feature, Level> (&rules)[Count]) {
  return feature_matrix<Feature, Level, Count>{rules};
}

}  // namespace brownout::inline BROWNOUT_ABI
