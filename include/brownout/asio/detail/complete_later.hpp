// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/detail/net.hpp"
#include "brownout/version.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>

#include <tuple>
#include <utility>

namespace brownout::inline BROWNOUT_ABI::detail {

/// Completes with these arguments, and never inside of the function that starts the operation.
template <class Handler, class... A>
void complete_later(Handler&& handler, std::tuple<A...>&& arguments) {
  const auto executor = net::get_associated_executor(handler);
  std::apply(
      [&](A&... each) {
        auto bound = net::append(std::forward<Handler>(handler), std::move(each)...);
        net::post(executor, std::move(bound));
      },
      arguments);
}

}  // namespace brownout::inline BROWNOUT_ABI::detail
