// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/guard_step.hpp"
#include "brownout/asio/detail/held_guard.hpp"
#include "brownout/asio/detail/policy_steps.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/guard/detail/stages.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/version.hpp"

#include <cstddef>
#include <tuple>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// What a stage does in an asynchronous call.
template <class Stage>
struct step_for {
  static_assert(
      !guard_stage<Stage> || requires(Stage & stage) { stage.try_acquire(); },
      "brownout: this stage of the pipeline has no asynchronous form. Asynchronous calls go through "
      "breakers, bulkheads, limiters, timeout, retry and fallback, in pipelines too");
  using type = guard_step<const Stage>;
  static const Stage& guarded(const Stage& stage) noexcept { return stage; }
};
template <class G>
struct step_for<guard_reference<G>> {
  using type = guard_step<G>;
  static G& guarded(const guard_reference<G>& stage) noexcept { return *stage.guard; }
};
template <class B>
struct step_for<breaker_handle<B>> {
  using type = guard_step<B>;
  static B& guarded(const breaker_handle<B>& stage) noexcept { return stage.breaker; }
};
template <>
struct step_for<timeout> {
  using type = timeout_step;
  static const timeout& guarded(const timeout& stage) noexcept { return stage; }
};
template <>
struct step_for<retry> {
  using type = retry_step;
  static const retry& guarded(const retry& stage) noexcept { return stage; }
};
template <class Source>
struct step_for<fallback<Source>> {
  using type = async_fallback<Source>;
  static const fallback<Source>& guarded(const fallback<Source>& stage) noexcept { return stage; }
};

/// The stages of a pipeline and of the pipelines in it, from the outermost on, as a tuple of references.
template <class Stage>
[[nodiscard]] constexpr auto flat_stages(const Stage& stage) noexcept {
  if constexpr (is_pipeline<Stage>) {
    return std::apply([](const auto&... inner) { return std::tuple_cat(detail::flat_stages(inner)...); },
                      stage.stages());
  } else if constexpr (requires { stage.inner(); }) {
    return detail::flat_stages(stage.inner());  // hold_place_while_waiting
  } else {
    return std::tuple<const Stage&>{stage};
  }
}

template <class Stages>
struct steps_of;
template <class... Stage>
struct steps_of<std::tuple<const Stage&...>> {
  using type = std::tuple<typename step_for<Stage>::type...>;
  static type make(const std::tuple<const Stage&...>& stages) {
    return std::apply([](const Stage&... one) { return type(step_for<Stage>::guarded(one)...); }, stages);
  }
};

/// A deadline has passed while the operation runs: tells the steps outside of the innermost time-out that is
/// over.
template <class... Step>
void settle_outside_of_overdue(std::tuple<Step...>& steps, time_point now) {
  std::size_t over = 0;  // where that time-out stands
  std::size_t at = 0;
  const auto find = [&](const auto& step) {
    if constexpr (requires { step.is_over(now); }) {
      if (step.is_over(now)) over = at;
    }
    ++at;
  };
  std::apply([&](const Step&... each) { (find(each), ...); }, steps);
  at = 0;
  std::apply([&](Step&... each) { ((at++ < over ? each.run_out() : void()), ...); }, steps);
}

/// Gives back what the steps hold, from the innermost on.
template <class... Step>
void drop_all(std::tuple<Step...>& steps) noexcept {
  const auto drop = [&]<std::size_t... I>(std::index_sequence<I...>) {
    (std::get<sizeof...(Step) - 1 - I>(steps).drop(), ...);
  };
  drop(std::index_sequence_for<Step...>{});
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
