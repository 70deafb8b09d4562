// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "interleaving/breaker/circuit_specification.hpp"

#include "brownout/breaker/snapshot.hpp"
#include "brownout/core/clock.hpp"
#include "brownout/core/outcome.hpp"
#include "brownout/core/rejection.hpp"
#include "brownout/testing/memory_access.hpp"
#include "brownout/testing/schedule.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Whether a breaker does what its specification allows, one access after another:
///
/// - each change of the control word is one that the specification makes of the word before, for the
///   operation of the thread that changes it, and an operation makes one change at most;
/// - an operation that ends without a change gives an answer that fits a word which it saw;
/// - deadlines are kept: nothing happens before the earliest moment that a thread could have read, and
/// nothing
///   is refused after the latest.
///
/// The control word is the one whose address is given. What else the breaker reads and writes is its own
/// matter.
class circuit_oracle {
 public:
  struct times {
    brownout::duration open_for;
    brownout::duration lease;
    brownout::duration relapse_within;
  };

  circuit_oracle(brownout::schedule& threads, const void* control, specification::rules by, times lengths)
      : threads_{threads}, control_{control}, by_{by}, lengths_{lengths} {}

  /// Time passes only by this.
  void advance(brownout::duration by) { now_ += by; }

  /// `epoch`: of the permit, if it is the result of a call.
  void begin(specification::operation does, std::uint64_t epoch = 0) {
    auto& own = mine();
    own.does = does;
    own.epoch = epoch;
    own.since = now_;
    own.changed = false;
    own.count = 0;
  }

  /// To be called for each access.
  void saw(const brownout::memory_access& access) {
    if (access.where != control_) return;
    auto& own = mine();
    if (access.before != word_) return fail("the word is not what was written last");
    if (access.after != word_) {
      const auto next = specification::circuit::of(access.after);
      if (!next) return fail("a word that no circuit has");
      check_change(own, *next);
      if (next->epoch != circuit_.epoch || next->admissions != circuit_.admissions) {
        begun_ = {.from = own.since, .until = {}, .by = number()};
      }
      word_ = access.after;
      circuit_ = *next;
      own.changed = true;
      own.count = 0;
      own.add(circuit_);
    } else if (!own.changed) {
      own.add(circuit_);
    }
  }

  // The answers of the operations.

  void end_admitted(std::uint64_t epoch, bool is_probe) {
    const bool changed = mine().changed;
    fits(
        [&](const specification::circuit& seen) {
          if (epoch != seen.epoch || is_probe != changed) return false;
          if (changed) return seen.is_half_open();
          return seen.measures() || seen.state == specification::state::disabled;
        },
        "admitted");
    settle();
  }

  void end_refused(brownout::rejection told) {
    ++refused_;
    fits([&](const specification::circuit& seen) { return may_refuse(seen, told); }, "refused");
    settle();
  }

  void end_result(brownout::disposition told) {
    using brownout::disposition;
    if (told == disposition::late) ++late_;
    const bool has_failed = mine().does == specification::operation::failure;
    if (told == disposition::counted && has_failed) ++failed_;
    fits([&](const specification::circuit& seen) { return may_end(seen, told); }, "ended");
    settle();
  }

  /// `did`: what `trip` returns.
  void end_command(bool did) {
    const auto does = mine().does;
    const bool changed = mine().changed;
    fits(
        [&](const specification::circuit& seen) {
          if (does == specification::operation::trip) {
            return did == changed && (changed || seen.state != specification::state::closed);
          }
          if (changed) return true;
          const auto aim = specification::after(seen, does, by_, {});
          return does != specification::operation::reset && seen.state == aim->state;
        },
        "a command");
    settle();
  }

  /// When all threads have ended. `permits`: of calls of the present epoch that are still out.
  void end(const brownout::breaker_snapshot& shown, std::uint32_t permits) {
    const bool is_half_open = circuit_.is_half_open();
    expect(!is_half_open || circuit_.in_flight == permits, "places and permits differ");
    expect(shown.epoch == circuit_.epoch, "the epoch of the snapshot");
    expect(!circuit_.measures() || shown.consecutive_failures == circuit_.failures,
           "the failures of the snapshot");
    expect(!is_half_open || shown.probes_in_flight == circuit_.in_flight, "the probes of the snapshot");
    expect(shown.late_results == late_, "the total of late results");
    expect(shown.failed_results == failed_, "the total of failures");
    expect(shown.rejections == refused_, "the total of refused calls");
  }

  [[nodiscard]] const specification::circuit& circuit() const { return circuit_; }

 private:
  /// What a thread does.
  struct present {
    static constexpr std::size_t most = 16;

    specification::operation does = specification::operation::acquire;
    std::uint64_t epoch = 0;
    brownout::duration since{};  // it has not read the clock before
    bool changed = false;
    std::size_t count = 0;
    std::array<specification::circuit, most> seen{};  // the latest; after a change only that

    void add(const specification::circuit& one) {
      if (count > 0 && seen[(count - 1) % most] == one) return;
      seen[count++ % most] = one;
    }
  };
  /// When the era began, or its latest call was admitted, as far as it is known from outside.
  struct beginning {
    brownout::duration from{};
    std::optional<brownout::duration> until{};  // known once the operation that made it has ended
    std::size_t by = 0;
  };

  [[nodiscard]] std::size_t number() const {
    return (std::min)(threads_.thread(), brownout::schedule::most_threads);
  }
  [[nodiscard]] present& mine() { return all_[number()]; }

  void settle() {
    if (!begun_.until && begun_.by == number()) begun_.until = now_;
  }

  [[nodiscard]] bool may_refuse(const specification::circuit& seen, brownout::rejection told) {
    using enum specification::state;
    using brownout::rejection_reason;
    const auto& own = mine();
    if (seen.state == forced_open) {
      return told.reason == rejection_reason::forced_open &&
             told.retry_after == brownout::rejection::unknown && !own.changed;
    }
    auto length = lengths_.open_for;
    if (seen.state == open) {
      if (told.reason != rejection_reason::circuit_open || own.changed) return false;
    } else if (seen.is_half_open()) {
      const auto reason =
          seen.state == ramp ? rejection_reason::recovering : rejection_reason::probes_in_flight;
      if (told.reason != reason || seen.in_flight < by_.limit(seen)) return false;
      if (seen.succeeded > 0 && seen.state == ramp) return false;  // a refusal ends the streak
      if (own.changed && seen.state != ramp) return false;
      length = lengths_.lease;
    } else {
      return false;
    }
    if (told.retry_after <= brownout::duration::zero() || told.retry_after > length) return false;
    if (seen != circuit_ || own.changed) return true;
    // The clock was not read after now, and the moment is no earlier than its operation.
    if (now_ + told.retry_after < begun_.from + length) return false;
    // The clock was not read before the operation began, and the moment was fixed when its own ended.
    return !begun_.until || own.since + told.retry_after <= *begun_.until + length;
  }

  [[nodiscard]] bool may_end(const specification::circuit& seen, brownout::disposition told) {
    using brownout::disposition;
    using specification::operation;
    const auto& own = mine();
    if (own.changed) {
      return told == (own.does == operation::give_back ? disposition::released : disposition::counted);
    }
    const bool is_current = own.epoch == seen.epoch;
    if (own.does == operation::give_back) {
      return told == disposition::released && !(is_current && seen.is_half_open());
    }
    if (!is_current) return told == disposition::late;
    if (seen.state == specification::state::disabled) return told == disposition::released;
    return told == disposition::counted && own.does == operation::success && seen.measures() &&
           seen.failures == 0;
  }

  void check_change(const present& own, const specification::circuit& next) {
    using specification::operation;
    if (own.changed) return fail("two changes by one operation");
    const bool is_result =
        own.does == operation::success || own.does == operation::failure || own.does == operation::give_back;
    if (is_result && own.epoch != circuit_.epoch)
      return fail("a result of another epoch changes the circuit");
    const auto length = circuit_.state == specification::state::open ? lengths_.open_for : lengths_.lease;
    const bool may_be_over = now_ >= begun_.from + length;
    const bool may_begin = circuit_.flag || now_ >= begun_.from + lengths_.relapse_within;
    const bool may_not_begin =
        !circuit_.flag && (!begun_.until || own.since < *begun_.until + lengths_.relapse_within);
    for (const bool is_over : {false, true}) {
      for (const bool begins : {false, true}) {
        if ((is_over && !may_be_over) || !(begins ? may_begin : may_not_begin)) continue;
        if (specification::after(circuit_, own.does, by_, {is_over, begins}) == next) return;
      }
    }
    fail("it must not become " + next.text());
  }

  /// The operation ends with an answer that `allows` a word which it saw.
  template <class Allows>
  void fits(Allows allows, std::string_view what) {
    const auto& own = mine();
    for (std::size_t i = 0; i < (std::min)(own.count, present::most); ++i) {
      if (allows(own.seen[i])) return;
    }
    fail(what);
  }

  void expect(bool holds, std::string_view what) {
    if (!holds) fail(what);
  }
  void fail(std::string_view what) {
    if (threads_.failed()) return;
    static constexpr const char* names[] = {"acquire", "success",      "failure", "give_back", "force_open",
                                            "disable", "measure_only", "reset",   "trip"};
    const auto& own = mine();
    auto text = std::string{what} + ": " + names[static_cast<int>(own.does)] +
                (own.changed ? " has changed it" : " has not changed it") + ", the circuit is " +
                circuit_.text();
    for (std::size_t i = 0; i < (std::min)(own.count, present::most); ++i) {
      text += "; it saw " + own.seen[i].text();
    }
    threads_.expect(false, text);
  }

  brownout::schedule& threads_;
  const void* control_;
  specification::rules by_;
  times lengths_;
  brownout::duration now_{};
  std::uint64_t word_ = 0;
  specification::circuit circuit_{};
  beginning begun_{.from = {}, .until = brownout::duration{}, .by = 0};
  std::array<present, brownout::schedule::most_threads + 1> all_{};
  std::uint32_t refused_ = 0;
  std::uint32_t late_ = 0;
  std::uint32_t failed_ = 0;
};
