// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/completion_verdict.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/detail/stages.hpp"
#include "brownout/version.hpp"

#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

// What each stage of a pipeline does in an asynchronous call, and what it keeps until the call has ended:
//
// - `enter(context)` asks it before what is further in. A rejection ends the call here.
// - `leave(call, end)` comes after what is further in, and may change its end.
// - `run_out()` tells it that a deadline further in has passed, and that the operation still runs.
// - `drop()` gives back what it holds, because the call will never end.

/// A permit that is settled by the outcome of the call.
template <class P>
inline constexpr bool reports_outcome = requires(P& held) {
  held.complete(outcome::success);
};

/// A guard in which asynchronous calls can wait.
template <class G>
inline constexpr bool can_wait_in = requires {
  typename G::executor_type;
  typename G::permit;
};

/// Asks a guard, which gets the context of the call if it wants that.
template <class G>
[[nodiscard]] auto ask_guard(G& guard, const call_context& context) {
  if constexpr (requires { guard.try_acquire(context); }) {
    auto told = context;
    told.now = call_context::unknown;  // its clock may be another one
    return guard.try_acquire(told);
  } else if constexpr (can_wait_in<G>) {
    return guard.try_acquire(true);
  } else {
    return guard.try_acquire();
  }
}

/// A guard with permits, such as a breaker or a bulkhead, or without, such as a rate limiter.
template <class G>
class guard_step {
 public:
  static constexpr bool can_wait = can_wait_in<G>;

 private:
  using admission = decltype(detail::ask_guard(std::declval<G&>(), std::declval<const call_context&>()));
  static constexpr bool has_permits = !std::is_same_v<admission, result<void>>;

  static consteval auto permit_told() {
    if constexpr (has_permits) {
      return std::type_identity<std::remove_cvref_t<decltype(*std::declval<admission&&>())>>{};
    } else {
      return std::type_identity<char>{};
    }
  }
  using permit = typename decltype(permit_told())::type;
  static constexpr bool is_breaker = requires(permit & held) {
    held.complete(outcome::failure, duration{}, std::string_view{});
  };

 public:
  explicit guard_step(G& guard) noexcept : guard_{&guard} {}
  guard_step(const guard_step&) = delete;
  guard_step& operator=(const guard_step&) = delete;
  ~guard_step() { drop(); }

  [[nodiscard]] std::optional<rejection> enter(call_context& context) {
    auto admitted = detail::ask_guard(*guard_, context);
    if (!admitted) [[unlikely]] {
      auto why = admitted.rejection();
      if constexpr (is_breaker) why.guard = detail::name_of_guard(*guard_);
      return why;
    }
    if constexpr (has_permits) permit_.emplace(*std::move(admitted));
    return std::nullopt;
  }

  // For a guard in which calls wait.
  [[nodiscard]] G& guard() const noexcept { return *guard_; }
  void hold(permit&& admitted) noexcept { permit_.emplace(std::move(admitted)); }

  template <class Call, class End>
  void leave(const Call&, End& end) noexcept {
    if (!permit_) return;
    if constexpr (is_breaker) {
      if (!permit_->settled()) settle_breaker(end);
    } else if constexpr (reports_outcome<permit>) {
      permit_->complete(end.verdict);
    }
    permit_.reset();
  }

  // Only a breaker learns of a failure before the operation has ended. A place in a bulkhead stays taken as
  // long as the work runs.
  void run_out() noexcept {
    if constexpr (is_breaker) {
      if (permit_ && !permit_->settled())
        permit_->complete(outcome::failure, {}, to_string(rejection_reason::timed_out));
    }
  }

  void drop() noexcept {
    if (!permit_) return;
    if constexpr (is_breaker) {
      if (!permit_->settled()) permit_->complete(outcome::cancelled);
    } else if constexpr (reports_outcome<permit>) {
      permit_->complete(outcome::cancelled);
    }
    permit_.reset();
  }

 private:
  template <class End>
  void settle_breaker(const End& end) noexcept {
    if (end.verdict != outcome::failure && !end.late) [[likely]] {
      permit_->complete(end.verdict);
    } else if (end.refused) {
      permit_->complete(outcome::failure, {}, to_string(end.refused->reason));
    } else if (end.late) {
      permit_->complete(outcome::failure, {}, to_string(rejection_reason::timed_out));
    } else if constexpr (std::tuple_size_v<typename End::values_type> == 0) {
      permit_->complete(outcome::failure, end.asked);
    } else if (end.values) {
      detail::settle_failure(*permit_, end.asked, std::get<0>(*end.values));
    }
  }

  G* guard_;
  std::optional<permit> permit_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
