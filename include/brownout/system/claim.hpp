// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/options.hpp"
#include "brownout/breaker/preset.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/any_detector.hpp"
#include "brownout/feature/dependency_set.hpp"
#include "brownout/system/component.hpp"
#include "brownout/system/dependency.hpp"
#include "brownout/system/dependency_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// A dependency of a system that is not an object of the user's: the supervisor builds and owns it.
struct dependency_description {
  any_detector detector{};       ///< when its circuit opens
  dependency_options options{};  ///< its options
};

namespace detail {

/// A text that differs for each enum; empty for a number, which may stand for any. Text, because an address
/// may differ from one shared library to the next.
template <class E>
[[nodiscard]] constexpr std::string_view name_of_enum() noexcept {
  if constexpr (std::is_enum_v<E>) {
    return BROWNOUT_FUNCTION_SIGNATURE;
  } else {
    return {};
  }
}

/// The name of an enumerator: what its `to_string` returns, if it has one, otherwise its number.
template <class E>
[[nodiscard]] std::string name_of_enumerator(std::size_t number) {
  if constexpr (std::is_enum_v<E>) {
    if constexpr (requires {
                    { to_string(E{}) } -> std::convertible_to<std::string_view>;
                  }) {
      return std::string{to_string(static_cast<E>(number))};
    }
  }
  return std::to_string(number);
}
/// The same for messages: `1 (payments)`.
template <class E>
[[nodiscard]] std::string shown_enumerator(std::size_t number) {
  const auto digits = std::to_string(number);
  const auto name = name_of_enumerator<E>(number);
  return name == digits ? digits : digits + " (`" + name + "`)";
}

}  // namespace detail

/// Says which dependency an enumerator of the user means: `{upstream::database, database}`.
///
/// The dependency is an object of the user's, which must outlive the supervisor, or a description, from which
/// the supervisor builds one.
template <clock_source Clock>
class claim {
  template <class E>
  static constexpr bool is_number = std::is_enum_v<E> || std::is_integral_v<E>;

 public:
  /// `which`: the enumerator that the feature matrix names, with the value 0 to 31; or that number.
  template <class E, std::derived_from<component> D>
  requires(is_number<E>) claim(E which, D& object) : claim{which} {
    static_assert(std::same_as<typename D::clock_type, Clock>,
                  "a supervisor and its dependencies use one clock: give both a clock of the same type");
    object_ = &object;
  }
  /// Does not compile: the supervisor would watch an object that has ended.
  template <class E, std::derived_from<component> D>
  requires(is_number<E> && !std::is_reference_v<D>) claim(E which, D&& /*ended*/) : claim{which} {
    static_assert(std::is_reference_v<D>,
                  "a supervisor refers to its dependencies, so a claim takes no temporary one");
  }
  /// The supervisor builds the dependency, with `standard_detector`.
  template <class E>
  requires(is_number<E>) claim(E which, dependency_options described) : claim{which} {
    described_.emplace(dependency_description{{}, std::move(described)});
  }
  /// The supervisor builds the dependency, with this detector.
  template <class E>
  requires(is_number<E>) claim(E which, any_detector detector, dependency_options described) : claim{which} {
    described_.emplace(dependency_description{detector, std::move(described)});
  }
  /// With the detector and the breaker options of another library: see `presets`. The preset replaces
  /// `described.breaker`.
  template <class E, class Detector>
  requires(is_number<E>) claim(E which, const preset<Detector>& from, const dependency_options& described)
      : claim{which, any_detector{from.detector}, with_breaker(described, from.options)} {}

  /// @name Copies
  /// @{

  /// Claims the same.
  claim(const claim&) = default;
  claim(claim&&) noexcept = default;
  claim& operator=(const claim&) = default;
  claim& operator=(claim&&) noexcept = default;
  /// @}
  ~claim() = default;

  /// The number of the enumerator.
  [[nodiscard]] std::size_t number() const noexcept { return number_; }
  /// Name of the dependency.
  [[nodiscard]] std::string_view name() const noexcept {
    return object_ != nullptr ? object_->name() : std::string_view{described_->options.name};
  }
  /// The number as messages call it.
  [[nodiscard]] std::string shown() const { return name_of_(number_); }
  /// As above, of another number of the same enum.
  [[nodiscard]] std::string shown(std::size_t other) const { return name_of_(other); }

  /// Differs for each enum; empty if a number was given.
  [[nodiscard]] std::string_view enumeration() const noexcept { return enumeration_; }

  /// The dependency that is watched; null if the supervisor builds one.
  [[nodiscard]] component* object() const noexcept { return object_; }
  /// What the supervisor builds, if it does.
  [[nodiscard]] const std::optional<dependency_description>& description() const noexcept {
    return described_;
  }

 private:
  static dependency_options with_breaker(dependency_options described, const breaker_options& breaker) {
    described.breaker = breaker;
    described.breaker.name.clear();  // the dependency has a name of its own
    return described;
  }

  template <class E>
  explicit claim(E which)
      : number_{static_cast<std::size_t>(which)},
        enumeration_{detail::name_of_enum<E>()},
        name_of_{&detail::shown_enumerator<E>} {}

  std::size_t number_;
  std::string_view enumeration_;
  std::string (*name_of_)(std::size_t);
  component* object_ = nullptr;
  std::optional<dependency_description> described_{};
};

namespace detail {

[[noreturn]] inline void refuse_claims(const std::string& why) {
  raise(std::invalid_argument{"supervisor: " + why});
}

/// The enum of the claims; empty if they are numbers.
template <class Clock>
[[nodiscard]] std::string_view enumeration_of(const std::vector<claim<Clock>>& claims) noexcept {
  for (const auto& one : claims) {
    if (!one.enumeration().empty()) return one.enumeration();
  }
  return {};
}

/// The claims in the order of their numbers. Throws `std::invalid_argument` unless each number from 0 on is
/// claimed once by one enum, and each name is given once.
template <class Clock>
[[nodiscard]] std::vector<claim<Clock>> validated(std::vector<claim<Clock>> claims) {
  require_within<std::size_t>("number of dependencies of a supervisor", claims.size(), 1,
                              dependency_set::most);
  for (const auto& one : claims) {
    if (one.number() >= dependency_set::most) {
      refuse_claims("'" + std::string{one.name()} + "' is claimed as dependency " +
                    std::to_string(one.number()) + "; the numbers are 0 to 31");
    }
    if (!one.enumeration().empty() && one.enumeration() != enumeration_of(claims)) {
      refuse_claims("'" + std::string{one.name()} + "' is claimed as " + one.shown() +
                    " of another enum than '" + std::string{claims.front().name()} + "'");
    }
  }
  std::sort(claims.begin(), claims.end(),
            [](const auto& one, const auto& other) { return one.number() < other.number(); });
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const auto& one = claims[i];
    if (i > 0 && one.number() == claims[i - 1].number()) {
      refuse_claims("dependency " + one.shown() + " is claimed by '" + std::string{claims[i - 1].name()} +
                    "' and '" + std::string{one.name()} + "'");
    }
    if (one.number() != i) {
      refuse_claims("dependency " + one.shown(i) + " is not claimed; each number from 0 to " +
                    std::to_string(claims.back().number()) + " must be");
    }
    for (std::size_t other = 0; other < i; ++other) {
      if (one.object() != nullptr && claims[other].object() == one.object()) {
        refuse_claims("'" + std::string{one.name()} + "' is claimed as dependency " + claims[other].shown() +
                      " and as dependency " + one.shown());
      }
      if (claims[other].name() == one.name()) {
        invalid_option("dependency_options.name", "'" + std::string{one.name()} + "'",
                       "a name that no other dependency has");
      }
    }
  }
  return claims;
}

}  // namespace detail
}  // namespace brownout::inline BROWNOUT_ABI
