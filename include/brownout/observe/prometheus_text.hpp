// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/detail/invalid_option.hpp"
#include "brownout/observe/detail/metric_text.hpp"
#include "brownout/observe/histogram.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/metric_sink.hpp"
#include "brownout/version.hpp"

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Writes the Prometheus text exposition format, version 0.0.4.
///
///     brownout::prometheus_text page{{{"region", "eu"}}};  // constant labels; default: none
///     page.family("requests_total", brownout::metric_type::counter, "Requests answered.");
///     page.sample({{"route", "health"}}, 42);
///
/// Names of labels and metrics are checked. Values of labels and help texts may hold any bytes: bytes that
/// are not UTF-8, for which Prometheus refuses the whole page, become U+FFFD, and so do control characters.
///
/// A family may begin again: `text()` puts its samples together. So several systems can share a page. Their
/// samples must differ in a label, because Prometheus keeps only one of two samples with the same labels.
///
/// Not thread-safe: use one writer for each scrape.
class prometheus_text {
 public:
  /// The content type of the HTTP answer with this text.
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  /// `constant`: labels that each sample gets. Precondition, for all labels: the name matches
  /// `[a-zA-Z_][a-zA-Z0-9_]*`, and no other label of the sample has this name.
  explicit prometheus_text(metric_labels constant = {}) {
    detail::check_labels(constant);
    for (const auto& label : constant) {
      constant_.push_back({std::string{label.name}, std::string{label.value}});
    }
  }

  /// Begins a family, or begins it again. Its samples follow. Preconditions: `name` matches
  /// `[a-zA-Z_:][a-zA-Z0-9_:]*`, and a family that begins again has its first type. Its first help text
  /// remains.
  void family(std::string_view name, metric_type type, std::string_view help) {
    BROWNOUT_PRECONDITION(detail::is_metric_name(name), "a metric's name is [a-zA-Z_:][a-zA-Z0-9_:]*");
    current_ = 0;
    while (current_ < families_.size() && families_[current_].name != name) ++current_;
    if (current_ == families_.size())
      families_.push_back({std::string{name}, type, escaped(help, false), {}});
    BROWNOUT_PRECONDITION(families_[current_].type == type, "a family begins again with another type");
  }

  /// Writes a sample of the family, as `name{labels} value`. Precondition: the family is a counter, a gauge
  /// or untyped.
  void sample(metric_labels with, double value) { line("", number_family(), with, {}, number(value)); }
  /// Writes an integer. `true` is 1; a character is its code.
  void sample(metric_labels with, std::integral auto value) {
    line("", number_family(), with, {}, std::to_string(value));
  }

  /// Writes a whole histogram of the family, which must be a histogram. One that was never filled in has seen
  /// nothing.
  void sample(metric_labels with, const histogram::snapshot& shown) {
    auto& into = family_of(metric_type::histogram);
    if (shown.cumulative.empty()) return sample(with, histogram::snapshot{{}, {0}, 0});
    for (std::size_t i = 0; i < shown.cumulative.size(); ++i) {
      const auto bound = i < shown.bounds.size() ? number(shown.bounds[i]) : std::string{"+Inf"};
      line("_bucket", into, with, {{"le", bound}}, std::to_string(shown.cumulative[i]));
    }
    sum_and_count(into, with, shown.sum, shown.cumulative.back());
  }

  /// Writes sum and count of the family, which must be a summary. It has no quantiles.
  void summary(metric_labels with, double sum, std::uint64_t count) {
    sum_and_count(family_of(metric_type::summary), with, sum, count);
  }

  /// The page: the families in the order of their beginning, without those that have no sample.
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& one : families_) {
      if (one.samples.empty()) continue;
      append(out, {"# HELP ", one.name, " ", one.help, "\n# TYPE ", one.name, " ", to_string(one.type), "\n",
                   one.samples});
    }
    return out;
  }

 private:
  struct family_text {
    std::string name;
    metric_type type;
    std::string help;
    std::string samples;
  };

  struct constant_label {
    std::string name;
    std::string value;
  };

  family_text& current() {
    BROWNOUT_PRECONDITION(current_ < families_.size(), "a sample before its family");
    return families_[current_];
  }
  family_text& family_of(metric_type type) {
    auto& into = current();
    BROWNOUT_PRECONDITION(into.type == type, "a sample that does not fit the type of its family");
    return into;
  }
  family_text& number_family() {
    auto& into = current();
    BROWNOUT_PRECONDITION(into.type != metric_type::histogram && into.type != metric_type::summary,
                          "a sample that does not fit the type of its family");
    return into;
  }

  static void append(std::string& out, std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) out += part;
  }

  void sum_and_count(family_text& into, metric_labels with, double sum, std::uint64_t count) {
    line("_sum", into, with, {}, number(sum));
    line("_count", into, with, {}, std::to_string(count));
  }

  void line(std::string_view suffix, family_text& into, metric_labels with, metric_labels added,
            std::string_view value) {
    std::vector<metric_label> all;
    for (const auto& [name, text] : constant_) {
      const metric_label label{name, text};
      all.push_back(label);
    }
    for (const auto& label : with) all.push_back(label);
    for (const auto& label : added) all.push_back(label);
    detail::check_labels(all);
    append(into.samples, {into.name, suffix});
    std::string_view before = "{";
    for (const auto& label : all) {
      append(into.samples, {before, label.name, "=\"", escaped(label.value, true), "\""});
      before = ",";
    }
    append(into.samples, {all.empty() ? " " : "} ", value, "\n"});
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return detail::to_text(value);
  }

  static std::string escaped(std::string_view text, bool quotes) {
    std::string out;
    for (const char c : detail::printable(text)) {
      if (c == '\\') {
        out += "\\\\";
      } else if (c == '\n') {
        out += "\\n";
      } else if (c == '"' && quotes) {
        out += "\\\"";
      } else {
        out += c;
      }
    }
    return out;
  }

  std::vector<constant_label> constant_{};
  std::vector<family_text> families_{};
  std::size_t current_ = 0;
};

}  // namespace brownout::inline BROWNOUT_ABI
