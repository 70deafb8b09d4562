// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/policy.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/registry/detail/key_name.hpp"
#include "brownout/version.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// The kind of keys that a rule is for.
enum class rule_kind : std::uint8_t { key, prefix, all_others };

/// The name of a rule in messages.
[[nodiscard]] inline std::string to_text(rule_kind kind, std::string_view match) {
  if (kind == rule_kind::all_others) return "rule for all other keys";
  const std::string whose = kind == rule_kind::key ? "rule for key '" : "rule for keys with prefix '";
  return whose + std::string{match} + "'";
}

}  // namespace detail

/// How the breakers of some keys behave.
template <detector Detector = standard_detector>
struct breaker_rule {
  /// The key, or the beginning of the keys. Any bytes: 1 to 127 for a key, 1 to 90 for a prefix. Default:
  /// none, which is refused.
  std::string match;

  /// When the circuits of these keys open. Default: the default of the detector.
  Detector detector{};

  /// How the circuits of these keys recover. Its name must stay empty, since a breaker's name is its key.
  /// Default: the default of `breaker_options`.
  breaker_options breaker{};
};

/// A list of rules: a `std::vector`.
//
// With a plain vector here, GCC 12 ends with an internal error where a class has a registry as a member and
// initialises it there with braces: it cannot tell whether the vector's defaulted constructor throws.
template <detector Detector>
struct breaker_rules : std::vector<breaker_rule<Detector>> {
  using std::vector<breaker_rule<Detector>>::vector;
  breaker_rules() noexcept {}  // NOLINT(modernize-use-equals-default): see above
};

/// How a registry behaves. Validated when the registry is built or reconfigured.
///
/// The settings of a key are those of the rule in `keys` that names the key. Without such a rule they are
/// those of the longest matching rule in `prefixes`. If no prefix matches either, they are `detector` and
/// `breaker`.
template <detector Detector = standard_detector>
struct registry_options {
  static constexpr std::size_t most_capacity = std::size_t{1} << 24;  ///< the largest `capacity`
  static constexpr std::size_t most_rules = 1024;  ///< the most `keys`, and the most `prefixes`
  static constexpr std::size_t longest_key = detail::key_name::longest_plain_key;      ///< of a rule; bytes
  static constexpr std::size_t longest_prefix = detail::key_name::shortest_beginning;  ///< of a rule; bytes
  static constexpr duration longest_idle = std::chrono::hours{24 * 30};  ///< the longest `idle_for`

  /// How many breakers are registered at most: 1 to 16,777,216. It can't be changed later. Default 10,000:
  /// more hosts or tenants than most services talk to, in about 2 MB.
  std::size_t capacity = 10'000;

  /// How long a breaker stays registered after its last use although there is room: 1 ms to 30 days. It
  /// expires between this time and twice this time after its last use, when the next breaker is added or
  /// `registry::remove_expired` is called. If this happens more seldom than once in this time, the breaker
  /// expires at the second time after its last use, because a look-up reads no clock. Default (zero): as long
  /// as there is room.
  duration idle_for{};

  Detector detector{};        ///< for the keys that no rule matches
  breaker_options breaker{};  ///< for the keys that no rule matches; without a name

  breaker_rules<Detector> keys{};      ///< for single keys; up to 1024 rules
  breaker_rules<Detector> prefixes{};  ///< for keys with a common beginning; up to 1024 rules

  /// Throws `std::invalid_argument` naming rule, field, value and range.
  void validate() const {
    detail::require_within<std::size_t>("registry_options.capacity", capacity, 1, most_capacity);
    if (idle_for != duration{}) {
      detail::require_within("registry_options.idle_for", idle_for, duration{std::chrono::milliseconds{1}},
                             longest_idle);
    }
    validate_rule(detail::rule_kind::all_others, "", detector, breaker);
    validate_rules(detail::rule_kind::key, "registry_options.keys", keys, longest_key);
    validate_rules(detail::rule_kind::prefix, "registry_options.prefixes", prefixes, longest_prefix);
  }

 private:
  static void validate_rules(detail::rule_kind kind, const std::string& field,
                             const std::vector<breaker_rule<Detector>>& rules, std::size_t longest) {
    detail::require_within<std::size_t>(field + ".size()", rules.size(), 0, most_rules);
    std::unordered_set<std::string_view> seen;
    for (const auto& one : rules) {
      if (one.match.empty() || one.match.size() > longest) {
        const auto shown = one.match.empty() ? "" : one.match.substr(0, longest) + "...";
        detail::invalid_option("breaker_rule.match in " + field, "'" + shown + "'",
                               "1 to " + detail::to_text(longest) + " bytes");
      }
      if (!seen.insert(one.match).second) {
        detail::invalid_option("breaker_rule.match in " + field, "'" + one.match + "'",
                               "what no other rule there matches");
      }
      validate_rule(kind, one.match, one.detector, one.breaker);
    }
  }

  static void validate_rule(detail::rule_kind kind, std::string_view match, const Detector& detector,
                            const breaker_options& breaker) {
    detail::validate_for(detail::to_text(kind, match), [&] {
      if (!breaker.name.empty()) {
        detail::invalid_option("breaker_options.name", "'" + breaker.name + "'",
                               "none: a breaker's name is its key");
      }
      // Both refuse what a breaker would refuse.
      static_cast<void>(detail::policy<Detector>::valid(breaker, ""));
      static_cast<void>(detail::policy<Detector>::valid(detector, ""));
    });
  }
};

}  // namespace brownout::inline BROWNOUT_ABI
