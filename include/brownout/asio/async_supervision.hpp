// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/asio/async_probe.hpp"
#include "brownout/asio/detail/deadline_queue.hpp"
#include "brownout/asio/detail/net.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/supervisor.hpp"
#include "brownout/version.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Qt's macro would take the name of a function of Boost.Asio away.
#pragma push_macro("emit")
#undef emit

namespace brownout::inline BROWNOUT_ABI {

/// Runs a supervisor on an executor, without a thread of its own: the steps, and the probes as asynchronous
/// operations.
///
///     brownout::async_supervision watch{io.get_executor(), system, {
///         {upstream::database, [&](const auto&, auto done) { connection.async_ping(std::move(done)); }}}};
///
/// Dependencies with such a probe have `.probe = brownout::probed_elsewhere` in their options, so that the
/// supervisor orders it.
///
/// A probe gets a terminal cancellation at its deadline. One that ignores it has failed, and delays neither
/// the others nor a step nor `stop`. At most one probe of a dependency is under way.
///
/// **What a step costs, it costs the loop.** It takes the lock of the supervisor, and calls `measure`,
/// listeners and the observer, which must not block.
///
/// The supervisor must outlive it, or outlive the call of `stop`. It is an I/O object: its functions are
/// called on its executor, or while the context is not running, except `nudge`. If the context has several
/// threads, the executor must be a strand. Pending steps keep `run()` busy until `stop`.
template <class Supervisor, class Executor, clock_source Clock = monotonic_clock>
class async_supervision {
 public:
  /// The type of the executor.
  using executor_type = Executor;
  /// What a step of the supervisor returns.
  using plan_type = typename Supervisor::plan_type;
  /// Receives every plan, for logs. Its exceptions are dropped and counted.
  using observer = std::function<void(const plan_type&)>;

  /// Starts with the first step, in the next handler of the executor. Throws `std::invalid_argument` naming
  /// the dependency if one that is `probed_elsewhere` has no probe here, or the other way round, or if a
  /// probe is given twice.
  async_supervision(const Executor& executor, Supervisor& watched, std::vector<async_probe> probes = {},
                    observer on_step = {})
      : state_{std::make_shared<state>(executor, watched, std::move(on_step))} {
    for (auto& one : probes) state_->take(std::move(one));
    state_->require_all_probes();
    detail::net::post(executor, [kept = state_] { kept->step(); });
  }
  async_supervision(const async_supervision&) = delete;
  async_supervision& operator=(const async_supervision&) = delete;
  ~async_supervision() { stop(); }

  /// The executor of its timer.
  [[nodiscard]] executor_type get_executor() const noexcept { return state_->timer.get_executor(); }

  /// Ends the stepping, and cancels the probes that are under way. Their answers change nothing any more, so
  /// the supervisor may be destroyed after this. Returns the names of the dependencies whose probe was under
  /// way.
  std::vector<std::string> stop() { return state_->stop(); }

  /// Makes the next step soon. For use after an operator has changed something. Thread-safe.
  void nudge() {
    const auto executor = get_executor();
    detail::net::post(executor, [kept = state_] { kept->step(); });
  }

  /// Number of plans for which the observer threw.
  [[nodiscard]] std::uint64_t observer_failures() const noexcept { return state_->observer_failures; }

 private:
  using timer_type = detail::timer_for<Clock, Executor>;

  /// The probe of one dependency.
  struct watched_probe {
    watched_probe(const Executor& executor, const stop_signal& ending)
        : overdue{executor}, context{{}, ending} {}

    async_probe::starter start{};
    std::optional<probe_order> order{};  // it is to be answered
    bool was_started = false;            // it is under way
    detail::net::cancellation_signal stop{};
    timer_type overdue;
    probe_context context;  // a coroutine may refer to it until it has ended
  };

  /// Lives as long as the last probe, so that one that hangs can outlive the supervision.
  struct state : detail::probe_desk, std::enable_shared_from_this<state> {
    state(const Executor& executor, Supervisor& supervisor, observer observe)
        : watched{&supervisor}, timer{executor}, on_step{std::move(observe)} {
      for (std::size_t i = 0; i < supervisor.size(); ++i) probes.emplace_back(executor, ending);
    }

    [[nodiscard]] std::string field_of(std::size_t number) const {
      return "dependency_options.probe of " + std::string{watched->at(number).name()};
    }
    void take(async_probe&& given) {
      if (given.dependency >= probes.size()) {
        detail::invalid_option("async_probe.dependency", detail::to_text(given.dependency),
                               "a dependency of the supervisor: 0 to " + detail::to_text(probes.size() - 1));
      }
      auto& mine = probes[given.dependency];
      if (mine.start || !given.start) {
        detail::invalid_option("async_probe of " + std::string{watched->at(given.dependency).name()},
                               mine.start ? "given twice" : "empty", "one function");
      }
      if (!watched->probe_of(given.dependency).is_elsewhere()) {
        detail::invalid_option(field_of(given.dependency), "not probed_elsewhere",
                               "probed_elsewhere, for a dependency with an async_probe");
      }
      mine.start = std::move(given.start);
    }
    void require_all_probes() const {
      for (std::size_t i = 0; i < probes.size(); ++i) {
        if (!watched->probe_of(i) || probes[i].start) continue;
        const bool is_elsewhere = watched->probe_of(i).is_elsewhere();
        detail::invalid_option(
            field_of(i), is_elsewhere ? "probed_elsewhere" : "a function",
            is_elsewhere ? "an async_probe for it" : "probed_elsewhere, since no thread runs it");
      }
    }

    void step() {
      if (watched == nullptr) return;
      auto& stepped = *watched;
      const auto plan = stepped.step(stepped.now());
      if (watched == nullptr) {  // a listener has stopped it
        for (const auto& order : plan.probes) give_up(stepped, order);
        return;
      }
      for (const auto& order : plan.probes)
        probes[order.dependency].order = order;  // `stop` answers for them
      if (on_step && !detail::contained([&] { return on_step(plan), true; }, false)) ++observer_failures;
      if (watched == nullptr) return;  // the observer has stopped it
      was_answered = false;
      for (const auto& order : plan.probes) {
        ask(order);
        if (watched == nullptr) return;
      }
      // A probe that has answered within `ask` wants a step at once, which this plan does not know of.
      // Never longer than `refresh`, even if the clock of the supervisor is wrong.
      arm(was_answered ? duration{} : (std::min)(plan.next - watched->now(), watched->options().refresh));
    }
    void arm(duration wait) {
      timer.expires_after((std::max)(wait, duration{}));
      timer.async_wait([kept = this->shared_from_this()](const detail::error_code& error) {
        if (!error) kept->step();
      });
    }

    void ask(const probe_order& order) {
      auto& mine = probes[order.dependency];
      mine.was_started = true;
      mine.overdue.expires_after((std::max)(order.deadline - watched->now(), duration{}));
      mine.overdue.async_wait([kept = this->shared_from_this(), order](const detail::error_code& error) {
        if (!error) kept->run_out(order);
      });
      async_probe_handler done{this->shared_from_this(), order, timer.get_executor(), mine.stop.slot()};
      mine.context.deadline = order.deadline;
      // If it throws, its handler is destroyed, which tells that there is no answer.
      static_cast<void>(
          detail::contained([&] { return mine.start(mine.context, std::move(done)), true; }, false));
    }
    void run_out(const probe_order& order) {
      if (is_under_way(order)) probes[order.dependency].stop.emit(detail::net::cancellation_type::terminal);
    }

    void answer(const probe_order& order, probe_result found) override {
      const auto executor = timer.get_executor();
      detail::net::dispatch(executor, [kept = this->shared_from_this(), order, said = std::move(found)] {
        kept->note(order, said);
      });
    }
    void note(const probe_order& order, const probe_result& found) {
      if (watched == nullptr || !is_under_way(order)) return;
      finish(probes[order.dependency]);
      watched->report(order, found, watched->now());
      was_answered = true;
      if (watched != nullptr) arm({});
    }
    [[nodiscard]] bool is_under_way(const probe_order& order) const noexcept {
      const auto& mine = probes[order.dependency];
      return mine.order && mine.order->ticket == order.ticket;
    }
    static void finish(watched_probe& one) {
      one.order.reset();
      one.was_started = false;
      one.overdue.cancel();
      // What the operation has put into the slot refers to a timer or a socket that may not live longer.
      one.stop.slot().clear();
    }

    std::vector<std::string> stop() {
      std::vector<std::string> under_way;
      if (watched == nullptr) return under_way;
      auto& supervisor = *std::exchange(watched, nullptr);
      timer.cancel();
      ending.request_stop();
      for (std::size_t i = 0; i < probes.size(); ++i) {
        auto& mine = probes[i];
        if (!mine.order) continue;
        const auto order = *mine.order;
        if (mine.was_started) under_way.emplace_back(supervisor.at(i).name());
        mine.stop.emit(detail::net::cancellation_type::terminal);
        finish(mine);
        give_up(supervisor, order);
      }
      return under_way;
    }
    // Without an answer the supervisor would wait. This one is no evidence about the dependency.
    static void give_up(Supervisor& supervisor, const probe_order& order) {
      supervisor.report(order, {outcome::cancelled, {}}, supervisor.now());
    }

    Supervisor* watched;  // null: stopped
    timer_type timer;
    observer on_step;
    const stop_signal ending{};          // of all probes
    std::deque<watched_probe> probes{};  // by the number of the dependency; signals do not move
    std::uint64_t observer_failures = 0;
    bool was_answered = false;  // a probe, since the step began to ask them
  };

  std::shared_ptr<state> state_;
};

}  // namespace brownout::inline BROWNOUT_ABI

#pragma pop_macro("emit")
