// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// How the breakers of some keys behave.
template <detector Detector = standard_detector>
struct breaker_rule {
  std::string match;          ///< the key, or what the keys begin with: 1 to 128 bytes, any bytes
  Detector detector{};        ///< when a circuit opens
  breaker_options breaker{};  ///< how it recovers; without a name, since a breaker's name is its key
};

/// A registry as its owner describes it. Validated when the registry is built.
///
/// Which settings a key gets: those of the rule in `keys` that names it, or else of the longest of `prefixes`
/// that it begins with, or else `detector` and `breaker`.
template <detector Detector = standard_detector>
struct registry_options {
  static constexpr std::size_t most_capacity = std::size_t{1} << 24;
  static constexpr std::size_t most_rules = 1024;
  static constexpr duration longest_idle = std::chrono::hours{24 * 30};

  /// How many breakers are remembered at most: 1 to 16,777,216. Default 10,000: more hosts or tenants than
  /// most services talk to, in about 2 MB.
  std::size_t capacity = 10'000;

  /// How long a breaker that nobody looks up is remembered, even though there is room: 1 ms to 30 days. It
  /// goes between this time and twice as long after its last use, once a breaker is created or
  /// `registry::evict_idle` is called. Default (zero): as long as there is room.
  duration idle_for{};

  Detector detector{};        ///< of the keys that no rule matches
  breaker_options breaker{};  ///< of the keys that no rule matches; without a name

  std::vector<breaker_rule<Detector>> keys{};      ///< for single keys; up to 1024
  std::vector<breaker_rule<Detector>> prefixes{};  ///< for keys that begin alike; up to 1024

  /// Throws `std::invalid_argument` naming rule, field, value and range.
  void validate() const {
    detail::require_within<std::size_t>("registry_options.capacity", capacity, 1, most_capacity);
    if (idle_for != duration{}) {
      detail::require_within("registry_options.idle_for", idle_for, duration{std::chrono::milliseconds{1}},
                             longest_idle);
    }
    validate_rule("rule for all other keys", detector, breaker);
    validate_rules("registry_options.keys", "rule for key ", keys);
    validate_rules("registry_options.prefixes", "rule for keys with prefix ", prefixes);
  }

 private:
  static void validate_rules(std::string_view field, std::string_view whose,
                             const std::vector<breaker_rule<Detector>>& rules) {
    detail::require_within<std::size_t>(std::string{field} + ".size()", rules.size(), 0, most_rules);
    std::unordered_set<std::string_view> seen;
    for (const auto& one : rules) {
      if (one.match.empty() || one.match.size() > breaker_options::longest_name) {
        const auto shown =
            one.match.empty() ? "" : one.match.substr(0, breaker_options::longest_name) + "...";
        detail::invalid_option("breaker_rule.match in " + std::string{field}, "'" + shown + "'",
                               "1 to 128 bytes");
      }
      if (!seen.insert(one.match).second) {
        detail::invalid_option("breaker_rule.match in " + std::string{field}, "'" + one.match + "'",
                               "what no other rule there matches");
      }
      validate_rule(std::string{whose} + "'" + one.match + "'", one.detector, one.breaker);
    }
  }

  static void validate_rule(const std::string& whose, const Detector& detector,
                            const breaker_options& breaker) {
    detail::validate_for(whose, [&] {
      if (!breaker.name.empty()) {
        detail::invalid_option("breaker_options.name", "'" + breaker.name + "'",
                               "none: a breaker's name is its key");
      }
      static_cast<void>(circuit_breaker<Detector>{detector, breaker});  // what it refuses, it refuses now
    });
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
