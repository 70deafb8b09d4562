// SPDX-License-Identifier: BSL-1.0
#include "service/request_metrics.hpp"

#include <vector>

namespace staging {

void request_metrics::count(std::string_view route, int status, double seconds) {
  brownout::histogram* series = nullptr;
  {
    const std::lock_guard lock{mutex_};
    auto& slot = durations_[{std::string{route}, status}];
    if (!slot) {
      // Around what an API promises (0.5 s), down to what `/health` takes and up to the longest time-outs.
      slot = std::make_unique<brownout::histogram>(
          std::vector{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0});
    }
    series = slot.get();
  }
  series->observe(seconds);
}

void request_metrics::count_answer(std::string_view feature, std::string_view source) {
  const std::lock_guard lock{mutex_};
  ++answers_[{std::string{feature}, std::string{source}}];
}

void request_metrics::write(brownout::prometheus_text& out) const {
  struct row {
    std::string route;
    std::string status;
    bool error;
    brownout::histogram::snapshot duration;
  };
  std::vector<row> rows;
  decltype(answers_) answers;
  {
    const std::lock_guard lock{mutex_};
    answers = answers_;
    for (const auto& [labels, series] : durations_) {
      rows.push_back({labels.first, std::to_string(labels.second), labels.second >= 400, series->read()});
    }
  }
  out.family("dashboard_requests_total", brownout::metric_type::counter, "Requests answered.");
  for (const auto& one : rows) {
    out.sample({{"route", one.route}, {"status", one.status}}, one.duration.cumulative.back());
  }
  out.family("dashboard_errors_total", brownout::metric_type::counter,
             "Requests answered with a status of 400 or more.");
  for (const auto& one : rows) {
    if (one.error) out.sample({{"route", one.route}, {"status", one.status}}, one.duration.cumulative.back());
  }
  out.family("dashboard_request_duration_seconds", brownout::metric_type::histogram,
             "From a request's first byte until its answer was ready.");
  for (const auto& one : rows) out.sample({{"route", one.route}, {"status", one.status}}, one.duration);
  out.family("dashboard_answers_total", brownout::metric_type::counter,
             "Answers of the demo features by where they came from; none: there was nothing to show.");
  for (const auto& [labels, count] : answers)
    out.sample({{"feature", labels.first}, {"source", labels.second}}, count);
}

}  // namespace staging
