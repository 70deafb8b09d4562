// SPDX-License-Identifier: BSL-1.0

// The counts of detectors, against a list of all calls: calls of any epochs at any times.

#include "target.hpp"

#include "brownout/core/atomics.hpp"
#include "brownout/detector/count_window.hpp"
#include "brownout/detector/detail/failure_times.hpp"
#include "brownout/detector/standard_detector.hpp"
#include "brownout/detector/time_window.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace fuzz;
using brownout::duration;
using brownout::std_atomics;
using brownout::detail::window_counts;

struct call {
  bool bad = false;
  duration ended{};
};

/// The calls of the latest epoch that had one, in the order in which they came.
class all_calls {
 public:
  /// False if a later epoch has begun.
  bool add(std::uint64_t epoch, call one) {
    if (epoch < epoch_) return false;
    if (epoch > epoch_) calls_.clear();
    epoch_ = epoch;
    calls_.push_back(one);
    return true;
  }
  [[nodiscard]] std::vector<call> of(std::uint64_t epoch) const {
    return epoch == epoch_ ? calls_ : std::vector<call>{};
  }

 private:
  std::uint64_t epoch_ = 0;
  std::vector<call> calls_;
};

/// Calls that come one after another. Some are late: their epoch is over.
class sequence {
 public:
  explicit sequence(choices& from) : from_{from} {}

  /// `record` and `read` get an epoch, and a call or a time.
  template <class Record, class Read>
  void run(duration step, Record record, Read read) {
    for (int i = 0; i < 600 && from_.left(); ++i) {
      const auto choice = from_.below(16);
      if (choice == 0) {
        epoch_ += from_.one_in(4) ? from_.between<std::uint64_t>(1, 5) : 1;
        from_.note("epoch {}", epoch_);
      } else if (choice < 4) {
        now_ += from_.one_in(2) ? step * from_.between(0, 25) : from_.time(10 * step);
        from_.note("{} us", now_ / 1us);
      } else if (choice < 14) {
        const auto epoch = epoch_ - (from_.one_in(12) ? std::min<std::uint64_t>(epoch_, from_.below(4)) : 0);
        const call one{choice < 9, now_};
        from_.note("a {} call of epoch {}", one.bad ? "bad" : "good", epoch);
        record(epoch, one);
      } else {
        read(epoch_, now_);
      }
    }
    read(epoch_, now_);
  }

 private:
  choices& from_;
  std::uint64_t epoch_ = 0;
  duration now_{};
};

void require_counts(window_counts seen, window_counts expected) {
  require_same(seen.calls, expected.calls, "the calls");
  require_same(seen.bad, expected.bad, "the bad calls");
}

void latest_calls(choices& from) {
  const brownout::count_window window{from.one_in(2) ? 1 + from.below(60) : 1 + from.below(1000)};
  from.note("the latest {} calls", window.size);
  brownout::detail::count_history<std_atomics> real{window};
  all_calls plain;
  const auto counted = [&](std::uint64_t epoch) {
    window_counts counts;
    const auto calls = plain.of(epoch);
    for (auto one = calls.rbegin(); one != calls.rend() && counts.calls < window.size; ++one) {
      ++counts.calls;
      if (one->bad) ++counts.bad;
    }
    return counts;
  };
  sequence{from}.run(
      1ms,
      [&](std::uint64_t epoch, const call& one) {
        const auto seen = real.record(epoch, one.bad, one.ended);
        const bool counts = plain.add(epoch, one);
        // The reading at a good call may be empty.
        if (one.bad || seen != window_counts{})
          require_counts(seen, counts ? counted(epoch) : window_counts{});
      },
      [&](std::uint64_t epoch, duration now) { require_counts(real.read(epoch, now), counted(epoch)); });
}

void calls_in_time(choices& from) {
  const auto tenth = from.time(from.one_in(4) ? duration{6min} : duration{100ms}) + 10ms;
  const brownout::time_window window{10 * tenth};
  from.note("the calls of ten times {} us", tenth / 1us);
  brownout::detail::time_history<std_atomics> real{window};
  all_calls plain;
  const auto counted = [&](std::uint64_t epoch, duration now) {
    window_counts counts;
    for (const auto& one : plain.of(epoch)) {
      if (now / tenth - one.ended / tenth >= 10) continue;
      ++counts.calls;
      if (one.bad) ++counts.bad;
    }
    return counts;
  };
  sequence{from}.run(
      tenth,
      [&](std::uint64_t epoch, const call& one) {
        const auto seen = real.record(epoch, one.bad, one.ended);
        const bool counts = plain.add(epoch, one);
        require_counts(seen, one.bad && counts ? counted(epoch, one.ended) : window_counts{});
      },
      [&](std::uint64_t epoch, duration now) { require_counts(real.read(epoch, now), counted(epoch, now)); });
}

void failures_in_time(choices& from) {
  const auto latest = 1 + from.below(64);
  const auto period = from.time(1s) + 1ms;
  from.note("the latest {} failures within {} us", latest, period / 1us);
  brownout::detail::failure_times<std_atomics> real{latest};
  all_calls plain;
  const auto counted = [&](std::uint64_t epoch, duration now) {
    std::uint32_t count = 0;
    for (const auto& one : plain.of(epoch)) count += now - one.ended < period ? 1 : 0;
    return count;
  };
  // Beyond `latest` it may count fewer, and never more.
  const auto compare = [&](std::uint32_t seen, std::uint32_t expected) {
    require_same(std::min(seen, latest), std::min(expected, latest), "the failures");
    require(seen <= expected, "{} failures, and there were only {}", seen, expected);
  };
  sequence{from}.run(
      period / 4 + 1us,
      [&](std::uint64_t epoch, const call& one) {
        const auto seen = real.record(epoch, one.ended, period);
        compare(seen, plain.add(epoch, one) ? counted(epoch, one.ended) : 0);
      },
      [&](std::uint64_t epoch, duration now) {
        compare(real.read(epoch, now, period), counted(epoch, now));
      });
}

/// What a standard detector needs to trip. It counts time in ticks of 8.4 ms, and the counts of a burst are
/// limited, so it may trip a little later than this.
class standard_rules {
 public:
  void add(call one) {
    if (!one.bad) {
      streak_.clear();
      balance_ = std::max(balance_ - 1, 0);
      return;
    }
    if (balance_ == 0) began_ = one.ended;
    ++balance_;
    streak_.push_back(one.ended);
  }
  [[nodiscard]] bool may_trip_by_streak() const {
    const auto span = streak_.back() - streak_.front();
    // A burst of 15 and more counts from its first failure, whatever came between.
    return (streak_.size() >= 10 && span >= 50ms) || (streak_.size() >= 5 && span >= 998ms) ||
           (streak_.size() >= 15 && streak_.back() - began_ >= 50ms);
  }
  [[nodiscard]] bool may_trip_by_balance() const { return balance_ >= 30 && streak_.back() - began_ >= 50ms; }
  /// The streak has ten failures, and spanned 50 ms twice: before and after one that told it so.
  [[nodiscard]] bool must_trip() const {
    if (streak_.size() < 10 || streak_.back() - began_ > 30s) return false;  // its time wraps after 34 s
    const auto spanned = std::find_if(streak_.begin(), streak_.end(),
                                      [&](duration ended) { return ended - streak_.front() >= 59ms; });
    return spanned != streak_.end() && streak_.back() - *spanned >= 59ms;
  }

 private:
  std::vector<duration> streak_;
  int balance_ = 0;
  duration began_{};
};

void standard_detector(choices& from) {
  const brownout::standard_detector real;
  constexpr std::uint32_t most_marks = (1U << 23) - 2;
  std::uint32_t marks = 0;
  standard_rules plain;
  duration now{};
  for (int i = 0; i < 600 && from.left(); ++i) {
    if (from.one_in(3)) now += from.time(from.one_in(6) ? duration{2s} : duration{30ms});
    const call one{!from.one_in(8), now};
    from.note("a {} call at {} us", one.bad ? "bad" : "good", now / 1us);
    const auto seen = real.judge({}, marks, {.failed = one.bad, .ended = now}, most_marks);
    plain.add(one);
    require(seen.marks <= most_marks, "the marks are {}", seen.marks);
    if (!one.bad) {
      require(!seen.trips, "a good call trips");
    } else if (seen.trips) {
      const bool by_streak = seen.cause == brownout::transition_cause::consecutive_failures;
      require(by_streak ? plain.may_trip_by_streak() : plain.may_trip_by_balance(), "it trips by its {}",
              by_streak ? "streak" : "balance");
      return;
    } else {
      require(!plain.must_trip(), "it does not trip");
    }
    marks = seen.marks;
  }
}

}  // namespace

void fuzz::one_input(choices& from) {
  switch (from.below(4)) {
    case 0:
      return latest_calls(from);
    case 1:
      return calls_in_time(from);
    case 2:
      return failures_in_time(from);
    default:
      return standard_detector(from);
  }
}
