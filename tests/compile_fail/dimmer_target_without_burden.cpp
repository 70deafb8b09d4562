// SPDX-License-Identifier: BSL-1.0
// A target says how much of it was measured.
// must say: dimmer_target
#include "brownout/feature/dimmer_controller.hpp"

#include <optional>

struct queue_target {
  using measurement = double;
  double longest = 10;
  void validate() const {}
#ifndef MISTAKE
  [[nodiscard]] std::optional<double> burden(double measured) const noexcept {
    return measured / longest;
  }
#endif
};

double share(double measured) {
  brownout::dimmer_controller<queue_target> controller{queue_target{}};
  controller.update(measured);
  return controller.share();
}
