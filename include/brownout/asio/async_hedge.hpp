// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/async_pipeline.hpp"
#include "brownout/asio/detail/hedged_call.hpp"
#include "brownout/asio/detail/intermediate_handler.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/hedge.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/version.hpp"

#include <boost/asio/async_result.hpp>

#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {

/// Starts a hedged call. `async_initiate` calls it with the handler of the token.
template <class Pipeline, class Signature, class Classifier>
struct start_hedged {
  hedge* hedging;
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
    hedged_call<Pipeline, Signature, handler, started, Classifier>::start(
        *hedging, through, handler(std::forward<Given>(given)), started(std::forward<Operation>(operation)),
        context, classify);
  }
};

template <class Signature, class Pipeline, class Operation, class Token, class C>
auto initiate_hedged(hedge& hedging, const Pipeline& through, Operation&& operation, Token&& token,
                     const call_context& given, const C& classify) {
  return net::async_initiate<Token, Signature>(
      start_hedged<Pipeline, Signature, C>{&hedging, through, given, classify}, token,
      std::forward<Operation>(operation));
}

}  // namespace detail

/// Makes an asynchronous operation through a pipeline, and makes it again if its answer takes longer than
/// usual. The first success is the answer.
///
///     auto found = co_await brownout::async_hedge(
///         searches, guarded, [&](auto token) { return search(words, std::move(token)); }, use_awaitable);
///
/// - A further attempt starts after `hedging.delay()`, and at once if an attempt has failed. An empty budget
///   suppresses it, and touches none that runs.
/// - Each attempt passes the guards of the pipeline by itself.
/// - When an attempt has succeeded, the others are cancelled (terminal cancellation): breakers count nothing
///   for them. Their late values are destroyed.
/// - No further attempt starts after an answer that is not to be repeated: a refusal of a guard, an ignored
///   call, or a failure with a Retry-After.
/// - The call ends when all of its attempts have ended, since they may use buffers of the caller. If none has
///   succeeded, its end is that of the last attempt.
///
/// `hedging` must outlive the call, and fits one kind of call. `through`, `operation`, `given` and `classify`
/// are as for `async_call` through a pipeline, where the operation is called as an lvalue. So are executor,
/// cancellation, and what becomes of a call that is abandoned. If the signature of the operation cannot be
/// deduced, use `async_hedge_as`.
template <class Clock, class... Stages, class Operation, class Token, class C = default_classifier>
auto async_hedge(hedge& hedging, const pipeline<Clock, Stages...>& through, Operation&& operation,
                 Token&& token, const call_context& given = {}, const C& classify = {}) {
  using signature = typename detail::signature_in_pipeline<Operation>::type;
  return detail::initiate_hedged<signature>(hedging, through, std::forward<Operation>(operation),
                                            std::forward<Token>(token), given, classify);
}
/// As above, with a classifier.
template <class Clock, class... Stages, class Operation, class Token, class C>
requires(detail::is_no_context<C>) auto async_hedge(hedge& hedging, const pipeline<Clock, Stages...>& through,
                                                    Operation&& operation, Token&& token, const C& classify) {
  return brownout::async_hedge(hedging, through, std::forward<Operation>(operation),
                               std::forward<Token>(token), call_context{}, classify);
}

/// As `async_hedge`, for an operation whose signature cannot be deduced.
template <class Signature, class Clock, class... Stages, class Operation, class Token,
          class C = default_classifier>
auto async_hedge_as(hedge& hedging, const pipeline<Clock, Stages...>& through, Operation&& operation,
                    Token&& token, const call_context& given = {}, const C& classify = {}) {
  return detail::initiate_hedged<Signature>(hedging, through, std::forward<Operation>(operation),
                                            std::forward<Token>(token), given, classify);
}
/// As above, with a classifier.
template <class Signature, class Clock, class... Stages, class Operation, class Token, class C>
requires(detail::is_no_context<C>) auto async_hedge_as(hedge& hedging,
                                                       const pipeline<Clock, Stages...>& through,
                                                       Operation&& operation, Token&& token,
                                                       const C& classify) {
  return brownout::async_hedge_as<Signature>(hedging, through, std::forward<Operation>(operation),
                                             std::forward<Token>(token), call_context{}, classify);
}

}  // namespace brownout::inline BROWNOUT_ABI
