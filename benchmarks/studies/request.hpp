// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/client/study.hpp"
#include "studies/shared/trace.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace studies {

extern const std::string_view usage;

enum class subject : std::uint8_t {
  breakers,  ///< one client, one dependency
  levels,    ///< several dependencies, and what a service offers without them
  fleet,     ///< many clients, one dependency
};

/// What the command line asks for.
struct request {
  subject about = subject::breakers;
  bool help = false;
  bool list = false;
  bool check = false;
  std::string judged{};  ///< in place of our default
  bool variants = false;
  std::optional<trace_group> only{};
  std::vector<std::string> traces{};
  std::vector<std::string> policies{};
  seed_range seeds{};
  std::string json{};
  std::string plots{};
};

/// Throws `std::runtime_error` saying what is wrong.
[[nodiscard]] request parse(int count, char** words);

/// Those that are named, or those that take part without being named.
template <class T, class Default>
std::vector<T> chosen(const std::vector<T>& all, const std::vector<std::string>& names, Default by_default) {
  std::vector<T> some;
  if (names.empty()) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(some), by_default);
  }
  for (const auto& name : names) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const T& one) { return one.name == name; });
    if (found == all.end()) throw std::runtime_error{"no such trace or policy: " + name + "; see --list"};
    some.push_back(*found);
  }
  return some;
}

}  // namespace studies
