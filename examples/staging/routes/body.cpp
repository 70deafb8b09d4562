// SPDX-License-Identifier: BSL-1.0
#include "routes/body.hpp"

#include "config/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>

namespace staging {

namespace {

constexpr std::size_t longest_shown = 64;

/// What the parser says is wrong, without what it has read: that is the client's own.
std::string_view reason_of(const nlohmann::json::parse_error& wrong) {
  std::string_view text{wrong.what()};
  const auto kind = text.find("] ");  // behind it: "[json.exception.parse_error.101] "
  if (kind != std::string_view::npos) text.remove_prefix(kind + 2);
  return text.substr(0, text.find("; last read"));
}

nlohmann::json parsed(const std::string& text) {
  std::set<std::string> fields;
  std::string field = "body";
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& value) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1) {
      field = value.get<std::string>().substr(0, longest_shown);
      if (!fields.insert(value.get<std::string>()).second) throw bad_request(field, "is given twice");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::out_of_range&) {
    throw bad_request(field, "holds a number that is too large");
  } catch (const nlohmann::json::parse_error& wrong) {
    throw bad_request("body", fmt::format("The body is not JSON: {}.", reason_of(wrong)));
  }
}

/// Whether a text holds no control characters: those of ASCII, and those of Unicode, U+0080 to U+009F.
bool is_plain(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text::is_control(text[i])) return false;
    if (text[i] == '\xc2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0)
      return false;
  }
  return true;
}

std::string shown(const nlohmann::json& value) {
  // The library writes what is nested by recursion, and a body can be nested deeper than a stack is.
  if (value.is_structured()) return value.is_array() ? "a list" : "an object";
  auto text = value.dump(-1, ' ', true);
  if (text.size() > longest_shown) text = text.substr(0, longest_shown) + "...";
  return text;
}

}  // namespace

body::body(const request& from, std::initializer_list<std::string_view> known) {
  if (from.body.empty()) {  // some clients and proxies drop that of a DELETE
    throw bad_request("body",
                      fmt::format("The body is missing; it must be a JSON object, and these are allowed: {}.",
                                  fmt::join(known, ", ")));
  }
  fields_ = parsed(from.body);
  if (!fields_.is_object()) throw bad_request("body", "The body must be a JSON object.");
  for (const auto& [name, value] : fields_.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      throw bad_request(name.substr(0, longest_shown),
                        fmt::format("There is no such field; allowed: {}.", fmt::join(known, ", ")));
    }
  }
}

std::string body::text(std::string_view field, std::size_t longest) const {
  const auto* value = find(field);
  if (value != nullptr && value->is_string()) {
    auto read = value->get<std::string>();
    const bool is_blank = read.find_first_not_of(' ') == std::string::npos;
    if (!is_blank && read.size() <= longest && is_plain(read)) return read;
  }
  throw bad_request(
      std::string{field},
      fmt::format("must be a text of 1 to {} bytes, not blank and without control characters", longest));
}

std::optional<double> body::number(std::string_view field, double least, double most) const {
  const auto* value = find(field);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const auto read = value->get<double>();
    if (read >= least && read <= most) return read;
  }
  throw bad_request(std::string{field},
                    fmt::format("must be a number from {} to {}, not {}", least, most, shown(*value)));
}

const nlohmann::json* body::find(std::string_view field) const {
  const auto found = fields_.find(field);
  return found == fields_.end() ? nullptr : &*found;
}

}  // namespace staging
