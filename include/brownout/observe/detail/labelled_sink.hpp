// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "brownout/observe/histogram.hpp"
#include "brownout/observe/metric_labels.hpp"
#include "brownout/observe/metric_sink.hpp"
#include "brownout/version.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace brownout::inline BROWNOUT_ABI::detail {

/// A sink that adds labels to each sample, before the sample's own.
template <metric_sink Sink>
class labelled_sink {
 public:
  labelled_sink(Sink& out, metric_labels added) : out_{out}, added_{added.size()} {
    for (const auto& one : added) labels_.push_back(one);
  }

  void family(std::string_view name, metric_type type, std::string_view help) {
    out_.family(name, type, help);
  }
  void sample(metric_labels with, double value) { out_.sample(all(with), value); }
  void sample(metric_labels with, std::integral auto value) {
    out_.sample(all(with), static_cast<std::uint64_t>(value));
  }
  void sample(metric_labels with, const histogram::snapshot& shown) { out_.sample(all(with), shown); }
  void summary(metric_labels with, double sum, std::uint64_t count) { out_.summary(all(with), sum, count); }

 private:
  metric_labels all(metric_labels with) {
    labels_.resize(added_);
    for (const auto& one : with) labels_.push_back(one);
    return labels_;
  }

  Sink& out_;
  std::size_t added_;
  std::vector<metric_label> labels_{};  // the added ones, then those of the sample
};

}  // namespace brownout::inline BROWNOUT_ABI::detail
