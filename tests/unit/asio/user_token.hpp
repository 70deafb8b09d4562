// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace asio_test {

/// How a call ended.
struct ended {
  boost::system::error_code error;
  int value = 0;
  bool operator==(const ended&) const = default;
};

/// A completion token as a user writes one: the initiating function returns a place where the end of the
/// call will be.
template <class Executor>
struct into_a_place {
  Executor executor;
};

}  // namespace asio_test

template <class Executor>
class boost::asio::async_result<asio_test::into_a_place<Executor>, void(boost::system::error_code, int)> {
 public:
  using return_type = std::shared_ptr<std::optional<asio_test::ended>>;

  template <class Initiation, class... A>
  static return_type initiate(Initiation&& initiation, asio_test::into_a_place<Executor> token,
                              A&&... arguments) {
    auto place = std::make_shared<std::optional<asio_test::ended>>();
    std::forward<Initiation>(initiation)(
        boost::asio::bind_executor(token.executor,
                                   [place](boost::system::error_code error, int value) {
                                     place->emplace(asio_test::ended{error, value});
                                   }),
        std::forward<A>(arguments)...);
    return place;
  }
};
