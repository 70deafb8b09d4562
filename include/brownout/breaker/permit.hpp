// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/breaker/detail/control_word.hpp"
#include "brownout/breaker/detail/held_places.hpp"
#include "brownout/core/assert.hpp"
#include "brownout/core/circuit_state.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/guarded_call.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/version.hpp"

#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {
/// Whether an exception is destroying scopes of this thread now. No exception without exceptions.
[[nodiscard]] inline bool is_unwinding() noexcept {
#if defined(__cpp_exceptions)
  return std::uncaught_exceptions() > 0;
#else
  return false;
#endif
}
}  // namespace detail

/// The right to make one call, and the duty to report how it ended. Move-only; may cross threads.
///
/// What happens to a permit that is destroyed without a report:
///
/// - An exception leaves its scope: the call has failed and counts as a failure. Code that lets exceptions
///   pass needs no handler for the permit. Report a call that has ended before other code may throw.
/// - Otherwise the call was dropped or cancelled: the permit goes back and counts as nothing. A half-open
///   circuit gives its place to another caller.
///
///     auto admitted = database.try_acquire();
///     if (!admitted) return unavailable(admitted.rejection());
///     auto rows = co_await query("SELECT ...");        // throws: a failure
///     admitted->complete(brownout::outcome::success);
///
/// The destructor knows that an exception passes on its thread, but not which call threw it. So two cases
/// wrongly count as failures. First: during stack unwinding a destructor takes a permit and drops it. Second:
/// an exception destroys an object that owns the permit of another call, for example a coroutine that waits.
/// If that matters, call `complete(outcome::cancelled)` first.
///
/// The breaker must outlive its permits. One permit is used by one thread at a time.
template <class Breaker>
class [[nodiscard]] permit {
 public:
  /// The other permit becomes settled: it reports nothing.
  permit(permit&& other) noexcept
      : breaker_{std::exchange(other.breaker_, nullptr)}, token_{other.token_}, started_{other.started_} {}

  /// A call whose permit is replaced was dropped: the permit goes back.
  permit& operator=(permit&& other) noexcept {
    if (this != &other) {
      if (breaker_ != nullptr) {
        breaker_->give_back(token_, started_);
        breaker_->permits_out_.remove();
      }
      breaker_ = std::exchange(other.breaker_, nullptr);
      token_ = other.token_;
      started_ = other.started_;
    }
    return *this;
  }

  permit(const permit&) = delete;
  permit& operator=(const permit&) = delete;

  ~permit() {
    if (breaker_ != nullptr) [[unlikely]] {
      auto& breaker = *std::exchange(breaker_, nullptr);
      breaker.abandon(token_, started_);
      breaker.permits_out_.remove();
    }
  }

  /// Reports how the call ended. Returns what happened to the report:
  ///
  /// - `counted`: the outcome entered the statistics and may have changed the state. If the state changed at
  ///   the same moment for another reason, a window that had taken the result is empty again;
  /// - `late`: the circuit has moved on since the permit was issued, or this permit was settled before.
  ///   Nothing changes;
  /// - `released`: nothing was counted. The outcome was ignored or cancelled, the circuit is disabled, or the
  ///   call uses the place of an outer call (see `circuit_breaker::call`).
  ///
  /// `retry_after`: how long the dependency asked callers to wait, for example in a Retry-After header. If
  /// this failure opens the circuit, the open period is at least that long: up to 5 minutes, in steps of 100
  /// ms. With `breaker_options::open_on_retry_after` this failure opens a closed circuit. Default: no wait.
  ///
  /// `why`: the text of a failure, for the breaker's snapshot, and for its listeners if this failure opens
  /// the circuit; cut to 119 bytes. Default: none.
  ///
  /// Lock-free, apart from what listeners do. Allocates only once: about 700 bytes for the first `why` of a
  /// breaker. If there is no memory for it, the text is lost. A success on a closed circuit without failures
  /// is one load.
  disposition complete(outcome result, duration retry_after = {}, std::string_view why = {}) noexcept {
    if (breaker_ == nullptr) return disposition::late;
    auto& breaker = *std::exchange(breaker_, nullptr);
    const auto became = breaker.record(token_, started_, result, retry_after, why);
    breaker.permits_out_.remove();
    return became;
  }

  /// The epoch it was issued in.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return token_.epoch(); }
  /// Whether this permit holds a place of a half-open circuit: its call is a probe, or a call on the ramp.
  [[nodiscard]] bool is_probe() const noexcept {
    return token_.state() == circuit_state::half_open || detail::ticket::is_holder(token_);
  }

  /// True once reported, given away or given back.
  [[nodiscard]] bool settled() const noexcept { return breaker_ == nullptr; }

 private:
  template <class>
  friend class admission;

  permit(Breaker* breaker, detail::control_word token, typename Breaker::start_time started) noexcept
      : breaker_{breaker}, token_{token}, started_{started} {
    if (breaker_ != nullptr) breaker_->permits_out_.add();
  }

  Breaker* breaker_;
  detail::control_word token_;  // the breaker's word at admission; if refused, the packed rejection
  BROWNOUT_NO_UNIQUE_ADDRESS typename Breaker::start_time started_;  // only if the detector needs it
};

/// The answer to `try_acquire`: a permit, or the rejection.
///
/// It holds the permit, so give it a name: `if (auto admitted = breaker.try_acquire())`. Without a name the
/// permit is gone before the call begins, and the call counts as nothing.
template <class Breaker>
class [[nodiscard]] admission {
 public:
  /// True when the call may be made: it was admitted, and the permit is still here and not settled.
  [[nodiscard]] explicit operator bool() const noexcept { return permit_.breaker_ != nullptr; }

  /// The permit. Precondition: the call was admitted.
  permit<Breaker>* operator->() noexcept { return &checked(); }
  /// The permit itself. Precondition: admitted.
  permit<Breaker>& operator*() & noexcept { return checked(); }
  /// The permit to move away; of a refused call a settled one, for classes that wrap a breaker.
  permit<Breaker>&& operator*() && noexcept { return std::move(permit_); }

  /// Why the call was refused, and when to try again. Precondition: the call was refused.
  [[nodiscard]] brownout::rejection rejection() const noexcept {
    BROWNOUT_PRECONDITION(!was_admitted_, "admission::rejection() on an admitted call");
    const auto packed = permit_.token_.bits;
    const auto wait = packed & wait_mask;
    return {static_cast<rejection_reason>(packed >> wait_bits),
            wait == wait_mask ? brownout::rejection::unknown : duration{static_cast<std::int64_t>(wait)}};
  }

 private:
  friend Breaker;

  static constexpr int wait_bits = 61;
  static constexpr std::uint64_t wait_mask = (std::uint64_t{1} << wait_bits) - 1;

  admission(Breaker* breaker, detail::control_word token, typename Breaker::start_time started) noexcept
      : permit_{breaker, token, started}, was_admitted_{breaker != nullptr} {}

  [[nodiscard]] permit<Breaker>& checked() noexcept {
    BROWNOUT_PRECONDITION(was_admitted_, "the permit of a refused call: check the admission first");
    return permit_;
  }

  /// A rejection in one word, so that the function that is not inlined returns it in a register.
  static detail::control_word pack(rejection_reason reason, duration retry_after) noexcept {
    const auto wait = retry_after == brownout::rejection::unknown
                          ? wait_mask
                          : static_cast<std::uint64_t>(retry_after.count());
    return {static_cast<std::uint64_t>(reason) << wait_bits | (wait & wait_mask)};
  }

  permit<Breaker> permit_;
  bool was_admitted_;  // the permit alone does not tell a refused call from a settled one
};

namespace detail {
template <class Breaker>
inline constexpr bool is_settled_by_value<permit<Breaker>> = true;
}  // namespace detail

}  // namespace brownout::inline BROWNOUT_ABI
