// SPDX-License-Identifier: BSL-1.0
#include "http/json_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace staging {

void json_text::append_number(double value) {
  if (!std::isfinite(value)) return append(nullptr);
  const auto begin = text_.size();
  fmt::format_to(std::back_inserter(text_), "{}", value);
  // As the JSON library writes it: 1.0 stays a number with a fraction.
  if (text_.find_first_of(".e", begin) == std::string::npos) text_ += ".0";
}

void json_text::append_text(std::string_view value) {
  const bool is_plain =
      std::ranges::all_of(value, [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; });
  if (is_plain) {
    text_ += '"';
    text_ += value;
    text_ += '"';
  } else {
    using nlohmann::json;
    text_ += json(value).dump(-1, ' ', false, json::error_handler_t::replace);
  }
}

}  // namespace staging
