// SPDX-License-Identifier: BSL-1.0
// A program that shows its metrics through prometheus-cpp.
#include <brownout/brownout.hpp>
#include <brownout/prometheus_cpp/collectable.hpp>

int main() {
  const brownout::prometheus_collectable shown{[](auto& page) {
    page.family("requests_total", brownout::metric_type::counter, "Requests answered.");
    page.sample({}, 1.0);
  }};
  return shown.Collect().size() == 1 ? 0 : 1;
}
