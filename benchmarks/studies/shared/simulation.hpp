// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/shared/attempts.hpp"
#include "studies/shared/capacity.hpp"
#include "studies/shared/policy.hpp"
#include "studies/shared/tally.hpp"
#include "studies/shared/traffic.hpp"
#include "studies/shared/warmth.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

namespace studies {

/// The calls that have begun and not ended yet, at most as many as the client has connections.
template <class Permit>
class calls_in_flight {
 public:
  static constexpr std::size_t most = 256;

  struct call {
    std::optional<Permit> permit{};
    bool fails = false;
  };

  calls_in_flight() {
    for (std::size_t i = 0; i < most; ++i) free_[i] = i;
  }

  [[nodiscard]] bool is_full() const { return count_ == most; }
  /// Whether the next one ends until then.
  [[nodiscard]] bool any_ends_until(nanoseconds then) const { return count_ > 0 && ends_[0].at <= then; }
  [[nodiscard]] nanoseconds next_end() const { return ends_[0].at; }

  void begin(nanoseconds ends, call what) {
    const auto place = free_[count_];
    calls_[place] = std::move(what);
    ends_[count_++] = {ends, place};
    std::push_heap(ends_.begin(), heap_end(), std::greater{});
  }
  call end_next() {
    std::pop_heap(ends_.begin(), heap_end(), std::greater{});
    const auto place = ends_[--count_].place;
    free_[count_] = place;
    return std::exchange(calls_[place], {});
  }

 private:
  struct end {
    nanoseconds at{};
    std::size_t place = 0;
    friend auto operator<=>(const end&, const end&) = default;
  };
  auto heap_end() { return ends_.begin() + static_cast<std::ptrdiff_t>(count_); }

  std::size_t count_ = 0;
  std::array<end, most> ends_{};          // a heap, the next one first
  std::array<std::size_t, most> free_{};  // from `count_` on
  std::array<call, most> calls_{};
};

/// Lets `policy` decide about every call and counts its wrong decisions. Allocates only where callers try
/// again.
///
/// A call for which the client has no connection left is not made and not decided about.
template <decision_policy P>
tally simulate(const traffic& all, P& policy) {
  tally counted;
  limited_capacity capacity;
  warmth warm{all};
  attempts next{all};
  calls_in_flight<typename P::permit> running;
  while (const auto tried = next.take()) {
    const auto& wanted = tried->call;
    while (running.any_ends_until(wanted.at)) {
      const auto now = running.next_end();
      auto ended = running.end_next();
      policy.report(*std::move(ended.permit), now, ended.fails);
    }
    const bool while_bad = wanted.while_bad || warm.failures(wanted.at) > 0.5;
    ++(while_bad ? counted.calls_while_bad : counted.calls_while_good);
    if (tried->number == 1) ++counted.requests;
    if (running.is_full()) {
      next.again(*tried, wanted.at);
    } else if (auto permit = policy.admit(wanted.at)) {
      const bool too_much = !capacity.bears(wanted);
      const bool fails = !warm.bears(wanted) || wanted.fails || too_much;
      const auto took = !too_much           ? nanoseconds{wanted.took}
                        : wanted.sheds_load ? fast_failure
                                            : client_timeout;
      counted.failures_let_through += while_bad && fails ? 1 : 0;
      counted.answered += fails ? 0 : 1;
      if (fails) next.again(*tried, wanted.at + took);
      running.begin(wanted.at + took, {std::move(permit), fails});
    } else {
      counted.refused_while_good += while_bad ? 0 : 1;
      next.again(*tried, wanted.at);
    }
  }
  return counted;
}

}  // namespace studies
