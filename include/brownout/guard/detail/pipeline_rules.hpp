// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/detail/chain.hpp"
#include "brownout/guard/detail/stages.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {
template <class Guard>
class hold_place_while_waiting;
}

namespace brownout::inline BROWNOUT_ABI::detail {

template <class F>
using pipeline_result_t = typename refusable<std::remove_cv_t<returned_t<std::remove_reference_t<F>>>>::type;
template <class F>
using pipeline_value_t = typename pipeline_result_t<F>::value_type;

template <class Next>
using frame_of = decltype(std::declval<const Next&>().frame());

template <class R>
BROWNOUT_ALWAYS_INLINE R value_or_raise(result<R>&& answer) {
  if (!answer.has_value()) [[unlikely]] {
    raise_rejected(answer.rejection(), answer.rejection().guard);
  }
  return *std::move(answer);
}

template <class S>
inline constexpr auto kinds_of = std::array{stage_kind<S>};
template <class S>
requires requires {
  S::kinds;
}
inline constexpr auto kinds_of<S> = S::kinds;

template <std::size_t... N>
[[nodiscard]] constexpr auto joined(const std::array<guard_kind, N>&... parts) {
  std::array<guard_kind, (N + ... + 0)> all{};
  std::size_t end = 0;
  const auto append = [&](const auto& part) {
    for (const auto one : part) all[end++] = one;
  };
  (append(parts), ...);
  return all;
}

/// The rules about the order of guards.
template <class... Stages>
struct pipeline_rules {
  static constexpr auto kinds = joined(kinds_of<Stages>...);

  /// Whether a guard of one kind stands somewhere outside of one of the other kind.
  [[nodiscard]] static constexpr bool stands_outside(guard_kind outer, guard_kind inner) noexcept {
    bool found = false;
    for (const auto one : kinds) {
      if (found && one == inner) return true;
      found = found || one == outer;
    }
    return false;
  }

  static constexpr bool has_no_inner_fallback =
      !stands_outside(guard_kind::retry, guard_kind::fallback) &&
      !stands_outside(guard_kind::circuit_breaker, guard_kind::fallback);
  static constexpr bool holds_no_place_while_waiting =
      !stands_outside(guard_kind::bulkhead, guard_kind::retry) &&
      !stands_outside(guard_kind::adaptive_limit, guard_kind::retry);
};

template <class S, class Visit>
constexpr void visit_stage(const S& stage, const Visit& visit) {
  if constexpr (requires { stage.for_each_stage(visit); }) {
    stage.for_each_stage(visit);
  } else {
    visit(stage);
  }
}

/// Whether it is a stage of the library with a guard within, which `get` returns. A member `get` of a stage
/// of the user may be anything.
template <class S>
inline constexpr bool has_guard_within = false;
template <class G>
inline constexpr bool has_guard_within<guard_reference<G>> = true;
template <class B>
inline constexpr bool has_guard_within<breaker_handle<B>> = true;
template <class G>
inline constexpr bool has_guard_within<hold_place_while_waiting<G>> = true;

/// The guard with state that a stage refers to, or null.
template <class S>
[[nodiscard]] const void* address_of_guard(const S& stage) noexcept {
  if constexpr (has_guard_within<S>) {
    return std::copy_constructible<std::remove_cvref_t<decltype(stage.get())>> ? nullptr
                                                                               : std::addressof(stage.get());
  } else {
    return nullptr;
  }
}

/// The name of the guard of a stage, or an empty one.
template <class S>
[[nodiscard]] std::string_view name_of_stage(const S& stage) noexcept {
  if constexpr (has_guard_within<S>) {
    return detail::name_of_guard(stage.get());
  } else {
    return detail::name_of_guard(stage);
  }
}

/// Checks the options of the policies, and that no guard is given twice: it would take two permits for a
/// call.
template <class Pipeline>
void check_stages(const Pipeline& checked) {
  std::array<const void*, Pipeline::kinds.size()> seen{};
  std::size_t count = 0;
  checked.for_each_stage([&](const auto& stage) {
    if constexpr (requires { stage.validate(); }) {
      validate_for("pipeline", [&] { stage.validate(); });
    }
    const void* const guard = detail::address_of_guard(stage);
    for (std::size_t i = 0; guard != nullptr && i < count; ++i) {
      if (seen[i] != guard) continue;
      std::string text{"pipeline: "};
      text.append(to_string(stage_kind<std::remove_cvref_t<decltype(stage)>>)).append(" '");
      text.append(detail::name_of_stage(stage)).append("' is given twice: allowed is once");
      raise(std::invalid_argument{text});
    }
    seen[count++] = guard;
  });
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
