// SPDX-License-Identifier: BSL-1.0
#include "brownout/guard/fallback.hpp"
#include "brownout/core/rules.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/testing/manual_clock.hpp"
#include "catch2.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using brownout::call_report;
using brownout::duration;
using brownout::fallback;
using brownout::last_good;
using brownout::manual_clock;
using brownout::pipeline;
using brownout::time_point;

namespace {

using load = std::function<std::string()>;

std::string down() {
  throw std::runtime_error{"connection refused"};
}

/// What a test needs of a cache that stands before a dependency.
class ours {
 public:
  std::string get(const load& function) const {
    return pipeline_.call([&] { return function(); });
  }
  void invalidate() const { kept_.invalidate(); }
  [[nodiscard]] bool shows_failures() const { return kept_.snapshot().answered > 0; }
  void advance(duration time) { clock_.advance(time); }

 private:
  manual_clock clock_{};
  fallback<last_good> kept_{last_good{.max_age = 5min}};
  pipeline<manual_clock, fallback<last_good>> pipeline_{clock_, kept_};
};

/// Returns the old value for as long as the dependency fails, and tells nobody.
class suppressing {
 public:
  std::string get(const load& function) {
    try {
      value_ = function();
    } catch (const std::exception&) {
      if (!value_) throw;
    }
    return *value_;
  }
  [[nodiscard]] static bool shows_failures() { return false; }
  void advance(duration /*time*/) {}

 private:
  std::optional<std::string> value_;
};

/// Whether an outage of a day is seen: by a count, and by callers once the answer is too old.
template <class Cache>
bool a_lasting_failure_is_seen(Cache cache) {
  cache.get([] { return std::string{"page"}; });
  cache.get(down);
  const bool is_counted = cache.shows_failures();
  cache.advance(24h);
  try {
    cache.get(down);
  } catch (const std::exception&) {
    return is_counted;
  }
  return false;
}

/// Stores what a call has returned, whatever happened meanwhile.
class storing_late {
 public:
  std::string get(const load& function) {
    try {
      value_ = function();
    } catch (const std::exception&) {
      if (!value_) throw;
    }
    return *value_;
  }
  void invalidate() { value_.reset(); }

 private:
  std::optional<std::string> value_;
};

/// Whether content that has expired while a call was on its way is shown again.
template <class Cache>
bool expired_content_comes_back(Cache cache) {
  cache.get([&] {
    cache.invalidate();
    return std::string{"offer of yesterday"};
  });
  try {
    return cache.get(down) == "offer of yesterday";
  } catch (const std::exception&) {
    return false;
  }
}

/// A fallback around each attempt: the retry around it sees an answer and no failure.
int attempts_around_a_fallback(const std::function<int()>& function) {
  int attempts = 0;
  for (bool is_answered = false; attempts < 3 && !is_answered; is_answered = true) {
    ++attempts;
    try {
      function();
    } catch (const std::exception&) {
      // the fallback answers
    }
  }
  return attempts;
}

/// Wraps what a fallback throws.
struct invocation_failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
int wrapping(const std::function<int()>& function, const std::function<int()>& instead) {
  try {
    return function();
  } catch (const std::exception&) {
    try {
      return instead();
    } catch (const std::exception& thrown) {
      throw invocation_failed{thrown.what()};
    }
  }
}

/// Answers for every exception.
int answering_all(const std::function<int()>& function) {
  try {
    return function();
  } catch (const std::exception&) {
    return -1;
  }
}

}  // namespace

TEST_CASE("old answers do not hide an outage that lasts", "[guard][defect-39]") {
  CHECK_FALSE(a_lasting_failure_is_seen(suppressing{}));
  CHECK(a_lasting_failure_is_seen(ours{}));
}

TEST_CASE("an answer that expired while it was on its way is not kept", "[guard][defect-40]") {
  CHECK(expired_content_comes_back(storing_late{}));
  CHECK_FALSE(expired_content_comes_back(ours{}));
}

TEST_CASE("a fallback does not keep a retry from trying again", "[guard][defect-41]") {
  int calls = 0;
  const auto fail = [&]() -> int { throw std::runtime_error{"reset " + std::to_string(++calls)}; };
  CHECK(attempts_around_a_fallback(fail) == 1);
  manual_clock clock;
  brownout::retry_budget budget{{}, clock};
  const pipeline guarded{clock, fallback{-1}, brownout::retry{.budget = &budget, .idempotent = true}};
  call_report report;
  CHECK(guarded.call(fail, report) == -1);
  CHECK(report.attempts == 3);
}

TEST_CASE("what a fallback throws has the type that it was thrown with", "[guard][defect-42]") {
  struct cache_is_down : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const auto fail = []() -> int { throw std::runtime_error{"reset"}; };
  const auto instead = []() -> int { throw cache_is_down{"cache is down"}; };
  CHECK_THROWS_AS(wrapping(fail, instead), invocation_failed);
  CHECK_THROWS_AS(pipeline{fallback{instead}}.call(fail), cache_is_down);
}

TEST_CASE("a fallback does not answer for an exception that is ignored", "[guard][defect-43]") {
  const auto refuse = []() -> int { throw std::invalid_argument{"no such account"}; };
  CHECK(answering_all(refuse) == -1);
  CHECK_THROWS_AS(pipeline{fallback{-1}}.call(refuse, brownout::ignore_exceptions<std::invalid_argument>()),
                  std::invalid_argument);
}
