// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/degradation/dependency_set.hpp"
#include "brownout/degradation/feature_matrix.hpp"

#include <cstdint>

namespace brownout {

/// Level, refusing circuits and epoch in one word, so that a request sees them together.
struct alignas(8) degradation_word {
  std::uint32_t refusing = 0;   ///< bits of the dependencies whose circuit refuses calls
  std::uint32_t level : 8 = 0;  ///< the level in force, as its enumerator's value
  std::uint32_t epoch : 24 =
      0;  ///< grows with every change, modulo 2^24: tells two snapshots apart, orders nothing
};

/// What a request may offer: one snapshot, so that the level cannot change halfway through it.
///
/// A value of two words; take it once at the start of a request. Immutable, so thread-safe.
template <class Matrix>
class feature_view {
 public:
  using feature_type = typename Matrix::feature_type;
  using level_type = typename Matrix::level_type;

  constexpr feature_view(const Matrix& matrix, degradation_word seen) noexcept
      : matrix_{&matrix}, seen_{seen} {}

  /// True when the feature is offered in any mode. One table look-up.
  [[nodiscard]] constexpr bool available(feature_type feature) const noexcept {
    return mode(feature) != feature_mode::off;
  }
  /// How much of it is offered.
  [[nodiscard]] constexpr feature_mode mode(feature_type feature) const noexcept {
    return matrix_->mode(feature, level(), refusing());
  }
  /// The same with the reasons, for people.
  [[nodiscard]] constexpr feature_verdict explain(feature_type feature) const noexcept {
    return matrix_->explain(feature, level(), refusing());
  }
  [[nodiscard]] constexpr level_type level() const noexcept { return static_cast<level_type>(seen_.level); }
  [[nodiscard]] constexpr dependency_set refusing() const noexcept { return dependency_set{seen_.refusing}; }
  [[nodiscard]] constexpr std::uint32_t epoch() const noexcept { return seen_.epoch; }

 private:
  const Matrix* matrix_;
  degradation_word seen_;
};

}  // namespace brownout
