// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/complete_later.hpp"
#include "brownout/asio/detail/guarded_completion.hpp"
#include "brownout/asio/detail/held_guard.hpp"
#include "brownout/asio/detail/intermediate_handler.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/returning_permit.hpp"
#include "brownout/asio/detail/signature.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/guard/detail/stages.hpp"
#include "brownout/version.hpp"

#include <boost/asio/async_result.hpp>

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// What an asynchronous call tells beside its completion. The objects must outlive the call.
struct async_call_report {
  /// Gets the rejection if the call is refused: an error code has no room for `retry_after`. Default: null.
  rejection* refused = nullptr;
  /// Gets what happened to the outcome if the call was made, before its handler runs. Default: null.
  disposition* became = nullptr;
};

namespace detail {

/// How a completion looks to the caller: as that of the operation, where its first argument tells of a
/// refusal.
template <class Signature>
struct completes_as_operation {
  using operation_signature = Signature;
  using signature = Signature;

  template <class Handler>
  static void refuse(Handler&& handler, const rejection& why) {
    detail::complete_later(std::forward<Handler>(handler), arguments_of(why));
  }
  static auto arguments_of(const rejection& why) {
    static_assert(signature_of<Signature>::takes_refusals,
                  "brownout: the completion of this operation has no error code and no exception in first "
                  "place, or a value that has no default, so it cannot tell of a refusal. Use "
                  "brownout::async_try_call, which completes with a result");
    return detail::refused_values<Signature>(why);
  }
  template <class End>
  static auto arguments_of_end(End&& ended) {
    return ended.values ? *std::forward<End>(ended).values : arguments_of(*ended.refused);
  }
  template <class Handler>
  static Handler handler_for(Handler&& caller) {
    return std::forward<Handler>(caller);
  }
};

/// How a completion looks to the caller: a `result` of the arguments, or the rejection.
template <class Signature>
struct completes_with_result {
  using values = typename signature_of<Signature>::values;
  using operation_signature = Signature;
  using signature = void(result<values>);

  struct body {
    template <class Handler, class... A>
    void complete(Handler& handler, A&&... arguments) {
      std::move(handler)(result<values>{values{std::forward<A>(arguments)...}});
    }
  };

  template <class Handler>
  static void refuse(Handler&& handler, const rejection& why) {
    detail::complete_later(std::forward<Handler>(handler), std::tuple<result<values>>{why});
  }
  template <class End>
  static std::tuple<result<values>> arguments_of_end(End&& ended) {
    if (ended.values) return {*std::forward<End>(ended).values};
    return {*ended.refused};
  }
  template <class Handler>
  static auto handler_for(Handler&& caller) {
    return intermediate_handler<body, Handler>{body{}, std::forward<Handler>(caller)};
  }
};

/// Keeps a guard until the handler of a refused call has returned: the rejection has its name.
template <class Owner>
struct refused_completion {
  Owner owner;

  template <class Handler, class... A>
  void complete(Handler& handler, A&&... arguments) {
    std::move(handler)(std::forward<A>(arguments)...);
  }
};

/// Starts an operation if a guard admits it. `async_initiate` calls it with the handler of the token.
template <class Held, class Form, class Classifier>
struct start_guarded {
  Held guard;
  async_call_report report;
  BROWNOUT_NO_UNIQUE_ADDRESS Classifier classify;

  template <class Given, class Operation>
  void operator()(Given&& given, Operation&& operation) const {
    using caller_type = std::decay_t<Given>;
    static_assert(has_executor<caller_type>,
                  "brownout: the completion handler has no associated executor, so a refusal cannot be "
                  "delivered to it. Use boost::asio::bind_executor(executor, token), or an async_guard");
    caller_type caller{std::forward<Given>(given)};
    auto admitted = guard.get().try_acquire();
    if (!admitted) [[unlikely]] {
      refuse(std::move(caller), admitted.rejection());
      return;
    }
    using handler = decltype(Form::handler_for(std::move(caller)));
    using permit = std::remove_cvref_t<decltype(*std::move(admitted))>;
    using body = guarded_completion<typename Held::owner, permit, Classifier>;
    returning_permit<permit> held{*std::move(admitted)};
    std::forward<Operation>(operation)(intermediate_handler<body, handler>{
        Form::handler_for(std::move(caller)), [&](const handler& inner) {
          return body{guard.keep(), std::move(held), classify, report.became, inner};
        }});
  }

  template <class Caller>
  BROWNOUT_NOINLINE void refuse(Caller&& caller, rejection why) const {
    why.guard = detail::name_of_guard(guard.get());
    if (report.refused != nullptr) *report.refused = why;
    if constexpr (std::is_empty_v<typename Held::owner>) {
      Form::refuse(std::forward<Caller>(caller), why);
    } else {
      using kept = refused_completion<typename Held::owner>;
      Form::refuse(
          intermediate_handler<kept, std::decay_t<Caller>>{kept{guard.keep()}, std::forward<Caller>(caller)},
          why);
    }
  }
};

/// Whether an operation that is a function of a token tells its signature, as `deferred` ones do. `First`:
/// what it takes before the token.
template <class Operation, class... First>
inline constexpr bool tells_signature = requires {
  typename net::completion_signature_of_t<std::decay_t<Operation>, First...>;
};

template <class Operation, class... First>
struct signature_told {
  static_assert(
      tells_signature<Operation, First...>,
      "brownout: the completion signature of this operation cannot be deduced. Let the lambda return "
      "what its operation returns, or name the signature: "
      "brownout::async_call_as<void(boost::system::error_code, ...)>(...), or async_hedge_as");
  using type = net::completion_signature_of_t<std::decay_t<Operation>, First...>;
};

template <template <class> class Form, class Signature, class Guard, class Operation, class Token, class C>
auto initiate_guarded(Guard&& guard, Operation&& operation, Token&& token, const async_call_report& report,
                      const C& classify) {
  using held = held_guard_for<Guard>;
  using form = Form<Signature>;
  static_assert(
      !std::is_const_v<std::remove_reference_t<Guard>> || std::copy_constructible<std::remove_cvref_t<Guard>>,
      "brownout: an asynchronous call changes its breaker, so that must not be const");
  static_assert(std::is_lvalue_reference_v<Guard> || std::copy_constructible<std::remove_cvref_t<Guard>>,
                "brownout: an asynchronous call refers to its breaker, so that has to be a variable that "
                "outlives the call, or a std::shared_ptr");
  return net::async_initiate<Token, typename form::signature>(
      start_guarded<held, form, C>{held{guard}, report, classify}, token, std::forward<Operation>(operation));
}

/// What may be the fourth argument of a call, and is no report.
template <class C>
inline constexpr bool is_classifier = !std::is_convertible_v<C, async_call_report>;

}  // namespace detail

/// Makes an asynchronous operation under a breaker, with any completion token.
///
///     auto count = co_await brownout::async_call(database, socket.async_read_some(buffer, deferred),
///                                                use_awaitable);
///
/// `guard`: a `circuit_breaker` or a `dependency`, as a variable that outlives the call and the execution
/// context, in whose queues permits may lie; a `std::shared_ptr` to one, which the call holds; or a
/// `keyed_breaker`, which it copies.
///
/// `operation`: what an initiating function returns for the token `deferred`; also a coroutine:
/// `co_spawn(executor, query(), deferred)`. If its signature cannot be deduced, use `async_call_as`. It must
/// not complete within the function that starts it: operations of Boost.Asio do not, and a lambda posts.
///
/// `classify`: judges the completion, see `classifier`. It may take the error code, the value after it, or
/// all arguments. The value alone is judged only if there is no error. Default: an error is a failure, also
/// `operation_aborted`, except a rejection of another guard of this library.
///
/// **Completion.** The signature is that of the operation. A call that is refused completes with an error
/// code (see `errc`), or with the exception `call_rejected`, and with default values besides. It completes
/// on the associated executor, never inside of this function, and the operation is not started.
///
/// **When.** Permission is asked when the operation is started, which a token such as `deferred` or
/// `use_awaitable` puts off. The permit is settled before the handler runs, on the same thread.
///
/// **Cancellation.** All kinds reach the operation through the slot of the handler. If the caller has asked
/// and the operation ends with an error, nothing is counted. `operation_aborted` is a failure otherwise: a
/// time-out of your own has closed the socket. So a `cancel_after` around this call is the caller's
/// cancellation, and one around the operation is its time-out.
///
/// **Abandoned.** If the handler is destroyed and never called, the permit goes back. What the initiation of
/// the operation throws reaches the caller, and the permit goes back too.
///
/// **Cost.** No allocation beside those of the operation, no hop to an executor, no lock. Thread-safe as the
/// guard is.
template <detail::single_guard Guard, class Operation, class Token, class C = default_classifier>
auto async_call(Guard&& guard, Operation&& operation, Token&& token, const async_call_report& report = {},
                const C& classify = {}) {
  using signature = typename detail::signature_told<Operation>::type;
  return detail::initiate_guarded<detail::completes_as_operation, signature>(
      std::forward<Guard>(guard), std::forward<Operation>(operation), std::forward<Token>(token), report,
      classify);
}
/// As above, with a classifier.
template <detail::single_guard Guard, class Operation, class Token, class C>
requires(detail::is_classifier<C>) auto async_call(Guard&& guard, Operation&& operation, Token&& token,
                                                   const C& classify) {
  return brownout::async_call(std::forward<Guard>(guard), std::forward<Operation>(operation),
                              std::forward<Token>(token), {}, classify);
}

/// As `async_call`, for an operation whose signature cannot be deduced, such as a generic lambda that takes a
/// handler:
///
///     brownout::async_call_as<void(error_code, std::size_t)>(
///         database, [&](auto handler) { async_read(socket, buffer, std::move(handler)); }, token);
template <class Signature, detail::single_guard Guard, class Operation, class Token,
          class C = default_classifier>
auto async_call_as(Guard&& guard, Operation&& operation, Token&& token, const async_call_report& report = {},
                   const C& classify = {}) {
  return detail::initiate_guarded<detail::completes_as_operation, Signature>(
      std::forward<Guard>(guard), std::forward<Operation>(operation), std::forward<Token>(token), report,
      classify);
}
/// As above, with a classifier.
template <class Signature, detail::single_guard Guard, class Operation, class Token, class C>
requires(detail::is_classifier<C>) auto async_call_as(Guard&& guard, Operation&& operation, Token&& token,
                                                      const C& classify) {
  return brownout::async_call_as<Signature>(std::forward<Guard>(guard), std::forward<Operation>(operation),
                                            std::forward<Token>(token), {}, classify);
}

/// As `async_call`, but completes with `result<std::tuple<...>>`: the arguments of the operation's
/// completion, or the rejection. For operations whose completion cannot tell of a refusal, and for callers
/// that want the whole rejection.
template <detail::single_guard Guard, class Operation, class Token, class C = default_classifier>
auto async_try_call(Guard&& guard, Operation&& operation, Token&& token, const async_call_report& report = {},
                    const C& classify = {}) {
  using signature = typename detail::signature_told<Operation>::type;
  return detail::initiate_guarded<detail::completes_with_result, signature>(
      std::forward<Guard>(guard), std::forward<Operation>(operation), std::forward<Token>(token), report,
      classify);
}
/// As above, with a classifier.
template <detail::single_guard Guard, class Operation, class Token, class C>
requires(detail::is_classifier<C>) auto async_try_call(Guard&& guard, Operation&& operation, Token&& token,
                                                       const C& classify) {
  return brownout::async_try_call(std::forward<Guard>(guard), std::forward<Operation>(operation),
                                  std::forward<Token>(token), {}, classify);
}

}  // namespace brownout::inline BROWNOUT_ABI
