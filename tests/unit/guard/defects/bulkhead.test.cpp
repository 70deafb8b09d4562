// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/bulkhead.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/detector/consecutive_failures.hpp"
#include "catch2.hpp"
#include "unit/interrupted_atomics.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

using breaker_test::interrupted_atomics;
using breaker_test::interruption;
using brownout::bulkhead;
using brownout::call_context;
using brownout::result;

namespace {

/// A bulkhead of the form that the twins below have.
class ours {
 public:
  explicit ours(std::uint32_t limit) : places_{{.limit = limit}} {}
  std::optional<bulkhead<interrupted_atomics>::permit> acquire() {
    auto admitted = places_.try_acquire();
    if (!admitted) return std::nullopt;
    return *std::move(admitted);
  }

 private:
  bulkhead<interrupted_atomics> places_;
};

/// Counts the caller first, and takes that back when the limit is exceeded.
class added_first {
 public:
  struct permit {
    added_first* from;
    void release() { from->in_flight_.fetch_sub(1, std::memory_order_release); }
  };

  explicit added_first(std::uint32_t limit) : limit_{limit} {}
  std::optional<permit> acquire() {
    if (in_flight_.fetch_add(1, std::memory_order_acquire) >= limit_) {
      in_flight_.fetch_sub(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    return permit{this};
  }

 private:
  interrupted_atomics::atomic<std::uint32_t> in_flight_{0};
  std::uint32_t limit_;
};

/// Whether a caller is refused although one place is free, at some moment of the refusal of another caller.
template <class Bulkhead>
bool is_refused_beside_a_free_place() {
  for (int n = 0; n < 4; ++n) {
    Bulkhead places{1};
    auto held = places.acquire();
    bool refused = false;
    interruption::action = [&] {
      held->release();
      auto next = places.acquire();
      refused = !next.has_value();
      if (next) next->release();
    };
    interruption::accesses_left = n;
    static_cast<void>(places.acquire());
    const bool was_interrupted = interruption::accesses_left < 0;
    interruption::accesses_left = -1;
    if (was_interrupted && refused) return true;
    if (!was_interrupted) held->release();
  }
  return false;
}

}  // namespace

TEST_CASE("a refused caller does not take the place of another one for a moment",
          "[guard][bulkhead][defect-13][U1]") {
  CHECK_FALSE(is_refused_beside_a_free_place<ours>());
  CHECK(is_refused_beside_a_free_place<added_first>());
}

namespace {

/// Admits as long as the count is not above the limit.
class compares_too_late {
 public:
  explicit compares_too_late(std::uint32_t limit) : limit_{limit} {}
  std::optional<int> acquire() {
    if (in_flight_ > limit_) return std::nullopt;
    ++in_flight_;
    return 1;
  }

 private:
  std::uint32_t in_flight_ = 0;
  std::uint32_t limit_;
};

template <class Bulkhead>
std::uint32_t admitted_by_limit_of(std::uint32_t limit) {
  Bulkhead places{limit};
  std::vector<decltype(places.acquire())> held;
  while (held.empty() || held.back()) held.push_back(places.acquire());
  return static_cast<std::uint32_t>(held.size() - 1);
}

}  // namespace

TEST_CASE("a limit of 100 calls admits 100, not 101", "[guard][bulkhead][defect-14][U1]") {
  CHECK(admitted_by_limit_of<ours>(100) == 100);
  CHECK(admitted_by_limit_of<compares_too_late>(100) == 101);
}

namespace {

/// The place is given back by whoever notices the end of the call: its time-out and its end, both.
class given_back_by_hand {
 public:
  struct permit {
    given_back_by_hand* from;
    void release() { --from->in_flight_; }
  };

  explicit given_back_by_hand(std::uint32_t limit) : limit_{limit} {}
  std::optional<permit> acquire() {
    if (in_flight_ >= static_cast<std::int64_t>(limit_)) return std::nullopt;
    ++in_flight_;
    return permit{this};
  }

 private:
  std::int64_t in_flight_ = 0;
  std::uint32_t limit_;
};

/// How many of 10 calls get a place of one, if each is released twice and none of them has ended.
template <class Bulkhead>
std::uint32_t admitted_after_double_releases() {
  Bulkhead places{1};
  for (int i = 0; i < 3; ++i) {
    auto held = places.acquire();
    held->release();
    held->release();
  }
  std::vector<decltype(places.acquire())> held;
  std::uint32_t admitted = 0;
  for (int i = 0; i < 10; ++i) {
    held.push_back(places.acquire());
    if (held.back()) ++admitted;
  }
  return admitted;
}

/// How many calls get a place of one, one after the other, if each is cancelled: its permit is dropped.
template <class Bulkhead>
std::uint32_t admitted_after_cancellations() {
  Bulkhead places{1};
  std::uint32_t admitted = 0;
  for (int i = 0; i < 10; ++i) {
    if (const auto dropped = places.acquire()) ++admitted;
  }
  return admitted;
}

}  // namespace

TEST_CASE("a place is given back once, and also by a call that is cancelled",
          "[guard][bulkhead][defect-15][U2]") {
  CHECK(admitted_after_double_releases<ours>() == 1);
  CHECK(admitted_after_cancellations<ours>() == 10);

  CHECK(admitted_after_double_releases<given_back_by_hand>() == 4);
  CHECK(admitted_after_cancellations<given_back_by_hand>() == 1);
}

namespace {

/// Takes 0 for "no limit".
class zero_is_unlimited {
 public:
  explicit zero_is_unlimited(std::uint32_t limit) : limit_{limit} {}
  std::optional<int> acquire() {
    if (limit_ != 0 && in_flight_ >= limit_) return std::nullopt;
    ++in_flight_;
    return 1;
  }

 private:
  std::uint32_t in_flight_ = 0;
  std::uint32_t limit_;
};

}  // namespace

TEST_CASE("a limit of 0 admits no call", "[guard][bulkhead][defect-16][U3]") {
  CHECK_FALSE(ours{0}.acquire());
  CHECK(zero_is_unlimited{0}.acquire());
}

namespace {

/// Whether three calls that a full bulkhead refuses open the circuit breaker outside it.
template <class Call>
bool opens_breaker(Call call) {
  bulkhead places{{.limit = 0}};
  brownout::circuit_breaker circuit{brownout::consecutive_failures{3}};
  for (int i = 0; i < 3; ++i) {
    try {
      static_cast<void>(circuit.try_call([&] { return call(places); }));
    } catch (const std::runtime_error&) {
      continue;  // the twin's refusal
    }
  }
  return circuit.observed_state() == brownout::circuit_state::open;
}

}  // namespace

TEST_CASE("calls that a full bulkhead refuses do not open the circuit outside it",
          "[guard][bulkhead][defect-17]") {
  CHECK_FALSE(opens_breaker([](bulkhead<>& places) {
    return places.around<int>(call_context{}, [](const call_context&) -> result<int> { return 1; });
  }));
  CHECK(opens_breaker([](bulkhead<>& places) -> int {
    if (!places.try_acquire()) throw std::runtime_error{"bulkhead full"};
    return 1;
  }));
}
