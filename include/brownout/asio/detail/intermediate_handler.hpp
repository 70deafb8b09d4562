// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/net.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/version.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/system_executor.hpp>

#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A completion handler that stands between an operation and the handler of the caller. `Body` has what it
/// keeps, and `body.complete(handler, arguments...)`, which is called once, if at all.
///
/// Executor, allocator and immediate executor are those of the caller's handler. The cancellation slot is
/// that of the body, if it has one.
template <class Body, class Handler>
class intermediate_handler {
 public:
  intermediate_handler(Body&& body, Handler&& handler)
      : handler_{std::move(handler)}, body_{std::move(body)} {}
  /// Makes the body from the caller's handler.
  template <class MakeBody>
  requires std::is_invocable_r_v<Body, MakeBody, Handler&> intermediate_handler(Handler&& handler,
                                                                                MakeBody&& make)
      : handler_{std::move(handler)}, body_{std::forward<MakeBody>(make)(handler_)} {}

  template <class... A>
  void operator()(A&&... arguments) {
    body_.complete(handler_, std::forward<A>(arguments)...);
  }

  [[nodiscard]] const Handler& handler() const noexcept { return handler_; }
  [[nodiscard]] const Body& body() const noexcept { return body_; }

 private:
  Handler handler_;  // outlives the body, which may refer to its cancellation slot
  Body body_;
};

/// What a handler without an associated executor is given, to find out that it has none.
struct no_executor : net::system_executor {};

template <class Handler>
inline constexpr bool has_executor =
    !std::is_same_v<net::associated_executor_t<Handler, no_executor>, no_executor>;

/// Whether a body has a cancellation slot of its own.
template <class Body>
inline constexpr bool has_own_slot = requires(const Body& body) {
  body.slot();
};

}  // namespace brownout::inline BROWNOUT_ABI::detail

namespace boost::asio {

template <template <class, class> class Associator, class Body, class Handler, class Default>
struct associator<Associator, brownout::detail::intermediate_handler<Body, Handler>, Default>
    : Associator<Handler, Default> {
  using asked = brownout::detail::intermediate_handler<Body, Handler>;

  [[nodiscard]] static typename Associator<Handler, Default>::type get(const asked& of) noexcept {
    return Associator<Handler, Default>::get(of.handler());
  }
  [[nodiscard]] static auto get(const asked& of, const Default& otherwise) noexcept
      -> decltype(Associator<Handler, Default>::get(of.handler(), otherwise)) {
    return Associator<Handler, Default>::get(of.handler(), otherwise);
  }
};

template <class Body, class Handler, class Default>
requires brownout::detail::has_own_slot<Body>
struct associated_cancellation_slot<brownout::detail::intermediate_handler<Body, Handler>, Default> {
  using type = cancellation_slot;

  [[nodiscard]] static type get(const brownout::detail::intermediate_handler<Body, Handler>& of,
                                const Default& = {}) noexcept {
    return of.body().slot();
  }
};

}  // namespace boost::asio
