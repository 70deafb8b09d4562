// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/atomics.hpp"
#include "brownout/core/classifier.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/detail/chance.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/live_value.hpp"
#include "brownout/core/detail/thread_number.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/wrapped_admission.hpp"
#include "brownout/guard/adaptive_limit_options.hpp"
#include "brownout/guard/adaptive_limit_snapshot.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/call_priority.hpp"
#include "brownout/guard/detail/change_delivery.hpp"
#include "brownout/guard/detail/class_lines.hpp"
#include "brownout/guard/detail/limit_window.hpp"
#include "brownout/guard/detail/limit_word.hpp"
#include "brownout/guard/detail/validate_named.hpp"
#include "brownout/guard/limit_change.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A limit of calls in flight that finds its own value: as many calls as can be made without work waiting
/// longer than a target. When there is no room for all calls, calls of lower classes are refused first.
///
///     brownout::adaptive_limit server{{.target_delay = 5ms}};   // in front of a thread pool
///     if (auto place = server.try_acquire(call_priority::sheddable, account)) {  // when the request arrives
///       pool.post([place = *std::move(place)]() mutable { place.started(); serve(); });
///     } else {
///       respond(503, place.rejection().retry_after);
///     }
///
/// **Signal.** With `target_delay`, a sample is the time from admission to `permit::started`. With
/// `latency_budget`, it is the time from admission to `permit::complete(outcome::success)`. A permit that
/// reports neither gives no sample, and without samples the limit does not change. In a pipeline use
/// `latency_budget`: a pipeline does not know when a worker begins.
///
/// **Control.** A window lasts at least 100 ms and has at least 10 samples of calls that began under the
/// present limit. If every delay was above the target, or more than a tenth of the latencies above the
/// budget, the limit falls to nine tenths. Otherwise, if a call was refused or in flight reached 90 % of the
/// limit, it rises by a twentieth and one. The thread that ends the window does this; no other thread waits.
///
/// **Classes.** A class is admitted while the calls in flight are below its share of the limit. A caller with
/// a key has a line of its own, from the share of its class down to the middle between that share and the
/// next one. So the same callers are served while others are refused, and not each caller now and then.
///
/// **Cost.** Admission and return are one read-modify-write of one shared word each, an addition on a cache
/// line of the thread and a clock reading. A sample is a clock reading and three loads; it writes only while
/// it can change the verdict (a latency always). A refusal is one load of the word, one of a flag and one
/// addition.
///
/// Thread-safe. `try_acquire` and all operations of a permit are lock-free, except that the thread that
/// changes the limit runs the listener, if there is one. It must outlive its permits: its destructor checks
/// this in every build. Not copyable, not movable.
template <clock_source Clock = monotonic_clock, class Atomics = std_atomics>
class alignas(64) adaptive_limit {
 public:
  /// What explanations and metrics call guards of this type.
  static constexpr auto kind = guard_kind::adaptive_limit;

  class permit;
  /// What `try_acquire` returns: a permit, or a rejection.
  using admission = wrapped_admission<permit>;

  /// The shortest time between two changes of the limit, apart from those of `reconfigure`.
  static constexpr duration window = std::chrono::milliseconds{100};

  /// Throws `std::invalid_argument` naming the limit, field, value and range.
  explicit adaptive_limit(adaptive_limit_options options, Clock clock = Clock{})
      : options_{detail::valid("adaptive_limit", std::move(options))}, clock_{std::move(clock)} {
    apply(options_);
    const auto first = std::clamp(options_.first, options_.least, options_.most);
    word_.store(word::of(0, first, 0).bits, std::memory_order_relaxed);
    began_.store(ticks(clock_.now()), std::memory_order_relaxed);
  }
  adaptive_limit(const adaptive_limit&) = delete;
  adaptive_limit& operator=(const adaptive_limit&) = delete;
  ~adaptive_limit() {
    BROWNOUT_PRECONDITION(seen().in_flight() == 0, "an adaptive_limit is destroyed before its permits");
  }

  /// A permit, or the rejection. `caller`: a key such as the number of an account; 0: not known.
  ///
  /// The reason is `limit_reached` if as many calls are in flight as the limit allows; then `retry_after` is
  /// unknown. It is `shed` if the rest of the limit is kept for other calls; then `retry_after` is between
  /// `shed_for` and twice that.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE admission try_acquire(call_priority priority = call_priority::critical,
                                                             std::uint64_t caller = 0) noexcept {
    return admit(priority, caller, [this] { return clock_.now(); });
  }
  /// The same with class, caller and time of a call; reads the clock only if its time is unknown.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE admission try_acquire(const call_context& call) noexcept {
    return admit(call.priority, call.caller,
                 [&] { return call.now == call_context::unknown ? clock_.now() : call.now; });
  }

  /// As a stage of a pipeline: makes the call if there is a place for it. With a `latency_budget`, the answer
  /// is a sample if `default_classifier` judges it as a success.
  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& call, const Next& next) {
    auto told = call;
    if constexpr (!detail::tells_time_of<Next, Clock>) told.now = call_context::unknown;
    auto admitted = try_acquire(told);
    if (!admitted) [[unlikely]] {
      return admitted.rejection();
    }
    result<R> answer = next(call);
    admitted->complete(next.judge(answer));
    return answer;
  }

  /// Tells `listener` of each change of the limit, in order, on the thread that made the change or on one
  /// that is telling it of another. An empty function: no listener any more. The former listener does not run
  /// when this returns, unless it is the caller. May allocate, and waits for a listener that runs.
  void listen(limit_listener listener) { delivery_.replace(std::move(listener)); }

  /// Replaces the options, but not the name: leave it empty or give the same. The limit is kept if it is
  /// within the new range; `first` has no effect. Throws as the constructor, and changes nothing then. May
  /// wait for another `reconfigure`.
  void reconfigure(const adaptive_limit_options& options);
  /// The options in force. A copy.
  [[nodiscard]] adaptive_limit_options options() const {
    const std::lock_guard lock{changing_};
    return options_;
  }

  /// Limit, calls in flight and totals, for display.
  [[nodiscard]] adaptive_limit_snapshot snapshot() const noexcept;

  /// Valid as long as the limit is.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

 private:
  using word = detail::limit_word;
  template <class T>
  using atomic = typename Atomics::template atomic<T>;

  /// What the threads of a stripe have asked for. Written by these threads; publishes nothing.
  struct alignas(64) stripe {
    atomic<std::uint64_t> admissions{0};
    atomic<std::uint64_t> full{0};  // refused at the limit
    std::array<atomic<std::uint64_t>, call_priority_count> sheds{};
  };

  /// The right to change the limit. One thread has it at a time.
  class turn {
   public:
    explicit turn(adaptive_limit& limit) noexcept : limit_{limit} {
      if (limit_.turn_.load(std::memory_order_relaxed) != 0) return;
      std::uint32_t free = 0;
      // (1) acquire: synchronizes-with (2), so this thread sees what the former one has changed.
      is_mine_ =
          limit_.turn_.compare_exchange_weak(free, 1, std::memory_order_acquire, std::memory_order_relaxed);
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn() {
      if (is_mine_) limit_.turn_.store(0, std::memory_order_release);  // (2)
    }
    [[nodiscard]] explicit operator bool() const noexcept { return is_mine_; }

   private:
    adaptive_limit& limit_;
    bool is_mine_ = false;
  };

  [[nodiscard]] static std::int64_t ticks(time_point at) noexcept { return at.time_since_epoch().count(); }
  [[nodiscard]] word seen() const noexcept { return {word_.load(std::memory_order_relaxed)}; }
  [[nodiscard]] stripe& own() noexcept {
    return stripes_[detail::thread_number_for<Atomics>() % stripes_.size()];
  }

  template <class ReadTime>
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE admission admit(call_priority priority, std::uint64_t caller,
                                                       ReadTime read_time) noexcept {
    // relaxed: a class that is served by the former shares for a moment is no harm.
    const auto line = detail::class_lines{lines_.load(std::memory_order_relaxed)}.line(priority, caller);
    auto at = seen();
    word next;
    do {
      if (at.in_flight() >= detail::class_lines::places(at.limit(), line)) [[unlikely]] {
        return refuse(at, priority);
      }
      next.bits = at.bits + word::one_call;
      // (3) acquire: synchronizes-with (4), so a call at a limit of one sees what the call before it has
      // done.
    } while (!word_.compare_exchange_weak(at.bits, next.bits, std::memory_order_acquire,
                                          std::memory_order_relaxed));
    // relaxed, here and below: totals for display, order nothing.
    own().admissions.fetch_add(1, std::memory_order_relaxed);
    return admission{permit{*this, next, read_time()}};
  }
  BROWNOUT_NOINLINE admission refuse(word at, call_priority priority) noexcept;

  void give_back() noexcept {
    word_.fetch_add(word::minus_one_call, std::memory_order_release);  // (4)
  }
  void note(word admitted, bool is_above, bool counts_always, time_point now) noexcept;
  BROWNOUT_NOINLINE void control(time_point now) noexcept;
  void change(std::uint32_t limit, limit_change_cause cause, detail::limit_window decided,
              time_point now) noexcept;
  void begin_window(std::uint32_t epoch, time_point now) noexcept;
  void apply(const adaptive_limit_options& options) noexcept;

  // Written by every admission and return, and by changes of the limit. Publishes the work of calls, (3),
  // (4).
  atomic<std::uint64_t> word_{0};
  // Written when options are replaced. Relaxed: each is complete by itself.
  atomic<std::uint64_t> lines_{0};
  atomic<std::int64_t> signal_{0};  // target_delay in ns, or the latency_budget as a negative number
  atomic<std::int64_t> shed_for_{0};
  atomic<std::uint32_t> least_{1};
  atomic<std::uint32_t> most_{1};

  // Written by samples, and begun again by the thread that has the turn. Relaxed: a sample that finds the
  // window of another epoch is dropped, and the thread that has the turn looks again.
  alignas(64) atomic<std::uint64_t> window_{0};
  atomic<std::int64_t> began_{0};     // when the window began; written by the thread that has the turn
  atomic<std::uint32_t> refused_{0};  // whether a call was refused in this window
  atomic<std::uint32_t> turn_{0};     // the turn, (1), (2)
  std::uint64_t changes_ = 0;         // guarded by the turn
  detail::live_value<limit_change, Atomics> last_change_{limit_change{}};
  detail::change_delivery delivery_{};

  mutable std::mutex changing_{};
  adaptive_limit_options options_;  // guarded by the mutex
  const std::string name_{options_.name};
  BROWNOUT_NO_UNIQUE_ADDRESS Clock clock_;
  std::array<stripe, 8> stripes_{};
};

}  // namespace brownout::inline BROWNOUT_ABI

#include "brownout/guard/detail/adaptive_limit_operations.hpp"
