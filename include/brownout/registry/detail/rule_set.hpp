// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/policy.hpp"
#include "brownout/breaker/options.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/registry/registry_options.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// The policies of all rules that a registry has, or has had. The breakers of a rule share its policy.
///
/// A breaker may read a policy at any time. So a policy is never reused for another rule. It lives as long as
/// the pool, which lives as long as the registry and each of its breakers.
template <class Detector>
using policy_pool = std::map<std::pair<bool, std::string>, policy<Detector>>;

/// The rules of a registry at one time: the settings of each key, and the policy that its breaker reads.
///
/// Thread-safe once it is bound to its policies.
template <class Detector>
class rule_set {
 public:
  using options_type = registry_options<Detector>;
  using pool_type = policy_pool<Detector>;

  /// Precondition: the options are valid.
  explicit rule_set(options_type options) : options_{std::move(options)} {
    for (const auto& one : options_.keys)
      keys_.emplace_back(rule_kind::key, one.match, one.detector, one.breaker);
    for (const auto& one : options_.prefixes) {
      prefixes_.emplace_back(rule_kind::prefix, one.match, one.detector, one.breaker);
    }
    // Every key begins with the empty text.
    prefixes_.emplace_back(rule_kind::all_others, "", options_.detector, options_.breaker);
    std::sort(keys_.begin(), keys_.end(), [](auto& one, auto& other) { return one.match < other.match; });
    std::sort(prefixes_.begin(), prefixes_.end(),
              [](auto& one, auto& other) { return one.match.size() > other.match.size(); });
  }
  rule_set(const rule_set&) = delete;
  rule_set& operator=(const rule_set&) = delete;
  ~rule_set() = default;

  [[nodiscard]] const options_type& options() const noexcept { return options_; }
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

  /// Checks for every possible key whether its breaker can continue with these rules. Throws
  /// `std::invalid_argument` naming rule, field, value and range.
  void validate_replacing(const rule_set& before) const {
    // A key has a rule before and a rule after the change. The match of one of the two begins with the match
    // of the other. So it is enough to check each match of both rule sets.
    for (const auto& one : keys_) validate_replacing(one, before.rule_of(one.match));
    for (const auto& one : prefixes_) validate_replacing(one, before.rule_of_prefix(one.match));
    for (const auto& one : before.keys_) validate_replacing(rule_of(one.match), one);
    for (const auto& one : before.prefixes_) validate_replacing(rule_of_prefix(one.match), one);
  }

  /// Takes a policy for each rule from the pool. Adds one to the pool if the rule never had one. `version`:
  /// different for each rule set of a registry.
  void bind(const std::shared_ptr<pool_type>& pool, std::uint64_t version) {
    for (auto* const rules : {&keys_, &prefixes_}) {
      for (auto& one : *rules) {
        std::pair key{one.kind == rule_kind::key, std::string{one.match}};
        one.read = &pool->try_emplace(std::move(key), one.recovers, one.decides).first->second;
      }
    }
    pool_ = pool;
    version_ = version;
  }
  /// Copies the settings of the rules into their policies, for all breakers that read them.
  void apply() const {
    for (const auto* const rules : {&keys_, &prefixes_}) {
      for (const auto& one : *rules) {
        one.read->replace(one.recovers);
        one.read->replace(one.decides);
      }
    }
  }

  /// The policy that the breaker of a key reads. Precondition: bound.
  [[nodiscard]] policy<Detector>& policy_of(std::string_view key) const noexcept {
    return *rule_of(key).read;
  }
  /// As `policy_of`, but the result keeps the pool alive. Precondition: bound.
  [[nodiscard]] std::shared_ptr<policy<Detector>> shared_policy_of(std::string_view key) const noexcept {
    return {pool_, &policy_of(key)};
  }

 private:
  struct rule {
    rule(rule_kind of, std::string_view what, const Detector& detector, const breaker_options& breaker)
        : kind{of},
          match{what},
          recovers{policy<Detector>::valid(breaker, "")},
          decides{policy<Detector>::valid(detector, "")} {}

    rule_kind kind;
    std::string_view match;  // part of the options
    recovery recovers;
    Detector decides;
    policy<Detector>* read = nullptr;  // part of the pool
  };

  static void validate_replacing(const rule& next, const rule& before) {
    auto whose = to_text(next.kind, next.match);
    if (next.kind != before.kind || next.match != before.match) {
      whose += " in place of the " + to_text(before.kind, before.match);
    }
    validate_for(whose, [&] { next.decides.validate_replacing(before.decides); });
  }

  [[nodiscard]] const rule& rule_of(std::string_view key) const noexcept {
    const auto named =
        std::lower_bound(keys_.begin(), keys_.end(), key,
                         [](auto& one, std::string_view sought) { return one.match < sought; });
    return named != keys_.end() && named->match == key ? *named : rule_of_prefix(key);
  }
  [[nodiscard]] const rule& rule_of_prefix(std::string_view key) const noexcept {
    auto one = prefixes_.begin();  // the last one matches
    while (!key.starts_with(one->match)) ++one;
    return *one;
  }

  const options_type options_;
  std::vector<rule> keys_{};      // sorted
  std::vector<rule> prefixes_{};  // the longest first
  std::shared_ptr<pool_type> pool_{};
  std::uint64_t version_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
