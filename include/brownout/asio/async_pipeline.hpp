// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/async_call.hpp"
#include "brownout/asio/detail/intermediate_handler.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/pipeline_call.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/version.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// Starts an operation through a pipeline. `async_initiate` calls it with the handler of the token.
template <class Pipeline, class Form, class Classifier>
struct start_through_pipeline {
  Pipeline through;
  call_context context;
  BROWNOUT_NO_UNIQUE_ADDRESS Classifier classify;

  template <class Given, class Operation>
  void operator()(Given&& given, Operation&& operation) const {
    using handler = std::decay_t<Given>;
    using started = std::decay_t<Operation>;
    static_assert(has_executor<handler>,
                  "brownout: the completion handler has no associated executor, on which the call could run. "
                  "Use boost::asio::bind_executor(executor, token)");
    pipeline_call<Pipeline, Form, handler, started, Classifier>::start(
        through, handler(std::forward<Given>(given)), started(std::forward<Operation>(operation)), context,
        classify);
  }
};

/// The signature of an operation that takes the context of the call and a token, or a token alone.
template <class Operation>
struct signature_in_pipeline : signature_told<Operation> {};
template <class Operation>
requires std::is_invocable_v < std::decay_t<Operation>,
const call_context&, net::deferred_t > struct signature_in_pipeline<Operation>
    : signature_told<Operation, const call_context&> {};

template <class Form, class Pipeline, class Operation, class Token, class C>
auto initiate_in_pipeline(const Pipeline& through, Operation&& operation, Token&& token,
                          const call_context& given, const C& classify) {
  return net::async_initiate<Token, typename Form::signature>(
      start_through_pipeline<Pipeline, Form, C>{through, given, classify}, token,
      std::forward<Operation>(operation));
}

/// What may be the fourth argument of a call through a pipeline, and is no context.
template <class C>
inline constexpr bool is_no_context = !std::is_convertible_v<C, call_context>;

}  // namespace detail

/// Makes an asynchronous operation through a pipeline, with any completion token.
///
///     auto page = co_await brownout::async_call(
///         guarded, [&](const call_context& call, auto token) { return fetch(url, std::move(token)); },
///         use_awaitable);
///
/// `through` is copied; its guards with state must outlive the call, and the execution context, in whose
/// queues permits may lie.
///
/// `operation`: a function that starts the operation with a completion token, and may take the context of
/// the attempt before that, which is valid until the operation has ended. A `retry` starts it several times,
/// as an lvalue. If no retry is in the pipeline, it may be what an initiating function returns for
/// `deferred`. If its signature cannot be deduced, use `async_call_as`.
///
/// `given`: deadline, priority, caller and report of the call. At this deadline the operation is cancelled
/// too, and the caller gets `errc::timed_out`. If the pipeline has no `timeout`, breakers count what
/// `classify` says of the error of the operation.
///
/// `classify`: as for `async_call` with a breaker.
///
/// What guards do is what they do in `pipeline::call`, apart from this:
///
/// - A `timeout` cancels the operation (terminal cancellation). Breakers outside of it count a failure at
///   once. The caller is told when the operation has ended: with `errc::timed_out` in place of its error, or
///   with its success. So an operation that ignores cancellation makes its caller wait, and its place in a
///   bulkhead stays taken.
/// - A `retry` waits by a timer, and holds no thread.
/// - A `fallback` answers with the values that come after the error. If its function throws, the first error
///   stays.
/// - Guards with a clock read their own.
///
/// **Cancellation** by the caller ends a wait at once, and reaches the operation; no attempt follows. If the
/// operation ends with an error then, breakers count nothing.
///
/// **Abandoned.** If the operation or a wait is destroyed and never completes, all permits go back, and the
/// handler is destroyed. The same if the function that starts the operation throws; what it throws passes to
/// the caller of `run()`, as it does from a handler.
///
/// **Executor.** Everything happens on the associated executor of the handler; if its context has several
/// threads, it must be a strand. The call may be started from any thread, and never completes within this
/// function.
///
/// **Cost.** One allocation a call, from the associated allocator of the handler, beside those of the
/// operation and of the timer.
template <class Clock, class... Stages, class Operation, class Token, class C = default_classifier>
auto async_call(const pipeline<Clock, Stages...>& through, Operation&& operation, Token&& token,
                const call_context& given = {}, const C& classify = {}) {
  using signature = typename detail::signature_in_pipeline<Operation>::type;
  return detail::initiate_in_pipeline<detail::completes_as_operation<signature>>(
      through, std::forward<Operation>(operation), std::forward<Token>(token), given, classify);
}
/// As above, with a classifier.
template <class Clock, class... Stages, class Operation, class Token, class C>
requires(detail::is_no_context<C>) auto async_call(const pipeline<Clock, Stages...>& through,
                                                   Operation&& operation, Token&& token, const C& classify) {
  return brownout::async_call(through, std::forward<Operation>(operation), std::forward<Token>(token),
                              call_context{}, classify);
}

/// As `async_call` through a pipeline, for an operation whose signature cannot be deduced.
template <class Signature, class Clock, class... Stages, class Operation, class Token,
          class C = default_classifier>
auto async_call_as(const pipeline<Clock, Stages...>& through, Operation&& operation, Token&& token,
                   const call_context& given = {}, const C& classify = {}) {
  return detail::initiate_in_pipeline<detail::completes_as_operation<Signature>>(
      through, std::forward<Operation>(operation), std::forward<Token>(token), given, classify);
}
/// As above, with a classifier.
template <class Signature, class Clock, class... Stages, class Operation, class Token, class C>
requires(detail::is_no_context<C>) auto async_call_as(const pipeline<Clock, Stages...>& through,
                                                      Operation&& operation, Token&& token,
                                                      const C& classify) {
  return brownout::async_call_as<Signature>(through, std::forward<Operation>(operation),
                                            std::forward<Token>(token), call_context{}, classify);
}

/// As `async_call` through a pipeline, but completes with `result<std::tuple<...>>`: the arguments of the
/// operation's completion, or the rejection.
template <class Clock, class... Stages, class Operation, class Token, class C = default_classifier>
auto async_try_call(const pipeline<Clock, Stages...>& through, Operation&& operation, Token&& token,
                    const call_context& given = {}, const C& classify = {}) {
  using signature = typename detail::signature_in_pipeline<Operation>::type;
  return detail::initiate_in_pipeline<detail::completes_with_result<signature>>(
      through, std::forward<Operation>(operation), std::forward<Token>(token), given, classify);
}
/// As above, with a classifier.
template <class Clock, class... Stages, class Operation, class Token, class C>
requires(detail::is_no_context<C>) auto async_try_call(const pipeline<Clock, Stages...>& through,
                                                       Operation&& operation, Token&& token,
                                                       const C& classify) {
  return brownout::async_try_call(through, std::forward<Operation>(operation), std::forward<Token>(token),
                                  call_context{}, classify);
}

}  // namespace brownout::inline BROWNOUT_ABI
