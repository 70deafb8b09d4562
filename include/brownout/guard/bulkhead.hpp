// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/atomics.hpp"
#include "brownout/core/detail/compiler.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/core/detail/striped_total.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/core/result.hpp"
#include "brownout/core/wrapped_admission.hpp"
#include "brownout/guard/call_context.hpp"
#include "brownout/guard/stage.hpp"
#include "brownout/version.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// How a bulkhead behaves. Validated when the bulkhead is built.
struct bulkhead_options {
  static constexpr std::uint32_t most_calls = std::uint32_t{1} << 24;  ///< the highest `limit`
  static constexpr std::size_t longest_name = 128;                     ///< the longest `name`, in bytes

  /// What metrics, logs and rejections call this bulkhead.
  /// Range: up to 128 bytes. Default: empty.
  std::string name{};

  /// Calls that may be in flight at a time. 0 refuses every call; it never means "no limit".
  /// Range: 0 to 2^24. Default: 25, as in resilience4j. Give it the number of calls that the dependency, or
  /// its pool of connections, serves at a time.
  std::uint32_t limit = 25;

  /// Throws `std::invalid_argument` naming field, value and range.
  void validate() const {
    detail::require_name("bulkhead_options.name", name);
    detail::require_within<std::uint32_t>("bulkhead_options.limit", limit, 0, most_calls);
  }
};

/// A bulkhead at one moment, for display. `in_flight` and `admitted` belong together.
struct bulkhead_snapshot {
  std::uint32_t limit = 0;      ///< calls that may be in flight
  std::uint32_t in_flight = 0;  ///< calls that are; more than `limit` after the limit was lowered
  std::uint64_t admitted = 0;   ///< calls admitted since construction, modulo 2^39
  std::uint64_t refused = 0;    ///< calls refused since construction
};

/// Limits how many calls are in flight at a time, so that one slow dependency cannot take every thread or
/// connection of the process. A call for which there is no place is refused at once: no thread ever waits.
///
///     brownout::bulkhead connections{{.name = "connections", .limit = 20}};
///     if (auto place = connections.try_acquire()) {
///       return query("SELECT ...");
///     }  // gives the place back
///
/// Thread-safe throughout, lock-free. Allocates nothing after construction. An admission is one
/// compare-and-swap and its end one subtraction, both of the same word; together they count the admissions
/// too. A refusal writes only the total of refusals, of which each thread has a stripe. Not copyable or
/// movable: permits point to it, so it must outlive them.
template <class Atomics = std_atomics>
class alignas(64) bulkhead {
 public:
  /// What explanations and metrics call guards of this type.
  static constexpr auto kind = guard_kind::bulkhead;

  /// The right to make one call. It gives its place back when it is destroyed or released. Move-only; may
  /// cross threads. One permit is used by one thread at a time.
  class [[nodiscard]] permit {
   public:
    /// The other permit becomes empty.
    permit(permit&& other) noexcept : from_{std::exchange(other.from_, nullptr)} {}
    /// As above. The place that this permit held becomes free.
    permit& operator=(permit&& other) noexcept {
      if (this != &other) {
        release();
        from_ = std::exchange(other.from_, nullptr);
      }
      return *this;
    }
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    BROWNOUT_ALWAYS_INLINE ~permit() { release(); }

    /// Gives the place back. From the second time on nothing happens. Lock-free.
    BROWNOUT_ALWAYS_INLINE void release() noexcept {
      if (from_ != nullptr) std::exchange(from_, nullptr)->give_back();
    }
    /// True once released or given away.
    [[nodiscard]] bool settled() const noexcept { return from_ == nullptr; }

   private:
    friend bulkhead;
    explicit permit(bulkhead* from) noexcept : from_{from} {}

    bulkhead* from_;  // null: settled
  };
  /// What `try_acquire` returns: a permit, or a rejection.
  using admission = wrapped_admission<permit>;

  /// Throws `std::invalid_argument` naming bulkhead, field, value and range. Without exceptions the assertion
  /// handler gets the text.
  explicit bulkhead(bulkhead_options options)
      : limit_{valid(options, options.name).limit}, name_{std::move(options.name)} {}

  bulkhead(const bulkhead&) = delete;
  bulkhead& operator=(const bulkhead&) = delete;

  /// Precondition: every permit has been given back.
  ~bulkhead() {
    // (3) acquire: synchronizes-with (2), so the calls have ended.
    BROWNOUT_PRECONDITION(in_flight_of(word_.load(std::memory_order_acquire)) == 0,
                          "a bulkhead is destroyed while calls hold its permits");
  }

  /// Asks to make one call. A false admission says why the bulkhead refuses. Its `retry_after` is unknown,
  /// because the end of a call is.
  ///
  /// What a call did before it gave its place back is seen by the call that gets the place.
  [[nodiscard]] BROWNOUT_ALWAYS_INLINE admission try_acquire() noexcept {
    auto seen = word_.load(std::memory_order_relaxed);  // relaxed: (1) decides
    do {
      // relaxed: a number that publishes nothing.
      if (in_flight_of(seen) >= limit_.load(std::memory_order_relaxed)) [[unlikely]] {
        return {permit{nullptr}, refusal()};
      }
      // (1) acquire: synchronizes-with (2). It is never an addition that is taken back when the limit is
      // reached: between the two, other callers would be refused although there is a place.
    } while (!word_.compare_exchange_weak(seen, seen + one_admission, std::memory_order_acquire,
                                          std::memory_order_relaxed));
    return admission{permit{this}};
  }

  /// Makes the call as a stage of a pipeline: `next(context)` while a place is held, or the rejection.
  template <class R, class Next>
  BROWNOUT_ALWAYS_INLINE result<R> around(const call_context& context, const Next& next) {
    const auto place = try_acquire();
    if (!place) [[unlikely]] {
      return place.rejection();
    }
    return next(context);
  }

  /// Replaces the limit while calls run. If it is lowered below the number of calls in flight, these calls go
  /// on, and further calls are refused until enough of them have ended. A call that is being admitted at the
  /// same moment may follow the old limit. The name cannot change: leave it empty, or give the same.
  ///
  /// Throws `std::invalid_argument` naming bulkhead, field, value and range. Then nothing has changed.
  void reconfigure(const bulkhead_options& options) {
    const auto limit = valid(options, name_).limit;
    if (!options.name.empty() && options.name != name_) {
      detail::invalid_option("bulkhead_options.name", "'" + options.name + "'", "'" + name_ + "'");
    }
    limit_.store(limit, std::memory_order_relaxed);  // relaxed: a number that publishes nothing
  }
  /// The options in force. A copy.
  [[nodiscard]] bulkhead_options options() const {
    return {name_, limit_.load(std::memory_order_relaxed)};  // relaxed: for display
  }

  /// What can be shown. Changes nothing.
  [[nodiscard]] bulkhead_snapshot snapshot() const noexcept {
    const auto seen = word_.load(std::memory_order_relaxed);  // relaxed, both: for display
    return {limit_.load(std::memory_order_relaxed), in_flight_of(seen), seen >> in_flight_bits,
            refused_.read()};
  }

  /// The name that was given at construction. Valid as long as the bulkhead is.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

 private:
  static constexpr int in_flight_bits = 25;  // enough for most_calls
  static constexpr std::uint64_t one_call = 1;
  static constexpr std::uint64_t one_admission = (std::uint64_t{1} << in_flight_bits) + one_call;

  static constexpr std::uint32_t in_flight_of(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word & ((std::uint64_t{1} << in_flight_bits) - 1));
  }

  static const bulkhead_options& valid(const bulkhead_options& options, std::string_view name) {
    std::string whose{"bulkhead '"};
    whose.append(name.substr(0, bulkhead_options::longest_name)) += '\'';
    detail::validate_for(whose, [&] { options.validate(); });
    return options;
  }

  void give_back() noexcept {
    // (2) release: publishes what the call did.
    word_.fetch_sub(one_call, std::memory_order_release);
  }

  BROWNOUT_NOINLINE rejection refusal() noexcept {
    refused_.add_one();
    return {rejection_reason::bulkhead_full, rejection::unknown, false, name_};
  }

  // Calls in flight in the low 25 bits, admissions in the others. Written by each admission (1) and by its
  // end (2); publishes what the call did.
  alignas(8) typename Atomics::template atomic<std::uint64_t> word_{0};
  // Written by `reconfigure`, read by each admission. Publishes only itself.
  typename Atomics::template atomic<std::uint32_t> limit_;
  const std::string name_;
  detail::striped_total<Atomics> refused_{};
};

}  // namespace brownout::inline BROWNOUT_ABI
