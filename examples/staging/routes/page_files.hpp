// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

/// The files of page/, as they were when the server was built. The build makes the definitions.
namespace staging::page_files {

extern const std::string_view index_html;
extern const std::string_view page_css;
extern const std::string_view page_js;
extern const std::string_view page_svg;

}  // namespace staging::page_files
