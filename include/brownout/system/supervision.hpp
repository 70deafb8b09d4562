// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/core/detail/invalid_option.hpp"
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
/// A probe that hangs delays neither the other probes nor a step. At shutdown, `probe` says which probes are
/// waited for. The supervisor must outlive this object. Thread-safe. If memory runs out within a step, the
/// program ends (`std::terminate`): without the decisions of that step, the level in force would be wrong.
///
/// It holds no lock while listeners, observers and probes run, so they may call the supervisor and `nudge`.
/// They must not call `stop`, which waits for them: that is a broken precondition.
template <class Supervisor>
class supervision {
 public:
  /// What a step of the supervisor returns.
  using plan_type = typename Supervisor::plan_type;

  /// Receives every plan, for logs. It is called on the stepping thread, with no lock held. Its exceptions
  /// are dropped and counted. It must return soon: while it runs no step is made, and `stop` waits for it
  /// without limit.
  using observer = std::function<void(const plan_type&)>;

  /// Starts the threads. Throws `std::system_error` if the system has no more threads, and
  /// `std::invalid_argument` if a dependency is `probed_elsewhere`, since no thread could answer for it.
  explicit supervision(Supervisor& watched, observer on_step = {})
      : supervision{std::make_shared<shared>(watched), std::move(on_step)} {
    // The object is complete by now: if a thread fails to start, the destructor stops the others.
    const auto count = watched.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (!watched.probe_of(i)) continue;
      if (watched.probe_of(i).is_elsewhere()) {
        detail::invalid_option("dependency_options.probe of " + std::string{watched.at(i).name()},
                               "probed_elsewhere", "a function, for a supervision by threads");
      }
      threads_[i] = std::thread{&supervision::serve, shared_, i, watched.probe_of(i)};
    }
    stepping_ = std::thread{[this] { run(); }};
  }

  supervision(const supervision&) = delete;
  supervision& operator=(const supervision&) = delete;

  /// Stops with a grace of 1 s. Then it waits until the probes have returned that may refer to objects of
  /// yours (see `probe`), so that nothing of yours is used after it. The others are left running.
  ~supervision() {
    stop(std::chrono::seconds{1});
    for (auto& one : threads_) {
      if (one.joinable()) one.join();
    }
  }

  /// Ends the stepping, requests a stop of the running probes (`probe_context::stop`), and waits for them up
  /// to `grace`: 0 or more, `duration::max()` waits as long as it takes.
  ///
  /// Returns the names of the dependencies whose probe still hangs then, so that a program can say what its
  /// end waits for. After this no probe reports, and the supervisor may be destroyed. A second call, also
  /// from another thread, waits for the first one and returns the names that the first one found.
  std::vector<std::string> stop(duration grace) {
    BROWNOUT_PRECONDITION(worked_for() != shared_.get(),
                          "supervision::stop() is called by a listener, probe or observer");
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
    auto& supervisor =
        *std::exchange(shared_->watched, nullptr);  // a probe that returns later does not report
    shared_->changed.wait(lock, [&] { return shared_->reporting == 0; });
    std::vector<probe_order> unanswered;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      auto& mine = shared_->workers[i];
      // The thread has not begun this order, or hangs in it. Without an answer the supervisor would wait.
      for (const auto& order : {std::exchange(mine.order, std::nullopt), mine.asked}) {
        if (order) unanswered.push_back(*order);
      }
      if (!threads_[i].joinable()) continue;
      if (mine.ended) {
        threads_[i].join();  // it has left its loop and does not need the lock any more
      } else {
        hanging_.emplace_back(supervisor.at(i).name());
        if (supervisor.probe_of(i).is_self_contained()) threads_[i].detach();
      }
    }
    lock.unlock();
    for (const auto& order : unanswered) supervisor.report(order, given_up(), supervisor.now());
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
    std::optional<probe_order> order{};  // to be done next
    std::optional<probe_order> asked{};  // its probe runs
    bool ended = false;                  // its thread has left its loop
  };

  /// Lives as long as the last thread, so that a hanging probe can outlive the supervision.
  struct shared {
    explicit shared(Supervisor& supervisor) : watched{&supervisor}, workers(supervisor.size()) {}
    shared(const shared&) = delete;
    shared& operator=(const shared&) = delete;

    const stop_signal stop{};  // of all probes
    std::mutex mutex{};        // guards everything below
    std::condition_variable changed{};
    Supervisor* watched;
    std::vector<worker> workers;
    bool stopping = false;
    bool nudged = false;
    std::size_t reporting = 0;  // threads that call the supervisor now
    std::uint64_t observer_failures = 0;
  };

  supervision(std::shared_ptr<shared> state, observer on_step)
      : shared_{std::move(state)}, on_step_{std::move(on_step)}, threads_(shared_->workers.size()) {}

  /// The stepping thread.
  void run() {
    worked_for() = shared_.get();
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
      lock.unlock();
      const auto wait = (std::min)(plan.next - supervisor.now(), supervisor.options().refresh);
      lock.lock();
      shared_->changed.wait_for(lock, wait, [&] { return shared_->stopping || shared_->nudged; });
      shared_->nudged = false;
    }
  }

  [[nodiscard]] bool observe(const plan_type& plan) noexcept {
    return !on_step_ || detail::contained([&] { return on_step_(plan), true; }, false);
  }

  /// A probe's thread. Static, and the thread has a copy of the probe: it may outlive the supervision.
  static void serve(const std::shared_ptr<shared>& state, std::size_t number, const probe& asked) {
    worked_for() = state.get();
    std::unique_lock lock{state->mutex};
    auto& mine = state->workers[number];
    for (;;) {
      state->changed.wait(lock, [&] { return state->stopping || mine.order; });
      if (state->stopping) break;
      const auto order = *std::exchange(mine.order, std::nullopt);
      mine.asked = order;
      lock.unlock();
      const auto found = ask(asked, {order.deadline, state->stop});
      lock.lock();
      mine.asked.reset();
      auto* const watched = state->watched;
      if (watched == nullptr) break;  // `stop` has given up this probe
      const auto said = state->stopping ? given_up() : found;
      ++state->reporting;
      lock.unlock();  // listeners run in the report
      watched->report(order, said, watched->now());
      lock.lock();
      --state->reporting;
      if (state->stopping) break;
      state->nudged = true;
      state->changed.notify_all();
    }
    mine.ended = true;
    state->changed.notify_all();
  }

  /// A result that is no evidence about the dependency.
  static probe_result given_up() { return {outcome::cancelled, {}}; }

  /// The supervision that this thread works for; null: for none.
  [[nodiscard]] static const shared*& worked_for() noexcept {
    static thread_local const shared* mine = nullptr;
    return mine;
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
