// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/testing/detail/fiber.hpp"
#include "brownout/testing/detail/schedule_choices.hpp"
#include "brownout/testing/detail/schedule_trace.hpp"
#include "brownout/testing/exploration_options.hpp"
#include "brownout/testing/memory_access.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

namespace detail {
class schedule_runner;
}

/// One order in which the threads of a scenario run, made by `explore`. It is given to the scenario, and
/// `scheduled_atomics` and `scheduled_mutex` find it by themselves.
///
/// All threads of a schedule share one thread of the system, so `thread_local` variables are shared, and a
/// thread must not wait for another one other than by `scheduled_mutex` or in a loop with `yield`.
class schedule {
 public:
  static constexpr std::size_t most_threads = 16;  ///< the most threads

  schedule(const schedule&) = delete;
  schedule& operator=(const schedule&) = delete;
  ~schedule() = default;

  /// Runs `body(0)` to `body(threads - 1)`, each as a thread, until all have ended. An exception that leaves
  /// a body is a failure of the schedule.
  /// Precondition: 1 to 16 threads, and no thread of this schedule runs.
  template <std::invocable<std::size_t> Body>
  void run(std::size_t threads, Body&& body) {
    BROWNOUT_PRECONDITION(threads >= 1 && threads <= most_threads, "a schedule has 1 to 16 threads");
    BROWNOUT_PRECONDITION(running_ == none, "a schedule runs its threads already");
    body_ = [](void* given, std::size_t number) {
      (*static_cast<std::remove_reference_t<Body>*>(given))(number);
    };
    given_ = const_cast<void*>(static_cast<const void*>(std::addressof(body)));
    run_threads(threads);
  }
  /// Runs each of the functions as a thread.
  template <std::invocable... Body>
  requires(sizeof...(Body) >= 1) void run(Body&&... bodies) {
    run(sizeof...(Body), [&](std::size_t number) {
      std::size_t place = 0;
      (void)((place++ == number && (static_cast<void>(bodies()), true)) || ...);
    });
  }

  /// A choice of the scenario itself, such as how a call ends: a number from 0 to `options - 1`. Each is
  /// tried. Precondition: 1 to 36 options.
  [[nodiscard]] std::size_t choose(std::size_t options) {
    BROWNOUT_PRECONDITION(options >= 1 && options <= detail::schedule_choices::most_options,
                          "a choice has 1 to 36 options");
    return choices_->choose(options);
  }

  /// Notes a failure if `holds` is false. The schedule goes on to its end, and `explore` ends with it. Throws
  /// nothing, so that it may be called in an access, where code is often noexcept.
  void expect(bool holds, std::string_view what) {
    if (!holds) fail(what);
  }
  /// Whether a failure was noted.
  [[nodiscard]] bool failed() const noexcept { return !failure_.empty(); }

  /// Calls `function` after each access to a scheduled atomic variable, by a thread or outside of threads. It
  /// may call `expect`, but must not access such a variable.
  void observe(std::function<void(const memory_access&)> function) {
    observer_ = std::move(function);
    is_watched_ = true;
  }

  /// The number of the running thread. Outside of threads: `no_thread`.
  static constexpr auto no_thread = static_cast<std::size_t>(-1);
  /// The number of the running thread. Outside of threads: `no_thread`.
  [[nodiscard]] std::size_t thread() const noexcept { return running_; }

  /// The schedule of the thread of the system; null outside of `explore`.
  [[nodiscard]] static schedule* current() noexcept { return current_; }

  /// To be called in a loop that waits for another thread: those that can run go first.
  static void yield() {
    if (current_ != nullptr && current_->running_ != none) current_->step(leaving::yields);
  }

  // For scheduled_atomics and scheduled_mutex.

  /// Stands before an access: another thread may run first.
  static void before_access() {
    if (current_ != nullptr && current_->running_ != none) current_->step(leaving::could_go_on);
  }
  /// Whether this weak compare-and-swap, which would succeed, fails for no reason.
  [[nodiscard]] static bool fails_spuriously() {
    auto* const now = current_;
    if (now == nullptr || now->running_ == none || now->options_->spurious_failures == 0) return false;
    const bool may_fail = now->spurious_failures_ < now->options_->spurious_failures;
    if (now->choices_->choose(may_fail ? 2 : 1) == 0) return false;
    ++now->spurious_failures_;
    return true;
  }
  /// Stands after an access: tells the observer.
  template <class T>
  static void after_access(const void* where, access_kind kind, const T& before, const T& after) {
    if (current_ != nullptr && current_->is_watched_) {
      current_->watch({where, kind, current_->running_, bits_of(before), bits_of(after)});
    }
  }
  /// Lets the running thread wait until `wake(what)`. Outside of threads that is a failure: it returns false
  /// at once.
  bool wait_for(const void* what) {
    if (running_ == none) {
      fail("a thread waits outside of run(), where no other can end it");
      return false;
    }
    waits_for_[running_] = what;
    step(leaving::waits);
    return true;
  }
  /// Lets the threads run again that wait for `what`.
  void wake(const void* what) noexcept {
    for (auto& one : waits_for_) {
      if (one == what) one = nullptr;
    }
  }

 private:
  friend class detail::schedule_runner;
  static constexpr auto none = no_thread;

  enum class leaving : std::uint8_t { could_go_on, yields, waits, ended };

  schedule() = default;

  void fail(std::string_view what) {
    if (failure_.empty()) failure_ = what;
  }

  template <class T>
  [[nodiscard]] static std::uint64_t bits_of(const T& value) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, static_cast<const void*>(std::addressof(value)),
                (std::min)(sizeof(value), sizeof(bits)));
    return bits;
  }

  void watch(const memory_access& seen) {
    if (is_traced_ && seen.thread != none && failure_.empty()) trace_.note(seen);
    if (observer_) observer_(seen);
  }

  void run_threads(std::size_t threads) {
    threads_ = threads;
    for (std::size_t i = 0; i < threads; ++i) {
      waits_for_[i] = nullptr;
      has_ended_[i] = false;
      fibers_[i].prepare(&begin);
    }
    // Up to its first access each thread can run alone: the others can't see where it stands.
    is_starting_ = true;
    for (std::size_t i = 0; i < threads; ++i) {
      running_ = i;
      main_.switch_to(fibers_[i]);
    }
    is_starting_ = false;
    running_ = next_thread(none, leaving::ended);
    if (running_ != none) main_.switch_to(fibers_[running_]);
    running_ = none;
    // If some have not ended, they never go on, and what they hold is never released.
    if (steps_ > options_->most_steps) {
      fail("no end after " + std::to_string(options_->most_steps) + " accesses: threads wait for each other");
    } else if (!all_have_ended()) {
      fail("deadlock: " + waiting());
    }
    for (std::size_t i = 0; i < threads; ++i) {
      if (fibers_[i].has_overflown()) {
        detail::assertion_failed("a thread of a schedule has used more than 256 KiB of stack", __FILE__,
                                 __LINE__);
      }
    }
  }

  /// What each thread begins with.
  [[noreturn]] static void begin() noexcept {
    auto& self = *current_;
    detail::fiber::begun(self.main_);
    const auto number = self.running_;
#if defined(__cpp_exceptions)
    try {
#endif
      self.body_(self.given_, number);
#if defined(__cpp_exceptions)
    } catch (const std::exception& thrown) {
      self.fail("thread " + std::to_string(number) + " ended by an exception: " + thrown.what());
    } catch (...) {
      self.fail("thread " + std::to_string(number) + " ended by an exception");
    }
#endif
    self.has_ended_[number] = true;
    self.step(leaving::ended);
    std::terminate();  // it has ended, so none comes back
  }

  /// Lets the next thread run. Returns when the present one is to go on.
  void step(leaving why) {
    const auto present = running_;
    if (is_starting_) {
      fibers_[present].switch_to(main_);
      running_ = present;
      return;
    }
    if (++steps_ > options_->most_steps) return fibers_[present].switch_to(main_);
    const auto next = next_thread(present, why);
    if (next == present) return;
    if (next == none) return fibers_[present].switch_to(main_);
    running_ = next;
    fibers_[present].switch_to(fibers_[next]);
    running_ = present;
  }

  [[nodiscard]] std::size_t next_thread(std::size_t present, leaving why) {
    struct {
      std::array<std::uint8_t, most_threads> numbers{};
      std::size_t count = 0;
      [[nodiscard]] std::size_t size() const noexcept { return count; }
      [[nodiscard]] std::size_t operator[](std::size_t i) const noexcept { return numbers[i]; }
    } ready;
    const auto add = [&](std::size_t number) {
      ready.numbers[ready.count++] = static_cast<std::uint8_t>(number);
    };
    if (why == leaving::could_go_on) add(present);
    for (std::size_t i = 0; i < threads_; ++i) {
      if (i != present && !has_ended_[i] && waits_for_[i] == nullptr) add(i);
    }
    if (ready.count == 0) return why == leaving::yields ? present : none;
    if (ready.count == 1) return ready[0];
    const bool is_free = why != leaving::could_go_on || preemptions_ < options_->preemptions ||
                         options_->search == schedule_search::priorities || !options_->replay.empty();
    if (why == leaving::yields) choices_->lower_priority(present);
    const auto chosen = choices_->choose_thread(ready, is_free ? ready.count : 1);
    if (why == leaving::could_go_on && chosen != 0) ++preemptions_;
    return ready[chosen];
  }

  [[nodiscard]] bool all_have_ended() const noexcept {
    for (std::size_t i = 0; i < threads_; ++i) {
      if (!has_ended_[i]) return false;
    }
    return true;
  }
  [[nodiscard]] std::string waiting() const {
    std::string text;
    for (std::size_t i = 0; i < threads_; ++i) {
      if (!has_ended_[i]) text += (text.empty() ? "thread " : ", thread ") + std::to_string(i);
    }
    return text + " wait for what none gives back";
  }

  /// Before each schedule.
  void begin_with(const exploration_options& options, detail::schedule_choices& choices, bool traced) {
    options_ = &options;
    choices_ = &choices;
    running_ = none;
    steps_ = preemptions_ = spurious_failures_ = 0;
    failure_.clear();
    observer_ = nullptr;
    is_watched_ = is_traced_ = traced;
    trace_ = {};
  }

  static inline thread_local schedule* current_ = nullptr;

  const exploration_options* options_ = nullptr;
  detail::schedule_choices* choices_ = nullptr;
  std::size_t threads_ = 0;
  std::size_t running_ = none;
  bool is_starting_ = false;
  std::uint64_t steps_ = 0;
  std::size_t preemptions_ = 0;
  std::size_t spurious_failures_ = 0;
  std::array<const void*, most_threads> waits_for_{};
  std::array<bool, most_threads> has_ended_{};
  std::string failure_{};
  std::function<void(const memory_access&)> observer_{};
  bool is_watched_ = false;
  bool is_traced_ = false;
  detail::schedule_trace trace_{};

  void (*body_)(void*, std::size_t) = nullptr;
  void* given_ = nullptr;
  detail::fiber main_{};
  std::array<detail::fiber, most_threads> fibers_{};
};

}  // namespace brownout::inline BROWNOUT_ABI
