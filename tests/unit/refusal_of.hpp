// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stdexcept>
#include <string>

/// The text with which `validate` refuses options; empty if it accepts them.
template <class Options>
[[nodiscard]] std::string refusal_of(const Options& tried) {
  try {
    tried.validate();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}
