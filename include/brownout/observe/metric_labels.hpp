// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/version.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI {

/// The types of metrics that Prometheus knows.
enum class metric_type : std::uint8_t { counter, gauge, histogram, summary, untyped };

/// The type as the Prometheus text format spells it.
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
  std::string_view name{};   ///< name of the label
  std::string_view value{};  ///< its value; any bytes
};

/// The labels of a sample, for example `{{"route", "health"}, {"status", "200"}}` or a vector of labels.
///
/// A view, for parameters: the list or vector must outlive it.
class metric_labels {
 public:
  // NOLINTBEGIN(google-explicit-constructor): a call reads like a sample.
  /// Labels in braces.
  constexpr metric_labels(std::initializer_list<metric_label> listed) noexcept
      : first_{listed.begin()}, size_{listed.size()} {}
  /// Labels that the caller keeps.
  constexpr metric_labels(const std::vector<metric_label>& kept) noexcept
      : first_{kept.data()}, size_{kept.size()} {}
  // NOLINTEND(google-explicit-constructor)

  /// The first label.
  [[nodiscard]] constexpr const metric_label* begin() const noexcept { return first_; }
  /// Behind the last label.
  [[nodiscard]] constexpr const metric_label* end() const noexcept { return first_ + size_; }
  /// The number of labels.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }

 private:
  const metric_label* first_;
  std::size_t size_;
};

}  // namespace brownout::inline BROWNOUT_ABI
