// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/options.hpp"
#include "brownout/breaker/permit.hpp"
#include "brownout/breaker/snapshot.hpp"
#include "brownout/breaker/subscription.hpp"
#include "brownout/breaker/transition_event.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/wrapped_admission.hpp"
#include "brownout/detector/detector.hpp"
#include "brownout/registry/detail/registered_breaker.hpp"
#include "brownout/registry/detail/registry_shard.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

template <detector Detector, clock_source Clock>
class registry;

/// A handle of a registry's breaker for one key. While the handle exists, the breaker exists and is not
/// evicted.
///
/// A handle has the operations of its breaker: `hosts.at(host).force_open()`. Its permits keep the breaker
/// alive, so they may outlive the handle. Copies of a handle hold the same breaker. Most members have the
/// precondition that the handle is not empty; the others say so.
///
/// A breaker has 16,777,215 handles and permits at most: one more is a broken precondition.
///
/// Thread-safe as a `std::shared_ptr` is: several handles of one breaker are independent of each other, and
/// of the registry; one handle is used by one thread at a time, apart from const members. It may outlive the
/// registry.
template <class Breaker>
class [[nodiscard]] keyed_breaker {
  using shard = detail::registry_shard<Breaker>;
  using place = typename shard::place;
  using detector_type = decltype(std::declval<const Breaker&>().detector());

 public:
  /// A permit that keeps its breaker alive until it is settled. Otherwise as `brownout::permit`.
  class [[nodiscard]] permit {
   public:
    /// The other permit becomes settled: it reports nothing.
    permit(permit&&) noexcept = default;
    /// As above. A permit that this one held gives its place back.
    permit& operator=(permit&& other) noexcept {
      inner_ = std::move(other.inner_);  // first: a dropped permit goes back to the old breaker
      holder_ = std::move(other.holder_);
      return *this;
    }
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    ~permit() = default;

    /// As `brownout::permit::complete`; then the breaker may be evicted.
    disposition complete(outcome result, duration retry_after = {}, std::string_view why = {}) noexcept {
      const auto became = inner_.complete(result, retry_after, why);
      holder_ = {};
      return became;
    }
    /// As `epoch` of `permit`.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return inner_.epoch(); }
    /// As `is_probe` of `permit`.
    [[nodiscard]] bool is_probe() const noexcept { return inner_.is_probe(); }
    /// As `settled` of `permit`.
    [[nodiscard]] bool settled() const noexcept { return inner_.settled(); }

   private:
    friend keyed_breaker;
    permit(keyed_breaker&& holder, typename Breaker::permit&& inner) noexcept
        : holder_{std::move(holder)}, inner_{std::move(inner)} {}

    keyed_breaker holder_;  // before the permit, so that it is destroyed after it
    typename Breaker::permit inner_;
  };

  /// What `try_acquire` returns: a permit, or a rejection.
  using admission = wrapped_admission<permit>;

  /// An empty handle.
  keyed_breaker() noexcept = default;

  /// Holds the same breaker.
  keyed_breaker(const keyed_breaker& other) noexcept : held_{other.held_} {
    if (held_.object != nullptr) held_.use->refer();
  }
  /// The other handle becomes empty.
  keyed_breaker(keyed_breaker&& other) noexcept : held_{std::exchange(other.held_, {})} {}
  /// Holds the breaker of the other handle from now on.
  keyed_breaker& operator=(keyed_breaker other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~keyed_breaker() {
    if (held_.object != nullptr) shard::release(held_);
  }

  /// Whether it holds a breaker. A handle from `registry::at` does. May be called on an empty handle.
  [[nodiscard]] explicit operator bool() const noexcept { return held_.object != nullptr; }

  /// False if the registry had no room for the key. Then no other look-up gets this breaker, and its state is
  /// lost with its last handle.
  [[nodiscard]] bool was_registered() const noexcept { return node().home != nullptr; }

  /// As `try_acquire` of the breaker. The permit keeps the breaker alive.
  [[nodiscard]] admission try_acquire() const& noexcept { return keyed_breaker{*this}.acquire(); }
  /// As above, without a copy of the handle.
  [[nodiscard]] admission try_acquire() && noexcept { return acquire(); }

  /// @name As in circuit_breaker
  /// @{

  /// As the member of `circuit_breaker` with this name.
  template <class F, class C = default_classifier>
  std::invoke_result_t<F> call(F&& function, const C& classify = {}) const {
    return breaker().call(std::forward<F>(function), classify);
  }
  template <class F, class C = default_classifier>
  try_call_result_t<F> try_call(F&& function, const C& classify = {}) const {
    return breaker().try_call(std::forward<F>(function), classify);
  }

  void force_open() const noexcept { breaker().force_open(); }
  void force_open_for(duration how_long) const noexcept { breaker().force_open_for(how_long); }
  void disable() const noexcept { breaker().disable(); }
  void disable_for(duration how_long) const noexcept { breaker().disable_for(how_long); }
  void measure_only() const noexcept { breaker().measure_only(); }
  void reset() const noexcept { breaker().reset(); }
  bool trip(std::string_view why = {}, duration retry_after = {}) const noexcept {
    return breaker().trip(why, retry_after);
  }

  void reconfigure(const breaker_options& options) const { breaker().reconfigure(options); }
  void reconfigure(const detector_type& detector) const { breaker().reconfigure(detector); }

  [[nodiscard]] circuit_state observed_state() const noexcept { return breaker().observed_state(); }
  [[nodiscard]] circuit_status status() const noexcept { return breaker().status(); }
  [[nodiscard]] breaker_snapshot snapshot() const noexcept { return breaker().snapshot(); }
  [[nodiscard]] breaker_options options() const { return breaker().options(); }
  [[nodiscard]] detector_type detector() const noexcept { return breaker().detector(); }
  /// Valid as long as the handle is.
  [[nodiscard]] std::string_view name() const noexcept { return breaker().name(); }

  [[nodiscard]] subscription subscribe(transition_listener listener,
                                       announcements wanted = announcements::outages) const {
    return breaker().subscribe(std::move(listener), wanted);
  }

  /// Subscribes `listener` for the lifetime of the breaker, so that there is no subscription object to keep.
  /// Intended for `registry_listener::added`. Throws and allocates like `subscribe`: about 12 KiB for each
  /// breaker.
  ///
  /// The listener must not keep a handle of this breaker: the breaker owns the listener, so it would keep
  /// itself alive and never be evicted. Capture a copy of `name()` instead.
  void attach(transition_listener listener, announcements wanted = announcements::outages) const {
    // The listener owns its own subscription, and both end with the breaker.
    const auto kept = std::make_shared<subscription>();
    if (listener)
      listener = [kept, heard = std::move(listener)](const transition_event& event) { heard(event); };
    *kept = subscribe(std::move(listener), wanted);
  }

  /// The breaker itself, for functions that take a breaker. The reference must not outlive the handle.
  /// Permits from the reference must not outlive it either.
  [[nodiscard]] Breaker& operator*() const& noexcept { return breaker(); }
  /// Deleted for a temporary handle: it ends with its expression, and the reference would dangle.
  template <class Handle = void>
  Breaker& operator*() const&& {
    static_assert(!std::is_void_v<Handle>,
                  "name the handle first, and keep it as long as the reference: "
                  "auto handle = registry.at(key); auto& breaker = *handle;");
    return breaker();
  }
  /// `handle->member` is `handle.member`, also for a temporary handle: a permit from `->` keeps the breaker
  /// alive.
  [[nodiscard]] const keyed_breaker* operator->() const noexcept { return this; }

  /// Whether both hold the same breaker, or both are empty.
  [[nodiscard]] friend bool operator==(const keyed_breaker& one, const keyed_breaker& other) noexcept {
    return one.held_.object == other.held_.object;
  }
  /// @}

 private:
  template <brownout::detector, clock_source>
  friend class registry;

  explicit keyed_breaker(place referred) noexcept : held_{referred} {}

  [[nodiscard]] detail::registered_breaker<Breaker>& node() const noexcept {
    BROWNOUT_PRECONDITION(held_.object != nullptr, "keyed_breaker: an empty handle has no breaker");
    return *held_.object;
  }
  [[nodiscard]] Breaker& breaker() const noexcept { return node().breaker; }

  admission acquire() noexcept {
    auto inner = breaker().try_acquire();
    const auto why = inner ? brownout::rejection{} : inner.rejection();
    return {permit{std::move(*this), *std::move(inner)}, why};
  }

  place held_{};  // one referrer of the breaker
};

}  // namespace brownout::inline BROWNOUT_ABI
