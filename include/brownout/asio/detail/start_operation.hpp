// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/guard/call_context.hpp"
#include "brownout/version.hpp"

#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Starts an operation with a handler, and with the context of its attempt if it takes that. `is_repeated`:
/// it is started several times, so it is called as an lvalue.
template <bool is_repeated, class Operation, class Handler>
void start_with(Operation& operation, const call_context& context, Handler&& handler) {
  using given = std::conditional_t<is_repeated, Operation&, Operation&&>;
  if constexpr (std::is_invocable_v<given, const call_context&, Handler>) {
    static_cast<given>(operation)(context, std::forward<Handler>(handler));
  } else {
    static_assert(
        !is_repeated || std::is_invocable_v<given, Handler>,
        "brownout: the operation is started several times, by a retry or a hedge, and this one can be "
        "started once. Give a function that starts it: [&](const brownout::call_context&, auto "
        "token) { return socket.async_read_some(buffer, std::move(token)); }");
    static_cast<given>(operation)(std::forward<Handler>(handler));
  }
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
