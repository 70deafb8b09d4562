// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// The types of metrics that Prometheus knows.
enum class metric_type : std::uint8_t { counter, gauge, histogram, summary, untyped };

[[nodiscard]] constexpr std::string_view to_string(metric_type type) noexcept {
  switch (type) {
    case metric_type::counter:
      return "counter";
    case metric_type::gauge:
      return "gauge";
    case metric_type::histogram:
      return "histogram";
    case metric_type::summary:
      return "summary";
    case metric_type::untyped:
      return "untyped";
  }
  return "invalid";
}

/// A label of a metric. The value may hold any bytes.
struct metric_label {
  std::string_view name{};
  std::string_view value{};
};

/// The labels of a sample, for example `{{"route", "health"}, {"status", "200"}}` or a vector of labels.
///
/// A view, for parameters: the list or vector must outlive it.
class metric_labels {
 public:
  // NOLINTBEGIN(google-explicit-constructor): a call reads like a sample.
  constexpr metric_labels(std::initializer_list<metric_label> listed) noexcept
      : labels_{std::data(listed), listed.size()} {}
  constexpr metric_labels(const std::vector<metric_label>& kept) noexcept : labels_{kept} {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] constexpr auto begin() const noexcept { return labels_.begin(); }
  [[nodiscard]] constexpr auto end() const noexcept { return labels_.end(); }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return labels_.size(); }

 private:
  std::span<const metric_label> labels_;
};

}  // namespace brownout::inline BROWNOUT_ABI
