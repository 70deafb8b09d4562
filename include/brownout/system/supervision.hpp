// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/system/probe.hpp"
#include "brownout/system/supervisor.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Runs a supervisor in threads: one thread steps it, and each probe has a thread of its own.
///
/// A probe that hangs delays neither the other probes nor a step, and shutdown only as long as you allow. The
/// supervisor must outlive this object. Thread-safe. If memory runs out within a step, the program ends
/// (`std::terminate`): without the decisions of that step, the level in force would be wrong.
template <class Supervisor>
class supervision {
 public:
  using plan_type = typename Supervisor::plan_type;

  /// Receives every plan, for logs. It is called on the stepping thread, with no lock held. Its exceptions
  /// are dropped and counted. It must not stop or destroy the supervision. It must return soon: while it runs
  /// no step is made, and `stop` waits for it without limit.
  using observer = std::function<void(const plan_type&)>;

  /// Starts the threads. Throws `std::system_error` if the system has no more threads.
  explicit supervision(Supervisor& watched, observer on_step = {})
      : supervision{std::make_shared<shared>(watched), std::move(on_step)} {
    // The object is complete by now: if a thread fails to start, the destructor stops the others.
    const auto count = watched.options().dependencies.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (!watched.probe_of(i)) continue;
      threads_[i] = std::thread{&supervision::serve, shared_, i, watched.probe_of(i)};
    }
    stepping_ = std::thread{[this] { run(); }};
  }

  supervision(const supervision&) = delete;
  supervision& operator=(const supervision&) = delete;

  /// Stops with a grace of 1 s.
  ~supervision() { stop(std::chrono::seconds{1}); }

  /// Ends the stepping, requests a stop of the running probes (`probe_context::stop`), and waits for them up
  /// to `grace`: 0 or more, `duration::max()` waits as long as it takes.
  ///
  /// Returns the names of the dependencies whose probe still hangs then. The thread of such a probe is
  /// detached. It holds a copy of the probe and ends when the probe returns, so everything that the probe
  /// refers to must still exist then. A second call, also from another thread, waits for the first one and
  /// returns the names that the first one found.
  std::vector<std::string> stop(duration grace) {
    const std::lock_guard ending{ending_};
    if (!shared_->watched) return hanging_;
    {
      const std::lock_guard lock{shared_->mutex};
      shared_->stopping = true;
    }
    shared_->stop.request_stop();
    shared_->changed.notify_all();
    if (stepping_.joinable()) stepping_.join();

    std::unique_lock lock{shared_->mutex};
    // This also waits for a thread that has not reached its loop yet, but not for one that never started.
    const auto ended = [&](std::size_t i) { return !threads_[i].joinable() || shared_->workers[i].ended; };
    shared_->changed.wait_for(lock, (std::min<duration>)(grace, std::chrono::hours{24 * 365}), [&] {
      for (std::size_t i = 0; i < threads_.size(); ++i) {
        if (!ended(i)) return false;
      }
      return true;
    });
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      // No thread has begun this order. Without an answer the supervisor would wait for ever.
      if (const auto order = std::exchange(shared_->workers[i].order, std::nullopt))
        report(*shared_, *order, given_up());
      if (!threads_[i].joinable()) continue;
      if (shared_->workers[i].ended) {
        threads_[i].join();  // it has left its loop and does not need the lock any more
      } else {
        hanging_.push_back(shared_->watched->options().dependencies[i].name);
        threads_[i].detach();
      }
    }
    shared_->watched = nullptr;  // a probe that returns later does not report
    return hanging_;
  }

  /// Makes the next step now. For use after an operator has changed something.
  void nudge() {
    {
      const std::lock_guard lock{shared_->mutex};
      shared_->nudged = true;
    }
    shared_->changed.notify_all();
  }

  /// Number of plans for which the observer threw.
  [[nodiscard]] std::uint64_t observer_failures() const {
    const std::lock_guard lock{shared_->mutex};
    return shared_->observer_failures;
  }

 private:
  struct worker {
    std::optional<probe_order> order{};
    bool ended = false;  // its thread has left its loop
  };

  /// Lives as long as the last thread, so that a hanging probe can outlive the supervision.
  struct shared {
    explicit shared(Supervisor& supervisor)
        : watched{&supervisor}, workers(supervisor.options().dependencies.size()) {}
    shared(const shared&) = delete;
    shared& operator=(const shared&) = delete;

    const stop_signal stop{};  // of all probes
    std::mutex mutex{};        // guards everything below
    std::condition_variable changed{};
    Supervisor* watched;
    std::vector<worker> workers;
    bool stopping = false;
    bool nudged = false;
    std::uint64_t observer_failures = 0;
  };

  supervision(std::shared_ptr<shared> state, observer on_step)
      : shared_{std::move(state)}, on_step_{std::move(on_step)}, threads_(shared_->workers.size()) {}

  /// The stepping thread.
  void run() {
    auto& supervisor = *shared_->watched;
    std::unique_lock lock{shared_->mutex};
    while (!shared_->stopping) {
      lock.unlock();
      const auto plan = supervisor.step(supervisor.now());
      const bool observed = observe(plan);
      lock.lock();
      if (!observed) ++shared_->observer_failures;
      for (const auto& order : plan.probes) shared_->workers[order.dependency].order = order;
      if (!plan.probes.empty()) shared_->changed.notify_all();
      // Never longer than `refresh`, even if the supervisor's clock is wrong.
      const auto wait = (std::min)(plan.next - supervisor.now(), supervisor.options().refresh);
      shared_->changed.wait_for(lock, wait, [&] { return shared_->stopping || shared_->nudged; });
      shared_->nudged = false;
    }
  }

  [[nodiscard]] bool observe(const plan_type& plan) noexcept {
    return !on_step_ || detail::contained([&] { return on_step_(plan), true; }, false);
  }

  /// A probe's thread. Static, and the thread has a copy of the probe: it may outlive the supervision.
  static void serve(const std::shared_ptr<shared>& state, std::size_t number, const probe& asked) {
    std::unique_lock lock{state->mutex};
    auto& mine = state->workers[number];
    for (;;) {
      state->changed.wait(lock, [&] { return state->stopping || mine.order; });
      if (state->stopping) break;
      const auto order = *std::exchange(mine.order, std::nullopt);
      lock.unlock();
      const auto found = ask(asked, {order.deadline, state->stop});
      lock.lock();
      if (state->watched == nullptr) break;  // `stop` has detached this thread
      report(*state, order, state->stopping ? given_up() : found);
      if (state->stopping) break;
      state->nudged = true;
      state->changed.notify_all();
    }
    mine.ended = true;
    state->changed.notify_all();
  }

  /// A result that is no evidence about the dependency.
  static probe_result given_up() { return {outcome::cancelled, {}}; }
  static void report(shared& state, const probe_order& order, const probe_result& found) {
    state.watched->report(order, found, state.watched->now());
  }

  static probe_result ask(const probe& asked, const probe_context& context) noexcept {
    return detail::contained([&] { return asked(context); },
                             probe_result{outcome::failure, "the probe threw an exception"});
  }

  std::mutex ending_{};                 // one thread stops at a time; guards the next
  std::vector<std::string> hanging_{};  // what the first stop found
  std::shared_ptr<shared> shared_;
  observer on_step_;
  std::vector<std::thread> threads_;  // one a dependency; not joinable: it has no probe
  std::thread stepping_{};
};

}  // namespace brownout::inline BROWNOUT_ABI
