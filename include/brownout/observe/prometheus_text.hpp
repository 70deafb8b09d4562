// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/observe/histogram.hpp"
#include "brownout/version.hpp"

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace brownout::inline BROWNOUT_ABI {

/// A label of a metric. The value may hold any UTF-8 text.
struct metric_label {
  std::string_view name;
  std::string_view value;
};

/// Writes the Prometheus text exposition format, version 0.0.4. Not thread-safe: use one writer for each
/// scrape.
class prometheus_text {
 public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  using labels = std::initializer_list<metric_label>;

  /// Begins a family. Its samples follow. `type`: counter, gauge, histogram, summary or untyped.
  /// Precondition: `name` matches `[a-zA-Z_:][a-zA-Z0-9_:]*`.
  void family(std::string_view name, std::string_view type, std::string_view help) {
    BROWNOUT_PRECONDITION(is_name(name, true), "a metric's name is [a-zA-Z_:][a-zA-Z0-9_:]*");
    family_ = name;
    append({"# HELP ", name, " ", escaped(help, false), "\n# TYPE ", name, " ", type, "\n"});
  }

  /// Writes a sample of the family, as `name{labels} value`. Precondition, here and below: a family has
  /// begun, and each label's name matches `[a-zA-Z_][a-zA-Z0-9_]*`.
  void sample(labels with, double value) { line("", with, {}, number(value)); }
  /// Writes an integer. `true` is 1; a character is its code.
  void sample(labels with, std::integral auto value) { line("", with, {}, fmt::format("{:d}", value)); }

  /// Writes a whole histogram of the family.
  void sample(labels with, const histogram::snapshot& shown) {
    for (std::size_t i = 0; i < shown.cumulative.size(); ++i) {
      const auto bound = i < shown.bounds.size() ? number(shown.bounds[i]) : std::string{"+Inf"};
      line("_bucket", with, {"le", bound}, fmt::format("{}", shown.cumulative[i]));
    }
    summary(with, shown.sum, shown.cumulative.back());
  }

  /// Writes sum and count of the family: a summary without quantiles.
  void summary(labels with, double sum, std::uint64_t count) {
    line("_sum", with, {}, number(sum));
    line("_count", with, {}, fmt::format("{}", count));
  }

  [[nodiscard]] const std::string& text() const& noexcept { return text_; }
  [[nodiscard]] std::string text() && noexcept { return std::move(text_); }

 private:
  // Not by fmt, which costs every program that includes this header a tenth of a second of compilation a
  // call.
  void append(std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) text_ += part;
  }

  void line(std::string_view suffix, labels with, metric_label extra, std::string_view value) {
    BROWNOUT_PRECONDITION(!family_.empty(), "a sample before its family");
    append({family_, suffix});
    std::string_view before = "{";
    const auto add = [&](const metric_label& label) {
      BROWNOUT_PRECONDITION(is_name(label.name, false), "a label's name is [a-zA-Z_][a-zA-Z0-9_]*");
      append({before, label.name, "=\"", escaped(label.value, true), "\""});
      before = ",";
    };
    for (const auto& label : with) add(label);
    if (!extra.name.empty()) add(extra);
    append({before == "," ? "} " : " ", value, "\n"});
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
  }

  static std::string escaped(std::string_view text, bool quotes) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
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

  static constexpr bool is_name(std::string_view name, bool colons) noexcept {
    const auto first = [colons](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c == ':' && colons);
    };
    if (name.empty() || !first(name.front())) return false;
    for (const char c : name.substr(1)) {
      if (!first(c) && !(c >= '0' && c <= '9')) return false;
    }
    return true;
  }

  std::string text_{};
  std::string family_{};
};

}  // namespace brownout::inline BROWNOUT_ABI
