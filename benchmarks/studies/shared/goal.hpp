// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace studies {

/// Something that our default has to be, and whether it is.
struct goal {
  std::string what{};
  bool met = false;
};

}  // namespace studies
