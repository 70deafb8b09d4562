// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "studies/guards/random.hpp"
#include "studies/guards/retries/client.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace studies::guards {

// The rules of other libraries with their defaults. Times are in seconds since the start.

/// What a budget learns of an attempt.
struct ended_attempt {
  bool succeeded = false;
  bool timed_out = false;
  bool was_retry = false;
};

/// Decides whether a failed attempt may be followed by a retry. This one always says yes.
class budget {
 public:
  budget() = default;
  budget(const budget&) = delete;
  budget& operator=(const budget&) = delete;
  virtual ~budget() = default;

  virtual void call_begins(double /*now*/) {}
  virtual void attempt_ends(const ended_attempt& /*how*/) {}
  /// Asked before the wait. If it allows the retry, it has counted it.
  [[nodiscard]] virtual bool allows_retry(const ended_attempt& /*failed*/, double /*now*/) { return true; }
  virtual void call_ends() {}
};

/// gRPC proposal A6, "Throttling configuration": a failure takes a token, a success gives `ratio`. Retries
/// are allowed while more than half of the tokens are left. userver's `RetryBudget` is the same rule.
class grpc_throttle final : public budget {
 public:
  grpc_throttle(double most, double ratio) : most_{most}, ratio_{ratio}, tokens_{most} {}

  void attempt_ends(const ended_attempt& how) override {
    tokens_ = how.succeeded ? std::min(most_, tokens_ + ratio_) : std::max(0.0, tokens_ - 1);
  }
  bool allows_retry(const ended_attempt& /*failed*/, double /*now*/) override { return tokens_ > most_ / 2; }

 private:
  double most_;
  double ratio_;
  double tokens_;
};

/// The sum of what was put in during the latest seconds.
class recent_sum {
 public:
  explicit recent_sum(int seconds) : length_{seconds} {}

  void add(double amount, double now) {
    const auto second = static_cast<int>(now);
    if (buckets_.empty() || buckets_.back().first != second) buckets_.emplace_back(second, 0.0);
    buckets_.back().second += amount;
    sum_ += amount;
  }
  [[nodiscard]] double at(double now) {
    for (const auto second = static_cast<int>(now);
         !buckets_.empty() && buckets_.front().first <= second - length_; buckets_.pop_front()) {
      sum_ -= buckets_.front().second;
    }
    return sum_;
  }

 private:
  int length_;
  std::deque<std::pair<int, double>> buckets_{};
  double sum_ = 0;
};

/// Finagle's `RetryBudget`, linkerd's `retryBudget`, tower's `TpsBudget`: a fifth of the calls of the last
/// 10 s, and 10 retries a second more.
class finagle_budget final : public budget {
 public:
  void call_begins(double now) override { tokens_.add(0.2, now); }
  bool allows_retry(const ended_attempt& /*failed*/, double now) override {
    if (tokens_.at(now) + 10 * 10 < 1) return false;
    tokens_.add(-1, now);
    return true;
  }

 private:
  recent_sum tokens_{10};
};

/// "Site Reliability Engineering", chapter 21: a client retries while retries are less than a tenth of its
/// requests, here of the last two minutes.
class sre_budget final : public budget {
 public:
  void call_begins(double now) override { requests_.add(1, now); }
  bool allows_retry(const ended_attempt& /*failed*/, double now) override {
    const auto retries = retries_.at(now) + 1;
    if (retries > 0.1 * (requests_.at(now) + retries)) return false;
    requests_.add(1, now);
    retries_.add(1, now);
    return true;
  }

 private:
  recent_sum requests_{120};
  recent_sum retries_{120};
};

/// Envoy's `retry_budget` and failsafe-go's `budget`: a fifth of what is in flight may be retries, and at
/// least 3.
class budget_in_flight final : public budget {
 public:
  void call_begins(double /*now*/) override { ++calls_; }
  void attempt_ends(const ended_attempt& how) override { retries_ -= how.was_retry ? 1 : 0; }
  bool allows_retry(const ended_attempt& /*failed*/, double /*now*/) override {
    if (retries_ >= std::max(3.0, 0.2 * calls_)) return false;
    ++retries_;
    return true;
  }
  void call_ends() override { --calls_; }

 private:
  int calls_ = 0;
  int retries_ = 0;
};

/// The standard mode of the AWS SDKs: 500 tokens. A retry takes 5, after a time-out 10. Its success gives 5
/// back, and the success of a first attempt 1.
class aws_bucket final : public budget {
 public:
  void attempt_ends(const ended_attempt& how) override {
    if (how.succeeded) tokens_ = std::min(500.0, tokens_ + (how.was_retry ? 5 : 1));
  }
  bool allows_retry(const ended_attempt& failed, double /*now*/) override {
    const double cost = failed.timed_out ? 10 : 5;
    if (tokens_ < cost) return false;
    tokens_ -= cost;
    return true;
  }

 private:
  double tokens_ = 500;
};

/// The wait after the `failed`-th attempt, from 1, in seconds.
using waits = std::function<double(int failed, random& source)>;

[[nodiscard]] inline waits constant_wait(double seconds) {
  return [seconds](int, random&) { return seconds; };
}
/// "Exponential Backoff And Jitter", AWS Architecture Blog: full jitter.
[[nodiscard]] inline waits full_jitter(double base, double cap) {
  return [=](int failed, random& source) {
    return source.share() * std::min(cap, base * std::pow(2, failed - 1));
  };
}
/// As the shipped retry waits.
[[nodiscard]] inline waits half_jitter(double base, double cap) {
  return [=](int failed, random& source) {
    return std::min(cap, base * std::pow(2, failed - 1)) * (1 + source.share()) / 2;
  };
}

/// A peer. Every peer knows the deadline of the call, and begins no wait that ends after it.
class peer final : public client {
 public:
  peer(timeline& line, brownout::duration limit, std::uint64_t seed, int tries, waits wait,
       std::unique_ptr<budget> budget)
      : line_{line},
        limit_{limit},
        random_{seed},
        tries_{tries},
        wait_{std::move(wait)},
        budget_{std::move(budget)} {}

  bool call(brownout::time_point deadline, const attempt& make) override {
    budget_->call_begins(line_.seconds());
    const bool got_answer = attempts(deadline, make);
    budget_->call_ends();
    return got_answer;
  }

 private:
  [[nodiscard]] bool attempts(brownout::time_point deadline, const attempt& make) {
    for (int made = 1;; ++made) {
      const auto answer = make(std::min(deadline, line_.now() + limit_));
      const ended_attempt how{is_success(answer), !answer.has_value(), made > 1};
      budget_->attempt_ends(how);
      if (how.succeeded) return true;
      if (made == tries_) return false;
      const auto wait =
          std::chrono::duration_cast<brownout::duration>(std::chrono::duration<double>{wait_(made, random_)});
      if (line_.now() + wait >= deadline || !budget_->allows_retry(how, line_.seconds())) return false;
      virtual_clock{line_}.wait_for(wait);
    }
  }

  timeline& line_;
  brownout::duration limit_;
  random random_;
  int tries_;
  waits wait_;
  std::unique_ptr<budget> budget_;
};

/// For the proof that each goal can be missed: makes each call three times at once, and takes the last
/// answer.
class restless final : public client {
 public:
  restless(timeline& line, brownout::duration limit) : line_{line}, limit_{limit} {}

  bool call(brownout::time_point deadline, const attempt& make) override {
    bool got_answer = false;
    for (int i = 0; i < 3; ++i) got_answer = is_success(make(std::min(deadline, line_.now() + limit_)));
    return got_answer;
  }

 private:
  timeline& line_;
  brownout::duration limit_;
};

}  // namespace studies::guards
