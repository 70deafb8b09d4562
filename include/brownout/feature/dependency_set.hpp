// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace brownout::inline BROWNOUT_ABI {

/// A set of dependencies. A dependency is its number, 0 to 31, or an enumerator of the user with that value.
class dependency_set {
 public:
  static constexpr std::size_t most = 32;  ///< the most dependencies

  constexpr dependency_set() = default;
  /// The set with the dependencies whose bits are set.
  explicit constexpr dependency_set(std::uint32_t bits) noexcept : bits_{bits} {}

  /// Precondition: `dependency` is below `most`. In a constant expression a greater number does not compile.
  constexpr void insert(std::size_t dependency) noexcept { bits_ |= bit(dependency); }

  /// Precondition: `dependency` is below `most`.
  template <class D>
  requires(std::is_enum_v<D> || std::is_integral_v<D>)
      [[nodiscard]] constexpr bool contains(D dependency) const noexcept {
    return (bits_ & bit(static_cast<std::size_t>(dependency))) != 0;
  }
  /// Whether no dependency is in the set.
  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  /// Bit n is set if dependency n is in the set.
  [[nodiscard]] constexpr std::uint32_t bits() const noexcept { return bits_; }

  friend constexpr dependency_set operator&(dependency_set a, dependency_set b) noexcept {
    return dependency_set{a.bits_ & b.bits_};
  }
  friend constexpr bool operator==(dependency_set, dependency_set) noexcept = default;

 private:
  static constexpr std::uint32_t bit(std::size_t dependency) noexcept {
    BROWNOUT_PRECONDITION(dependency < most, "dependency_set: a dependency's number is 0 to 31");
    return std::uint32_t{1} << dependency;
  }

  std::uint32_t bits_ = 0;
};

namespace detail {

template <class First, class... Others>
inline constexpr bool are_one_type = (std::is_same_v<First, Others> && ...);

}  // namespace detail

/// The set of the given dependencies: `needs(dependency::database, dependency::redis)`.
template <class... Dependencies>
[[nodiscard]] constexpr dependency_set needs(Dependencies... dependencies) noexcept {
  if constexpr (sizeof...(Dependencies) > 0) {
    static_assert(detail::are_one_type<Dependencies...>, "the dependencies of a system are one enum");
  }
  dependency_set set;
  (set.insert(static_cast<std::size_t>(dependencies)), ...);
  return set;
}

}  // namespace brownout::inline BROWNOUT_ABI
