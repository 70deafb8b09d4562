// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A flag that asks work to end. Every copy of a signal shares one flag; the flag is never lowered again.
///
/// It stands for `std::stop_source` and `std::stop_token`, which libc++ before version 20 has only as an
/// experiment. It runs no callbacks. Thread-safe; every operation but construction is wait-free.
class stop_signal {
 public:
  /// A signal with a flag of its own. Allocates.
  stop_signal() : requested_{std::make_shared<std::atomic<bool>>(false)} {}

  /// Asks the probe to end. Thread-safe, lock-free.
  void request_stop() const noexcept {
    // (1) release: synchronizes-with (2), so the work that ends sees what was written before the request.
    requested_->store(true, std::memory_order_release);
  }
  /// Whether the probe was asked to end. Thread-safe, lock-free.
  [[nodiscard]] bool stop_requested() const noexcept {
    return requested_->load(std::memory_order_acquire);  // (2)
  }

 private:
  // Written by request_stop, and only from false to true. Publishes what its caller wrote before.
  std::shared_ptr<std::atomic<bool>> requested_;
};

/// What a probe is given.
struct probe_context {
  time_point deadline;  ///< if the probe has not returned by then, it has failed
  stop_signal stop{};   ///< requested when the supervision stops

  /// Whether the probe should return now, with any result. A probe that waits in steps asks before each step.
  [[nodiscard]] bool stop_requested() const noexcept { return stop.stop_requested(); }
};

/// What a probe found.
struct probe_result {
  outcome result = outcome::failure;  ///< default: a failure
  std::string
      reason{};  ///< why it is not a success, for people. Status pages show it: it must hold no secret
};

namespace detail {

/// What a probe of a user's returned, as a `probe_result`.
[[nodiscard]] inline probe_result probe_answer(probe_result found) {
  return found;
}
[[nodiscard]] inline probe_result probe_answer(outcome found) {
  return {found, {}};
}
[[nodiscard]] inline probe_result probe_answer(std::same_as<bool> auto is_well) {
  return {is_well ? outcome::success : outcome::failure, {}};
}

/// Whether there is no code to run: a null pointer, or an empty `std::function`.
template <class F>
[[nodiscard]] bool is_null(const F& function) {
  if constexpr (std::is_constructible_v<F, std::nullptr_t> && requires { bool{function == nullptr}; }) {
    return function == nullptr;
  } else {
    return false;
  }
}

/// A probe of the user's may leave out its last argument, the context.
template <class F, class... State>
inline constexpr bool is_probe =
    std::invocable<F&, State&..., const probe_context&> || std::invocable<F&, State&...>;
template <class F, class... State>
decltype(auto) call_probe(F& function, const probe_context& now, State&... state) {
  if constexpr (std::invocable<F&, State&..., const probe_context&>) {
    return function(state..., now);
  } else {
    return function(state...);
  }
}
template <class F, class... State>
[[nodiscard]] probe_result ask_probe(F& function, const probe_context& now, State&... state) {
  if constexpr (!is_probe<F, State...>) {
    static_assert(is_probe<F, State...>, "a probe takes a const brownout::probe_context&, or nothing");
    return {};
  } else if constexpr (!requires { detail::probe_answer(detail::call_probe(function, now, state...)); }) {
    static_assert(sizeof(F) == 0, "a probe returns a brownout::probe_result, a brownout::outcome or a bool");
    return {};
  } else {
    return detail::probe_answer(detail::call_probe(function, now, state...));
  }
}

}  // namespace detail

/// Says that a dependency is probed by code of yours, such as the asynchronous probes of an
/// `async_supervision`, or a loop that carries out the orders of `supervisor::step` itself:
///
///     .probe = brownout::probed_elsewhere
struct probed_elsewhere_t {
  explicit probed_elsewhere_t() = default;
};
inline constexpr probed_elsewhere_t probed_elsewhere{};  ///< says that a probe runs elsewhere

/// Asks a dependency whether it is well: a function of a `probe_context` that returns a `probe_result`, an
/// `outcome`, or a bool that says whether the dependency is well. A function that keeps a time-out of its own
/// may leave out the `probe_context`.
///
/// A supervision calls each probe on a thread of its own, and never calls one probe twice at once. A probe
/// that throws has failed. The text of its exception is not shown, because it may hold a connection string.
///
/// **A probe that hangs at shutdown.** A lambda may refer to your objects, for example by `[this]`. So the
/// destructor of the supervision waits until it has returned. Let it return soon after
/// `probe_context::stop_requested`. A probe that owns all that it needs can be left running instead:
///
///     .probe = {client, [](http_client& client, const brownout::probe_context& now) { ... }}
///
/// `client` is a `std::shared_ptr<http_client>`, which the probe shares. Functions and lambdas that capture
/// nothing own all that they need too.
class probe {
 public:
  /// No probe.
  probe() noexcept = default;

  // NOLINTBEGIN(google-explicit-constructor): an option is set by naming what it is set to
  /// No probe.
  probe(std::nullptr_t) noexcept {}
  /// Probed elsewhere, as by an `async_supervision`.
  probe(probed_elsewhere_t) noexcept : is_elsewhere_{true} {}
  /// A probe that runs `function`, a lambda or a function. No probe if that is null or an empty
  /// `std::function`.
  template <class F>
  requires(!std::same_as<F, probe> && !std::same_as<F, probed_elsewhere_t> &&
           (std::is_class_v<F> || std::is_pointer_v<F>)) probe(F function)
      : is_self_contained_{std::is_empty_v<F> || std::is_pointer_v<F>} {
    if (detail::is_null(function)) return;
    run_ = [asked = std::move(function)](const probe_context& now) mutable {
      return detail::ask_probe(asked, now);
    };
  }
  // NOLINTEND(google-explicit-constructor)

  /// A probe that shares `state`. `function` must capture nothing that may end before it.
  template <class State, class F>
  probe(std::shared_ptr<State> state, F function) : is_self_contained_{true} {
    if (detail::is_null(function)) return;
    run_ = [kept = std::move(state), asked = std::move(function)](const probe_context& now) {
      return detail::ask_probe(asked, now, *kept);
    };
  }

  /// Whether the dependency is probed.
  [[nodiscard]] explicit operator bool() const noexcept { return is_elsewhere_ || static_cast<bool>(run_); }
  /// Whether it is probed by other code: there is no function here.
  [[nodiscard]] bool is_elsewhere() const noexcept { return is_elsewhere_; }

  /// Precondition: there is a function.
  probe_result operator()(const probe_context& now) const { return run_(now); }

  /// Whether it owns all that it needs, so that it may be left running.
  [[nodiscard]] bool is_self_contained() const noexcept { return is_self_contained_; }

 private:
  std::function<probe_result(const probe_context&)> run_{};
  bool is_self_contained_ = false;
  bool is_elsewhere_ = false;
};

/// A probe that is to be run now, on a thread of its own.
struct probe_order {
  std::size_t dependency = 0;  ///< number of the dependency: the value of its enumerator
  std::uint64_t ticket = 0;  ///< number of this order; a late answer to an earlier order is recognised by it
  time_point deadline{};     ///< see `probe_context::deadline`
};

}  // namespace brownout::inline BROWNOUT_ABI
