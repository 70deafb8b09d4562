// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/guard/call_priority.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// Calls that a limit has admitted and refused since it was built, both modulo 2^39.
struct limit_totals {
  static constexpr std::uint64_t modulus = std::uint64_t{1} << 39;  // of `bulkhead_snapshot::admitted`

  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;
};

template <class Limit>
[[nodiscard]] limit_totals totals_of(const Limit& limit) noexcept {
  const auto shown = limit.snapshot();
  if constexpr (requires { shown.expired; }) {  // of an async_bulkhead: a wait in vain is a refusal
    return {shown.admitted, shown.refused + shown.expired};
  } else if constexpr (Limit::kind == guard_kind::bulkhead) {
    return {shown.admitted, shown.refused};
  } else {
    static_assert(Limit::kind == guard_kind::adaptive_limit);
    auto refused = shown.limit_reached;
    for (const auto one : {call_priority::critical_plus, call_priority::critical})
      refused += shown.shed[static_cast<std::size_t>(one)];
    return {shown.admitted, refused};
  }
}

}  // namespace detail

/// The limit of calls in flight around a dependency, for `dependency_options::limited_by`. It refers to a
/// `bulkhead`, an `async_bulkhead` or an `adaptive_limit`, whose totals it reads. The call path does not
/// change. A call that waited for a place as long as it may, in vain, counts as refused.
///
/// A call that an `adaptive_limit` has shed counts as refused if its class is `critical` or `critical_plus`.
/// The two sheddable classes are there to be refused first.
///
/// The limit must outlive the supervisor that watches the dependency. Thread-safe, and lock-free except for
/// an `async_bulkhead`.
class call_limit {
 public:
  /// No limit.
  call_limit() noexcept = default;

  /// Refers to a limit. A temporary does not compile.
  template <class Limit>
  requires(Limit::kind == guard_kind::bulkhead || Limit::kind == guard_kind::adaptive_limit)
      // NOLINTNEXTLINE(google-explicit-constructor): `.limited_by = connections`
      call_limit(Limit& limit)
  noexcept
      : limit_{&limit},
        totals_{[](const void* it) noexcept { return detail::totals_of(*static_cast<const Limit*>(it)); }} {}

  /// Whether there is one.
  [[nodiscard]] explicit operator bool() const noexcept { return limit_ != nullptr; }

  /// For a supervisor. Precondition: there is a limit.
  [[nodiscard]] detail::limit_totals totals() const noexcept { return totals_(limit_); }

 private:
  const void* limit_ = nullptr;  // null: none
  detail::limit_totals (*totals_)(const void*) noexcept = nullptr;
};

}  // namespace brownout::inline BROWNOUT_ABI
