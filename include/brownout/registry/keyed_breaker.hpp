// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/permit.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/registry/detail/registry_shard.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

template <detector Detector, clock_source Clock>
class registry;

/// A hold on a registry's breaker of one key: while it lives, the breaker does, evicted by nobody.
///
/// Copies hold the same breaker. Thread-safe as a `std::shared_ptr` is: several handles of one breaker are
/// independent of each other, and so is the registry; one handle is used by one thread at a time, apart from
/// const members. It may outlive the registry.
template <class Breaker>
class [[nodiscard]] keyed_breaker {
  using shard = detail::registry_shard<Breaker>;
  using place = typename shard::place;

 public:
  /// A permit that holds its breaker until it is settled, so that it may outlive the handle. Otherwise as
  /// `brownout::permit`.
  class [[nodiscard]] permit {
   public:
    permit(permit&&) noexcept = default;
    permit& operator=(permit&& other) noexcept {
      inner_ = std::move(other.inner_);  // first: what it gives back goes to the breaker held until now
      holder_ = std::move(other.holder_);
      return *this;
    }
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    ~permit() = default;

    /// As `brownout::permit::complete`; then the breaker may be forgotten.
    disposition complete(outcome result, duration retry_after = {}, std::string_view why = {}) noexcept {
      const auto became = inner_.complete(result, retry_after, why);
      holder_ = {};
      return became;
    }
    [[nodiscard]] std::uint64_t epoch() const noexcept { return inner_.epoch(); }
    [[nodiscard]] bool is_probe() const noexcept { return inner_.is_probe(); }
    [[nodiscard]] bool settled() const noexcept { return inner_.settled(); }

   private:
    friend keyed_breaker;
    permit(keyed_breaker&& holder, typename Breaker::permit&& inner) noexcept
        : holder_{std::move(holder)}, inner_{std::move(inner)} {}

    keyed_breaker holder_;  // before the permit, so that it is destroyed after it
    typename Breaker::permit inner_;
  };

  using admission = wrapped_admission<permit>;

  /// Holds nothing.
  keyed_breaker() noexcept = default;

  keyed_breaker(const keyed_breaker& other) noexcept : held_{other.held_} {
    if (held_.object != nullptr) held_.use->refer();
  }
  keyed_breaker(keyed_breaker&& other) noexcept : held_{std::exchange(other.held_, {})} {}
  keyed_breaker& operator=(keyed_breaker other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~keyed_breaker() {
    if (held_.object != nullptr) shard::release(held_);
  }

  /// Whether it holds a breaker. One from `registry::at` does.
  [[nodiscard]] explicit operator bool() const noexcept { return held_.object != nullptr; }

  /// False when the registry had no room for the key: then nobody else shares this breaker, and what it
  /// learns is forgotten with its last handle. Precondition: holds a breaker.
  [[nodiscard]] bool is_remembered() const noexcept { return node().home != nullptr; }

  /// The breaker. Its own permits must not outlive the handle; those of `try_acquire` below may.
  /// Precondition: holds one.
  [[nodiscard]] Breaker& operator*() const& noexcept { return node().breaker; }
  [[nodiscard]] Breaker* operator->() const& noexcept { return &node().breaker; }
  Breaker& operator*() const&& = delete;
  Breaker* operator->() const&& = delete;

  // As the breaker's. Precondition: holds one.
  [[nodiscard]] std::string_view name() const noexcept { return node().breaker.name(); }
  [[nodiscard]] circuit_state observed_state() const noexcept { return node().breaker.observed_state(); }
  [[nodiscard]] breaker_snapshot snapshot() const noexcept { return node().breaker.snapshot(); }

  /// As the breaker's. Precondition: holds one.
  [[nodiscard]] admission try_acquire() const& noexcept { return keyed_breaker{*this}.acquire(); }
  [[nodiscard]] admission try_acquire() && noexcept { return acquire(); }

  /// As the breaker's. Precondition: holds one.
  template <class F, class C = default_classifier>
  std::invoke_result_t<F> call(F&& function, const C& classify = {}) const {
    return node().breaker.call(std::forward<F>(function), classify);
  }

  /// As the breaker's. Precondition: holds one.
  template <class F, class C = default_classifier>
  try_call_result_t<F> try_call(F&& function, const C& classify = {}) const {
    return node().breaker.try_call(std::forward<F>(function), classify);
  }

  /// Whether both hold the same breaker.
  [[nodiscard]] friend bool operator==(const keyed_breaker& one, const keyed_breaker& other) noexcept {
    return one.held_.object == other.held_.object;
  }

 private:
  template <detector, clock_source>
  friend class registry;

  explicit keyed_breaker(place referred) noexcept : held_{referred} {}

  [[nodiscard]] detail::registered_breaker<Breaker>& node() const noexcept {
    BROWNOUT_PRECONDITION(held_.object != nullptr, "keyed_breaker: an empty handle has no breaker");
    return *held_.object;
  }

  admission acquire() noexcept {
    auto inner = node().breaker.try_acquire();
    const auto why = inner ? brownout::rejection{} : inner.rejection();
    return {permit{std::move(*this), *std::move(inner)}, why};
  }

  place held_{};  // refers to it
};

}  // namespace brownout::inline BROWNOUT_ABI
