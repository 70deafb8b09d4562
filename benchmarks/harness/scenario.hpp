// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace benchmarks {

/// Does one operation so many times.
using batch = void (*)(std::uint64_t times);

/// The batch of `Operation`, a lambda that captures nothing. The loop adds three instructions to each
/// operation.
template <class Operation>
[[nodiscard]] constexpr batch repeated(Operation) {
  static_assert(std::is_empty_v<Operation>, "a capture would be one more memory access in the loop");
  return [](std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) Operation{}();
  };
}

/// What a scenario is measured against: the least that something of its kind can cost.
struct floor {
  std::string_view name{};
  batch run = nullptr;
};

/// Instructions of an iteration over those of the row that has the name of the floor.
struct surplus_goal {
  double gcc;
  double clang;
};

/// What must hold; left out: nothing is promised. Never nanoseconds: they move with the machine and its load.
struct goals {
  std::optional<double> ratio{};   ///< cost, in multiples of the floor's
  std::optional<double> growth{};  ///< cost to each of two threads, in multiples of one's (see measuring.hpp)
  std::optional<double> instructions{};  ///< of an iteration with its loop, with every compiler counted
  std::optional<double> allocations{};   ///< calls of operator new, an operation
  std::optional<surplus_goal> surplus{};
};

/// One row of the table.
struct scenario {
  std::string_view name;
  batch run = nullptr;  ///< null: the figures come from outside, or are known
  floor beside{};
  goals wanted{};
  void (*prepare)() = nullptr;        ///< called once, before anything is run, also when only other rows are
  double (*known_ratio)() = nullptr;  ///< for what needs no batches, such as a size; called by `result`
};

/// Adds a row to the table. As a namespace-scope object it makes a file of scenarios need no other line than
/// its own in CMakeLists.txt.
struct registered {
  explicit registered(const scenario& one) {
    if ((one.run == nullptr) != (one.beside.run == nullptr)) {
      throw std::logic_error{"a case that runs needs a floor that runs: " + std::string{one.name}};
    }
    all().push_back(one);
  }

  static std::vector<scenario>& all() {
    static std::vector<scenario> scenarios;
    return scenarios;
  }
};

}  // namespace benchmarks
