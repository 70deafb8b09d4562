// SPDX-License-Identifier: BSL-1.0
// A change of a circuit is explained by its states and its reason.
// must say: explainable_circuit_change
#include "brownout/core/circuit_state.hpp"
#include "brownout/observe/explanation.hpp"

#include <cstddef>
#include <string>

struct change {
  std::size_t dependency = 0;
  brownout::circuit_state from{};
  brownout::circuit_state to{};
#ifndef MISTAKE
  std::string reason;
#endif
};

std::string text_of(const change& one) {
  return brownout::explain(one, [](std::size_t) { return "database"; });
}
