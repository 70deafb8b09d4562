// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/completion_verdict.hpp"
#include "brownout/asio/detail/intermediate_handler.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/returning_permit.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/version.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Lets every kind of cancellation through. Composed operations and coroutines let only `terminal` through,
/// by default.
struct all_cancellations {
  [[nodiscard]] net::cancellation_type_t operator()(net::cancellation_type_t asked) const noexcept {
    return asked;
  }
};

/// The permit of an asynchronous call, in the completion handler of its operation. The permit is settled when
/// the operation completes. If the handler is destroyed and never called, the permit goes back.
template <class Owner, class Permit, class Classifier>
class guarded_completion {
 public:
  template <class Handler>
  guarded_completion(const Owner& owner, returning_permit<Permit>&& admitted, const Classifier& classify,
                     disposition* became, const Handler& handler)
      : owner_{owner},
        permit_{std::move(admitted)},
        classify_{classify},
        cancelled_{net::get_associated_cancellation_slot(handler), all_cancellations{}, all_cancellations{}},
        became_{became} {}
  guarded_completion(guarded_completion&&) noexcept = default;
  guarded_completion& operator=(guarded_completion&&) = delete;
  ~guarded_completion() = default;

  /// The operation is cancelled through this slot. The state behind it knows whether the caller has asked for
  /// that, or something else has ended the operation.
  [[nodiscard]] net::cancellation_slot slot() const noexcept { return cancelled_.slot(); }

  template <class Handler, class... A>
  void complete(Handler& handler, A&&... arguments) {
    // What the operation has put into the slot refers to a timer or a socket that may not live longer.
    cancelled_.slot().clear();
    const auto became = cancelled_.cancelled() != net::cancellation_type::none &&
                                detail::is_error(std::as_const(arguments)...)
                            ? permit_->complete(outcome::cancelled)
                            : detail::settle(*permit_, detail::judge(classify_, arguments...), arguments...);
    if (became_ != nullptr) *became_ = became;
    std::move(handler)(std::forward<A>(arguments)...);
  }

 private:
  BROWNOUT_NO_UNIQUE_ADDRESS Owner owner_;  // outlives the permit
  returning_permit<Permit> permit_;
  BROWNOUT_NO_UNIQUE_ADDRESS Classifier classify_;
  net::cancellation_state cancelled_;
  disposition* became_;
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
