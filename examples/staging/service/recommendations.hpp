// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "service/inventory.hpp"
#include "service/staging_system.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace staging {

/// Advice, and who gave it.
struct recommendation {
  std::vector<std::string> advice;
  std::string_view source;  ///< openai, or rules
  std::string reason;       ///< why not from the model; empty when it is
  shortfall lacked{};       ///< what did not answer on the way here, the model before the stock
};

/// Asks the model what to reorder; falls back to a rule: whatever is nearly sold out. Thread-safe.
[[nodiscard]] recommendation recommend(staging_system& system, inventory& stock,
                                       const brownout::feature_view_for<features>& offered);

}  // namespace staging
