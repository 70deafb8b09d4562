// SPDX-License-Identifier: BSL-1.0
#include "catch2.hpp"
#include "unit/core/child.hpp"

#include "brownout/observe/histogram.hpp"
#include "brownout/observe/prometheus_text.hpp"

#include <csignal>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

using namespace std::string_view_literals;
using brownout::metric_type;
using brownout::prometheus_text;

static_assert(brownout::metric_sink<prometheus_text>);

TEST_CASE("a family is announced once, and its samples follow", "[observe]") {
  prometheus_text out;
  out.family("requests_total", metric_type::counter, "Requests answered.");
  out.sample({{"route", "health"}, {"status", "200"}}, std::uint64_t{18'446'744'073'709'551'615U});
  out.sample({}, 0.25);
  CHECK(out.text() ==
        "# HELP requests_total Requests answered.\n"
        "# TYPE requests_total counter\n"
        "requests_total{route=\"health\",status=\"200\"} 18446744073709551615\n"
        "requests_total 0.25\n");
}

TEST_CASE("a family that begins again keeps its samples together, and its first help text",
          "[observe][M1][M1a]") {
  prometheus_text out;
  out.family("a", metric_type::gauge, "first");
  out.sample({{"l", "1"}}, 1);
  out.family("b", metric_type::gauge, "h");
  out.sample({}, 2);
  out.family("a", metric_type::gauge, "second");
  out.sample({{"l", "3"}}, 3);
  CHECK(out.text() ==
        "# HELP a first\n# TYPE a gauge\na{l=\"1\"} 1\na{l=\"3\"} 3\n"
        "# HELP b h\n# TYPE b gauge\nb 2\n");
}

TEST_CASE("a family without samples is not announced", "[observe][M1b]") {
  prometheus_text out;
  out.family("a", metric_type::gauge, "h");
  CHECK(out.text().empty());
}

TEST_CASE("a histogram that was never filled in has seen nothing", "[observe][M1]") {
  prometheus_text out;
  out.family("h", metric_type::histogram, "h");
  out.sample({}, brownout::histogram_snapshot{});
  CHECK(out.text() == "# HELP h h\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 0\nh_sum 0\nh_count 0\n");
}

TEST_CASE("constant labels stand on each sample", "[observe][M1c]") {
  std::string region = "eu";
  prometheus_text out{{{"region", region}, {"shard", "7"}}};
  region = "us";  // copied, not kept
  out.family("g", metric_type::gauge, "h");
  out.sample({}, 1);
  out.sample({{"l", "x"}}, 2);
  out.family("h", metric_type::histogram, "h");
  out.sample({}, brownout::histogram{{1}}.read());
  CHECK(out.text() ==
        "# HELP g h\n# TYPE g gauge\n"
        "g{region=\"eu\",shard=\"7\"} 1\n"
        "g{region=\"eu\",shard=\"7\",l=\"x\"} 2\n"
        "# HELP h h\n# TYPE h histogram\n"
        "h_bucket{region=\"eu\",shard=\"7\",le=\"1\"} 0\n"
        "h_bucket{region=\"eu\",shard=\"7\",le=\"+Inf\"} 0\n"
        "h_sum{region=\"eu\",shard=\"7\"} 0\n"
        "h_count{region=\"eu\",shard=\"7\"} 0\n");
}

TEST_CASE("labels may be a list that is made at run time", "[observe]") {
  std::vector<brownout::metric_label> labels{{"a", "1"}};
  labels.push_back({"b", "2"});
  prometheus_text out;
  out.family("m", metric_type::gauge, "h");
  out.sample(labels, 1);
  CHECK(out.text().ends_with("m{a=\"1\",b=\"2\"} 1\n"));
}

TEST_CASE("bytes that are not UTF-8 are replaced, a broken sequence as one", "[observe][M1d]") {
  const auto written = [](std::string_view value) {
    prometheus_text out;
    out.family("m", metric_type::gauge, value);
    out.sample({{"l", value}}, 1);
    const auto text = out.text();
    // The help text and the value of the label have the same piece between these.
    const auto begin = text.find("l=\"") + 3;
    const auto shown = text.substr(begin, text.find("\"}") - begin);
    CHECK(text.starts_with("# HELP m " + shown + "\n"));
    return shown;
  };
  const std::string bad = "\xef\xbf\xbd";
  CHECK(written("Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbf \xf4\x8f\xbf\xbf") ==
        "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbf \xf4\x8f\xbf\xbf");
  CHECK(written("a\xff"
                "b\xfe") == "a" + bad + "b" + bad);
  CHECK(written("\x80") == bad);
  CHECK(written("\xc0\xaf") == bad + bad);                      // "/" in two bytes
  CHECK(written("\xe0\x9f\x80") == bad + bad + bad);            // too long
  CHECK(written("\xed\xa0\x80") == bad + bad + bad);            // a surrogate
  CHECK(written("\xf0\x8f\xbf\xbf") == bad + bad + bad + bad);  // too long
  CHECK(written("\xf4\x90\x80\x80") == bad + bad + bad + bad);  // above U+10FFFF
  CHECK(written("\xf5\x80") == bad + bad);
  CHECK(written("\xe2\x82") == bad);  // cut off by the end
  CHECK(written("\xe2\x82x") == bad + "x");
  CHECK(written("\xc3x") == bad + "x");
  CHECK(written("\xf1\x80\x80\xe1\x80\xc2"
                "b") == bad + bad + bad + "b");  // the standard's table 3-8
  CHECK(written("a\0b\rc\x1b[1m\x7f\t"sv) == "a" + bad + "b" + bad + "c" + bad + "[1m" + bad + bad);
  CHECK(written("\xc2\x80\xc2\x9f\xc2\xa0") == bad + bad + "\xc2\xa0");
}

TEST_CASE("label values and help texts are escaped, each by its own rule", "[observe]") {
  prometheus_text out;
  out.family("m", metric_type::gauge, "back\\slash, \"quotes\" and\nlines");
  out.sample({{"l", "a\\b\"c\nd"}}, 1);
  CHECK(out.text() ==
        "# HELP m back\\\\slash, \"quotes\" and\\nlines\n"
        "# TYPE m gauge\n"
        "m{l=\"a\\\\b\\\"c\\nd\"} 1\n");
}

TEST_CASE("numbers that are none have the names that Prometheus knows", "[observe]") {
  prometheus_text out;
  out.family("m", metric_type::gauge, "h");
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
  out.family("d", metric_type::histogram, "h");
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
  out.family("m", metric_type::gauge, "h");
  out.sample({}, true);
  out.sample({}, std::int8_t{65});
  out.sample({}, 'A');
  CHECK(out.text().ends_with("m 1\nm 65\nm 65\n"));
}

TEST_CASE("what Prometheus would refuse is a broken precondition", "[observe][M1e]") {
  const auto aborts = [](auto&& misuse) { return core_test::in_child(misuse).signal == SIGABRT; };
  CHECK(aborts([] { prometheus_text{}.family("1m", metric_type::gauge, "h"); }));
  CHECK(aborts([] { prometheus_text{}.family("", metric_type::gauge, "h"); }));
  CHECK(aborts([] { prometheus_text{}.sample({}, 1); }));
  const auto sample_aborts = [&](metric_type type, auto&& misuse) {
    return aborts([&] {
      prometheus_text out{{{"region", "eu"}}};
      out.family("m", type, "h");
      misuse(out);
    });
  };
  using enum metric_type;
  CHECK_FALSE(sample_aborts(gauge, [](auto& out) { out.sample({{"a", "x"}}, 1); }));
  CHECK(sample_aborts(gauge, [](auto& out) { out.sample({{"a-label", "x"}}, 1); }));
  CHECK(sample_aborts(gauge, [](auto& out) { out.sample({{"a:label", "x"}}, 1); }));
  CHECK(sample_aborts(gauge, [](auto& out) { out.sample({{"a", "x"}, {"a", "y"}}, 1); }));
  CHECK(sample_aborts(gauge, [](auto& out) { out.sample({{"region", "us"}}, 1); }));
  CHECK(sample_aborts(histogram, [](auto& out) {
    out.sample({{"le", "x"}}, brownout::histogram{{1}}.read());
  }));
  CHECK(sample_aborts(gauge, [](auto& out) { out.family("m", counter, "h"); }));
  CHECK(sample_aborts(gauge, [](auto& out) { out.sample({}, brownout::histogram{{1}}.read()); }));
  CHECK(sample_aborts(gauge, [](auto& out) { out.summary({}, 1, 1); }));
  CHECK(sample_aborts(histogram, [](auto& out) { out.sample({}, 1); }));
  CHECK(sample_aborts(summary, [](auto& out) { out.sample({}, 1.5); }));
  CHECK(aborts([] { prometheus_text{{{"a-label", "x"}}}; }));
  CHECK(aborts([] { prometheus_text{{{"a", "x"}, {"a", "y"}}}; }));
}
