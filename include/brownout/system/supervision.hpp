// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/clock.hpp"
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
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Runs a supervisor: one thread steps it, and each probe has a thread of its own, so that one that hangs
/// delays neither the others nor a step nor shutdown.
///
/// The supervisor must outlive this object. Thread-safe. When memory runs out within a step the program ends
/// (`std::terminate`): going on without the step's decisions would leave a level in force that nobody chose.
template <class Supervisor>
class supervision {
 public:
  using plan_type = typename Supervisor::plan_type;

  /// Sees every plan, for logs. Called on the stepping thread with no lock held; what it throws is swallowed
  /// and counted. It must not destroy or stop the supervision, and must return soon: while it runs nothing is
  /// decided, and `stop` waits for it without limit.
  using observer = std::function<void(const plan_type&)>;

  /// Starts the threads. Throws `std::system_error` when there are none to be had.
  explicit supervision(Supervisor& watched, observer on_step = {})
      : supervision{std::make_shared<shared>(watched), std::move(on_step)} {
    // The object is complete by now: should a thread fail to start, the destructor stops those that did.
    const auto count = watched.options().dependencies.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (!watched.probe_of(i)) continue;
      threads_[i] = std::thread{&supervision::serve, shared_, i, watched.probe_of(i)};
    }
    stepping_ = std::thread{[this] { run(); }};
  }

  supervision(const supervision&) = delete;
  supervision& operator=(const supervision&) = delete;

  /// Stops, and leaves a probe that does not return within a second to itself.
  ~supervision() { stop(std::chrono::seconds{1}); }

  /// Ends the stepping, asks running probes to stop and waits `grace` for them. Returns the names of the
  /// dependencies whose probe still hangs: its thread is detached, holds a copy of the probe, and ends when
  /// the probe does, so whatever that probe refers to must live on. Stopping again, also from another thread,
  /// waits for the first stop and returns the same names.
  std::vector<std::string> stop(duration grace) {
    const std::lock_guard ending{ending_};
    if (!shared_->watched) return hanging_;
    {
      const std::lock_guard lock{shared_->mutex};
      shared_->stopping = true;
    }
    shared_->stops.request_stop();  // outside the lock: it runs the probes' stop callbacks
    shared_->changed.notify_all();
    if (stepping_.joinable()) stepping_.join();

    std::unique_lock lock{shared_->mutex};
    // A thread that has not come as far as its loop is waited for as well; one that never started is not.
    const auto ended = [&](std::size_t i) { return !threads_[i].joinable() || shared_->workers[i].ended; };
    shared_->changed.wait_for(lock, (std::min<duration>)(grace, std::chrono::hours{24 * 365}), [&] {
      for (std::size_t i = 0; i < threads_.size(); ++i) {
        if (!ended(i)) return false;
      }
      return true;
    });
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      // One that no thread has begun: else the supervisor would wait for its answer for ever.
      if (const auto order = std::exchange(shared_->workers[i].order, std::nullopt))
        report(*shared_, *order, given_up);
      if (!threads_[i].joinable()) continue;
      if (shared_->workers[i].ended) {
        threads_[i].join();  // it has left its loop and needs the lock no more
      } else {
        hanging_.push_back(shared_->watched->options().dependencies[i].name);
        threads_[i].detach();
      }
    }
    shared_->watched = nullptr;  // whoever returns late finds nobody to report to
    return hanging_;
  }

  /// Steps now rather than when the plan says: after an operator changed something.
  void nudge() {
    {
      const std::lock_guard lock{shared_->mutex};
      shared_->nudged = true;
    }
    shared_->changed.notify_all();
  }

  /// How many times the observer threw.
  [[nodiscard]] std::uint64_t observer_failures() const {
    const std::lock_guard lock{shared_->mutex};
    return shared_->observer_failures;
  }

 private:
  struct worker {
    std::optional<probe_order> order;
    bool ended = false;  // its thread has left its loop
  };

  /// Lives as long as the last thread, so that a hanging probe can outlive the supervision.
  struct shared {
    explicit shared(Supervisor& supervisor)
        : watched{&supervisor}, workers(supervisor.options().dependencies.size()) {}

    std::mutex mutex;  // guards everything but `stops`
    std::condition_variable changed;
    std::stop_source stops;
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
      // Never longer than the plan says, whatever the supervisor's clock says by now.
      const auto wait = (std::min)(plan.next - supervisor.now(), supervisor.options().refresh);
      shared_->changed.wait_for(lock, wait, [&] { return shared_->stopping || shared_->nudged; });
      shared_->nudged = false;
    }
  }

  [[nodiscard]] bool observe(const plan_type& plan) noexcept {
    if (!on_step_) return true;
    try {
      on_step_(plan);
      return true;
    } catch (...) {
      return false;
    }
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
      const auto found = ask(asked, {order.deadline, state->stops.get_token()});
      lock.lock();
      if (state->watched == nullptr) break;  // left to itself by `stop`
      report(*state, order, state->stopping ? given_up : found);
      if (state->stopping) break;
      state->nudged = true;
      state->changed.notify_all();
    }
    mine.ended = true;
    state->changed.notify_all();
  }

  static inline const probe_result given_up{outcome::cancelled, {}};  // says nothing of the dependency
  static void report(shared& state, const probe_order& order, const probe_result& found) {
    state.watched->report(order, found, state.watched->now());
  }

  static probe_result ask(const probe& asked, const probe_context& context) noexcept {
    try {
      return asked(context);
    } catch (...) {
      return {outcome::failure, "the probe threw an exception"};
    }
  }

  std::mutex ending_;                 // one thread stops at a time; guards the next
  std::vector<std::string> hanging_;  // what the first stop found
  std::shared_ptr<shared> shared_;
  observer on_step_;
  std::vector<std::thread> threads_;  // one a dependency; not joinable: it has no probe
  std::thread stepping_;
};

}  // namespace brownout::inline BROWNOUT_ABI
