// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/async_call.hpp"
#include "brownout/asio/async_guard_options.hpp"
#include "brownout/asio/detail/deadline_queue.hpp"
#include "brownout/asio/detail/held_guard.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/returning_permit.hpp"
#include "brownout/asio/detail/timed_call.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/version.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A breaker with an executor and a deadline for its calls: an I/O object.
///
///     brownout::async_guard guarded{io.get_executor(), database, {.deadline = 800ms}};
///     auto rows = co_await guarded.async_call(connection.async_execute("SELECT ...", deferred));
///
/// **Deadline.** When it has passed, the breaker counts a failure at once, and the operation gets a terminal
/// cancellation. The caller is told when the operation has ended: with `errc::timed_out` in place of its
/// error, or with its success, if it ended in one all the same. So the caller's buffers are never in use
/// after the completion. An operation that ignores cancellation makes its caller wait; see
/// `async_guard_options::abandon`.
///
/// **Executor.** Operation, deadline and completion of a call run on the executor of its handler. If it has
/// none, on that of the guard. If its context has several threads, it must be a strand. The call itself may
/// be started from any thread.
///
/// **Cost.** One timer for all calls of a guard, and one allocation a call from the allocator of the handler.
/// The timer keeps `run()` of its context busy until the last deadline has passed; `cancel()` and the
/// destructor end that.
///
/// The breaker must outlive the guard. Calls may outlive the guard; they have no deadline then. Thread-safe.
template <class Guard, class Executor, clock_source Clock = monotonic_clock>
class async_guard {
 public:
  /// The type of the executor.
  using executor_type = Executor;

  /// Throws `std::invalid_argument` if an option is out of its range (naming field, value and range).
  explicit async_guard(const Executor& executor, Guard& guard, const async_guard_options& options = {})
      : guard_{guard}, options_{options}, deadlines_{std::make_shared<queue>(executor)} {
    options.require_valid();
  }
  async_guard(const async_guard&) = delete;
  async_guard& operator=(const async_guard&) = delete;
  ~async_guard() { deadlines_->stop(); }

  /// The executor of its deadlines.
  [[nodiscard]] executor_type get_executor() const noexcept { return deadlines_->executor(); }
  /// The options that it was built with.
  [[nodiscard]] const async_guard_options& options() const noexcept { return options_; }

  /// As `brownout::async_call`, with the deadline of the guard. `operation`, `report`, `classify` and the
  /// completion are as there. Default of `token`: that of the executor.
  template <class Operation, class Token = detail::net::default_completion_token_t<Executor>,
            class C = default_classifier>
  auto async_call(Operation&& operation, Token&& token = {}, const async_call_report& report = {},
                  const C& classify = {}) {
    using signature = typename detail::signature_told<Operation>::type;
    return async_call_as<signature>(std::forward<Operation>(operation), std::forward<Token>(token), report,
                                    classify);
  }
  /// As above, with a classifier.
  template <class Operation, class Token, class C>
  requires(detail::is_classifier<C>) auto async_call(Operation&& operation, Token&& token,
                                                     const C& classify) {
    return async_call(std::forward<Operation>(operation), std::forward<Token>(token), {}, classify);
  }

  /// As `brownout::async_call_as`, with the deadline of the guard.
  template <class Signature, class Operation, class Token = detail::net::default_completion_token_t<Executor>,
            class C = default_classifier>
  auto async_call_as(Operation&& operation, Token&& token = {}, const async_call_report& report = {},
                     const C& classify = {}) {
    return detail::net::async_initiate<Token, Signature>(
        starter<Signature, C>{{guard_, report, classify}, deadlines_, options_}, token,
        std::forward<Operation>(operation));
  }

  /// Forgets the deadlines of calls that are under way.
  void cancel() { deadlines_->clear(); }

 private:
  using held = detail::held_guard<Guard>;
  using queue = detail::deadline_queue<Clock, Executor>;

  template <class Signature, class C>
  struct starter : detail::start_guarded<held, detail::completes_as_operation<Signature>, C> {
    using plain = detail::start_guarded<held, detail::completes_as_operation<Signature>, C>;
    using executor_type = Executor;

    std::shared_ptr<queue> deadlines;
    async_guard_options times;

    [[nodiscard]] executor_type get_executor() const noexcept { return deadlines->executor(); }

    template <class Given, class Operation>
    void operator()(Given&& given, Operation&& operation) const {
      using handler = std::decay_t<Given>;
      if constexpr (!detail::has_executor<handler>) {
        (*this)(detail::net::bind_executor(get_executor(), handler(std::forward<Given>(given))),
                std::forward<Operation>(operation));
      } else if (times.deadline == async_guard_options::none && times.patience == async_guard_options::none) {
        plain::operator()(std::forward<Given>(given), std::forward<Operation>(operation));
      } else {
        start_timed(handler(std::forward<Given>(given)), std::forward<Operation>(operation));
      }
    }

    template <class Handler, class Operation>
    void start_timed(Handler&& handler, Operation&& operation) const {
      auto admitted = this->guard.get().try_acquire();
      if (!admitted) [[unlikely]] {
        this->refuse(std::forward<Handler>(handler), admitted.rejection());
        return;
      }
      using permit = std::remove_cvref_t<decltype(*std::move(admitted))>;
      detail::returning_permit<permit> held_permit{*std::move(admitted)};
      detail::timed_call<Signature, Handler, typename held::owner, permit, C, queue>::start(
          std::forward<Handler>(handler), this->guard.keep(), std::move(held_permit), this->classify,
          this->report.became, deadlines, {times.deadline, times.patience, times.abandon},
          std::forward<Operation>(operation));
    }
  };

  held guard_;
  async_guard_options options_;
  std::shared_ptr<queue> deadlines_;
};

}  // namespace brownout::inline BROWNOUT_ABI
