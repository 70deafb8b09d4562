// SPDX-License-Identifier: BSL-1.0
//
// Guarded operations of Boost.Asio beside bare ones. The operation is the shortest that is not one post: two
// hops through the executor, as a read that has to wait once.
#include "floors.hpp"
#include "harness/scenario.hpp"

#include "brownout/asio/async_bulkhead.hpp"
#include "brownout/asio/async_call.hpp"
#include "brownout/asio/async_guard.hpp"
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace {

using namespace benchmarks;
using namespace std::chrono_literals;
namespace net = boost::asio;
using boost::system::error_code;
using breaker_type = brownout::circuit_breaker<brownout::consecutive_failures>;
using executor = net::io_context::executor_type;

breaker_type database{{5}};
breaker_type shut{{5}};
brownout::retry_budget budget;
const brownout::pipeline retried{brownout::retry{.budget = &budget, .idempotent = true}, database};
const brownout::pipeline limited{brownout::retry{.budget = &budget, .idempotent = true}, database,
                                 brownout::timeout{.limit = 1s}};

net::io_context& io() {
  static net::io_context context{1};
  return context;
}

struct two_hops {
  template <class Handler>
  struct second {
    using executor_type = net::associated_executor_t<Handler, executor>;
    using allocator_type = net::associated_allocator_t<Handler>;

    Handler handler;

    [[nodiscard]] executor_type get_executor() const noexcept {
      return net::get_associated_executor(handler, io().get_executor());
    }
    [[nodiscard]] allocator_type get_allocator() const noexcept {
      return net::get_associated_allocator(handler);
    }
    void operator()() { std::move(handler)(error_code{}, 1); }
  };

  template <class Handler>
  void operator()(Handler&& handler) const {
    net::post(io().get_executor(), second<std::decay_t<Handler>>{std::forward<Handler>(handler)});
  }
};
template <class Token>
auto operation(Token&& token) {
  return net::async_initiate<Token, void(error_code, int)>(two_hops{}, token);
}

/// A handler that calls `Start` again until enough calls have ended.
template <class Start>
struct loop {
  using executor_type = executor;
  static inline std::uint64_t left = 0;

  [[nodiscard]] executor_type get_executor() const noexcept { return io().get_executor(); }
  template <class... A>
  void operator()(A&&...) const {
    if (--left > 0) Start{}(loop{});
  }
};
template <class Start>
void run(std::uint64_t times) {
  loop<Start>::left = times;
  Start{}(loop<Start>{});
  io().restart();
  io().run();
}
template <class Start>
constexpr batch in_a_loop(Start) {
  return run<Start>;
}

/// A coroutine that awaits `Once` so many times.
template <class Once>
void run_coroutine(std::uint64_t times) {
  net::co_spawn(
      io(),
      [](std::uint64_t count) -> net::awaitable<void> {
        for (std::uint64_t i = 0; i < count; ++i) co_await Once{}();
      }(times),
      net::detached);
  io().restart();
  io().run();
}
template <class Once>
constexpr batch in_a_coroutine(Once) {
  return run_coroutine<Once>;
}

/// What most integrations write: a composed operation that carries the permit.
template <class Token>
auto composed_call(Token&& token) {
  return net::async_compose<Token, void(error_code, int)>(
      [permit = std::optional<breaker_type::permit>{}](auto& self, error_code error = {},
                                                       int value = 0) mutable {
        if (!permit) {
          auto admitted = database.try_acquire();
          if (!admitted) return self.complete(error, 0);
          permit.emplace(*std::move(admitted));
          operation(std::move(self));
          return;
        }
        permit->complete(error ? brownout::outcome::failure : brownout::outcome::success);
        self.complete(error, value);
      },
      token, io());
}

constexpr benchmarks::floor bare{"operation of two hops",
                                 in_a_loop([](auto handler) { operation(std::move(handler)); })};
constexpr benchmarks::floor bare_awaited{"co_await of two hops",
                                         in_a_coroutine([] { return operation(net::use_awaitable); })};
constexpr benchmarks::floor one_post{"one post", in_a_loop([](auto handler) {
                                       net::post(io(), net::append(std::move(handler), error_code{}, 0));
                                     })};

const registered bare_row{{.name = bare.name, .run = bare.run, .beside = floors::one_load}};
const registered composed{{.name = "guard by async_compose",
                           .run = in_a_loop([](auto handler) { composed_call(std::move(handler)); }),
                           .beside = bare}};
const registered guarded{{.name = "async_call",
                          .run = in_a_loop([](auto handler) {
                            brownout::async_call(database, operation(net::deferred), std::move(handler));
                          }),
                          .beside = bare,
                          .wanted = {.allocations = 0, .surplus = surplus_goal{.gcc = 200, .clang = 240}}}};
const registered with_retry{{.name = "async_call: pipeline{retry, breaker}",
                             .run = in_a_loop([](auto handler) {
                               brownout::async_call(
                                   retried, [](auto token) { return operation(std::move(token)); },
                                   std::move(handler));
                             }),
                             .beside = bare,
                             .wanted = {.allocations = 0}}};
const registered with_timer{{.name = "async_call: the same with a timeout",
                             .run = in_a_loop([](auto handler) {
                               brownout::async_call(
                                   limited, [](auto token) { return operation(std::move(token)); },
                                   std::move(handler));
                             }),
                             .beside = bare,
                             .wanted = {.allocations = 0}}};

/// Every batch has a guard of its own. Its timer ends with the last call.
void with_deadline(std::uint64_t times) {
  struct start {
    brownout::async_guard<breaker_type, executor>*& guard() const {
      static brownout::async_guard<breaker_type, executor>* used = nullptr;
      return used;
    }
    void operator()(loop<start> handler) const {
      guard()->async_call(operation(net::deferred), handler);
      // A call that is made outside of the context begins, and gets its deadline, when the context runs.
      if (loop<start>::left == 1) net::post(io(), [used = guard()] { used->cancel(); });
    }
  };
  brownout::async_guard<breaker_type, executor> guard{io().get_executor(), database, {.deadline = 1h}};
  start{}.guard() = &guard;
  loop<start>::left = times;
  start{}(loop<start>{});
  io().restart();
  io().run();
}
const registered guarded_with_deadline{{.name = "async_guard with a deadline",
                                        .run = with_deadline,
                                        .beside = bare,
                                        .wanted = {.surplus = surplus_goal{.gcc = 450, .clang = 450}}}};

const registered bare_awaited_row{
    {.name = bare_awaited.name, .run = bare_awaited.run, .beside = floors::one_load}};
const registered awaited{{.name = "co_await async_call",
                          .run = in_a_coroutine([] {
                            return brownout::async_call(database, operation(net::deferred),
                                                        net::use_awaitable);
                          }),
                          .beside = bare_awaited,
                          .wanted = {.surplus = surplus_goal{.gcc = 280, .clang = 280}}}};

const registered one_post_row{{.name = one_post.name, .run = one_post.run, .beside = floors::one_load}};
const registered refused{{.name = "async_call, refused",
                          .run = in_a_loop([](auto handler) {
                            brownout::async_call(shut, operation(net::deferred), std::move(handler));
                          }),
                          .beside = one_post,
                          .wanted = {.ratio = 1.15, .allocations = 0},
                          .prepare = [] { shut.force_open(); }}};

}  // namespace
