// SPDX-License-Identifier: BSL-1.0
#include "routes/body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace staging {

body::body(const request& from, std::initializer_list<std::string_view> known)
    : fields_(nlohmann::json::parse(from.body, nullptr, false)) {
  if (!fields_.is_object()) throw bad_request("body", "The body must be a JSON object.");
  for (const auto& [name, value] : fields_.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      throw bad_request(name.substr(0, 64),
                        fmt::format("There is no such field; allowed: {}.", fmt::join(known, ", ")));
    }
  }
}

std::string body::text(std::string_view field, std::size_t longest) const {
  const auto* value = find(field);
  if (value != nullptr && value->is_string()) {
    auto read = value->get<std::string>();
    if (!read.empty() && read.size() <= longest) return read;
  }
  throw bad_request(std::string{field}, fmt::format("must be a text of 1 to {} bytes", longest));
}

std::optional<double> body::number(std::string_view field, double least, double most) const {
  const auto* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const auto read = value->get<double>();
    if (read >= least && read <= most) return read;
  }
  throw bad_request(std::string{field}, fmt::format("must be a number from {} to {}", least, most));
}

const nlohmann::json* body::find(std::string_view field) const {
  const auto found = fields_.find(field);
  return found == fields_.end() ? nullptr : &*found;
}

}  // namespace staging
