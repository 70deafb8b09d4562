// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <span>
#include <string_view>

namespace staging {

struct page_file {
  std::string_view name;
  std::string_view content;
};

/// The files of page/, as they were when the server was built. The build makes the definition.
extern const std::span<const page_file> page_files;

}  // namespace staging
