// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/caller_place.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/feature/detail/degradation_word.hpp"
#include "brownout/feature/dimmer.hpp"
#include "brownout/feature/feature_matrix.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// The key of a caller: a number or a text.
template <class T>
concept feature_caller =
    (std::integral<T> && !std::same_as<T, bool>) || std::convertible_to<const T&, std::string_view>;
static_assert(feature_caller<int> && feature_caller<std::string_view>);

/// What a request may offer. Take one view at the start of a request: its level and circuits do not change
/// while the request runs.
///
/// A value of three words. Immutable, so thread-safe. Wait-free.
///
/// **Features that return.** After the level got better, features can return one after another (see
/// `supervisor_options::return_over`). Each feature has its place in that order. If a caller is named, each
/// caller has its place instead.
///
/// **Callers.** A caller is named by a number or a text, such as the number of an account. `caller_place`
/// decides for it: its answers stay while the state of the system stays, and differ from feature to feature.
template <class Matrix>
class feature_view {
 public:
  /// The type of the features.
  using feature_type = typename Matrix::feature_type;
  /// The type of the levels.
  using level_type = typename Matrix::level_type;

  /// `dimmers`: one for each feature, in the order of the features; null means that nothing is dimmed. Matrix
  /// and dimmers must outlive the view.
  constexpr feature_view(const Matrix& matrix, detail::degradation_word seen,
                         const dimmer* dimmers = nullptr) noexcept
      : matrix_{&matrix}, dimmers_{dimmers}, seen_{seen} {}

  feature_view(const Matrix&&, detail::degradation_word,
               const dimmer* = nullptr) = delete;  // the view would dangle

  /// Whether the feature is offered in any mode. Precondition, here and below: it is an enumerator.
  [[nodiscard]] constexpr bool available(feature_type feature) const noexcept {
    // One `and` covers the level in force, the level that features return from, and the circuits.
    if (!seen_.meets(matrix_->forbids(feature))) [[likely]]
      return true;
    return is_returning() && mode(feature) != feature_mode::off;
  }
  /// Whether the feature is offered to this caller. The feature's dimmer may leave the caller out.
  template <feature_caller Caller>
  [[nodiscard]] bool available(feature_type feature, const Caller& caller) const noexcept {
    return mode(feature, caller) != feature_mode::off;
  }

  /// How much of the feature is offered.
  [[nodiscard]] constexpr feature_mode mode(feature_type feature) const noexcept {
    return matrix_->mode(feature, level_for(place_of(feature)), refusing());
  }
  /// How much of the feature is offered to this caller. `off` if the feature's dimmer leaves the caller out.
  template <feature_caller Caller>
  [[nodiscard]] feature_mode mode(feature_type feature, const Caller& caller) const noexcept {
    if (!seen_.meets(matrix_->forbids(feature)) || is_returning()) {
      const auto number = static_cast<std::size_t>(feature);
      const double place = place_of(caller, number);
      if (dimmers_ != nullptr && !(place < dimmers_[number].share())) return feature_mode::off;
      return matrix_->mode(
          feature, level_for(static_cast<std::uint32_t>(place * detail::degradation_word::whole_share)),
          refusing());
    }
    return feature_mode::off;
  }
  /// The mode and its reasons, for display.
  [[nodiscard]] constexpr feature_verdict explain(feature_type feature) const noexcept {
    auto verdict = matrix_->explain(feature, level(), refusing());
    const auto offered = mode(feature);
    verdict.returning = offered != verdict.mode;
    verdict.mode = offered;
    return verdict;
  }

  /// The mode for this caller and its reasons, for display.
  template <feature_caller Caller>
  [[nodiscard]] feature_verdict explain(feature_type feature, const Caller& caller) const noexcept {
    auto verdict = explain(feature);
    const auto number = static_cast<std::size_t>(feature);
    verdict.dimmed = dimmers_ != nullptr && !(place_of(caller, number) < dimmers_[number].share());
    const auto offered = mode(feature, caller);
    verdict.returning = !verdict.dimmed && offered != matrix_->mode(feature, level(), refusing());
    verdict.mode = offered;
    return verdict;
  }

  /// The level in force.
  [[nodiscard]] constexpr level_type level() const noexcept { return static_cast<level_type>(seen_.level()); }
  /// The dependencies whose circuits refuse calls.
  [[nodiscard]] constexpr dependency_set refusing() const noexcept { return seen_.refusing(); }
  /// Changes with every change of the view, modulo 1024. It tells two views apart and does not order them.
  [[nodiscard]] constexpr std::uint32_t epoch() const noexcept { return seen_.epoch(); }
  /// Whether features are still returning after the level got better.
  [[nodiscard]] constexpr bool is_returning() const noexcept {
    return seen_.returning_from() != seen_.level();
  }

 private:
  template <feature_caller Caller>
  static constexpr double place_of(const Caller& caller, std::uint64_t salt) noexcept {
    if constexpr (std::integral<Caller>) {
      return caller_place(static_cast<std::uint64_t>(caller), salt);
    } else {
      return caller_place(std::string_view{caller}, salt);
    }
  }

  /// The place of a feature in the order of return, 0 to 63. Multiples of the golden ratio spread consecutive
  /// features nearly evenly (Knuth, The Art of Computer Programming 3, section 6.4).
  static constexpr std::uint32_t place_of(feature_type feature) noexcept {
    constexpr std::uint32_t golden = 0x9e3779b9;  // 2^32 / 1.618...
    return (static_cast<std::uint32_t>(feature) * golden) >> 26;
  }

  /// The level as a feature or caller with this place sees it.
  [[nodiscard]] constexpr level_type level_for(std::uint32_t place) const noexcept {
    const bool returned = !is_returning() || place < seen_.returned_share();
    return static_cast<level_type>(returned ? seen_.level() : seen_.returning_from());
  }

  const Matrix* matrix_;
  const dimmer* dimmers_;
  detail::degradation_word seen_;
};

/// The type of a view, for a parameter of a function: `feature_view_for<features>`. `Features`: a `constexpr`
/// feature matrix at namespace scope.
template <const auto& Features>
using feature_view_for = feature_view<std::remove_cvref_t<decltype(Features)>>;

}  // namespace brownout::inline BROWNOUT_ABI
