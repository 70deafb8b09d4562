// SPDX-License-Identifier: BSL-1.0

// What limits calls in flight (bulkhead, adaptive_limit), each against a plain one.

#include "target.hpp"

#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace fuzz;
using brownout::call_priority;
using brownout::duration;
using brownout::manual_clock;
using brownout::outcome;

template <class Held>
Held take_one(choices& from, std::vector<Held>& all) {
  const auto at = all.begin() + from.below(static_cast<std::uint32_t>(all.size()));
  auto taken = std::move(*at);
  all.erase(at);
  return taken;
}

void bulkhead(choices& from) {
  std::uint32_t limit = from.below(12);
  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;
  brownout::bulkhead<> real{{.limit = limit}};
  std::vector<brownout::bulkhead<>::permit> held;
  from.note("limit {}", limit);
  for (int step = 0; step < 300 && from.left(); ++step) {
    const auto choice = from.below(8);
    if (choice < 4) {
      auto seen = real.try_acquire();
      from.note("try_acquire: {}", static_cast<bool>(seen));
      require_same(static_cast<bool>(seen), held.size() < limit, "whether the call is admitted");
      ++(seen ? admitted : refused);
      if (seen) held.push_back(*std::move(seen));
    } else if (choice < 7 && !held.empty()) {
      auto one = take_one(from, held);
      from.note("release");
      for (auto times = from.below(3); times > 0; --times) one.release();  // and its destructor
    } else {
      limit = from.below(12);
      from.note("limit {}", limit);
      real.reconfigure({.limit = limit});
    }
    const auto seen = real.snapshot();
    require_same(seen.limit, limit, "the limit");
    require_same(std::size_t{seen.in_flight}, held.size(), "the calls in flight");
    require_same(seen.admitted, admitted, "the admitted calls");
    require_same(seen.refused, refused, "the refused calls");
  }
}

/// The limit as its rules have it: all samples of a window are kept.
class plain_limit {
 public:
  struct call {
    std::uint64_t epoch;
    bool is_nearly_full;
    duration began;
    bool has_started = false;
  };

  explicit plain_limit(const brownout::adaptive_limit_options& options)
      : limit{std::clamp(options.first, options.least, options.most)}, options_{options} {}

  /// As many calls of a class may be in flight: its share of the limit, rounded up.
  [[nodiscard]] std::uint32_t places(std::size_t priority) const {
    const auto parts = static_cast<std::uint32_t>(options_.shares.at(priority) * 64);  // see any_options
    return (limit * parts + 63) / 64;
  }
  [[nodiscard]] call admit(duration now) {
    ++in_flight;
    return {epoch_, in_flight * 10ULL >= limit * 9ULL, now};
  }
  void refuse() { refused_ = true; }
  void started(call& one, duration now) {
    if (std::exchange(one.has_started, true) || !is_by_delay()) return;
    note(one, now - one.began > options_.target_delay, now);
  }
  void complete(const call& one, outcome result, duration now) {
    if (result == outcome::success && !is_by_delay())
      note(one, now - one.began > options_.latency_budget, now);
    --in_flight;
  }
  void follow(const brownout::adaptive_limit_options& options, duration now) {
    options_ = options;
    limit = std::clamp(limit, options.least, options.most);
    ++epoch_;
    begin_window(now);
  }

  std::uint32_t limit;
  std::uint32_t in_flight = 0;

 private:
  [[nodiscard]] bool is_by_delay() const { return options_.target_delay != duration{}; }

  void note(const call& one, bool is_above, duration now) {
    if (one.epoch != epoch_) return;
    samples_.push_back(is_above);
    was_full_ = was_full_ || one.is_nearly_full;
    if (samples_.size() < 10 || now - began_ < 100ms) return;
    const auto above = static_cast<std::size_t>(std::count(samples_.begin(), samples_.end(), true));
    const bool lowers = is_by_delay() ? above == samples_.size() : above * 10 > samples_.size();
    auto next = limit;
    if (lowers) {
      next = limit * 9 / 10;
    } else if (refused_ || was_full_) {
      next = limit + limit / 20 + 1;
    }
    next = std::clamp(next, options_.least, options_.most);
    if (next != limit) ++epoch_;
    limit = next;
    begin_window(now);
  }
  void begin_window(duration now) {
    samples_.clear();
    was_full_ = refused_ = false;
    began_ = now;
  }

  brownout::adaptive_limit_options options_;
  std::uint64_t epoch_ = 0;
  std::vector<bool> samples_;
  bool was_full_ = false;
  bool refused_ = false;
  duration began_{};
};

brownout::adaptive_limit_options any_options(choices& from) {
  brownout::adaptive_limit_options made;
  (from.one_in(2) ? made.target_delay : made.latency_budget) = from.time(100ms) + 100us;
  made.least = 1 + from.below(20);
  made.most = made.least + from.below(from.one_in(3) ? 900 : 40);
  made.first = 1 + from.below(60);
  std::uint32_t part = 64;  // of 64: nothing to be rounded
  for (auto& share : made.shares) {
    part -= from.below(part);
    share = part / 64.0;
  }
  made.shed_for = from.time(1s) + 1ms;
  from.note("from {} to {}, first {}, {} {} us", made.least, made.most, made.first,
            made.target_delay != duration{} ? "target_delay" : "latency_budget",
            std::max(made.target_delay, made.latency_budget) / 1us);
  return made;
}

void adaptive_limit(choices& from) {
  using limit = brownout::adaptive_limit<manual_clock>;
  struct held_permit {
    limit::permit real;
    plain_limit::call plain;
  };
  auto options = any_options(from);
  manual_clock clock;
  duration now{};
  limit real{options, clock};
  plain_limit plain{options};
  std::vector<held_permit> held;
  for (int step = 0; step < 500 && from.left(); ++step) {
    const auto choice = from.below(16);
    if (choice < 7 && held.size() < 100) {
      const auto priority = from.below(4);
      const std::uint64_t caller = from.one_in(8) ? from.any<std::uint8_t>() : 0;
      auto seen = real.try_acquire(static_cast<call_priority>(priority), caller);
      from.note("try_acquire of class {}, caller {}: {}", priority, caller, static_cast<bool>(seen));
      // A caller with a key has a line of its own, between its class and the next one.
      const bool may = plain.in_flight < plain.places(priority);
      if (caller == 0) require_same(static_cast<bool>(seen), may, "whether the call is admitted");
      require(!seen || may, "the caller is admitted above its class");
      require(seen || plain.in_flight > 0, "not even one call is admitted");
      if (seen) {
        held.push_back({*std::move(seen), plain.admit(now)});
        continue;
      }
      plain.refuse();
      const bool is_full = plain.in_flight >= plain.limit;
      const auto why = seen.rejection();
      require_same(to_string(why.reason),
                   is_full ? "adaptive limit of calls in flight reached"
                           : "shed in favour of calls of a higher priority",
                   "the reason");
      const auto least = is_full ? brownout::rejection::unknown : options.shed_for;
      require(why.retry_after >= least && (is_full || why.retry_after <= 2 * least), "retry_after is {} ns",
              why.retry_after.count());
    } else if (choice < 9 && !held.empty()) {
      auto& one = held[from.below(static_cast<std::uint32_t>(held.size()))];
      from.note("started");
      one.real.started();
      plain.started(one.plain, now);
    } else if (choice < 12 && !held.empty()) {
      auto one = take_one(from, held);
      const auto result = from.one_in(4) ? outcome::failure : outcome::success;
      from.note("complete: {}", to_string(result));
      one.real.complete(result);
      plain.complete(one.plain, result, now);
    } else if (choice == 12 && from.one_in(8)) {
      options = any_options(from);
      real.reconfigure(options);
      plain.follow(options, now);
    } else {
      const auto by = from.time(from.one_in(3) ? duration{1s} : duration{20ms});
      from.note("advance {} us", by / 1us);
      clock.advance(by);
      now += by;
    }
    const auto seen = real.snapshot();
    require_same(seen.in_flight, plain.in_flight, "the calls in flight");
    require_same(seen.limit, plain.limit, "the limit");
    require(seen.limit >= options.least && seen.limit <= options.most, "the limit is {}", seen.limit);
  }
}

}  // namespace

void fuzz::one_input(choices& from) {
  from.one_in(3) ? bulkhead(from) : adaptive_limit(from);
}
