// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/core/assert.hpp"
#include "brownout/core/detail/contained.hpp"
#include "brownout/observe/detail/metric_text.hpp"
#include "brownout/observe/histogram.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/metric_sink.hpp"
#include "brownout/version.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// Collects metrics for prometheus-cpp. The rules are those of `prometheus_text`: names are checked, texts
/// may hold any bytes, and a family may begin again. A line feed in a help text becomes a space, because
/// prometheus-cpp does not escape it. Not thread-safe.
class prometheus_families {
 public:
  /// @name As in prometheus_text
  /// @{

  /// As the member of `prometheus_text` with this name.
  void family(std::string_view name, metric_type type, std::string_view help) {
    BROWNOUT_PRECONDITION(detail::is_metric_name(name), "a metric's name is [a-zA-Z_:][a-zA-Z0-9_:]*");
    const auto same = [&](const prometheus::MetricFamily& one) { return one.name == name; };
    const auto found = std::find_if(families_.begin(), families_.end(), same);
    current_ = static_cast<std::size_t>(found - families_.begin());
    if (found == families_.end()) {
      auto text = detail::printable(help);
      std::replace(text.begin(), text.end(), '\n', ' ');
      families_.push_back({std::string{name}, std::move(text), type_of(type), {}});
    }
    BROWNOUT_PRECONDITION(families_[current_].type == type_of(type),
                          "a family begins again with another type");
  }

  void sample(metric_labels with, double value) {
    auto& metric = add(with);
    switch (families_[current_].type) {
      case prometheus::MetricType::Counter:
        metric.counter.value = value;
        return;
      case prometheus::MetricType::Gauge:
        metric.gauge.value = value;
        return;
      case prometheus::MetricType::Untyped:
        metric.untyped.value = value;
        return;
      case prometheus::MetricType::Histogram:
      case prometheus::MetricType::Summary:
        break;
    }
    BROWNOUT_PRECONDITION(false, "a sample that does not fit the type of its family");
  }
  /// prometheus-cpp keeps numbers as `double`, which is exact up to 2^53.
  void sample(metric_labels with, std::integral auto value) { sample(with, static_cast<double>(value)); }

  void sample(metric_labels with, const histogram::snapshot& shown) {
    if (shown.cumulative.empty()) return sample(with, histogram::snapshot{{}, {0}, 0});  // never filled in
    auto& into = add(with, prometheus::MetricType::Histogram).histogram;
    for (std::size_t i = 0; i < shown.cumulative.size(); ++i) {
      const bool is_last = i == shown.bounds.size();
      into.bucket.push_back(
          {shown.cumulative[i], is_last ? std::numeric_limits<double>::infinity() : shown.bounds[i]});
    }
    into.sample_sum = shown.sum;
    into.sample_count = shown.cumulative.back();
  }

  void summary(metric_labels with, double sum, std::uint64_t count) {
    auto& into = add(with, prometheus::MetricType::Summary).summary;
    into.sample_sum = sum;
    into.sample_count = count;
  }

  /// The families that have samples.
  [[nodiscard]] std::vector<prometheus::MetricFamily> families() && {
    std::erase_if(families_, [](const prometheus::MetricFamily& one) { return one.metric.empty(); });
    return std::move(families_);
  }
  /// @}

 private:
  static prometheus::MetricType type_of(metric_type type) noexcept {
    switch (type) {
      case metric_type::counter:
        return prometheus::MetricType::Counter;
      case metric_type::gauge:
        return prometheus::MetricType::Gauge;
      case metric_type::histogram:
        return prometheus::MetricType::Histogram;
      case metric_type::summary:
        return prometheus::MetricType::Summary;
      case metric_type::untyped:
        break;
    }
    return prometheus::MetricType::Untyped;
  }

  prometheus::ClientMetric& add(metric_labels with) {
    BROWNOUT_PRECONDITION(current_ < families_.size(), "a sample before its family");
    detail::check_labels(with);
    auto& metric = families_[current_].metric.emplace_back();
    for (const auto& label : with) {
      metric.label.push_back({std::string{label.name}, detail::printable(label.value)});
    }
    return metric;
  }
  prometheus::ClientMetric& add(metric_labels with, prometheus::MetricType type) {
    auto& metric = add(with);
    BROWNOUT_PRECONDITION(families_[current_].type == type,
                          "a sample that does not fit the type of its family");
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_{};
  std::size_t current_ = 0;
};
static_assert(metric_sink<prometheus_families>);

/// Shows metrics of brownout through prometheus-cpp, beside the program's own:
///
///     const auto shown = std::make_shared<brownout::prometheus_collectable>([&](auto& page) {
///       write_metrics(page, watched.snapshot(watched.now()));
///     });
///     exposer.RegisterCollectable(shown);  // the exposer keeps a weak pointer
///
/// Write all systems in one collectable: prometheus-cpp does not join the families of two. Link
/// `brownout::prometheus_cpp`, which needs prometheus-cpp 1.0 or newer.
///
/// Thread-safe if the function is: an exposer calls it from threads of its own, and may call it from two at a
/// time. If the function throws, this scrape shows no metrics of this collectable.
class prometheus_collectable final : public prometheus::Collectable {
 public:
  /// Precondition: the function is not empty.
  explicit prometheus_collectable(std::function<void(prometheus_families&)> write)
      : write_{std::move(write)} {
    BROWNOUT_PRECONDITION(write_ != nullptr, "a collectable without a function");
  }

  /// Calls the function, and returns the families that it wrote.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    const auto collect = [this] {
      prometheus_families page;
      write_(page);
      return std::move(page).families();
    };
    // An exception would end the program: it would pass through the C code of the exposer's server.
    return detail::contained(collect, std::vector<prometheus::MetricFamily>{});
  }

 private:
  std::function<void(prometheus_families&)> write_;
};

}  // namespace brownout::inline BROWNOUT_ABI
