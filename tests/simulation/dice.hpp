// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

/// All chance of a simulation, from one seed. The same on every machine, which the distributions of <random>
/// are not.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_{seed} {}

  /// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
  std::uint64_t number() {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
  }
  /// 0 to `count` - 1.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(number() % count); }
  /// `from` to `to`.
  std::uint32_t between(std::uint32_t from, std::uint32_t to) {
    return from + static_cast<std::uint32_t>(number() % (std::uint64_t{to} - from + 1));
  }
  /// True in `share` of 100 cases.
  bool percent(std::uint32_t share) { return number() % 100 < share; }

 private:
  std::uint64_t state_;
};
