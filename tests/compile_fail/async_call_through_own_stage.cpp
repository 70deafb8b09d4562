// SPDX-License-Identifier: BSL-1.0
// A stage of the user has no asynchronous form.
// must say: this stage of the pipeline has no asynchronous form
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/guard/timeout.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

struct logged {
  template <class R, class Next>
  brownout::result<R> around(const brownout::call_context& context, const Next& next) const {
    return next(context);
  }
};

void wait(boost::asio::io_context& io, boost::asio::steady_timer& timer) {
#ifdef MISTAKE
  const brownout::pipeline guarded{logged{}, brownout::timeout{.limit = std::chrono::seconds{1}}};
#else
  const brownout::pipeline guarded{brownout::timeout{.limit = std::chrono::seconds{1}}};
#endif
  brownout::async_call_as<void(boost::system::error_code)>(
      guarded, [&](auto token) { return timer.async_wait(std::move(token)); },
      boost::asio::bind_executor(io.get_executor(), [](boost::system::error_code) {}));
}
