// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

/// What a circuit breaker with `consecutive_failures` may do, written apart from its code and for one thread.
///
/// Why not the specification of the unit tests (tests/unit/breaker/specification.hpp): it knows each moment
/// and begins with a new breaker. This one begins with any word, and says what may follow while the time is
/// not known.
namespace specification {

enum class state : std::uint8_t { closed, probing, open, forced_open, disabled, metrics_only, ramp };

/// A circuit, as its control word shows it.
struct circuit {
  specification::state state = state::closed;
  std::uint64_t epoch = 0;
  /// Closed or held: an operator has begun it. Open: an outage begins.
  bool flag = false;
  std::uint32_t failures = 0;    // in a row; closed and metrics_only
  std::uint32_t admissions = 0;  // probing: modulo 128; on the ramp: modulo 16
  std::uint32_t succeeded = 0;   // half-open
  std::uint32_t limit = 0;       // on the ramp
  std::uint32_t in_flight = 0;   // half-open

  friend bool operator==(const circuit&, const circuit&) = default;

  /// By the layout that control_word.hpp documents. None if the word has something that no circuit has.
  static std::optional<circuit> of(std::uint64_t word) {
    const auto bits = [word](int from, int count) {
      return static_cast<std::uint32_t>(word >> from & ((std::uint64_t{1} << count) - 1));
    };
    if (bits(61, 3) > 6) return std::nullopt;
    circuit seen{.state = static_cast<specification::state>(bits(61, 3)), .epoch = word << 3 >> 27};
    switch (seen.state) {
      case state::closed:
      case state::metrics_only:
        seen.flag = bits(23, 1) != 0;
        seen.failures = bits(0, 23);
        break;
      case state::probing:
        if (bits(23, 1) != 0) return std::nullopt;  // no rate decides here
        seen.admissions = bits(16, 7);
        seen.succeeded = bits(8, 8);
        seen.in_flight = bits(0, 8);
        break;
      case state::ramp:
        seen.admissions = bits(20, 4);
        seen.succeeded = bits(16, 4);
        seen.limit = bits(8, 8);
        seen.in_flight = bits(0, 8);
        break;
      case state::open:
      case state::forced_open:
      case state::disabled:
        seen.flag = bits(23, 1) != 0;
        if (bits(0, 23) != 0) return std::nullopt;  // no refusals to count, no wait, held for ever
        break;
    }
    return seen;
  }

  [[nodiscard]] bool is_half_open() const { return state == state::probing || state == state::ramp; }
  [[nodiscard]] bool measures() const { return state == state::closed || state == state::metrics_only; }

  [[nodiscard]] std::string text() const {
    static constexpr const char* names[] = {"closed",   "probing",      "open", "forced_open",
                                            "disabled", "metrics_only", "ramp"};
    auto all = std::string{names[static_cast<int>(state)]} + " in epoch " + std::to_string(epoch);
    if (flag) all += ", flag";
    if (measures()) all += ", failures " + std::to_string(failures);
    if (is_half_open()) {
      all += ", admissions " + std::to_string(admissions) + ", succeeded " + std::to_string(succeeded) +
             ", in flight " + std::to_string(in_flight);
    }
    if (state == state::ramp) all += ", limit " + std::to_string(limit);
    return all;
  }
};

/// The options that matter here, with their defaults filled in.
struct rules {
  std::uint32_t failures = 1;
  std::uint32_t probes = 1;
  std::uint32_t successes = 1;
  std::uint32_t ramp_first = 0;
  std::uint32_t ramp_successes = 1;

  /// How many calls may be in flight on the half-open circuit.
  [[nodiscard]] std::uint32_t limit(const circuit& seen) const {
    if (seen.state == state::ramp) return seen.limit;
    const auto left = successes > seen.succeeded ? successes - seen.succeeded : 1;
    return (std::min)(probes, left);
  }
};

enum class operation : std::uint8_t {
  acquire,
  success,
  failure,
  give_back,  // ignored, cancelled or dropped
  force_open,
  disable,
  measure_only,
  reset,
  trip,
};

/// What depends on the time, and what the one who knows it says.
struct timing {
  bool is_over = false;        // the open period; half-open, the lease of the calls in flight
  bool begins_outage = false;  // the circuit has been closed for long enough, or an operator has closed it
};

namespace detail {

inline circuit next(const circuit& seen, specification::state to, bool flag = false) {
  return {.state = to, .epoch = seen.epoch + 1, .flag = flag};
}

inline circuit with_first_probe(const circuit& seen) {
  auto after = next(seen, state::probing);
  after.admissions = after.in_flight = 1;
  return after;
}

inline std::optional<circuit> after_acquire(const circuit& seen, const rules& by, bool is_over) {
  if (seen.state == state::open) return is_over ? std::optional{with_first_probe(seen)} : std::nullopt;
  if (!seen.is_half_open()) return std::nullopt;
  auto after = seen;
  if (seen.in_flight < by.limit(seen)) {
    after.admissions = (seen.admissions + 1) % (seen.state == state::ramp ? 16 : 128);
    ++after.in_flight;
    return after;
  }
  if (is_over) return with_first_probe(seen);  // its calls are lost
  // Refused on the ramp: the streak begins again.
  if (seen.state != state::ramp || seen.succeeded == 0) return std::nullopt;
  after.succeeded = 0;
  return after;
}

inline circuit after_success(const circuit& seen, const rules& by) {
  auto after = seen;
  if (seen.measures()) {
    after.failures = 0;
  } else if (seen.state == state::ramp) {
    --after.in_flight;
    ++after.succeeded;
    ++after.limit;
    if (after.succeeded >= by.ramp_successes) after = next(seen, state::closed);
  } else {
    --after.in_flight;
    ++after.succeeded;
    if (after.succeeded >= by.successes) {
      after = next(seen, by.ramp_first > 0 ? state::ramp : state::closed);
      after.limit = by.ramp_first;
    }
  }
  return after;
}

inline circuit after_failure(const circuit& seen, const rules& by, bool begins_outage) {
  auto after = seen;
  switch (seen.state) {
    case state::closed:
      ++after.failures;
      return after.failures >= by.failures ? next(seen, state::open, begins_outage) : after;
    case state::metrics_only:
      ++after.failures;
      return after;
    case state::ramp:
      if (seen.limit == 1) return next(seen, state::open);
      --after.in_flight;
      --after.limit;
      after.succeeded = 0;
      return after;
    default:
      return next(seen, state::open);
  }
}

}  // namespace detail

/// What `does` makes of the circuit. None: it must not change it. The caller knows that a result is one of
/// this era.
inline std::optional<circuit> after(const circuit& seen, operation does, const rules& by, timing at) {
  switch (does) {
    case operation::acquire:
      return detail::after_acquire(seen, by, at.is_over);
    case operation::success:
      return detail::after_success(seen, by);
    case operation::failure:
      return detail::after_failure(seen, by, at.begins_outage);
    case operation::give_back: {
      auto given = seen;
      if (!seen.is_half_open()) return std::nullopt;
      --given.in_flight;
      return given;
    }
    case operation::force_open:
      return detail::next(seen, state::forced_open, true);
    case operation::disable:
      return detail::next(seen, state::disabled, true);
    case operation::measure_only:
      return detail::next(seen, state::metrics_only, true);
    case operation::reset:
      return detail::next(seen, state::closed, true);
    case operation::trip:
      if (seen.state != state::closed) return std::nullopt;
      return detail::next(seen, state::open, at.begins_outage);
  }
  return std::nullopt;
}

}  // namespace specification
