// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include "brownout/observe/histogram.hpp"
#include "brownout/observe/prometheus_text.hpp"

#include <csignal>
#include <cstdint>
#include <limits>

using brownout::prometheus_text;

TEST_CASE("a family is announced once, and its samples follow", "[observe]") {
  prometheus_text out;
  out.family("requests_total", "counter", "Requests answered.");
  out.sample({{"route", "health"}, {"status", "200"}}, std::uint64_t{18'446'744'073'709'551'615U});
  out.sample({}, 0.25);
  CHECK(out.text() ==
        "# HELP requests_total Requests answered.\n"
        "# TYPE requests_total counter\n"
        "requests_total{route=\"health\",status=\"200\"} 18446744073709551615\n"
        "requests_total 0.25\n");
}

TEST_CASE("label values and help texts are escaped, each by its own rule", "[observe]") {
  prometheus_text out;
  out.family("m", "gauge", "back\\slash, \"quotes\" and\nlines");
  out.sample({{"l", "a\\b\"c\nd"}}, 1);
  CHECK(out.text() ==
        "# HELP m back\\\\slash, \"quotes\" and\\nlines\n"
        "# TYPE m gauge\n"
        "m{l=\"a\\\\b\\\"c\\nd\"} 1\n");
}

TEST_CASE("numbers that are none have the names that Prometheus knows", "[observe]") {
  prometheus_text out;
  out.family("m", "gauge", "h");
  out.sample({}, std::numeric_limits<double>::quiet_NaN());
  out.sample({}, std::numeric_limits<double>::infinity());
  out.sample({}, -std::numeric_limits<double>::infinity());
  out.sample({}, 1e300);
  CHECK(out.text().ends_with("m NaN\nm +Inf\nm -Inf\nm 1e+300\n"));
}

TEST_CASE("a histogram has a bucket a bound, one for the rest, a sum and a count", "[observe]") {
  brownout::histogram durations{{0.1, 0.5}};
  durations.observe(0.2);
  durations.observe(3);
  prometheus_text out;
  out.family("d", "histogram", "h");
  out.sample({{"route", "x"}}, durations.read());
  CHECK(
      out.text().ends_with("d_bucket{route=\"x\",le=\"0.1\"} 0\n"
                           "d_bucket{route=\"x\",le=\"0.5\"} 1\n"
                           "d_bucket{route=\"x\",le=\"+Inf\"} 2\n"
                           "d_sum{route=\"x\"} 3.2\n"
                           "d_count{route=\"x\"} 2\n"));
}

TEST_CASE("every kind of whole number is written as one", "[observe]") {
  prometheus_text out;
  out.family("m", "gauge", "h");
  out.sample({}, true);
  out.sample({}, std::int8_t{65});
  out.sample({}, 'A');
  CHECK(out.text().ends_with("m 1\nm 65\nm 65\n"));
}

TEST_CASE("what Prometheus would refuse is a broken precondition", "[observe]") {
  const auto aborts = [](auto&& misuse) { return core_test::in_child(misuse).signal == SIGABRT; };
  CHECK(aborts([] { prometheus_text{}.family("1m", "gauge", "h"); }));
  CHECK(aborts([] { prometheus_text{}.family("", "gauge", "h"); }));
  CHECK(aborts([] { prometheus_text{}.sample({}, 1); }));
  CHECK(aborts([] {
    prometheus_text out;
    out.family("m", "gauge", "h");
    out.sample({{"a-label", "x"}}, 1);
  }));
}
