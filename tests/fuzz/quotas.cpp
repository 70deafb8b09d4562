// SPDX-License-Identifier: BSL-1.0

// What limits calls in a time (rate_limiter, sliding_window, retry_budget), each against a plain one.

#include "target.hpp"

#include "brownout/guard/rate_limiter.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/sliding_window.hpp"
#include "brownout/testing/manual_clock.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace fuzz;
using brownout::duration;
using brownout::manual_clock;
using brownout::rejection;

/// A bucket that holds time instead of tokens, in 1/16 ns: a token is worth an interval of it.
class plain_bucket {
 public:
  plain_bucket(std::int64_t tokens, duration period, std::uint32_t burst, duration most_wait)
      : interval_{(period.count() * 16 + tokens - 1) / tokens},
        full_{interval_ * burst},
        credit_{full_},
        most_wait_{most_wait} {}

  void advance(duration by) { credit_ = std::min(full_, credit_ + by.count() * 16); }
  void add(std::uint32_t tokens) { credit_ = std::min(full_, credit_ + interval_ * tokens); }
  /// The wait of a call, or below 0 the time until it would be worth trying again.
  [[nodiscard]] duration take(std::uint32_t tokens, duration within) {
    const auto missing = interval_ * tokens - credit_;
    const auto too_long = missing - std::min(within, most_wait_).count() * 16;
    if (too_long > 0) return -in_time(too_long);
    credit_ -= interval_ * tokens;
    return in_time(std::max<std::int64_t>(missing, 0));
  }
  [[nodiscard]] std::int64_t tokens() const { return std::max<std::int64_t>(credit_, 0) / interval_; }
  [[nodiscard]] duration until_next() const {
    return in_time(std::max<std::int64_t>(interval_ - credit_, 0));
  }

 private:
  static duration in_time(std::int64_t sixteenths) { return duration{(sixteenths + 15) / 16}; }

  std::int64_t interval_;
  std::int64_t full_;
  std::int64_t credit_;
  duration most_wait_;
};

void rate_limiter(choices& from) {
  using limiter = brownout::rate_limiter<manual_clock>;
  const auto tokens = from.between<std::int64_t>(1, 1000);
  const auto period = from.time(10s) + 1ms;
  const auto burst = 1 + from.below(from.one_in(4) ? 1000 : 8);
  const auto most_wait = from.time(1s);
  from.note("{} tokens in {} us, burst {}, most_wait {} us", tokens, period / 1us, burst, most_wait / 1us);
  manual_clock clock;
  limiter real{{.rate = {static_cast<double>(tokens), period}, .burst = burst, .most_wait = most_wait},
               clock};
  plain_bucket plain{tokens, period, burst, most_wait};
  struct reserved {
    limiter::reservation real;
    std::uint32_t tokens;
    std::uint64_t number;  // of the calls that took tokens
  };
  std::vector<reserved> out;
  std::uint64_t taken = 0;
  std::uint64_t refused = 0;
  const auto expect_refusal = [&](const rejection& seen, duration wait) {
    ++refused;
    require_same(seen.retry_after.count(), (-wait).count(), "retry_after in ns");
  };

  for (int step = 0; step < 300 && from.left(); ++step) {
    const auto choice = from.below(8);
    const auto wanted = from.one_in(4) ? 1 + from.below(burst) : 1;
    if (choice < 3) {
      const auto seen = real.try_acquire(wanted);
      const auto wait = plain.take(wanted, {});
      from.note("take {}: {}", wanted, seen.has_value() ? "taken" : "refused");
      require_same(seen.has_value(), wait >= duration{}, "whether the call is admitted");
      if (seen.has_value()) ++taken;
      if (!seen.has_value()) expect_refusal(seen.rejection(), wait);
    } else if (choice == 3) {
      const auto within = from.one_in(3) ? duration::max() : from.time(2s);
      auto seen = real.reserve(wanted, within);
      const auto wait = plain.take(wanted, within);
      from.note("reserve {} within {} us: {}", wanted, within / 1us, seen ? "reserved" : "refused");
      require_same(static_cast<bool>(seen), wait >= duration{}, "whether the call is reserved");
      if (!seen) {
        expect_refusal(seen.rejection(), wait);
      } else {
        require_same(seen->wait().count(), wait.count(), "the wait in ns");
        out.push_back({*std::move(seen), wanted, ++taken});
      }
    } else if (choice == 4 && !out.empty()) {
      const auto at = out.begin() + from.below(static_cast<std::uint32_t>(out.size()));
      auto one = std::move(*at);
      out.erase(at);
      if (from.one_in(2)) {
        from.note("use the reservation of {}", one.tokens);
        one.real.use();
      } else {
        const bool is_back = one.real.cancel();
        from.note("cancel the reservation of {}: {}", one.tokens, is_back ? "given back" : "lost");
        const bool is_latest = one.number == taken;
        require(is_back || !is_latest, "the tokens of the latest call are lost");
        if (is_back) plain.add(one.tokens);
      }
    } else {
      const auto by = from.one_in(8) ? from.time(24h * 30) : from.time(2 * period);
      from.note("advance {} us", by / 1us);
      clock.advance(by);
      plain.advance(by);
    }
    const auto seen = real.snapshot();
    require_same(std::int64_t{seen.tokens}, plain.tokens(), "the tokens");
    require_same(seen.retry_after.count(), plain.until_next().count(), "the time until the next token in ns");
    require_same(seen.refused, refused, "the refused calls");
  }
  for (auto& one : out) one.real.use();
}

/// All calls by period.
class plain_window {
 public:
  plain_window(std::uint32_t limit, duration period) : limit{limit}, period_{period} {}

  [[nodiscard]] bool admits(std::uint64_t more, duration now) const {
    const auto number = now / period_;
    const auto current = in(number) + more;
    const auto left = period_ - now % period_;
    __extension__ using wide = __int128;
    return current <= limit && static_cast<wide>(in(number - 1)) * left.count() <=
                                   static_cast<wide>(limit - current) * period_.count();
  }
  void add(std::uint64_t more, duration now) { calls_[now / period_] += more; }

  std::uint64_t limit;

 private:
  [[nodiscard]] std::uint64_t in(std::int64_t number) const {
    const auto found = calls_.find(number);
    return found == calls_.end() ? 0 : found->second;
  }

  duration period_;
  std::map<std::int64_t, std::uint64_t> calls_;
};

void sliding_window(choices& from) {
  // A window counts in 16 ns: then there is nothing to be rounded.
  const auto period =
      duration{(from.time(from.one_in(4) ? duration{1h} : duration{1s}) + 100ms) / 16us * 16us};
  const auto limit = from.below(from.one_in(4) ? 100'000 : 12);
  from.note("{} calls in {} us", limit, period / 1us);
  manual_clock clock;
  const auto options = [&](std::uint32_t calls) {
    return brownout::sliding_window_options{.rate = {static_cast<double>(calls), period}};
  };
  brownout::sliding_window<manual_clock> real{options(limit), clock};
  plain_window plain{limit, period};
  duration now{};
  for (int step = 0; step < 300 && from.left(); ++step) {
    const auto choice = from.below(8);
    if (choice < 5) {
      const auto calls = from.one_in(3) ? 1 + from.below(limit + 1) : 1;
      const auto seen = real.try_acquire(calls);
      from.note("{} calls: {}", calls, seen.has_value() ? "admitted" : "refused");
      require_same(seen.has_value(), plain.admits(calls, now), "whether the calls are admitted");
      if (seen.has_value()) {
        plain.add(calls, now);
        continue;
      }
      const auto wait = seen.rejection().retry_after;
      require_same(wait == rejection::unknown, calls > plain.limit, "whether retry_after is unknown");
      if (wait == rejection::unknown) continue;
      require(wait > duration{} && plain.admits(calls, now + wait), "after {} ns they are still refused",
              wait.count());
      require(wait <= 33ns || !plain.admits(calls, now + wait - 33ns), "retry_after is too long: {} ns",
              wait.count());
    } else if (choice == 5) {
      plain.limit = from.below(limit + 2);
      from.note("limit {}", plain.limit);
      real.reconfigure(options(static_cast<std::uint32_t>(plain.limit)));
    } else {
      const auto by = from.time(from.one_in(6) ? 100 * period : period) / 16us * 16us;
      from.note("advance {} us", by / 1us);
      clock.advance(by);
      now += by;
    }
  }
}

/// Tokens in 1/1024. They are forgotten at the next deposit and at the next retry that is allowed.
class plain_budget {
 public:
  explicit plain_budget(const brownout::retry_budget_options& options)
      : options_{options}, tokens_{options.least * std::uint64_t{1024}} {}

  void advance(duration by) { now_ += by; }
  void follow(const brownout::retry_budget_options& options) { options_ = options; }
  void deposit() {
    if (tokens_ >= 20 * 1024) {
      if (++sampled_ % 64 == 0) add(64);
    } else {
      add(1);
    }
  }
  [[nodiscard]] bool withdraw() {
    if (tokens() < 1) return false;
    forget();
    tokens_ -= 1024;
    return true;
  }
  void give_back() { tokens_ += 1024; }
  [[nodiscard]] double tokens() const {
    auto later = *this;
    later.forget();
    return static_cast<double>(later.tokens_) / 1024;
  }

 private:
  void add(std::uint32_t successes) {
    forget();
    tokens_ += static_cast<std::uint64_t>(options_.ratio * successes * 1024);
  }
  /// Time counts in tenths of a second, and memory in seconds.
  void forget() {
    const auto step = options_.memory / 1s;
    for (; now_ / 100ms - forgotten_ >= step; forgotten_ += step) {
      if (tokens_ <= options_.least * std::uint64_t{1024}) {
        forgotten_ += (now_ / 100ms - forgotten_) / step * step - step;  // nothing more to be forgotten
        continue;
      }
      tokens_ = std::max(options_.least * std::uint64_t{1024}, tokens_ - tokens_ / 10 - 1);
    }
  }

  brownout::retry_budget_options options_;
  std::uint64_t tokens_;
  std::uint64_t sampled_ = 0;
  std::int64_t forgotten_ = 0;  // up to this tenth of a second
  duration now_{};
};

void retry_budget(choices& from) {
  const auto any_options = [&] {
    brownout::retry_budget_options made{.ratio = from.between(1, 1000) / 1000.0,
                                        .memory = 1s + from.time(1min),
                                        .least = from.below(from.one_in(3) ? 1000 : 6)};
    from.note("ratio {}, memory {} ms, least {}", made.ratio, made.memory / 1ms, made.least);
    return made;
  };
  const auto options = any_options();
  manual_clock clock;
  brownout::retry_budget real{options, brownout::any_clock{clock}};
  plain_budget plain{options};
  std::uint64_t out = 0;
  for (int step = 0; step < 400 && from.left(); ++step) {
    const auto choice = from.below(16);
    if (choice < 8) {
      const auto times = from.one_in(4) ? 1 + from.below(130) : 1;
      from.note("{} successes", times);
      for (std::uint32_t i = 0; i < times; ++i) {
        real.deposit();
        plain.deposit();
      }
    } else if (choice < 12) {
      const bool seen = real.try_withdraw();
      from.note("withdraw: {}", seen);
      require_same(seen, plain.withdraw(), "whether the retry is allowed");
      if (seen) ++out;
    } else if (choice == 12 && out > 0) {
      from.note("give back");
      --out;
      real.give_back();
      plain.give_back();
    } else if (choice == 13 && from.one_in(4)) {
      const auto next = any_options();
      real.reconfigure(next);
      plain.follow(next);
    } else {
      const auto by = from.time(from.one_in(4) ? duration{1h} : duration{10s});
      from.note("advance {} us", by / 1us);
      clock.advance(by);
      plain.advance(by);
    }
    require_same(real.snapshot().tokens, plain.tokens(), "the tokens");
  }
}

}  // namespace

void fuzz::one_input(choices& from) {
  switch (from.below(3)) {
    case 0:
      return rate_limiter(from);
    case 1:
      return sliding_window(from);
    default:
      return retry_budget(from);
  }
}
