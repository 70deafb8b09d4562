// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/async_bulkhead.hpp"
#include "brownout/asio/async_call.hpp"
#include "brownout/asio/async_pipeline.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/detail/jitter.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/timeout.hpp"
#include "simulation/circuit_rules.hpp"
#include "simulation/dice.hpp"
#include "simulation/trace.hpp"
#include "unit/asio/operations.hpp"
#include "unit/asio/static_clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace simulation {

/// A client whose asynchronous operations run through guards under virtual time. One seed decides when each
/// operation ends and how, whether its caller cancels it, and whether it is lost. After each action the rules
/// are checked, and at the end each call has completed once and every place is back.
class simulated_client {
 public:
  explicit simulated_client(std::uint64_t seed) : chance_{seed} {
    brownout::detail::thread_jitter().seed(chance_.number());
    asio_test::static_clock::nanoseconds = 1'000'000'000;
  }

  void run(int actions) {
    for (int i = 0; i < actions; ++i) {
      act();
      check();
    }
    end();
  }

  [[nodiscard]] const trace& seen() const { return seen_; }

 private:
  using clock = asio_test::static_clock;
  using error_code = boost::system::error_code;
  using breaker = brownout::circuit_breaker<brownout::consecutive_failures, clock>;

  /// A call of a user, with the operation that it makes. With retries the operation is started again.
  struct call {
    explicit call(boost::asio::io_context& io) : operation{io} {}

    asio_test::held_operation operation;
    boost::asio::cancellation_signal signal{};
    int completed = 0;
    bool is_lost = false;
  };

  void act() {
    const auto which = chance_.below(100);
    if (which < 35) {
      start();
    } else if (which < 60) {
      end_one();
    } else if (which < 68) {
      if (auto* const one = some_call()) one->signal.emit(some_cancellation());
    } else if (which < 72) {
      if (auto* const one = some_call()) lose(*one);
    } else if (which < 97) {
      clock::advance(std::chrono::milliseconds{chance_.between(0, 400)});
    } else {
      chance_.percent(50) ? database_.reset() : database_.force_open_for(std::chrono::seconds{1});
    }
    if (chance_.percent(80)) run_ready();
  }

  void start() {
    calls_.push_back(std::make_unique<call>(io_));
    auto& one = *calls_.back();
    one.operation.is_deaf = chance_.percent(20);
    one.operation.is_prompt = chance_.percent(50);
    const auto operation = [&one](const auto&, auto token) {
      return one.operation.async_wait(std::move(token));
    };
    auto handler = boost::asio::bind_cancellation_slot(
        one.signal.slot(), boost::asio::bind_executor(io_.get_executor(), [this, &one](error_code error) {
          ++one.completed;
          seen_.note(static_cast<std::uint64_t>(error.value()));
        }));
    switch (chance_.below(3)) {
      case 0:
        brownout::async_call(database_, one.operation.async_wait(boost::asio::deferred), std::move(handler));
        break;
      case 1:
        brownout::async_call(with_retry_, operation, std::move(handler));
        break;
      default:
        brownout::async_call(with_timeout_, operation, std::move(handler));
        break;
    }
    require_rule(one.completed == 0, "Y3: a call never completes within the function that starts it");
  }

  [[nodiscard]] call* some_call() {
    return calls_.empty() ? nullptr : calls_[chance_.below(calls_.size())].get();
  }
  [[nodiscard]] boost::asio::cancellation_type_t some_cancellation() {
    using boost::asio::cancellation_type;
    return chance_.percent(50) ? cancellation_type::terminal : cancellation_type::total;
  }

  void end_one() {
    auto* const one = some_call();
    if (one == nullptr) return;
    one->operation.end(chance_.percent(60) ? error_code{} : boost::asio::error::connection_reset);
  }
  void lose(call& one) {
    // What is posted already completes all the same.
    one.is_lost = true;
    one.operation.lose();
  }

  void run_ready() {
    io_.restart();
    io_.poll();
  }

  void check() {
    for (const auto& one : calls_) require_rule(one->completed <= 1, "Y2: a call completes once");
    const auto shown = database_.snapshot();
    seen_.note(shown.epoch);
    require_rule(shown.probes_in_flight <= 1, "B4: no more probes than allowed");
    require_rule(places_.snapshot().in_flight <= 3, "U1: no more calls in flight than the limit");
  }

  void end() {
    using namespace std::chrono_literals;
    // An operation that is retried is started again, so this needs as many rounds as a call has tries.
    for (int round = 0; round < 8; ++round) {
      for (const auto& one : calls_) one->operation.end();
      run_ready();
      clock::advance(1min);
      run_ready();
    }
    for (const auto& one : calls_) {
      require_rule(one->completed == 1 || (one->is_lost && one->completed == 0), "Y2: a call completes once");
    }
    require_rule(places_.snapshot().in_flight == 0, "Y10: all places are back");
    require_rule(database_.snapshot().probes_in_flight == 0, "Y10: all places are back");
  }

  dice chance_;
  trace seen_{};
  boost::asio::io_context io_{1};
  breaker database_{brownout::consecutive_failures{3},
                    {.name = "database",
                     .open_for = std::chrono::milliseconds{300},
                     .ramp = brownout::no_ramp,
                     .lease = std::chrono::seconds{30}}};
  brownout::bulkhead<> places_{{.name = "places", .limit = 3}};
  brownout::retry_budget budget_{{.least = 100}};
  brownout::pipeline<clock, brownout::detail::stage_for<brownout::retry>,
                     brownout::detail::stage_for<breaker&>,
                     brownout::detail::stage_for<brownout::bulkhead<>&>>
      with_retry_{clock{},
                  brownout::retry{.tries = 3,
                                  .budget = &budget_,
                                  .idempotent = true,
                                  .base = std::chrono::milliseconds{100},
                                  .cap = std::chrono::milliseconds{200}},
                  database_, places_};
  brownout::pipeline<clock, brownout::detail::stage_for<breaker&>,
                     brownout::detail::stage_for<brownout::bulkhead<>&>,
                     brownout::detail::stage_for<brownout::timeout>>
      with_timeout_{clock{}, database_, places_, brownout::timeout{.limit = std::chrono::milliseconds{500}}};
  std::vector<std::unique_ptr<call>> calls_{};
};

}  // namespace simulation
