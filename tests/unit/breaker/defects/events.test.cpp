// SPDX-License-Identifier: BSL-1.0
#include "unit/breaker/defects/breakers.hpp"
#include "unit/interrupted_atomics.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace breaker_test;

// 6: gobreaker#37, #119 (ran), failsafe-go (ran).
namespace {

using state_listener = std::function<void(circuit_state)>;

struct would_deadlock {};

/// A mutex of one thread, which says so instead of waiting for itself.
class noticing_mutex {
 public:
  void lock() {
    if (std::exchange(held_, true)) throw would_deadlock{};
  }
  void unlock() { held_ = false; }

 private:
  bool held_ = false;
};

/// What the twins have in common: an operator's transitions, and listeners.
class heard_twin {
 public:
  virtual ~heard_twin() = default;

  void listen(state_listener listener) { listeners_.push_back(std::move(listener)); }
  void force_open() { enter(circuit_state::forced_open); }
  void reset() { enter(circuit_state::closed); }
  [[nodiscard]] circuit_state state() {
    const std::lock_guard guard{mutex_};
    return state_;
  }

 protected:
  virtual void enter(circuit_state next) = 0;
  void tell(circuit_state next) const {
    for (const auto& each : listeners_) each(next);
  }

  noticing_mutex mutex_;
  circuit_state state_ = circuit_state::closed;
  std::vector<state_listener> listeners_;
};

/// gobreaker.
class tells_under_its_lock : public heard_twin {
  void enter(circuit_state next) override {
    const std::lock_guard guard{mutex_};
    state_ = next;
    tell(next);
  }
};

/// The naive remedy; like failsafe-go it lets through what a listener throws.
class tells_after_unlocking : public heard_twin {
  void enter(circuit_state next) override {
    {
      const std::lock_guard guard{mutex_};
      state_ = next;
    }
    tell(next);
  }
};

class tells_in_order : public heard_twin {
  void enter(circuit_state next) override {
    {
      const std::lock_guard guard{mutex_};
      state_ = next;
      untold_.push_back(next);
      if (std::exchange(telling_, true)) return;
    }
    for (; !untold_.empty(); untold_.pop_front()) {
      for (const auto& each : listeners_) {
        try {
          each(untold_.front());
        } catch (const std::runtime_error&) {
          ++failures_;
        }
      }
    }
    telling_ = false;
  }

  std::deque<circuit_state> untold_;
  bool telling_ = false;
  int failures_ = 0;
};

/// The naive remedy once more, without a lock: between the transition and its announcement there is room.
class tells_after_exchange {
 public:
  void listen(state_listener listener) {
    listener_ = std::move(listener);
    announced_by_.store(&listener_, std::memory_order_relaxed);
  }
  void force_open() { enter(circuit_state::forced_open); }
  void reset() { enter(circuit_state::closed); }
  [[nodiscard]] circuit_state state() const { return state_.load(std::memory_order_relaxed); }

 private:
  void enter(circuit_state next) {
    state_.store(next, std::memory_order_relaxed);
    (*announced_by_.load(std::memory_order_relaxed))(next);
  }

  interrupted_atomics::atomic<circuit_state> state_{circuit_state::closed};
  interrupted_atomics::atomic<state_listener*> announced_by_{nullptr};
  state_listener listener_;
};

template <class Atomics = brownout::std_atomics>
struct ours_heard : ours<consecutive_failures, Atomics> {
  void listen(state_listener listener) {
    kept.push_back(this->circuit.subscribe(
        [told = std::move(listener)](const brownout::transition_event& event) { told(event.to); },
        brownout::announcements::every_transition));
  }
  void force_open() { this->circuit.force_open(); }
  [[nodiscard]] circuit_state state() const { return this->circuit.snapshot().state; }

  std::vector<brownout::subscription> kept;
};

/// What a listener sees that asks its breaker for the state; nothing when it would wait for itself.
template <class Subject>
std::optional<circuit_state> state_seen_by_listener() {
  Subject subject;
  std::optional<circuit_state> seen;
  subject.listen([&](circuit_state) { seen = subject.state(); });
  try {
    subject.force_open();
  } catch (const would_deadlock&) {
    return std::nullopt;
  }
  return seen;
}

template <class Subject>
void force_open_with_listener_that_throws() {
  Subject subject;
  subject.listen([](circuit_state) { throw std::runtime_error{"the listener's"}; });
  subject.force_open();
}

/// Whether the last that a listener hears is how the circuit is, when the listener before it closes the
/// circuit.
template <class Subject>
bool last_heard_is_true_when_a_listener_resets() {
  Subject subject;
  std::vector<circuit_state> heard;
  subject.listen([&](circuit_state now) {
    if (now == circuit_state::forced_open) subject.reset();
  });
  subject.listen([&](circuit_state now) { heard.push_back(now); });
  subject.force_open();
  REQUIRE(heard.size() == 2);
  return heard.back() == subject.state();
}

/// The same when another thread closes the circuit, wherever it comes in between.
template <class Subject>
bool last_heard_is_true_when_another_resets() {
  for (int access = 0;; ++access) {
    REQUIRE(access < 1000);
    Subject subject;
    std::vector<circuit_state> heard;
    subject.listen([&](circuit_state now) { heard.push_back(now); });
    interruption::action = [&] { subject.reset(); };
    interruption::accesses_left = access;
    subject.force_open();
    interruption::accesses_left = -1;
    if (std::exchange(interruption::action, nullptr)) return true;
    REQUIRE(heard.size() == 2);
    if (heard.back() != subject.state()) return false;
  }
}

}  // namespace

TEST_CASE("a listener may ask its breaker, may throw, and hears the truth last", "[breaker][defect-6][B10]") {
  SECTION("it may call back in") {
    CHECK(state_seen_by_listener<ours_heard<>>() == circuit_state::forced_open);
    CHECK(state_seen_by_listener<tells_in_order>() == circuit_state::forced_open);

    CHECK(state_seen_by_listener<tells_under_its_lock>() == std::nullopt);
  }
  SECTION("what it throws does not reach whoever caused the transition") {
    CHECK_NOTHROW(force_open_with_listener_that_throws<ours_heard<>>());
    CHECK_NOTHROW(force_open_with_listener_that_throws<tells_in_order>());

    CHECK_THROWS_AS(force_open_with_listener_that_throws<tells_under_its_lock>(), std::runtime_error);
    CHECK_THROWS_AS(force_open_with_listener_that_throws<tells_after_unlocking>(), std::runtime_error);
  }
  SECTION("transitions caused by a listener are heard in order") {
    CHECK(last_heard_is_true_when_a_listener_resets<ours_heard<>>());
    CHECK(last_heard_is_true_when_a_listener_resets<tells_in_order>());

    CHECK_FALSE(last_heard_is_true_when_a_listener_resets<tells_after_unlocking>());
  }
  SECTION("transitions caused by another thread are heard in order") {
    CHECK(last_heard_is_true_when_another_resets<ours_heard<interrupted_atomics>>());

    CHECK_FALSE(last_heard_is_true_when_another_resets<tells_after_exchange>());
  }
}
