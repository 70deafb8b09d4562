// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "unit/breaker/bench.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// The defects of the field, each a scenario that is run on three breakers: on ours and on a right twin, where
// it must not find the defect, and on a wrong twin, where it must. The wrong twin differs from the right one
// in nothing but the way that a peer does it, so the scenario finds that and nothing else.

namespace breaker_test {

/// What the breakers of a scenario agree on, besides that they open after three failures in a row.
struct terms {
  duration open_for = 5s;
  std::uint32_t probes = 2;  // all of which must succeed
  duration lease = 2s;
};
inline constexpr terms one_probe{.probes = 1};

/// Our breaker, as the scenarios ask it.
template <class Detector = consecutive_failures, class Atomics = brownout::std_atomics>
struct ours {
  using breaker = brownout::circuit_breaker<Detector, manual_clock, Atomics>;
  using call = typename breaker::permit;

  static breaker_options options(const terms& agreed) {
    return bench::plain({.open_for = agreed.open_for, .probes = agreed.probes, .lease = agreed.lease});
  }

  explicit ours(const terms& agreed = {}, Detector detector = {3}, const manual_clock& time = manual_clock{})
      : ours{options(agreed), detector, time} {}
  explicit ours(breaker_options given, Detector detector = {3}, const manual_clock& time = manual_clock{})
      : clock{time}, circuit{detector, std::move(given), time} {}

  std::optional<call> acquire() {
    auto admitted = circuit.try_acquire();
    return admitted ? std::optional<call>{*std::move(admitted)} : std::nullopt;
  }
  [[nodiscard]] circuit_state state() const { return circuit.observed_state(); }
  void reset() { circuit.reset(); }

  manual_clock clock;
  breaker circuit;
};

/// A breaker for one thread, with plain fields and none of the defects.
class right_twin {
 public:
  struct call {
    right_twin* twin;
    std::uint64_t era;
    bool settled = false;

    disposition complete(outcome result) { return twin->report(*this, result); }
  };

  explicit right_twin(const terms& agreed = {}, const manual_clock& time = manual_clock{})
      : clock{time}, agreed_{agreed} {}
  right_twin(const right_twin&) = delete;
  right_twin& operator=(const right_twin&) = delete;
  virtual ~right_twin() = default;

  virtual std::optional<call> acquire() {
    const auto passed = clock.now() - since_;
    if (state_ == circuit_state::open && passed >= agreed_.open_for) enter(circuit_state::half_open);
    if (state_ == circuit_state::half_open && places_ == 0 && passed >= agreed_.lease) enter(state_);
    const bool probes = state_ == circuit_state::half_open;
    if (state_ == circuit_state::open || (probes && places_ == 0)) return std::nullopt;
    if (probes) --places_, since_ = clock.now();
    return call{this, era_};
  }
  [[nodiscard]] circuit_state state() const { return state_; }
  virtual void reset() { enter(circuit_state::closed); }

  manual_clock clock;

 protected:
  virtual disposition report(call& ended, outcome result) {
    if (std::exchange(ended.settled, true)) return disposition::late;
    if (result == outcome::ignored || result == outcome::cancelled) {
      give_back(ended);
      return disposition::released;
    }
    if (ended.era != era_) return disposition::late;
    const bool probes = state_ == circuit_state::half_open;
    if (result == outcome::failure) {
      if (++failures_ == 3 || probes) enter(circuit_state::open);
    } else {
      failures_ = 0;
      if (probes && ++successes_ == agreed_.probes) enter(circuit_state::closed);
    }
    return disposition::counted;
  }
  virtual void give_back(const call& ended) {
    if (ended.era == era_ && state_ == circuit_state::half_open) ++places_;
  }
  virtual void enter(circuit_state next) {
    state_ = next;
    since_ = clock.now();
    ++era_;
    failures_ = successes_ = 0;
    places_ = agreed_.probes;
  }

  terms agreed_;
  circuit_state state_ = circuit_state::closed;
  time_point since_{};  // half-open: of the latest admission
  std::uint64_t era_ = 0;
  std::uint32_t failures_ = 0;
  std::uint32_t successes_ = 0;
  std::uint32_t places_ = 0;
};

/// A call that must be admitted.
auto admit(auto& subject) {
  auto admitted = subject.acquire();
  REQUIRE(admitted);
  return *std::move(admitted);
}

/// As many calls as are admitted at once, at most 1000.
template <class Subject>
std::vector<typename Subject::call> admit_all(Subject& subject) {
  std::vector<typename Subject::call> all;
  while (all.size() < 1000) {
    auto admitted = subject.acquire();
    if (!admitted) break;
    all.push_back(*std::move(admitted));
  }
  return all;
}

/// How many calls must end like this, one after the other, until the circuit is open; at most `most`.
std::uint32_t calls_until_open(auto& subject, outcome result, std::uint32_t most = 100'000) {
  std::uint32_t calls = 0;
  while (subject.state() != circuit_state::open && calls < most) {
    admit(subject).complete(result);
    ++calls;
  }
  return calls;
}

/// Opens the closed circuit and waits until it may be probed.
void open_and_wait(auto& subject, duration open_for = terms{}.open_for) {
  calls_until_open(subject, outcome::failure, 3);
  REQUIRE(subject.state() == circuit_state::open);
  subject.clock.advance(open_for);
}

/// Until a call is admitted (and dropped again), as the clock goes on in `step`s; nothing when none is within
/// 1000 of them.
std::optional<duration> time_until_admitted(auto& subject, duration step) {
  for (int steps = 0; steps <= 1000; ++steps, subject.clock.advance(step)) {
    if (subject.acquire()) return steps * step;
  }
  return std::nullopt;
}

}  // namespace breaker_test
