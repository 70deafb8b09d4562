// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/async_bulkhead_options.hpp"
#include "brownout/asio/detail/complete_later.hpp"
#include "brownout/asio/detail/intermediate_handler.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/asio/detail/waiting_call.hpp"
#include "brownout/asio/detail/waiting_line.hpp"
#include "brownout/asio/errc.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/wrapped_admission.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>

#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A bulkhead in which calls wait for a place, without a thread: an I/O object.
///
///     brownout::async_bulkhead connections{io.get_executor(), {.name = "connections", .limit = 20}};
///     auto place = co_await connections.async_acquire(use_awaitable);
///     co_await query("SELECT ...");   // the place is held until `place` is destroyed
///
/// The oldest waiter gets the next place, directly from the call that gives it back. The line is bounded in
/// length and time, since in an overload an unbounded one grows until each call waits longer than its caller
/// does. A cancelled or expired waiter leaves the line at once.
///
/// As a stage of a pipeline, asynchronous calls wait in it, but no longer than their deadline. Other calls
/// are refused if there is no place.
///
/// **Executor.** `async_acquire` completes on the executor of its handler, and on that of the bulkhead if the
/// handler has none. Places may be given back by any thread. The timer for the longest wait is on the
/// executor of the bulkhead, and keeps its `run()` busy until the last wait that was begun could have ended.
///
/// **Cost.** A short lock for each acquisition and each return. A waiter is one object from the allocator of
/// its handler. The timer is one for all.
///
/// The destructor cancels all waits. Permits may outlive the bulkhead. Thread-safe.
template <class Executor, clock_source Clock = monotonic_clock>
class async_bulkhead {
  using line = detail::waiting_line<Clock, Executor>;

 public:
  /// What explanations and metrics call guards of this type.
  static constexpr auto kind = guard_kind::bulkhead;
  /// The type of the executor.
  using executor_type = Executor;

  /// The right to make one call. It gives its place back when it is destroyed or released. Move-only; may
  /// cross threads. One permit is used by one thread at a time.
  class [[nodiscard]] permit {
   public:
    /// Without a place.
    permit() noexcept = default;
    /// The other permit becomes empty.
    permit(permit&& other) noexcept = default;
    /// As above. The place that this permit held becomes free.
    permit& operator=(permit&& other) noexcept {
      if (this != &other) {
        release();
        from_ = std::move(other.from_);
      }
      return *this;
    }
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    ~permit() { release(); }

    /// Gives the place back. From the second time on nothing happens.
    void release() noexcept {
      if (from_ != nullptr) std::exchange(from_, nullptr)->give_back();
    }
    /// True if it has no place.
    [[nodiscard]] bool settled() const noexcept { return from_ == nullptr; }

   private:
    friend async_bulkhead;
    template <class, class, class>
    friend class detail::waiting_call;
    explicit permit(std::shared_ptr<line> from) noexcept : from_{std::move(from)} {}

    std::shared_ptr<line> from_;
  };
  /// What `try_acquire` returns: a permit, or a rejection.
  using admission = wrapped_admission<permit>;

  /// Throws `std::invalid_argument` naming bulkhead, field, value and range.
  explicit async_bulkhead(const Executor& executor, const async_bulkhead_options& options = {})
      : line_{line::make(executor, valid(options, options.name))} {}
  async_bulkhead(const async_bulkhead&) = delete;
  async_bulkhead& operator=(const async_bulkhead&) = delete;
  ~async_bulkhead() { line_->stop(); }

  /// The executor of its line.
  [[nodiscard]] executor_type get_executor() const noexcept { return line_->executor(); }

  /// Waits for a place. Signature of the completion: `void(error_code, permit)`. The error is
  /// `errc::bulkhead_full` if too many wait already, `errc::queue_timeout` after the longest wait, and
  /// `operation_aborted` if the wait was cancelled. It never completes within this function. All kinds of
  /// cancellation end a wait. Default of `token`: that of the executor.
  template <class Token = detail::net::default_completion_token_t<Executor>>
  auto async_acquire(Token&& token = {}) {
    return detail::net::async_initiate<Token, void(detail::error_code, permit)>(starter{line_}, token);
  }

  /// A place if there is one now. A false admission says why there is none. `waits_otherwise`: the caller
  /// will wait then, so the call is not counted as refused.
  [[nodiscard]] admission try_acquire(bool waits_otherwise = false) {
    if (line_->try_take(waits_otherwise)) return admission{permit{line_}};
    return {permit{}, {rejection_reason::bulkhead_full, rejection::unknown, false, name()}};
  }

  /// As a stage of a pipeline whose calls do not wait.
  template <class R, class Next>
  result<R> around(const call_context& context, const Next& next) {
    const auto place = try_acquire();
    if (!place) return place.rejection();
    return next(context);
  }

  /// Cancels all waits.
  void cancel() { line_->cancel(); }

  /// Replaces the options, but not the name: leave it empty, or give the same. If the limit rises, waiters
  /// get places at once. If it falls, the calls in flight go on. A new `longest_wait` is for later waits.
  /// Throws as the constructor, and changes nothing then.
  void reconfigure(const async_bulkhead_options& options) {
    valid(options, name());
    if (!options.name.empty() && options.name != name()) {
      detail::invalid_option("async_bulkhead_options.name", "'" + options.name + "'",
                             "'" + line_->name() + "'");
    }
    line_->reconfigure(options);
  }
  /// The options in force. A copy.
  [[nodiscard]] async_bulkhead_options options() const { return line_->options(); }
  /// Calls in flight, the line and totals, for display.
  [[nodiscard]] async_bulkhead_snapshot snapshot() const { return line_->snapshot(); }
  /// Valid as long as the bulkhead is, and as its permits are.
  [[nodiscard]] std::string_view name() const noexcept { return line_->name(); }

 private:
  static const async_bulkhead_options& valid(const async_bulkhead_options& options, std::string_view name) {
    std::string whose{"async_bulkhead '"};
    whose.append(name.substr(0, bulkhead_options::longest_name)) += '\'';
    detail::validate_for(whose, [&] { options.validate(); });
    return options;
  }

  struct starter {
    using executor_type = Executor;

    std::shared_ptr<line> in;

    [[nodiscard]] executor_type get_executor() const noexcept { return in->executor(); }

    template <class Given>
    void operator()(Given&& given) const {
      using handler = std::decay_t<Given>;
      if constexpr (detail::has_executor<handler>) {
        detail::waiting_call<handler, line, permit>::start(handler(std::forward<Given>(given)), in);
      } else {
        (*this)(detail::net::bind_executor(get_executor(), handler(std::forward<Given>(given))));
      }
    }
  };

  std::shared_ptr<line> line_;
};

}  // namespace brownout::inline BROWNOUT_ABI
