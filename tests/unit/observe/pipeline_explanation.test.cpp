// SPDX-License-Identifier: BSL-1.0
#include "brownout/observe/pipeline_explanation.hpp"
#include "brownout/breaker/circuit_breaker.hpp"
#include "brownout/guard/adaptive_limit.hpp"
#include "brownout/guard/bulkhead.hpp"
#include "brownout/guard/fallback.hpp"
#include "brownout/guard/keyed.hpp"
#include "brownout/guard/pipeline.hpp"
#include "brownout/guard/retry.hpp"
#include "brownout/guard/retry_budget.hpp"
#include "brownout/guard/sliding_window.hpp"
#include "brownout/guard/timeout.hpp"
#include "brownout/registry/registry.hpp"
#include "catch2.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using brownout::bulkhead;
using brownout::circuit_breaker;
using brownout::explain;
using brownout::fallback;
using brownout::pipeline;
using brownout::result;
using brownout::retry;
using brownout::retry_budget;
using brownout::timeout;

namespace {

struct logged {
  std::string name{};

  template <class R, class Next>
  result<R> around(const brownout::call_context& context, const Next& next) const {
    return next(context);
  }
};

/// Its options mean what its author wants.
struct sized {
  struct settings {
    std::string limit{"64 KiB"};
  };
  [[nodiscard]] settings options() const { return {}; }

  template <class R, class Next>
  result<R> around(const brownout::call_context& context, const Next& next) const {
    return next(context);
  }
};
struct timed : logged {
  struct settings {
    std::chrono::milliseconds limit{50};
  };
  [[nodiscard]] settings options() const { return {}; }
};

/// The last line.
template <class Pipeline>
std::string worst_case(const Pipeline& shown) {
  const auto text = explain(shown);
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

TEST_CASE("the explanation of a pipeline has its guards in order, with their limits",
          "[observe][guard][P8]") {
  retry_budget budget;
  circuit_breaker database{{.name = "database"}};
  bulkhead<> connections{{.name = "connections", .limit = 20}};
  brownout::sliding_window<> requests{{.name = "quota", .rate = brownout::per_minute(60)}};
  const pipeline guarded{fallback{brownout::last_good{.max_age = 5min}},
                         timeout{.limit = 2s},
                         retry{.budget = &budget, .idempotent = true},
                         database,
                         requests,
                         pipeline{connections, timeout{.name = "attempt", .limit = 300ms}}};
  CHECK(explain(guarded) ==
        "1. fallback: the last good answer, at most 5m old\n"
        "2. timeout: 2s\n"
        "3. retry: at most 3 tries, waits of up to 2s\n"
        "4. circuit breaker 'database'\n"
        "5. rate limiter 'quota': at most 60 calls in a period of 1m\n"
        "6. bulkhead 'connections': at most 20 calls at a time\n"
        "7. timeout 'attempt': 300ms\n"
        "The function is called at most 3 times. A call takes at most 2s, if the function keeps its "
        "deadlines.");
}

TEST_CASE("the explanation of a pipeline says what is limited for each key", "[observe][guard][P8][L10f]") {
  brownout::keyed<brownout::rate_limiter<>> quotas{{.name = "quotas", .rate = brownout::per_second(10)}};
  CHECK(explain(pipeline{quotas.at("tenant-7")}) ==
        "1. rate limiter 'quotas': at most 10 calls a second after a burst of 1, for each key\n"
        "The function is called at most once. The time of a call is not limited.");
}

TEST_CASE("the explanation of a pipeline shows limits that change, and stages of the user",
          "[observe][guard][P8]") {
  brownout::adaptive_limit<> server{{.name = "server", .target_delay = 5ms}};
  bulkhead<> places{{.name = "places"}};
  retry_budget budget;
  brownout::registry<> hosts;
  const pipeline guarded{brownout::hold_place_while_waiting{places},
                         retry{.tries = 1, .budget = &budget, .idempotent = false},
                         hosts.at("example.org"),
                         server,
                         logged{"calls"},
                         logged{}};
  places.reconfigure({.limit = 7});
  CHECK(
      explain(guarded) ==
      "1. bulkhead 'places': at most 7 calls at a time\n"
      "2. retry: at most 1 tries, waits of up to 2s, again only what was never begun\n"
      "3. circuit breaker 'example.org'\n"
      "4. adaptive limit 'server': from 1 to 1000 calls at a time, now 20\n"
      "5. a stage of your own 'calls'\n"
      "6. a stage of your own\n"
      "The function is called at most once. The time of a call is not limited. Stages of your own may change "
      "both.");
}

TEST_CASE("the explanation of a pipeline does not guess what a stage of the user limits",
          "[observe][guard][P8]") {
  sized answers;
  CHECK(
      explain(pipeline{sized{}, answers, timed{{"slow"}}}) ==
      "1. a stage of your own\n"
      "2. a stage of your own\n"
      "3. a stage of your own 'slow'\n"
      "The function is called at most once. The time of a call is not limited. Stages of your own may change "
      "both.");
}

TEST_CASE("the worst case of a pipeline tells of a stage of the user that it refers to",
          "[observe][guard][P8]") {
  struct counting : logged {
    std::atomic<int> calls{0};  // so it cannot be copied
  };
  counting own;
  CHECK(worst_case(pipeline{own}) == worst_case(pipeline{logged{}}));
}

TEST_CASE("the explanation of a pipeline takes no member of a stage of the user for a guard",
          "[observe][guard][P8]") {
  struct counting : logged {
    [[nodiscard]] int get() const { return 7; }
  };
  CHECK(explain(pipeline{counting{{"calls"}}}) == explain(pipeline{logged{"calls"}}));
}

TEST_CASE("the worst case of a pipeline: calls and time", "[observe][guard][P8]") {
  retry_budget budget;
  const auto tries = [&](std::uint32_t count, bool idempotent = true) {
    return retry{.tries = count, .budget = &budget, .idempotent = idempotent};
  };
  using std::string;
  const string keeps = ", if the function keeps its deadlines.";
  SECTION("the shortest time-out counts") {
    CHECK(worst_case(pipeline{timeout{.limit = 300ms}, timeout{.limit = 2s}}) ==
          "The function is called at most once. A call takes at most 300ms" + keeps);
  }
  SECTION("of a retry, all attempts and the longest waits") {
    // Two waits: for what the dependency asks for, 5 s, and half of 250 ms, then of 500 ms.
    CHECK(worst_case(pipeline{tries(3), timeout{.limit = 300ms}}) ==
          "The function is called at most 3 times. A call takes at most 11.275s" + keeps);
    // Or twice the time that a refusal may tell, 2 s, if that is longer.
    auto patient = tries(2);
    patient.most_retry_after = 0s;
    CHECK(worst_case(pipeline{patient, timeout{.limit = 300ms}}) ==
          "The function is called at most 2 times. A call takes at most 4.6s" + keeps);
  }
  SECTION("of stacked retries, the product of tries") {
    CHECK(worst_case(pipeline{tries(4), pipeline{tries(3)}}) ==
          "The function is called at most 12 times. The time of a call is not limited.");
  }
  SECTION("a retry without a time-out for each attempt is not limited") {
    CHECK(worst_case(pipeline{tries(3)}) ==
          "The function is called at most 3 times. The time of a call is not limited.");
  }
  SECTION("what is not idempotent is called once, but refusals are waited for") {
    CHECK(worst_case(pipeline{tries(2, false), timeout{.limit = 1s}}) ==
          "The function is called at most once. A call takes at most 7.125s" + keeps);
    CHECK(worst_case(pipeline{tries(2, false), tries(3)}) ==
          "The function is called at most 6 times. The time of a call is not limited.");
  }
  SECTION("the function of a fallback takes its own time") {
    CHECK(worst_case(pipeline{fallback{[] { return 0; }}, timeout{.limit = 1s}}) ==
          "The function is called at most once. A call takes at most 1s and the time of the fallback" +
              keeps);
    CHECK(worst_case(pipeline{fallback{0}, timeout{.limit = 1s}}) ==
          "The function is called at most once. A call takes at most 1s" + keeps);
  }
  SECTION("nothing overflows") {
    const auto many = pipeline{tries(100), tries(100), tries(100), tries(100), tries(100)};
    CHECK(worst_case(pipeline{many, many}) ==
          "The function is called at most 18446744073709551615 times. The time of a call is not limited.");
    CHECK(worst_case(pipeline{many, timeout{.limit = 24h}}) ==
          "The function is called at most 10000000000 times. The time of a call is not limited.");
  }
}
